//! The NSEC chain: pitfalls 9 to 12, and which signatures a change costs.

use super::*;
use crate::zone::Job;

/// How many signatures an update costs.
fn cost(bench: &mut Bench, text: &str) -> usize {
    let _ = bench.update(text);
    let jobs: Vec<Job> = bench.machine.pending_jobs();
    assert_eq!(bench.sign_all().failures, []);
    jobs.len()
}

/// RFC 3007 §4.3 and §4.4: what the client did not sign, the server does; the SOA and what denies too.
#[test]
fn only_what_changed_is_signed() {
    let mut bench = bench();
    assert_eq!(cost(&mut bench, "add www.example. 600 A 192.0.2.82"), 2, "the RRset, SOA");
    assert_eq!(cost(&mut bench, "add new.example. 600 A 192.0.2.1"), 4, "and two NSECs");
    assert_eq!(cost(&mut bench, "del new.example."), 2, "the NSEC before, SOA");
    assert_eq!(cost(&mut bench, "add www.example. 600 AAAA 2001:db8::1"), 3, "the RRset, its NSEC, SOA");
    assert_eq!(cost(&mut bench, "add ns.sub.example. 600 A 192.0.2.54"), 1, "glue: only SOA");
    let names: String = (0..10).map(|i| format!("add h{i}.example. 60 A 192.0.2.1\n")).collect();
    assert_eq!(cost(&mut bench, &names), 10 + 11 + 1, "in one batch each NSEC and the SOA once");
}

/// RFC 2136 §3.6.
#[test]
fn updates_of_one_batch_share_the_serial_and_the_soa_pitfall_17() {
    let mut bench = bench();
    let texts =
        ["add h1.example. 60 A 192.0.2.1", "add x.test. 60 A 192.0.2.1", "add h2.example. 60 A 192.0.2.1"];
    let rcodes = bench.batch(&texts);
    assert_eq!(
        rcodes.map_names(),
        ["NOERROR", "NOTZONE", "NOERROR"],
        "one that fails does not drop the others"
    );
    assert_eq!(bench.machine.pending_jobs().len(), 2 + 3 + 1);
    let _ = bench.sign_all();
    assert_eq!(bench.view().serial(), 6);
}

trait MapNames {
    fn map_names(&self) -> Vec<String>;
}

impl MapNames for Vec<crate::dns::Rcode> {
    fn map_names(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

/// RFC 4035 §2.3.
#[test]
fn pitfall_9_empty_non_terminals_own_no_nsec_and_come_and_go() {
    let mut bench = bench();
    let view = bench.publish("add x.y.z.example. 60 TXT x");
    assert_eq!(nsec(&view, "y.z.example."), None);
    assert!(view.has_below(&name("z.example.")) && view.node(&name("z.example.")).is_none());
    assert_eq!(nsec(&view, "www.example."), Some(("x.y.z.example.".into(), types(&[RrType::A]))));
    assert_eq!(view.closest_encloser(&name("q.z.example.")), name("z.example."));
    let view = bench.publish("add z.example. 60 TXT x\ndel x.y.z.example.");
    assert_eq!(nsec(&view, "www.example.").unwrap().0, "z.example.");
    assert!(!view.has_below(&name("z.example.")));
    let view = bench.publish("del z.example.");
    assert_eq!(view.closest_encloser(&name("z.example.")), name("example."));
}

/// RFC 4035 §2.2, §2.3: below a cut nothing is signed.
#[test]
fn pitfall_10_a_new_cut_hides_names_and_its_removal_frees_them() {
    let mut bench = bench();
    let below = "a.deep.below.example.";
    let before = bench.view();
    assert!(is_signed(&before, below, RrType::TXT) && nsec(&before, below).is_some());
    let view = bench.publish("add below.example. 60 NS ns1.example.");
    assert!(!is_signed(&view, below, RrType::TXT) && nsec(&view, below).is_none());
    assert_eq!(data(&view, below, RrType::TXT).len(), 1, "the data stay");
    assert_eq!(nsec(&view, "below.example.").unwrap().1, types(&[RrType::NS]));
    assert!(!is_signed(&view, "below.example.", RrType::NS));
    // A cut below a cut changes nothing but the SOA.
    let view = bench.publish("add deep.below.example. 60 NS ns1.example.");
    assert_eq!(nsec(&view, "deep.below.example."), None);
    let view = bench.publish("del below.example. NS");
    assert!(nsec(&view, "deep.below.example.").is_some(), "the lower cut comes out");
    assert!(!is_signed(&view, below, RrType::TXT));
    let view = bench.publish("del deep.below.example. NS");
    assert!(is_signed(&view, below, RrType::TXT) && nsec(&view, below).is_some());
    assert_eq!(nsec(&view, below), nsec(&before, below));
}

/// RFC 4035 §2.4, §2.2 and §2.6.
#[test]
fn pitfall_10_ds_flips_the_bitmap_and_other_data_at_a_cut_does_not_show() {
    let mut bench = bench();
    let ds = format!("60 DS 1 8 2 {}", "ab".repeat(32));
    let view = bench.publish(&format!("add sub.example. {ds}\nadd sub.example. 60 TXT hidden"));
    assert_eq!(nsec(&view, "sub.example.").unwrap().1, types(&[RrType::NS, RrType::DS]));
    assert!(is_signed(&view, "sub.example.", RrType::DS) && !is_signed(&view, "sub.example.", RrType::TXT));
    let view = bench.publish("del sub.example. DS");
    assert_eq!(nsec(&view, "sub.example.").unwrap().1, types(&[RrType::NS]));
    let view = bench.publish("del sub.example. NS");
    assert_eq!(nsec(&view, "sub.example.").unwrap().1, types(&[RrType::TXT]));
    assert!(is_signed(&view, "ns.sub.example.", RrType::A), "what was glue is the zone's own");
}

/// RFC 6672 §2.4 and RFC 6672 §5.2.
#[test]
fn a_dname_hides_what_is_below_it() {
    let mut bench = bench();
    let view = bench.publish("add below.example. 60 DNAME other.test.");
    assert!(is_signed(&view, "below.example.", RrType::DNAME));
    assert_eq!(nsec(&view, "a.deep.below.example."), None);
    let view = bench.publish("add example. 60 DNAME other.test.");
    assert_eq!(nsec(&view, "example.").unwrap().0, "example.", "an apex DNAME leaves one name");
    assert!(!is_signed(&view, "www.example.", RrType::A) && is_signed(&view, "example.", RrType::SOA));
    let view = bench.publish("del example. DNAME");
    assert!(is_signed(&view, "www.example.", RrType::A));
}

/// RFC 4034 §4.1.1, §4.1.2.
#[test]
fn pitfall_11_the_chain_closes_and_the_apex_bitmap_follows() {
    let mut bench = bench();
    let view = bench.view();
    assert_eq!(nsec(&view, "www.example.").unwrap().0, "example.");
    assert_eq!(nsec(&view, "example.").unwrap().1, types(&[RrType::SOA, RrType::NS, RrType::DNSKEY]));
    let cds = format!("add example. 60 CDS 1 8 2 {}", "ab".repeat(32));
    let view = bench.publish(&cds);
    assert!(nsec(&view, "example.").unwrap().1.contains(&RrType::CDS));
    let view = bench.publish("del example. CDS");
    assert!(!nsec(&view, "example.").unwrap().1.contains(&RrType::CDS));
}

/// RFC 4034 §4.1.1, §6.1; RFC 4343 §4.2.
#[test]
fn pitfall_11_names_at_the_edges_of_the_order() {
    let mut bench = bench();
    let view = bench.publish("add \\000.example. 60 A 192.0.2.1\nadd \\255.example. 60 A 192.0.2.1\nadd WwW2.Example. 60 A 192.0.2.1");
    assert_eq!(nsec(&view, "example.").unwrap().0, "\\000.example.");
    assert_eq!(nsec(&view, "\\255.example.").unwrap().0, "example.");
    assert_eq!(nsec(&view, "www.example.").unwrap().0, "www2.example.", "next names in lower case");
    assert!(view.node(&name("www2.example.")).unwrap().name().wire().starts_with(b"\x04WwW2"));
    let longest = format!("{0}.{0}.{0}.{1}.example.", "a".repeat(63), "b".repeat(53));
    assert_eq!(name(&longest).wire().len(), 255);
    let view = bench.publish(&format!("add {longest} 60 A 192.0.2.1"));
    assert!(is_signed(&view, &longest, RrType::A));
}

#[test]
fn the_root_zone_works_too() {
    let zone = ". 86400 SOA a.root. b.root. 1 1 1 1 86400\n. 86400 NS a.root.\ncom. 60 NS a.com.\na.com. 60 A 192.0.2.1";
    let mut bench = Bench::new(".", zone);
    let view = bench.publish("add net. 60 NS a.com.\nadd a.root. 60 A 192.0.2.1");
    assert_eq!(nsec(&view, ".").unwrap().0, "com.");
    assert_eq!(nsec(&view, "com.").unwrap().0, "net.");
    assert_eq!(view.nsec_covering(&name("mil.")).unwrap().0, &name("com."));
    assert_eq!(view.cut_above(&name("x.a.com.")).unwrap().0, &name("com."));
    assert_eq!(view.closest_encloser(&name("x.q.root.")), name("root."));
}

/// RFC 9077 §3.1, §3.2 and RFC 4034 §4.
#[test]
fn pitfall_12_the_nsec_ttl_follows_the_soa() {
    let mut bench = bench();
    let ttl =
        |view: &View, owner: &str| view.node(&name(owner)).unwrap().get(RrType::NSEC).unwrap().rrset.ttl;
    assert_eq!(ttl(&bench.view(), "www.example."), 300);
    let view = bench.publish("add example. 120 SOA ns1.example. admin.example. 9 3600 600 86400 300");
    for owner in ["example.", "www.example.", "sub.example.", "a.deep.below.example."] {
        assert_eq!(ttl(&view, owner), 120, "{owner}");
        assert!(is_signed(&view, owner, RrType::NSEC), "{owner}");
    }
}
