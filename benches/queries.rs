//! What one answer costs, without sockets: `cargo bench --bench queries`.

#[path = "../tests/support/signed.rs"]
mod signed;

use conclave::answer::{Catalog, Request, Settings, Transport, respond};
use conclave::dns::Name;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut wire = vec![0xAB, 0xCD, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    wire.extend_from_slice(Name::parse(name).expect("a name").wire());
    wire.extend_from_slice(&rtype.to_be_bytes());
    wire.extend_from_slice(&[0, 1, 0, 0, 41, 0x04, 0xD0, 0, 0, 0x80, 0, 0, 0]);
    wire
}

fn queries(criterion: &mut Criterion) {
    let catalog = Catalog::new().with(signed::view("example.test.", signed::EXAMPLE), false);
    let settings = Settings::default();
    let mut group = criterion.benchmark_group("respond");
    group.throughput(Throughput::Elements(1));
    for (what, name, rtype) in [
        ("positive", "web.example.test.", 1),
        ("alias", "hop1.example.test.", 1),
        ("wildcard", "x.wild.example.test.", 1),
        ("nodata", "web.example.test.", 16),
        ("nxdomain", "nothing.example.test.", 1),
        ("delegation", "www.deleg.example.test.", 1),
        ("refused", "www.elsewhere.test.", 1),
    ] {
        let wire = query(name, rtype);
        let mut out = Vec::with_capacity(1500);
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                let request = Request { wire: black_box(&wire), transport: Transport::Udp, now_secs: 0 };
                respond(&catalog, &settings, request, &mut out)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, queries);
criterion_main!(benches);
