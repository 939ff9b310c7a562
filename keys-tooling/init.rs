//! `conclave-dealer init`.

use clap::{Args, ValueEnum};
use conclave::ceremony::deal::deal;
use conclave::ceremony::plan::{DEFAULT_BITS, Place, Plan, ZoneArgument, ZonePlan};
use conclave::cli::progress::DealDisplay;
use conclave::cli::{Failure, print, signing_protocol};
use conclave::dns::name::Name;
use conclave::limits::MAX_REPLICAS;
use conclave::quorum::Committee;
use conclave::signing::Protocol;
use conclave::time::UnixMillis;
use conclave::zone::Reads;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Arguments of `conclave-dealer init`.
#[derive(Args, Debug)]
#[command(
    after_help = "A policy statement is in the words of BIND's update-policy; without any, nobody may change a \
                        zone. `ORIGIN=STATEMENT` is for one zone only.\n\nExample:\n  conclave-dealer init \
                        --zone example.test=example.zone --replicas 4 --out cluster \\\n    --tsig ops \
                        --policy 'grant ops zonesub ANY' \\\n    --dns 192.0.2.1:53 --peer 192.0.2.1:5400 \
                        --dns 192.0.2.2:53 --peer 192.0.2.2:5400 …"
)]
pub struct Arguments {
    /// A zone and its unsigned master file; may be said more than once
    #[arg(long, value_name = "ORIGIN=FILE", required = true)]
    zone: Vec<ZoneArgument>,
    /// Number of replicas: n ≥ 3t+1 of which t may be corrupt
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_REPLICAS)))]
    replicas: u8,
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Bits of the keys' moduli; 1024 is for tests
    #[arg(long, default_value_t = DEFAULT_BITS)]
    bits: usize,
    /// How the replicas sign together
    #[arg(long, value_name = "PROTOCOL", value_parser = signing_protocol(), default_value = "optte")]
    signing: Protocol,
    /// Without --dns: replica I answers DNS on 127.0.0.1:P+I, and its peers on P+100+I
    #[arg(long, value_name = "P", default_value_t = 5300, value_parser = clap::value_parser!(u16).range(1..=65_400))]
    dns_base: u16,
    /// The DNS address of a replica, one for each in order
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Vec<SocketAddr>,
    /// The address that a replica's peers connect to, one for each in order
    #[arg(long, value_name = "ADDRESS:PORT")]
    peer: Vec<SocketAddr>,
    /// Make a TSIG key (hmac-sha256); any replica could forge with it
    #[arg(long, value_name = "NAME")]
    tsig: Vec<Name>,
    /// Make a SIG(0) key (Ed25519), which no replica can forge with
    #[arg(long, value_name = "NAME")]
    sig0: Vec<Name>,
    /// An update policy statement
    #[arg(long, value_name = "[ORIGIN=]STATEMENT")]
    policy: Vec<Policy>,
    /// Where queries are answered from
    #[arg(long, value_enum, default_value = "local")]
    reads: ReadsArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReadsArgument {
    /// The replica's last signed version
    Local,
    /// The query's place in the order: linearizable, slower
    Ordered,
}

#[derive(Clone, Debug)]
struct Policy {
    zone: Option<Name>,
    statement: String,
}

impl std::str::FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((zone, statement)) => {
                let zone = Name::parse(zone).map_err(|e| format!("`{zone}` is not a domain name: {e}"))?;
                Ok(Self { zone: Some(zone), statement: statement.to_owned() })
            }
            None => Ok(Self { zone: None, statement: text.to_owned() }),
        }
    }
}

/// Runs `conclave-dealer init`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let plan = plan(arguments)?;
    let (n, t) = (plan.committee.n(), plan.committee.faults());
    if t == 0 && n > 1 {
        eprintln!("warning: {n} replicas tolerate no fault; 4 tolerate one");
    }
    let out = arguments.out.display();
    eprintln!("Dealing {} keys of {} bits into {out}.", 2 * plan.zones.len(), plan.bits);
    let display = DealDisplay::default();
    let cluster = deal(&plan, &arguments.out, &|news| display.tell(news))?;
    print(&format!(
        "cluster {}\n\
         Give each operator one directory {out}/replica-I and delete it here; client keys are in {out}/client.\n\
         Publish {out}/anchors/*.ds in the parent zones. Check with: conclave-dealer verify {out}\n",
        cluster.id().0.to_hex()
    ));
    Ok(())
}

fn plan(arguments: &Arguments) -> Result<Plan, Failure> {
    let committee = Committee::new(arguments.replicas).ok_or_else(|| Failure::new("too many replicas"))?;
    let reads = match arguments.reads {
        ReadsArgument::Local => Reads::Local,
        ReadsArgument::Ordered => Reads::Ordered,
    };
    for zone in arguments.policy.iter().filter_map(|policy| policy.zone.as_ref()) {
        if !arguments.zone.iter().any(|served| served.origin == *zone) {
            return Err(Failure::new(format!("--policy names {zone}, which no --zone does")));
        }
    }
    let mut zones = Vec::new();
    for zone in &arguments.zone {
        let mine = arguments.policy.iter().filter(|p| p.zone.as_ref().is_none_or(|of| *of == zone.origin));
        let policy = mine.map(|policy| policy.statement.clone()).collect();
        zones.push(ZonePlan { origin: zone.origin.clone(), records: zone.read()?, policy, reads });
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|_| Failure::new("the clock stands before 1970; set it"))?;
    Ok(Plan {
        committee,
        bits: arguments.bits,
        signing: arguments.signing,
        zones,
        tsig: arguments.tsig.clone(),
        sig0: arguments.sig0.clone(),
        places: places(arguments)?,
        genesis_time: UnixMillis(since.as_millis() as u64),
    })
}

fn places(arguments: &Arguments) -> Result<Vec<Place>, Failure> {
    let n = usize::from(arguments.replicas);
    for (option, given) in [("--dns", arguments.dns.len()), ("--peer", arguments.peer.len())] {
        if given != 0 && given != n {
            return Err(Failure::new(format!("{option} is said {given} times for {n} replicas")));
        }
    }
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let place = |index: u8| {
        let slot = usize::from(index) - 1;
        let port = arguments.dns_base + u16::from(index);
        Place {
            dns: vec![arguments.dns.get(slot).copied().unwrap_or_else(|| local(port))],
            peer: arguments.peer.get(slot).copied().unwrap_or_else(|| local(port + 100)),
            admin: None,
        }
    };
    Ok((1..=arguments.replicas).map(place).collect())
}
