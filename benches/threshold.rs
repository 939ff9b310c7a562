//! What one signature costs: share, combine, verify, prove and verify a proof, at 1024 and 2048 bits, 2 of 4.

use conclave::codec::Epoch;
use conclave::quorum::ReplicaId;
use conclave::threshold::{Representative, SignatureShare, test_keys};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn threshold(c: &mut Criterion) {
    for bits in [1024, 2048] {
        let dealt = test_keys::dealt(bits, 0, 4, 2);
        let public = &dealt.public;
        let xs: Vec<Representative> =
            (0..8u8).map(|i| public.encode(&[i; 32]).expect("a SHA-256 hash is encoded")).collect();
        let x = &xs[0];
        let me = &dealt.shares[0];
        let shares: Vec<(ReplicaId, SignatureShare)> =
            dealt.shares.iter().map(|share| (share.index(), share.sign(public, x))).collect();
        let signature = public.combine(x, &shares).expect("right shares combine");
        let proof = me.prove(public, Epoch(0), x, &shares[0].1, [1; 32]);

        let mut group = c.benchmark_group(format!("threshold/{bits}"));
        group.bench_function("share", |b| b.iter(|| me.sign(public, black_box(x))));
        group.bench_function("share x8, in pairs", |b| b.iter(|| me.sign_all(public, black_box(&xs))));
        group.bench_function("combine", |b| b.iter(|| public.combine(x, black_box(&shares))));
        group.bench_function("verify", |b| b.iter(|| public.verify(x, black_box(signature.as_bytes()))));
        group.bench_function("prove", |b| {
            b.iter(|| me.prove(public, Epoch(0), x, black_box(&shares[0].1), [1; 32]));
        });
        group.bench_function("verify proof", |b| {
            b.iter(|| public.verify_share(me.index(), Epoch(0), x, black_box(&shares[0].1), &proof));
        });
        group.finish();
    }
}

criterion_group!(benches, threshold);
criterion_main!(benches);
