//! Deals the demo's cluster, or finds the one that is there.

use super::{Arguments, Demo, Failure};
use crate::ceremony::cluster::Cluster;
use crate::ceremony::cluster_file;
use crate::ceremony::deal::{deal_here, entropy};
use crate::ceremony::files::{Problem, make_dir, plain};
use crate::ceremony::operators::Operators;
use crate::ceremony::plan::{Place, Plan, TsigPlan, ZoneArgument, ZonePlan};
use crate::cli::progress::DealDisplay;
use crate::codec::digest;
use crate::dns::master::{read_str, zone_digest};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Record;
use crate::dns::rtype::{Class, RrType};
use crate::dns::tsig::Mode;
use crate::limits::CLIENT_PATIENCE_MS;
use crate::quorum::{Committee, ReplicaId};
use crate::runtime::config::{MAX_SOCKET_PATH_BYTES, ReplicaFile};
use crate::time::UnixMillis;
use crate::zone::{Denial, Reads};
use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const DEFAULT_ZONE: &str = include_str!("../../../zones/example.test.zone");
const DEFAULT_ORIGIN: &str = "example.test.";
const DEFAULT_REPLICAS: u8 = 4;
const DEFAULT_PORT: u16 = 5300;
/// Peers listen so many ports above DNS.
const PEER_OFFSET: u16 = 100;
/// The clients' keys.
const TSIG_NAME: &str = "demo-tsig.";
const QUORUM_NAME: &str = "demo-tsig-quorum.";
const SIG0_NAME: &str = "demo-sig0.";

/// The cluster in the directory; dealt now if there is none.
pub(super) fn prepare(arguments: &Arguments) -> Result<Demo, Failure> {
    let shown = arguments.dir.clone();
    let dir = std::path::absolute(&shown).map_err(|e| Problem::io(&shown, "found", &e))?;
    let cluster_path = dir.join("cluster.toml");
    let cluster = if cluster_path.exists() {
        let cluster = cluster_file::read(&cluster_path)?;
        eprintln!("{} holds a demo already: starting it again with its data.", shown.display());
        same_cluster(arguments, &cluster)?;
        cluster
    } else {
        let plan = plan(arguments, &dir)?;
        check_places(&plan.places)?;
        eprintln!("Dealing {} keys of {} bits into {}.", 2 * plan.zones.len(), plan.bits, shown.display());
        let display = DealDisplay::default();
        let cluster = deal_here(&plan, &dir, &|news| display.tell(news))?;
        if let Some(patience) = arguments.patience {
            cluster.committee.members().try_for_each(|id| be_patient(&replica_file(&dir, id), patience))?;
        }
        cluster
    };
    let mut replicas = Vec::new();
    for id in cluster.committee.members() {
        let file = ReplicaFile::read(&replica_file(&dir, id))?;
        socket_dir(&file, &dir)?;
        replicas.push(file);
    }
    let demo = Demo { dir, shown, replicas, cluster };
    same_ports(arguments, &demo)?;
    Ok(demo)
}

fn replica_file(dir: &Path, id: ReplicaId) -> PathBuf {
    dir.join(format!("replica-{id}")).join("replica.toml")
}

/// Says in a replica's file how long updates may wait.
fn be_patient(path: &Path, patience: u64) -> Result<(), Problem> {
    let text = std::fs::read_to_string(path).map_err(|e| Problem::io(path, "read", &e))?;
    let (dealt, wanted) = (format!("= {CLIENT_PATIENCE_MS}"), format!("= {patience}"));
    std::fs::write(
        path,
        text.replace(&format!("update-patience-ms {dealt}"), &format!("update-patience-ms {wanted}")),
    )
    .map_err(|e| Problem::io(path, "written", &e))
}

/// Refuses options that say something else than the cluster that is there.
fn same_cluster(arguments: &Arguments, cluster: &Cluster) -> Result<(), Failure> {
    let differs = |what: String| {
        let remedy = "leave the option out, remove the directory, or choose another --dir";
        Err(Failure::new(format!("{}: {what}; {remedy}", arguments.dir.display())))
    };
    let n = cluster.committee.n();
    if arguments.replicas.is_some_and(|wanted| usize::from(wanted) != n) {
        return differs(format!("the demo here has {n} replicas"));
    }
    if arguments.signing.is_some_and(|wanted| wanted != cluster.signing) {
        return differs(format!("the demo here signs by {}", cluster.signing));
    }
    if arguments.zone.is_empty() {
        return Ok(());
    }
    let wanted: BTreeSet<&Name> = arguments.zone.iter().map(|zone| &zone.origin).collect();
    let dealt: BTreeSet<&Name> = cluster.zones.iter().map(|zone| &zone.origin).collect();
    if wanted != dealt {
        let dealt: Vec<String> = dealt.iter().map(ToString::to_string).collect();
        return differs(format!("the demo here serves {}", dealt.join(", ")));
    }
    for zone in &arguments.zone {
        let edited = zone.read().map(|records| zone_digest(&zone.origin, &records));
        if cluster.zone(&zone.origin).map(|dealt| dealt.records) != edited.ok() {
            eprintln!(
                "warning: {}: is not what was dealt; ignored: the zone goes on from its data, change it by nsupdate",
                zone.file.display()
            );
        }
    }
    Ok(())
}

fn same_ports(arguments: &Arguments, demo: &Demo) -> Result<(), Failure> {
    let Some(port) = arguments.dns_port else { return Ok(()) };
    for file in &demo.replicas {
        let wanted = places_port(port, file.me.get());
        if file.dns.iter().all(|dns| dns.port() != wanted) {
            let path = file.path.display();
            return Err(Failure::new(format!(
                "{path}: this replica answers on another port than {wanted}; leave out --dns-port, edit the addresses in \
                 every replica.toml, or choose another --dir"
            )));
        }
    }
    Ok(())
}

fn places_port(base: u16, index: u8) -> u16 {
    base + u16::from(index)
}

fn plan(arguments: &Arguments, dir: &Path) -> Result<Plan, Failure> {
    let n = arguments.replicas.unwrap_or(DEFAULT_REPLICAS);
    let committee = Committee::new(n).ok_or_else(|| Failure::new("too many replicas"))?;
    let port = arguments.dns_port.unwrap_or(DEFAULT_PORT);
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let places = (1..=n).map(|index| {
        let dns = places_port(port, index);
        Place { dns: vec![local(dns)], peer: local(dns + PEER_OFFSET), admin: short_socket(dir, index) }
    });
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|_| Failure::new("the clock stands before 1970; set it"))?;
    let reads = if arguments.ordered_reads { Reads::Ordered } else { Reads::Local };
    let name = |text: &str| Name::parse(text).map_err(|e| Failure::new(format!("{text}: {e}")));
    let (tsig, quorum, sig0) = (name(TSIG_NAME)?, name(QUORUM_NAME)?, name(SIG0_NAME)?);
    let mut zones = Vec::new();
    for (origin, records) in zones_of(&arguments.zone, n)? {
        // Whatever the trust model lets a client change.
        let more = arguments.tsig.iter().map(|key| &key.name);
        let keys = [&tsig, &quorum, &sig0].into_iter().chain(more);
        let policy: Vec<String> = keys.map(|key| format!("grant {key} zonesub ANY")).collect();
        zones.push(ZonePlan { origin, records, policy, reads, denial: Denial::Nsec });
    }
    Ok(Plan {
        committee,
        bits: arguments.bits,
        signing: arguments.signing.unwrap_or_default(),
        zones,
        tsig: vec![tsig.into(), TsigPlan { mode: Mode::Quorum, ..quorum.into() }]
            .into_iter()
            .chain(arguments.tsig.clone())
            .collect(),
        sig0: vec![sig0],
        operators: Operators::default(),
        places: places.collect(),
        genesis_time: UnixMillis(since.as_millis() as u64),
    })
}

fn zones_of(arguments: &[ZoneArgument], n: u8) -> Result<Vec<(Name, Vec<Record>)>, Failure> {
    if arguments.is_empty() {
        return default_zone(n).map(|zone| vec![zone]).map_err(Failure::new);
    }
    let mut zones = Vec::new();
    for zone in arguments {
        zones.push((zone.origin.clone(), zone.read()?));
    }
    Ok(zones)
}

/// The zone that is compiled in, with n name servers ns1 … on 127.0.0.1.
pub(super) fn default_zone(n: u8) -> Result<(Name, Vec<Record>), String> {
    let origin = Name::parse(DEFAULT_ORIGIN).map_err(|e| e.to_string())?;
    let mut records = read_str(DEFAULT_ZONE, &origin).map_err(|e| e.to_string())?;
    let mut servers = BTreeSet::new();
    for index in 1..=n {
        servers
            .insert(origin.child(format!("ns{index}").as_bytes()).ok_or("a name server's name is too long")?);
    }
    let ttl = records.first().map_or(300, |soa| soa.ttl);
    let written: BTreeSet<Name> = records
        .iter()
        .filter(|record| record.rtype == RrType::NS && record.name == origin)
        .filter_map(|record| Name::from_wire(record.rdata.wire()).ok())
        .collect();
    records.retain(|record| {
        let is_server = record.rtype == RrType::NS && record.name == origin;
        !is_server && !written.contains(&record.name)
    });
    for server in servers {
        let ns = Rdata::new(server.wire());
        records.push(Record { name: origin.clone(), rtype: RrType::NS, class: Class::IN, ttl, rdata: ns });
        let address = Rdata::new(&Ipv4Addr::LOCALHOST.octets());
        records.push(Record { name: server, rtype: RrType::A, class: Class::IN, ttl, rdata: address });
    }
    Ok((origin, records))
}

/// A path for the admin socket where the one in the replica's directory would be too long for a Unix socket.
fn short_socket(dir: &Path, index: u8) -> Option<PathBuf> {
    let usual = dir.join(format!("replica-{index}")).join("admin.sock");
    if usual.as_os_str().as_bytes().len() < MAX_SOCKET_PATH_BYTES {
        return None;
    }
    let mut salt = [0; 8];
    entropy(&mut salt);
    let hash = digest("conclave/admin-socket", &[dir.as_os_str().as_bytes(), &salt]).to_hex();
    let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|base| base.is_dir());
    let fits = |base: &PathBuf| base.as_os_str().as_bytes().len() < MAX_SOCKET_PATH_BYTES - 40;
    let base = base.filter(fits).unwrap_or_else(|| PathBuf::from("/tmp"));
    // One directory a replica: its hash is a secret of nobody, its mode is what protects it.
    Some(base.join(format!("conclave-{}-{index}", &hash[..12])).join("admin.sock"))
}

/// Makes the directory of an admin socket outside the demo's directory, which may be gone since the last start.
fn socket_dir(file: &ReplicaFile, dir: &Path) -> Result<(), Failure> {
    let Some(parent) = file.admin.parent().filter(|parent| !parent.starts_with(dir)) else { return Ok(()) };
    make_dir(parent)?;
    let about = std::fs::symlink_metadata(parent).map_err(|e| Problem::io(parent, "read", &e))?;
    let mine =
        about.is_dir() && about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o077 == 0;
    if mine {
        return Ok(());
    }
    let reason = "is not a directory of this user only; remove it, or choose another `admin` in replica.toml";
    Err(Problem::new(parent, reason).into())
}

/// Refuses to start where something else listens.
pub(super) fn check_ports(replicas: &[ReplicaFile]) -> Result<(), Failure> {
    let places = replicas.iter().map(|file| Place { dns: file.dns.clone(), peer: file.peer, admin: None });
    check_places(&places.collect::<Vec<_>>())
}

fn check_places(places: &[Place]) -> Result<(), Failure> {
    let refuse = |address: &SocketAddr, kind: &str, error: &io::Error| {
        let reason = plain(error);
        Failure::new(format!(
            "{address} ({kind}): {reason}; stop what uses it, or choose another --dns-port and --dir"
        ))
    };
    for place in places {
        for dns in &place.dns {
            UdpSocket::bind(dns).map_err(|e| refuse(dns, "UDP", &e))?;
            TcpListener::bind(dns).map_err(|e| refuse(dns, "TCP", &e))?;
        }
        TcpListener::bind(place.peer).map_err(|e| refuse(&place.peer, "TCP", &e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_zone_has_one_name_server_a_replica_with_its_address() {
        for n in [1, 4, 7, 13] {
            let (origin, records) = default_zone(n).unwrap();
            let servers = records.iter().filter(|r| r.rtype == RrType::NS && r.name == origin).count();
            assert_eq!(servers, usize::from(n));
            for index in 1..=n {
                let server = origin.child(format!("ns{index}").as_bytes()).unwrap();
                assert!(records.iter().any(|r| r.name == server && r.rtype == RrType::A), "ns{index} of {n}");
            }
            let beyond = origin.child(format!("ns{}", n + 1).as_bytes()).unwrap();
            assert!(!records.iter().any(|r| r.name == beyond), "n = {n}");
        }
    }
}
