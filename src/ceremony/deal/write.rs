//! The files of a deal.

use super::Secrets;
use crate::ceremony::anchors::{ds_text, trust_anchors};
use crate::ceremony::backup;
use crate::ceremony::client_keys::{KeyClause, sig0_private, sig0_public, sig0_rdata, sig0_stem, tsig_text};
use crate::ceremony::cluster::Cluster;
use crate::ceremony::cluster_file;
use crate::ceremony::files::{Problem, make_dir, write_public, write_secret, zone_stem};
use crate::ceremony::identity;
use crate::ceremony::package::Package;
use crate::ceremony::plan::Place;
use crate::ceremony::receipt;
use crate::ceremony::seal;
use crate::ceremony::share_file::{self, Kind, Label};
use crate::ceremony::transcript;
use crate::ceremony::written::{PlannedMember, WrittenPlan};
use crate::dns::master::write_record;
use crate::dns::tsig::Mode;
use crate::quorum::ReplicaId;
use std::path::Path;

pub(super) fn write(
    plan: &WrittenPlan,
    cluster: &Cluster,
    secrets: &Secrets,
    dir: &Path,
) -> Result<(), Problem> {
    let text = cluster_file::write(cluster);
    // What was dealt must be what will be read.
    let read = cluster_file::parse(&text, Path::new("cluster.toml")).map_err(|mut all| all.swap_remove(0))?;
    assert_eq!(read.id(), cluster.id(), "a cluster file says what the cluster is");
    write_public(&dir.join("cluster.toml"), text.as_bytes())?;
    write_public(&dir.join("plan.toml"), plan.to_text().as_bytes())?;
    for name in ["zones", "sealed", "anchors", "client", receipt::DIRECTORY] {
        make_dir(&dir.join(name))?;
    }
    for zone in &plan.zones {
        let Some(records) = &zone.records else { continue };
        let lines: String = records.iter().map(|record| write_record(record) + "\n").collect();
        let name = format!("{}.zone", zone_stem(&zone.origin));
        write_public(&dir.join("zones").join(name), lines.as_bytes())?;
    }
    for id in plan.committee.members() {
        let package = package((plan, cluster), secrets, id);
        let sealed = seal::seal(&plan.members[id.slot()].sealing, &package.to_bytes());
        write_public(&dir.join("sealed").join(Package::name(id)), &sealed)?;
        let name = format!("replica-{id}.toml");
        write_public(&dir.join("sealed").join(name), replica_text(plan, id).as_bytes())?;
    }
    write_clients(plan, secrets, &dir.join("client"))?;
    for zone in &cluster.zones {
        let stem = zone_stem(&zone.origin);
        let anchors = dir.join("anchors");
        write_public(&anchors.join(format!("{stem}.conf")), trust_anchors(zone).as_bytes())?;
        write_public(&anchors.join(format!("{stem}.ds")), ds_text(zone).as_bytes())?;
    }
    if let Some(kept) = &plan.backup {
        backup::write(kept, cluster.plan, &secrets.keys, &secrets.tsig, &dir.join("backup"))?;
    }
    write_public(&dir.join("transcript.txt"), transcript::text(plan, cluster, dir)?.as_bytes())
}

/// What is secret of one replica.
fn package((plan, cluster): (&WrittenPlan, &Cluster), secrets: &Secrets, id: ReplicaId) -> Package {
    let (cluster_id, epoch) = (cluster.id(), cluster.epoch);
    let sealed = |kind: Kind, secret: &[u8]| {
        share_file::seal(&Label { kind, cluster: cluster_id, epoch, replica: id }, secret)
    };
    let coin = sealed(Kind::Coin, &secrets.coin[id.slot()].to_bytes()[..]);
    let mut files = vec![("coin.share".to_owned(), coin)];
    for key in &secrets.keys {
        let (stem, role) = (zone_stem(&key.wanted.zone), key.wanted.role.word());
        let share = &key.dealt.shares[id.slot()];
        let kind = Kind::Rsa(key.dealt.public.key_id());
        files.push((format!("{stem}.{role}.share"), sealed(kind, &share.to_bytes()[..])));
    }
    let identity = &plan.members[id.slot()].identity;
    let keys = plan.tsig.iter().zip(&secrets.tsig);
    let keys: Vec<KeyClause> =
        keys.map(|(planned, key)| key.of_replica(planned.key.mode, identity)).collect();
    let tsig = tsig_text(&keys);
    files.push(("tsig.keys".to_owned(), zeroize::Zeroizing::new(tsig.as_bytes().to_vec())));
    Package { plan: cluster.plan, cluster: cluster_id, epoch, replica: id, files }
}

fn write_clients(plan: &WrittenPlan, secrets: &Secrets, dir: &Path) -> Result<(), Problem> {
    for (index, (planned, key)) in plan.tsig.iter().zip(&secrets.tsig).enumerate() {
        let stem = if index == 0 { "tsig".into() } else { format!("tsig-{}", zone_stem(&key.name)) };
        let reader = planned.recipient.as_ref();
        if planned.key.mode == Mode::Gateway {
            write_client(reader, &tsig_text([key]), &dir.join(format!("{stem}.key")))?;
            continue;
        }
        let members = plan.committee.members().zip(&plan.members);
        let of = |(id, member): (ReplicaId, &PlannedMember)| {
            let server = member.place.dns.first().map(ToString::to_string).unwrap_or_default();
            let key = key.of_replica(Mode::Quorum, &member.identity);
            KeyClause { replica: Some((id.get(), server)), ..key }
        };
        let keys: Vec<KeyClause> = members.map(of).collect();
        write_client(reader, &tsig_text(&keys), &dir.join(format!("{stem}.quorum")))?;
        for (id, key) in plan.committee.members().zip(&keys) {
            write_client(reader, &tsig_text([&key.again()]), &dir.join(format!("{stem}-replica-{id}.key")))?;
        }
    }
    for (planned, seed) in plan.sig0.iter().zip(&secrets.sig0) {
        let Some(seed) = seed else { continue };
        let public = identity::public_key(seed).map_err(|e| Problem::new(dir, e))?;
        let rdata = sig0_rdata(&public);
        let stem = sig0_stem(&planned.name, &rdata);
        write_public(&dir.join(format!("{stem}.key")), sig0_public(&planned.name, &rdata).as_bytes())?;
        write_secret(&dir.join(format!("{stem}.private")), sig0_private(seed).as_bytes())?;
    }
    Ok(())
}

fn write_client(reader: Option<&seal::Recipient>, text: &str, path: &Path) -> Result<(), Problem> {
    match reader {
        None => write_secret(path, text.as_bytes()),
        Some(reader) => {
            let mut sealed = path.as_os_str().to_owned();
            sealed.push(".age");
            write_public(Path::new(&sealed), &seal::seal(reader, text.as_bytes()))
        }
    }
}

/// The text of a `replica.toml`.
fn replica_text(plan: &WrittenPlan, id: ReplicaId) -> String {
    let Place { dns, peer, admin } = &plan.members[id.slot()].place;
    let dns: Vec<String> = dns.iter().map(|address| format!("\"{address}\"")).collect();
    let admin = admin.as_deref().unwrap_or(Path::new("admin.sock"));
    let mut text = format!(
        "# One replica's machine: its addresses, paths and limits. Relative paths begin at this file's directory.\n\
         # What all replicas must agree on is in the cluster file, which is not to be edited.\n\
         version = 1\nindex = {id}\ncluster = \"cluster.toml\"\n\
         # The log: this replica's memory. If it is lost, start the replica again without it: it rejoins the others.\n\
         data = \"data\"\n\
         # Unix socket of `conclave ctl`; its path must be shorter than 108 bytes.\nadmin = {}\n\n\
         [dns]\nlisten = [{}]\n\n\
         [peer]\nlisten = \"{peer}\"\n\n\
         # Where the others listen, by index: host:port or address:port.\n[peer.addresses]\n",
        cluster_file::quote(&admin.to_string_lossy()),
        dns.join(", ")
    );
    for other in plan.committee.others(id) {
        text.push_str(&format!("{other} = \"{}\"\n", plan.members[other.slot()].place.peer));
    }
    text.push_str(
        "\n[limits]\n# Milliseconds after which a client whose update is not through is told so.\n",
    );
    text.push_str(&format!("update-patience-ms = {}\n", crate::limits::CLIENT_PATIENCE_MS));
    text.push_str(
        "\n# Who may have a zone by AXFR; nobody else may. From these networks, and signed with one of these keys:\n\
         # [[transfer]]\n# zone = \"example.test\"\n# networks = [\"192.0.2.0/24\"]\n# keys = [\"a-tsig-key\"]\n",
    );
    text.push_str("\n[log]\nformat = \"human\"\nlevel = \"info\"\n");
    text
}
