use super::*;
use crate::ceremony::deal::tests::plan;
use crate::ceremony::files::write_public;
use crate::ceremony::operators::OperatorKey;
use crate::ceremony::seal::SealingKey;
use crate::signing::Protocol;

fn keys() -> Vec<([u8; 32], Recipient)> {
    (1..=4).map(|octet| ([octet; 32], SealingKey::from_bytes(&[octet; 32]).recipient())).collect()
}

fn written() -> WrittenPlan {
    let custodian = |octet: u8| Custodian {
        name: format!("custodian-{octet}"),
        recipient: SealingKey::from_bytes(&[octet; 32]).recipient(),
    };
    let mut plan = WrittenPlan::of(&plan(), &keys());
    plan.tsig[0].recipient = Some(custodian(77).recipient);
    let operator = |name| OperatorKey::generate(name).unwrap().public;
    plan.operators.list = ["alice", "bob"].map(operator).to_vec();
    plan.backup = Some(BackupPlan { threshold: 2, custodians: (50..53).map(custodian).collect() });
    plan
}

fn write_all(plan: &WrittenPlan, dir: &Path) -> std::path::PathBuf {
    std::fs::create_dir_all(dir.join("zones")).unwrap();
    for zone in &plan.zones {
        let lines = zone.records.iter().flatten().map(|r| crate::dns::master::write_record(r) + "\n");
        let name = format!("zones/{}.zone", zone_stem(&zone.origin));
        write_public(&dir.join(name), lines.collect::<String>().as_bytes()).unwrap();
    }
    let path = dir.join("plan.toml");
    write_public(&path, plan.to_text().as_bytes()).unwrap();
    path
}

#[test]
fn a_plan_written_and_read_has_the_same_words() {
    let dir = tempfile::tempdir().unwrap();
    let plan = written();
    let path = write_all(&plan, dir.path());
    assert_eq!(WrittenPlan::read(&path).unwrap().digest(), plan.digest());
}

#[test]
fn every_change_of_a_plan_changes_its_words() {
    let original = written();
    let first = original.digest();
    let changes: [fn(&mut WrittenPlan); 21] = [
        |plan| plan.signing = Protocol::Basic,
        |plan| plan.epoch = Epoch(1),
        |plan| plan.bits = 2048,
        |plan| plan.replaces = Some(ClusterId::default()),
        |plan| plan.members[0].identity = [9; 32],
        |plan| plan.members[1].sealing = SealingKey::from_bytes(&[9; 32]).recipient(),
        |plan| plan.members.swap(0, 1),
        |plan| plan.members[2].place.peer.set_port(1),
        |plan| plan.zones[0].digest = Digest([9; 32]),
        |plan| plan.zones[0].reads = Reads::Ordered,
        |plan| plan.zones[0].denial = Denial::Nsec3,
        |plan| plan.zones[0].policy.clear(),
        |plan| plan.tsig[0].recipient = None,
        |plan| plan.sig0[0].name = plan.zones[0].origin.clone(),
        |plan| plan.backup.as_mut().unwrap().threshold = 1,
        |plan| plan.backup = None,
        |plan| plan.zones[0].serial = Some(crate::zone::SerialRule::Date),
        |plan| plan.zones[0].dnskey_ttl = Some(3600),
        |plan| plan.operators.needed = crate::ceremony::operators::Needed::One,
        |plan| plan.operators.list[0].key[0] ^= 1,
        |plan| plan.operators = Default::default(),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut plan = original.clone();
        change(&mut plan);
        assert_ne!(plan.digest(), first, "change {at}");
    }
}

#[test]
fn what_cannot_be_dealt_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = write_all(&written(), dir.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let refused = |from: &str, to: &str, reason: &str| {
        assert!(text.contains(from), "{from}");
        let other = dir.path().join("other.toml");
        std::fs::write(&other, text.replacen(from, to, 1)).unwrap();
        let said = WrittenPlan::read(&other).unwrap_err();
        let said: String = said.iter().map(|problem| format!("{problem}\n")).collect();
        assert!(said.contains(reason), "expected `{reason}`: {said}");
    };
    refused("replicas = 4", "replicas = 5", "4 members for 5 replicas");
    refused("replicas = 4", "replicas = 0", "out of range");
    refused("bits = 1024", "bits = 1000", "1000 bits");
    refused("version = 1", "version = 9", "version 9");
    refused("sealing = \"age1", "sealing = \"age2", "not an age recipient");
    refused("records-sha256 = \"", "records-sha256 = \"0", "64 hexadecimal digits");
    refused("file = \"zones/", "file = \"nowhere/", "cannot be read");
    refused("file = \"zones/example.test.zone\"\n", "", "no file of its records");
    refused("threshold = 2", "threshold = 4", "4 of 3 custodians");
    refused("name = \"custodian-51\"", "name = \"a/b\"", "no name of a custodian");
    refused("grant ops", "allow ops", "allow");
    refused("denial = \"nsec\"", "serial = \"never\"", "never");
    refused("denial = \"nsec\"", "dnskey-ttl-s = 604801", "more than a week");
    refused("name = \"bob\"", "name = \"alice\"", "same name or key");
    refused("operators-needed = \"t+1\"", "operators-needed = \"all\"", "all");
    refused("signing = \"optte\"", "signing = \"magic\"", "magic");
    refused("epoch = 0", "epochs = 0", "epochs");
}
