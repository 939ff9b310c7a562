#!/usr/bin/env python3
"""Checks known answers of threshold RSA by the formulas of Shoup's paper alone: integers, pow() and SHA-2.

  check.py FILE...          every field of every file; says which is wrong, and exits with 1
  check.py --spoil FILE     that this program can fail: spoils each field in turn, and demands that each is noticed

It shares no code with Conclave and is slow on purpose. README.md, beside it, says what each field is.
"""

import copy
import functools
import hashlib
import json
import math
import sys


class Wrong(Exception):
    pass


def demand(condition, what):
    if not condition:
        raise Wrong(what)


def octets(text):
    return bytes.fromhex(text)


def number(text):
    """Fields are big-endian hexadecimal; the few that can be negative have a sign before it."""
    return int(text, 16)


def digest(domain, *fields):
    """SHA-256 over the domain and the fields, the length of each before it, in 8 octets."""
    parts = [domain.encode(), *fields]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


@functools.cache
def is_probably_prime(n):
    """Miller and Rabin, with the first twenty primes."""
    bases = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71]
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        power = pow(base, odd, n)
        if power in (1, n - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % n
            if power == n - 1:
                break
        else:
            return False
    return True


class Draws:
    """The dealer's randomness in these files: SHA-256 of a counter, a fresh block for every 32 octets or part of them."""

    def __init__(self):
        self.counter = 0

    def __call__(self, length):
        out = b""
        while len(out) < length:
            self.counter += 1
            block = digest("conclave/test-keys", self.counter.to_bytes(8, "big"))
            out += block[: length - len(out)]
        return out


class Checker:
    def __init__(self, vector):
        self.vector = vector
        self.n, self.k = vector["n"], vector["k"]
        self.length = vector["bits"] // 8
        self.e = number(vector["e"])
        self.modulus = number(vector["modulus"])

    def residue(self, text):
        """An element of Z_N: as many octets as N, and less than N."""
        demand(len(octets(text)) == self.length, "an element that is not as long as N")
        demand(number(text) < self.modulus, "an element that is not below N")
        return number(text)

    def encode(self, value):
        return value.to_bytes(self.length, "big")

    def all(self):
        self.dealer()
        self.public_key()
        self.message()
        self.shares()
        self.proofs()
        for bad in self.vector["refused"]:
            why = self.refusal(bad["i"], bad["epoch"], bad["x_i"], bad["c"], bad["z"])
            demand(why is not None, "refused: holds, but should not: " + bad["why"])
        self.combinations()

    def dealer(self):
        """Shoup, section 2.2, "The Dealer"."""
        vector = self.vector
        names = ["p", "q", "p_prime", "q_prime", "m", "d", "delta", "a", "b", "u", "v"]
        p, q, p_prime, q_prime, m, d, delta, a, b, u, v = (number(vector[name]) for name in names)
        demand(p == 2 * p_prime + 1 and q == 2 * q_prime + 1, "p = 2p'+1, q = 2q'+1")
        demand(all(map(is_probably_prime, [p, q, p_prime, q_prime])), "safe primes")
        demand(p != q and self.modulus == p * q, "N = pq")
        demand(self.modulus.bit_length() == vector["bits"] == 8 * len(octets(vector["modulus"])), "|N|")
        demand(m == p_prime * q_prime, "m = p'q'")
        demand(self.e == 65537 and self.e > self.n, "e")
        demand(d == pow(self.e, -1, m), "d = 1/e mod m")
        demand(delta == math.factorial(self.n), "Δ = n!")
        demand(4 * delta**2 * a + self.e * b == 1, "4Δ²a + eb = 1")
        f, draws = [number(coefficient) for coefficient in vector["f"]], Draws()
        demand(len(f) == self.k and f[0] == d, "f(0) = d, of degree k-1")
        for coefficient in f[1:]:
            demand(coefficient == int.from_bytes(draws(self.length + 16), "big") % m, "a coefficient as drawn")
        drawn = self.modulus
        while drawn >= self.modulus:
            drawn = int.from_bytes(draws(self.length), "big")
        demand(u == drawn and math.gcd(u, self.modulus) == 1, "u as drawn, a unit")
        demand(self.residue(vector["v"]) == pow(u, 2, self.modulus), "v = u²")
        demand([share["i"] for share in vector["shares"]] == list(range(1, self.n + 1)), "indices 1 … n")
        for share in vector["shares"]:
            i, s_i = share["i"], number(share["s_i"])
            demand(len(octets(share["s_i"])) == self.length, "s_i is as long as N")
            demand(s_i == sum(c * i**power for power, c in enumerate(f)) % m, f"s_{i} = f({i})")
            demand(self.residue(share["v_i"]) == pow(v, s_i, self.modulus), f"v_{i} = v^s_{i}")

    def public_key(self):
        """Borsh: little-endian integers; an array of octets after its length in 4."""

        def sized(items):
            return len(items).to_bytes(4, "little") + b"".join(items)

        def plain(data):
            return len(data).to_bytes(4, "little") + data

        vector = self.vector
        encoded = b"\x01" + plain(octets(vector["modulus"])) + self.e.to_bytes(4, "little")
        encoded += bytes([self.n, self.k]) + plain(octets(vector["v"]))
        encoded += sized([plain(octets(share["v_i"])) for share in vector["shares"]])
        demand(octets(vector["public_key"]) == encoded, "public_key")
        demand(octets(vector["key_id"]) == digest("conclave/threshold-key", encoded), "key_id")

    def message(self):
        """RFC 8017, section 9.2; the algorithms are DNSSEC's (RFC 5702)."""
        vector = self.vector
        size, arc, make = {8: (32, 1, hashlib.sha256), 10: (64, 3, hashlib.sha512)}[vector["algorithm"]]
        hashed = make(octets(vector["message"])).digest()
        demand(octets(vector["hash"]) == hashed, "hash")
        info = bytes([0x30, 17 + size, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc, 5, 0, 4, size])
        tail = b"\x00" + info + hashed
        padded = b"\x00\x01" + b"\xff" * (self.length - 2 - len(tail)) + tail
        demand(octets(vector["x"]) == padded, "x")

    def shares(self):
        x, delta = number(self.vector["x"]), math.factorial(self.n)
        for share in self.vector["shares"]:
            i, s_i = share["i"], number(share["s_i"])
            demand(self.residue(share["x_s"]) == pow(x, s_i, self.modulus), f"x^s_{i}")
            demand(self.residue(share["x_i"]) == pow(x, 2 * delta * s_i, self.modulus), f"x_{i} = x^(2Δ s_{i})")
        x_tilde = self.residue(self.vector["x_tilde"])
        demand(x_tilde == pow(x, 4 * delta, self.modulus), "x_tilde = x^(4Δ)")

    def challenge(self, i, epoch, square, v_r, x_r):
        vector = self.vector
        return digest(
            "conclave/threshold-proof",
            octets(vector["modulus"]),
            octets(vector["key_id"]),
            epoch.to_bytes(4, "big"),
            bytes([i]),
            octets(vector["v"]),
            octets(vector["x_tilde"]),
            octets(vector["shares"][i - 1]["v_i"]),
            self.encode(square),
            self.encode(v_r),
            self.encode(x_r),
        )

    def nonce(self, proof, s_i):
        """SHA-512 in counter mode, over the secret, the entropy and the statement."""
        vector = self.vector
        parts = [b"conclave/threshold-nonce", octets(proof["entropy"]), self.encode(s_i), octets(vector["key_id"])]
        parts += [vector["epoch"].to_bytes(4, "big"), bytes([proof["i"]])]
        parts += [octets(vector["x_tilde"]), octets(proof["square"])]
        seed = hashlib.sha512(b"".join(parts)).digest()
        length = self.length + 64
        blocks = (hashlib.sha512(seed + count.to_bytes(4, "big")).digest() for count in range(length // 64 + 1))
        return b"".join(blocks)[:length]

    def proofs(self):
        """Shoup, section 2.2, "Generating a signature share": c, z, and every value on the way."""
        vector, modulus = self.vector, self.modulus
        v, x_tilde = number(vector["v"]), number(vector["x_tilde"])
        demand(len(vector["proofs"]) >= 3, "three proofs")
        for proof in vector["proofs"]:
            i, r, c, z = proof["i"], number(proof["r"]), number(proof["c"]), number(proof["z"])
            share = vector["shares"][i - 1]
            s_i, x_i = number(share["s_i"]), number(share["x_i"])
            where = f"proof {i}: "
            demand(self.residue(proof["square"]) == x_i * x_i % modulus, where + "x_i²")
            demand(octets(proof["r"]) == self.nonce(proof, s_i), where + "r")
            demand(self.residue(proof["v_r"]) == pow(v, r, modulus), where + "v^r")
            demand(self.residue(proof["x_r"]) == pow(x_tilde, r, modulus), where + "x_tilde^r")
            demand(pow(x_tilde, s_i, modulus) == number(proof["square"]), where + "x_tilde^s = x_i²")
            hashed = self.challenge(i, vector["epoch"], *(number(proof[name]) for name in ["square", "v_r", "x_r"]))
            demand(octets(proof["c"]) == hashed, where + "c")
            demand(len(octets(proof["z"])) == self.length + 65 and z == s_i * c + r, where + "z = s_i c + r")
            why = self.refusal(i, vector["epoch"], share["x_i"], proof["c"], proof["z"])
            demand(why is None, where + f"refused: {why}")

    def refusal(self, i, epoch, x_i, c, z):
        """Why a verifier refuses this proof; nothing if it does not."""
        vector, modulus = self.vector, self.modulus
        if not 1 <= i <= self.n:
            return "index"
        if len(octets(x_i)) != self.length or not 1 < number(x_i) < modulus - 1:
            return "range of x_i"
        if math.gcd(number(x_i), modulus) != 1:
            return "x_i is no unit"
        if len(octets(z)) != self.length + 65 or number(z) >= 2 ** (vector["bits"] + 513):
            return "range of z"
        square = pow(number(x_i), 2, modulus)
        v_i, exponent = number(vector["shares"][i - 1]["v_i"]), number(c)
        v_r = pow(number(vector["v"]), number(z), modulus) * pow(v_i, -exponent, modulus) % modulus
        x_r = pow(number(vector["x_tilde"]), number(z), modulus) * pow(square, -exponent, modulus) % modulus
        return None if self.challenge(i, epoch, square, v_r, x_r) == octets(c) else "c"

    def combinations(self):
        """Shoup, section 2.2, "Combining shares"."""
        vector, modulus = self.vector, self.modulus
        x, y, d = number(vector["x"]), self.residue(vector["y"]), number(vector["d"])
        delta, a, b, m = (number(vector[name]) for name in ["delta", "a", "b", "m"])
        demand(pow(y, self.e, modulus) == x, "y^e = x")
        demand(pow(y, 2, modulus) == pow(x, 2 * d, modulus), "y² = x^(2d)")
        sets = [combination["set"] for combination in vector["combinations"]]
        demand(len({tuple(sorted(indices)) for indices in sets}) >= 2, "two sets at least")
        for combination in vector["combinations"]:
            indices, lambdas = combination["set"], [number(text) for text in combination["lambda"]]
            where = f"set {indices}: "
            demand(len(set(indices)) == len(indices) == len(lambdas) == self.k, where + "k indices")
            demand(set(indices) <= set(range(1, self.n + 1)), where + "indices in 1 … n")
            w, at_zero = 1, 0
            for j, coefficient in zip(indices, lambdas):
                over, under = delta, 1
                for other in indices:
                    if other != j:
                        over, under = over * other, under * (other - j)
                demand(coefficient * under == over, where + f"λ_{j}")
                w = w * pow(number(vector["shares"][j - 1]["x_i"]), 2 * coefficient, modulus) % modulus
                at_zero += coefficient * number(vector["shares"][j - 1]["s_i"])
            demand((at_zero - delta * d) % m == 0, where + "Σ λ_j s_j = Δ d")
            demand(self.residue(combination["w"]) == w, where + "w")
            demand(pow(w, self.e, modulus) == pow(x, 4 * delta**2, modulus), where + "w^e = x^(4Δ²)")
            found = pow(w, a, modulus) * pow(x, b, modulus) % modulus
            demand(self.residue(combination["y"]) == found == y, where + "y = w^a x^b")


def complaint(vector):
    try:
        Checker(vector).all()
    except Wrong as wrong:
        return str(wrong)
    except (ValueError, KeyError, IndexError, OverflowError, TypeError, ZeroDivisionError) as error:
        return f"malformed: {error!r}"
    return None


def leaves(value, path=()):
    """The paths of everything but what is to be refused anyway, and the words for readers."""
    if isinstance(value, dict):
        items = [(key, item) for key, item in value.items() if key not in ("about", "refused")]
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return [path]
    return [leaf for key, item in items for leaf in leaves(item, path + (key,))]


def spoil(vector):
    """Whether each field, changed in its last place, is noticed."""
    missed = []
    for path in leaves(vector):
        spoiled = copy.deepcopy(vector)
        at = spoiled
        for key in path[:-1]:
            at = at[key]
        old = at[path[-1]]
        at[path[-1]] = old + 1 if isinstance(old, int) else old[:-1] + ("0" if old[-1] != "0" else "1")
        if complaint(spoiled) is None:
            missed.append(path)
    print(f"{len(leaves(vector))} fields spoiled, {len(missed)} not noticed: {missed}")
    return not missed


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.exit(__doc__)
    good = True
    spoiling = arguments[0] == "--spoil"
    for path in arguments[spoiling:]:
        with open(path, encoding="utf-8") as file:
            vector = json.load(file)
        if spoiling:
            good = spoil(vector) and good
        else:
            why = complaint(vector)
            print(f"{path}: {why or 'right'}")
            good = good and why is None
    sys.exit(0 if good else 1)


main(sys.argv[1:])
