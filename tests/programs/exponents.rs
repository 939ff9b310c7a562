//! Raises to secret exponents for `tests/constant_time.rs`, which has callgrind count the instructions of each [`counted`] call: for
//! the tests only, never in the shipped programs.
//!
//! `exponents share|pair|prove|variable BITS SEED COUNT` prints the process id of each; with `stepped` after it, it steps through each
//! process itself, on the bare processor, and prints how many steps there were and a hash of where they went. Every exponent has a process of its own,
//! forked from the same state: memory lies at the same addresses and the allocator finds the same, so that nothing but the
//! exponent (and, in a proof, the nonce) differs.

use conclave::codec::{Epoch, digest};
use conclave::threshold::{PublicKey, Representative, SecretShare, SignatureShare, test_keys};
use num_bigint::BigUint;
use std::hint::black_box;

/// What is done with an exponent.
#[derive(Clone, Copy)]
enum Work {
    /// A signature share: x^s, then the public power 2Δ.
    Share,
    /// Two shares at once.
    Pair,
    /// A proof: two powers of a nonce, z = s c + r.
    Prove,
    /// The same power by a library that makes no promise: it must be seen to vary.
    Variable,
}

struct Setting {
    public: PublicKey,
    xs: [Representative; 2],
    /// A well-formed share: what is proved of it need not be true.
    share: SignatureShare,
}

/// The call that is counted; everything before it is set up.
#[inline(never)]
fn counted(setting: &Setting, work: Work, secret: &SecretShare, exponent: &[u8], entropy: [u8; 32]) {
    run(setting, work, secret, exponent, entropy);
}

#[inline(never)]
fn run(setting: &Setting, work: Work, secret: &SecretShare, exponent: &[u8], entropy: [u8; 32]) {
    let Setting { public, xs, share } = setting;
    match work {
        Work::Share => drop(black_box(secret.sign(public, &xs[0]))),
        Work::Pair => drop(black_box(secret.sign_all(public, xs))),
        Work::Prove => drop(black_box(secret.prove(public, Epoch(1), &xs[0], share, entropy))),
        Work::Variable => {
            let modulus = BigUint::from_bytes_be(public.modulus());
            drop(black_box(BigUint::from(3u32).modpow(&BigUint::from_bytes_be(exponent), &modulus)));
        }
    }
}

/// Octets that a seed and a number give.
fn octets(seed: u64, number: u64, length: usize) -> Vec<u8> {
    let block =
        |i: usize| digest("tests/exponents", &[&seed.to_be_bytes(), &number.to_be_bytes(), &[i as u8]]).0;
    (0..length.div_ceil(32)).flat_map(block).take(length).collect()
}

/// Exponents as long as N: random; short; of few bits; of many; and 0, 1, 2^(|N|-1), 2^|N|-1.
fn exponent(seed: u64, number: u64, length: usize) -> Vec<u8> {
    let random = octets(seed, number, length);
    let few =
        || random.iter().take(5).enumerate().map(|(i, octet)| (i * 37 + usize::from(*octet)) % (8 * length));
    let with_bits = |start: u8| {
        let mut out = vec![start; length];
        few().for_each(|bit| out[bit / 8] ^= 1 << (bit % 8));
        out
    };
    match (number, number % 5) {
        (0, _) => vec![0; length],
        (1, _) => [vec![0; length - 1], vec![1]].concat(),
        (2, _) => [vec![0x80], vec![0; length - 1]].concat(),
        (3, _) => vec![0xff; length],
        (_, 0) => with_bits(0),
        (_, 1) => with_bits(0xff),
        (_, 2) => {
            let zeros = usize::from(random[0]) * (length - 1) / 255;
            [vec![0; zeros], random[zeros..].to_vec()].concat()
        }
        _ => random,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, numbers @ ..] = &arguments[..] else { panic!("what, bits, seed, count") };
    let [bits, seed, count] = [0, 1, 2].map(|i| numbers[i].parse::<u64>().expect("a number"));
    let stepped = numbers.get(3).is_some_and(|word| word == "stepped");
    let work = match work.as_str() {
        "share" => Work::Share,
        "pair" => Work::Pair,
        "prove" => Work::Prove,
        "variable" => Work::Variable,
        other => panic!("{other}?"),
    };
    let dealt = test_keys::dealt(bits as usize, 0, 4, 2);
    let xs = [1, 2].map(|octet| dealt.public.encode(&[octet; 32]).expect("as SHA-256 has"));
    let share = dealt.shares[0].sign(&dealt.public, &xs[0]);
    let setting = Setting { xs, share, public: dealt.public };
    // Once uncounted: what is set up at first use is set up.
    run(&setting, work, &dealt.shares[0], &[5], [0; 32]);
    let inputs: Vec<_> = (0..count).map(|number| input(&setting.public, seed, number)).collect();
    println!("{count} exponents");
    for input in &inputs {
        // SAFETY: the process has one thread, so that the child may do everything.
        match unsafe { libc::fork() } {
            0 => {
                let secret = SecretShare::from_bytes(&input.file).expect("a well-formed share");
                if stepped {
                    stop_for_the_tracer();
                }
                return counted(&setting, work, &secret, &input.exponent, input.entropy);
            }
            child => {
                assert!(child > 0, "a process");
                if stepped {
                    let (steps, trace) = step(child);
                    println!("{steps} {trace:016x}");
                } else {
                    wait(child);
                    println!("{child}");
                }
            }
        }
    }
}

/// The status of a child of ours that has stopped or ended.
fn wait(child: libc::pid_t) -> libc::c_int {
    let mut status = 0;
    // SAFETY: waits for a child of our own, and writes its status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status
}

fn stop_for_the_tracer() {
    // SAFETY: asks that the parent traces this process, and stops it; neither touches memory.
    unsafe {
        assert_eq!(libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0), 0, "may be traced");
        libc::raise(libc::SIGSTOP);
    }
}

/// Lets a stopped child go on to its end, one instruction after the other: how many, and a hash (FNV-1a) of their addresses.
#[cfg(target_arch = "x86_64")]
fn step(child: libc::pid_t) -> (u64, u64) {
    let (mut steps, mut trace) = (0, 0xcbf2_9ce4_8422_2325_u64);
    while libc::WIFSTOPPED(wait(child)) {
        // SAFETY: the child is ours, traced, and stopped; its registers are written into a structure that is theirs.
        let address = unsafe {
            let mut registers: libc::user_regs_struct = std::mem::zeroed();
            assert_eq!(libc::ptrace(libc::PTRACE_GETREGS, child, 0, &raw mut registers), 0);
            assert_eq!(libc::ptrace(libc::PTRACE_SINGLESTEP, child, 0, 0), 0);
            registers.rip
        };
        steps += 1;
        trace = (trace ^ address).wrapping_mul(0x0100_0000_01b3);
    }
    (steps, trace)
}

/// Known for one kind of processor only.
#[cfg(not(target_arch = "x86_64"))]
fn step(_: libc::pid_t) -> (u64, u64) {
    panic!("only x86-64 is stepped through")
}

/// What the children do not make themselves, so that all have done the same when counting begins.
struct Input {
    exponent: Vec<u8>,
    /// The exponent as replica 1's share file.
    file: Vec<u8>,
    entropy: [u8; 32],
}

fn input(public: &PublicKey, seed: u64, number: u64) -> Input {
    let exponent = exponent(seed, number, public.modulus().len());
    let file = [&[1, 1], &public.key_id().0.0[..], &exponent].concat();
    Input { exponent, file, entropy: octets(seed, number, 32).try_into().expect("32 octets") }
}
