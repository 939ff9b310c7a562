//! `conclave-dealer init`: a deal under a written plan (`--from`), asked for on a terminal (`--ask`), or with all roles
//! played here (`--zone`, for trials).

use crate::ask;
use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use conclave::ceremony::deal::{Source, deal, deal_here};
use conclave::ceremony::operators::{Needed, Operator, Operators};
use conclave::ceremony::plan::{DEFAULT_BITS, Place, Plan, TsigPlan, ZoneArgument, ZonePlan};
use conclave::ceremony::rehearsal::{Sizes, rehearse};
use conclave::ceremony::words;
use conclave::ceremony::written::WrittenPlan;
use conclave::cli::progress::DealDisplay;
use conclave::cli::{Failure, agree, print, signing_protocol};
use conclave::dns::name::Name;
use conclave::limits::MAX_REPLICAS;
use conclave::quorum::Committee;
use conclave::signing::Protocol;
use conclave::time::UnixMillis;
use conclave::zone::{Denial, Reads};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Arguments of `conclave-dealer init`.
#[derive(Args, Debug)]
#[command(
    after_help = "A policy statement is in the words of BIND's update-policy; without any, nobody may change a \
                        zone. `ORIGIN=STATEMENT` is for one zone only.\n\nExamples:\n  conclave-dealer init \
                        --from ceremony.toml --out deal\n  conclave-dealer init --from ceremony.toml --rehearsal \
                        --out rehearsal\n  conclave-dealer init --zone example.test=example.zone --replicas 4 --out cluster \\\n    --tsig ops \
                        --policy 'grant ops zonesub ANY' \\\n    --dns 192.0.2.1:53 --peer 192.0.2.1:5400 \
                        --dns 192.0.2.2:53 --peer 192.0.2.2:5400 …"
)]
pub struct Arguments {
    /// The written plan: shares are sealed for the replicas that it names
    #[arg(long, value_name = "FILE", conflicts_with_all = PLAYED)]
    from: Option<PathBuf>,
    /// Ask for all that a plan says, write it to OUT.plan.toml, and deal
    #[arg(long, conflicts_with_all = PLAYED, conflicts_with = "from")]
    ask: bool,
    /// The words of the plan, as the operators read them out [default: shown and asked for]
    #[arg(long, value_name = "WORDS", conflicts_with_all = PLAYED)]
    words: Option<String>,
    /// The whole ceremony on a throw-away zone, all roles here, with the plan's sizes
    #[arg(long, requires = "from")]
    rehearsal: bool,
    /// A zone and its unsigned master file; may be said more than once. All roles are played here: for trials
    #[arg(long, value_name = "ORIGIN=FILE", required_unless_present_any = ["from", "ask"])]
    zone: Vec<ZoneArgument>,
    /// Number of replicas: n ≥ 3t+1 of which t may be corrupt
    #[arg(long, value_name = "N", required_unless_present_any = ["from", "ask"], default_value_if("from", ArgPredicate::IsPresent, "1"), default_value_if("ask", ArgPredicate::IsPresent, "1"), value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_REPLICAS)))]
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
    /// Make a TSIG key (hmac-sha256); any replica could forge with it, unless it is a `quorum` key, for which t+1 must vouch
    #[arg(long, value_name = "NAME[,quorum][,ALGORITHM][,allow-weak]")]
    tsig: Vec<TsigPlan>,
    /// Make a SIG(0) key (Ed25519), which no replica can forge with
    #[arg(long, value_name = "NAME")]
    sig0: Vec<Name>,
    /// An update policy statement
    #[arg(long, value_name = "[ORIGIN=]STATEMENT")]
    policy: Vec<Policy>,
    /// An operator and his public key, as `conclave operator-key` tells it; may be said more than once
    #[arg(long, value_name = "NAME=BASE64")]
    operator: Vec<Operator>,
    /// How many operators must sign what is done to zones
    #[arg(long, value_name = "t+1|one", requires = "operator")]
    operators_needed: Option<Needed>,
    /// Where queries are answered from
    #[arg(long, value_enum, default_value = "local")]
    reads: ReadsArgument,
    /// How the zones begin to deny existence
    #[arg(long, value_enum, default_value = "nsec")]
    denial: DenialArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DenialArgument {
    /// NSEC
    Nsec,
    /// NSEC3 (RFC 5155), without iterations and salt
    Nsec3,
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

/// What only a deal with all roles played here takes.
const PLAYED: [&str; 11] =
    ["zone", "replicas", "bits", "signing", "dns", "peer", "tsig", "sig0", "operator", "policy", "reads"];

/// Runs `conclave-dealer init`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(plan) = &arguments.from {
        return if arguments.rehearsal { rehearsal(plan, &arguments.out) } else { from(plan, arguments) };
    }
    if arguments.ask {
        let mut name = arguments.out.file_name().unwrap_or_default().to_owned();
        name.push(".plan.toml");
        let plan = arguments.out.with_file_name(name);
        ask::write(&plan)?;
        return from(&plan, arguments);
    }
    here(arguments)
}

fn from(path: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let plan = WrittenPlan::read(path)?;
    agree(&plan.digest(), arguments.words.as_deref())?;
    let out = arguments.out.display();
    eprintln!("Dealing {} keys of {} bits into {out}.", 2 * plan.zones.len(), plan.bits);
    let display = DealDisplay::default();
    let cluster = deal(&plan, &Source::Search, now()?, &arguments.out, &|news| display.tell(news))?;
    print(&format!(
        "cluster {}\n\
         Give every operator {out}, for: conclave import --dir HIS --deal {out}\n\
         Collect the receipts in {out}/receipts; the deal is complete with those of all {} replicas.\n\
         Check with: conclave-dealer verify {out}\n",
        cluster.id().0.to_hex(),
        plan.committee.n()
    ));
    Ok(())
}

fn rehearsal(path: &Path, out: &Path) -> Result<(), Failure> {
    let plan = WrittenPlan::read(path)?;
    let custodians = plan.backup.as_ref().map_or((2, 3), |b| (b.threshold, b.custodians.len() as u8));
    let sizes = Sizes { committee: plan.committee, bits: plan.bits, custodians };
    let display = DealDisplay::default();
    let said = rehearse(sizes, now()?, out, &|news| display.tell(news))?;
    said.iter().for_each(|line| print(&format!("{line}\n")));
    Ok(())
}

/// Shows a plan's words.
pub fn show_plan(path: &Path) -> Result<(), Failure> {
    let plan = WrittenPlan::read(path)?;
    let (n, t) = (plan.committee.n(), plan.committee.faults());
    let mut text = format!(
        "{n} replicas, of which {t} may be corrupt; epoch {}; {} keys of {} bits\n",
        plan.epoch.0,
        2 * plan.zones.len(),
        plan.bits
    );
    plan.zones.iter().for_each(|zone| text.push_str(&format!("zone {}\n", zone.origin)));
    if let Some(backup) = &plan.backup {
        let (k, m) = (backup.threshold, backup.custodians.len());
        text.push_str(&format!("backup: {k} of {m} custodians open it\n"));
    }
    text.push_str(&format!("plan {}\n", plan.digest().to_hex()));
    words::lines(&plan.digest()).iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    print(&text);
    Ok(())
}

/// The time of a deal.
pub fn now() -> Result<UnixMillis, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|_| Failure::new("the clock stands before 1970; set it"))?;
    Ok(UnixMillis(since.as_millis() as u64))
}

fn here(arguments: &Arguments) -> Result<(), Failure> {
    let plan = plan(arguments)?;
    let (n, t) = (plan.committee.n(), plan.committee.faults());
    if t == 0 && n > 1 {
        eprintln!("warning: {n} replicas tolerate no fault; 4 tolerate one");
    }
    let out = arguments.out.display();
    eprintln!("Dealing {} keys of {} bits into {out}.", 2 * plan.zones.len(), plan.bits);
    let display = DealDisplay::default();
    let cluster = deal_here(&plan, &arguments.out, &|news| display.tell(news))?;
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
    let denial = match arguments.denial {
        DenialArgument::Nsec => Denial::Nsec,
        DenialArgument::Nsec3 => Denial::Nsec3,
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
        zones.push(ZonePlan { origin: zone.origin.clone(), records: zone.read()?, policy, reads, denial });
    }
    Ok(Plan {
        committee,
        bits: arguments.bits,
        signing: arguments.signing,
        zones,
        tsig: arguments.tsig.clone(),
        sig0: arguments.sig0.clone(),
        operators: Operators::of(arguments.operator.clone(), arguments.operators_needed.unwrap_or_default()),
        places: places(arguments)?,
        genesis_time: now()?,
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
