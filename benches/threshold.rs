//! What one signature costs: share, combine, verify, prove and verify a proof, at 1024 and 2048 bits, 2 of 4; and a refresh of
//! the shares at 2048 bits, 3 of 7, with what a share costs before and after it.

use conclave::codec::{ClusterId, Epoch, encode};
use conclave::quorum::ReplicaId;
use conclave::threshold::refresh::{Round, Sum};
use conclave::threshold::{
    Dealt, PublicKey, ReceiverKey, ReceiverSecret, Representative, SignatureShare, test_keys,
};
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

fn refresh(c: &mut Criterion) {
    let Dealt { public, shares } = test_keys::dealt(2048, 0, 7, 3);
    let secrets: Vec<_> = (0..7).map(|i| ReceiverSecret::generate(256, [i; 32])).collect();
    let key = |secret: &ReceiverSecret| ReceiverKey::from_bytes(secret.public().as_bytes(), 256);
    let keys: Vec<_> = secrets.iter().map(|secret| key(secret).expect("it was made so")).collect();
    let round = Round::new(ClusterId::default(), Epoch(0), &public, &keys).expect("3 of 7");
    let dealing = round.deal(&shares[0], [1; 32]);
    let sum = round.add(&Sum::default(), &dealing).expect("it was made so");
    let outcome = round.outcome(&sum, &[]).expect("it was made so");
    let take = || shares[0].refreshed(&public, &outcome.public, &outcome.rows[0], &secrets[0]);
    let after = take().expect("it was dealt");
    let x = |public: &PublicKey| public.encode(&[1; 32]).expect("a SHA-256 hash is encoded");
    let (before, then) = (x(&public), x(&outcome.public));

    let mut group = c.benchmark_group("refresh/2048");
    group.sample_size(10);
    group.bench_function("receiver key", |b| b.iter(|| ReceiverSecret::generate(256, black_box([9; 32]))));
    group.bench_function("deal", |b| b.iter(|| round.deal(black_box(&shares[0]), [1; 32])));
    group.bench_function("verify", |b| b.iter(|| round.verify(shares[0].index(), black_box(&dealing))));
    group.bench_function("take", |b| b.iter(take));
    group.bench_function("share before", |b| b.iter(|| shares[0].sign(&public, black_box(&before))));
    group.bench_function("share after", |b| b.iter(|| after.sign(&outcome.public, black_box(&then))));
    group.finish();
    println!("a dealing has {} bytes", encode(&dealing).len());
}

criterion_group!(benches, threshold, refresh);
criterion_main!(benches);
