//! Arithmetic modulo N over aws-lc: the only place of this layer with `unsafe`.
//!
//! Secret exponents go through [`Modulus::pow_secret`] alone (`BN_mod_exp_mont_consttime`): its time and its memory
//! accesses depend on the exponent's *length in limbs*, which is the length of the octets given, whatever their value
//! (`BN_bin2bn` keeps leading zeros). Everything else here is variable time and for public values.
//!
//! The C functions used fail only for want of memory or for arguments out of range, which the types here rule out:
//! both are assertions.

use aws_lc_sys as sys;
use std::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// A non-negative integer of aws-lc; wiped when dropped.
pub(super) struct Number(NonNull<sys::BIGNUM>);

// SAFETY: a BIGNUM is plain memory without thread affinity; through `&Number` it is only read.
unsafe impl Send for Number {}
// SAFETY: as above.
unsafe impl Sync for Number {}

impl Number {
    /// Zero.
    fn new() -> Self {
        // SAFETY: no arguments; null is checked.
        Self(NonNull::new(unsafe { sys::BN_new() }).expect("memory for a number"))
    }

    /// From big-endian octets; as many limbs as they fill, leading zeros too.
    fn from_bytes(bytes: &[u8]) -> Self {
        let number = Self::new();
        // SAFETY: reads `bytes.len()` octets and writes into a number that we own.
        let done = unsafe { sys::BN_bin2bn(bytes.as_ptr(), bytes.len(), number.0.as_ptr()) };
        assert!(!done.is_null(), "memory for a number");
        number
    }

    fn ptr(&self) -> *const sys::BIGNUM {
        self.0.as_ptr()
    }

    fn mut_ptr(&mut self) -> *mut sys::BIGNUM {
        self.0.as_ptr()
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // SAFETY: owned, and not used again.
        unsafe { sys::BN_clear_free(self.0.as_ptr()) }
    }
}

/// Scratch space of aws-lc for one call.
struct Scratch(NonNull<sys::BN_CTX>);

impl Scratch {
    fn new() -> Self {
        // SAFETY: no arguments; null is checked.
        Self(NonNull::new(unsafe { sys::BN_CTX_new() }).expect("memory for scratch"))
    }

    fn ptr(&self) -> *mut sys::BN_CTX {
        self.0.as_ptr()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: owned, and not used again.
        unsafe { sys::BN_CTX_free(self.0.as_ptr()) }
    }
}

/// An element of Z_N, below N.
pub(super) struct Residue(Number);

/// N, with its Montgomery constants.
pub(super) struct Modulus {
    bytes: Vec<u8>,
    number: Number,
    montgomery: NonNull<sys::BN_MONT_CTX>,
}

// SAFETY: the Montgomery context is never written after `new`; aws-lc takes it as a pointer to const.
unsafe impl Send for Modulus {}
// SAFETY: as above.
unsafe impl Sync for Modulus {}

impl Drop for Modulus {
    fn drop(&mut self) {
        // SAFETY: owned, and not used again.
        unsafe { sys::BN_MONT_CTX_free(self.montgomery.as_ptr()) }
    }
}

impl Modulus {
    /// An odd modulus whose first octet is not 0; `None` otherwise.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.first().is_none_or(|b| *b == 0) || bytes.last().is_none_or(|b| b % 2 == 0) || bytes == [1] {
            return None;
        }
        let number = Number::from_bytes(bytes);
        let scratch = Scratch::new();
        // SAFETY: both pointers are live; the modulus is odd and positive.
        let montgomery = unsafe { sys::BN_MONT_CTX_new_for_modulus(number.ptr(), scratch.ptr()) };
        Some(Self { bytes: bytes.to_vec(), number, montgomery: NonNull::new(montgomery)? })
    }

    /// N, big-endian.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Octets of N, and of every residue's encoding.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The residue of exactly [`Self::len`] octets, if it is below N.
    pub(super) fn residue(&self, bytes: &[u8]) -> Option<Residue> {
        (bytes.len() == self.len() && bytes < &self.bytes[..]).then(|| Residue(Number::from_bytes(bytes)))
    }

    /// The encoding of a residue, [`Self::len`] octets.
    pub(super) fn encode(&self, residue: &Residue) -> Vec<u8> {
        let mut out = vec![0; self.len()];
        // SAFETY: writes exactly `out.len()` octets; a residue is below N and fits.
        let done = unsafe { sys::BN_bn2bin_padded(out.as_mut_ptr(), out.len(), residue.0.ptr()) };
        assert_eq!(done, 1, "a residue is as long as its modulus");
        out
    }

    /// The same element again.
    pub(super) fn copy(&self, residue: &Residue) -> Residue {
        Residue(Number::from_bytes(&Zeroizing::new(self.encode(residue))))
    }

    /// a·b.
    pub(super) fn mul(&self, a: &Residue, b: &Residue) -> Residue {
        let (mut raised, mut product) = (Number::new(), Number::new());
        let scratch = Scratch::new();
        let montgomery = self.montgomery.as_ptr();
        // SAFETY: all pointers are live; a and b are below N. (aR)·b·R⁻¹ = a·b.
        let done = unsafe {
            sys::BN_to_montgomery(raised.mut_ptr(), a.0.ptr(), montgomery, scratch.ptr()) == 1
                && sys::BN_mod_mul_montgomery(
                    product.mut_ptr(),
                    raised.ptr(),
                    b.0.ptr(),
                    montgomery,
                    scratch.ptr(),
                ) == 1
        };
        assert!(done, "memory for a product");
        Residue(product)
    }

    /// base^exponent, both public; the exponent is big-endian.
    pub(super) fn pow(&self, base: &Residue, exponent: &[u8]) -> Residue {
        let mut power = Number::new();
        let exponent = Number::from_bytes(exponent);
        let scratch = Scratch::new();
        // SAFETY: all pointers are live; the base is below N.
        let done = unsafe {
            sys::BN_mod_exp_mont(
                power.mut_ptr(),
                base.0.ptr(),
                exponent.ptr(),
                self.number.ptr(),
                scratch.ptr(),
                self.montgomery.as_ptr(),
            )
        };
        assert_eq!(done, 1, "memory for a power");
        Residue(power)
    }

    /// base^exponent for a secret exponent: constant time in its value, for its length.
    pub(super) fn pow_secret(&self, base: &Residue, exponent: &[u8]) -> Residue {
        let mut power = Number::new();
        let exponent = Number::from_bytes(exponent);
        let scratch = Scratch::new();
        // SAFETY: all pointers are live; the base is below N.
        let done = unsafe {
            sys::BN_mod_exp_mont_consttime(
                power.mut_ptr(),
                base.0.ptr(),
                exponent.ptr(),
                self.number.ptr(),
                scratch.ptr(),
                self.montgomery.as_ptr(),
            )
        };
        assert_eq!(done, 1, "memory for a power");
        Residue(power)
    }

    /// Two powers with one secret exponent: where the processor has AVX-512 IFMA, for less than the price of one.
    /// The bases must come from [`Self::residue`], the exponent have [`Self::len`] octets: the fast path wants full limbs.
    pub(super) fn pow_secret_pair(&self, bases: [&Residue; 2], exponent: &[u8]) -> [Residue; 2] {
        let (mut first, mut second) = (Number::new(), Number::new());
        let exponent = Number::from_bytes(exponent);
        let scratch = Scratch::new();
        let montgomery = self.montgomery.as_ptr();
        // SAFETY: all pointers are live and the results distinct; the bases are below N.
        let done = unsafe {
            sys::BN_mod_exp_mont_consttime_x2(
                first.mut_ptr(),
                bases[0].0.ptr(),
                exponent.ptr(),
                self.number.ptr(),
                montgomery,
                second.mut_ptr(),
                bases[1].0.ptr(),
                exponent.ptr(),
                self.number.ptr(),
                montgomery,
                scratch.ptr(),
            )
        };
        assert_eq!(done, 1, "memory for two powers");
        [Residue(first), Residue(second)]
    }

    /// 1/a, if gcd(a, N) = 1. Variable time.
    pub(super) fn invert(&self, a: &Residue) -> Option<Residue> {
        let mut inverse = Number::new();
        let mut none = 0;
        let scratch = Scratch::new();
        // SAFETY: all pointers are live; N is odd and a below it.
        let done = unsafe {
            sys::BN_mod_inverse_odd(
                inverse.mut_ptr(),
                ptr::from_mut(&mut none),
                a.0.ptr(),
                self.number.ptr(),
                scratch.ptr(),
            )
        };
        if done == 1 {
            return Some(Residue(inverse));
        }
        assert_eq!(none, 1, "memory for an inverse");
        // SAFETY: drops the thread's error queue entry "no inverse", which nobody will read.
        unsafe { sys::ERR_clear_error() };
        None
    }
}
