//! `conclave-dealer redeal`, `keys`, `reseal`: what comes after the first deal.

use crate::init::now;
use clap::{Args, ValueEnum};
use conclave::ceremony::backup::{self, Kept};
use conclave::ceremony::cluster::Cluster;
use conclave::ceremony::cluster_file;
use conclave::ceremony::deal::keys::Wanted;
use conclave::ceremony::deal::{Source, deal};
use conclave::ceremony::files::write_public;
use conclave::ceremony::new_key;
use conclave::ceremony::plan::DEFAULT_BITS;
use conclave::ceremony::seal::{Recipient, SealingKey};
use conclave::ceremony::words;
use conclave::ceremony::written::WrittenPlan;
use conclave::cli::progress::DealDisplay;
use conclave::cli::{Failure, agree, print};
use conclave::dns::name::Name;
use conclave::zone::{CheckedBundle, Role};
use std::path::{Path, PathBuf};

/// A deal after the first.
#[derive(Args, Debug)]
struct Again {
    /// The written plan: that of the cluster, or for the next epoch its own
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The cluster as it is
    #[arg(long, value_name = "FILE")]
    cluster: PathBuf,
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The words of the plan [default: shown and asked for]
    #[arg(long, value_name = "WORDS")]
    words: Option<String>,
}

impl Again {
    fn read(&self) -> Result<(WrittenPlan, Cluster), Failure> {
        let (plan, cluster) = (WrittenPlan::read(&self.plan)?, cluster_file::read(&self.cluster)?);
        agree(&plan.digest(), self.words.as_deref())?;
        Ok((plan, cluster))
    }
}

/// Arguments of `conclave-dealer redeal`.
#[derive(Args, Debug)]
#[command(
    after_help = "Under the plan of the cluster itself the same members get fresh shares, as bundles; under a plan that \
                  says epoch and replaces, new members get them, as a new deal.\n\nExample:\n  conclave-dealer redeal --plan second.toml --cluster \
                  cluster.toml --backup deal/backup/backup.age \\\n    --part deal/backup/custodian-alice.age --identity \
                  /media/alice/key.txt \\\n    --part deal/backup/custodian-bob.age --identity /media/bob/key.txt --out redeal"
)]
pub struct Redeal {
    #[command(flatten)]
    deal: Again,
    /// A backup; said again for those of later keys, which take the place of earlier ones
    #[arg(long, value_name = "FILE", required = true)]
    backup: Vec<PathBuf>,
    /// A custodian's part, as it was sealed for him or for this machine
    #[arg(long, value_name = "FILE", required = true)]
    part: Vec<PathBuf>,
    /// Under the plan of the cluster itself: deal the keys of this zone [default: of all zones of the cluster file]
    #[arg(long, value_name = "ORIGIN")]
    zone: Vec<Name>,
    /// A key that opens parts: the custodian's, on his own medium
    #[arg(long, value_name = "FILE", required = true)]
    identity: Vec<PathBuf>,
}

/// Arguments of `conclave-dealer keys`.
#[derive(Args, Debug)]
#[command(
    after_help = "Without --role both keys of a zone that is to be added (conclave ctl zone add) are dealt.\n\nExamples:\n  \
                  conclave-dealer keys --plan deal/plan.toml --cluster deal/cluster.toml --zone example.test --role zsk --out \
                  new-zsk\n  conclave-dealer keys --plan deal/plan.toml --cluster deal/cluster.toml --zone new.test --out new-zone"
)]
pub struct Keys {
    #[command(flatten)]
    deal: Again,
    /// The zone
    #[arg(long, value_name = "ORIGIN")]
    zone: Name,
    /// What the key is to sign [default: both keys, of a zone that the cluster file does not list]
    #[arg(long, value_enum)]
    role: Option<RoleArgument>,
    /// 8 (RSASHA256) or 10 (RSASHA512)
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(8..=10))]
    algorithm: u8,
    /// Bits of the modulus
    #[arg(long, default_value_t = DEFAULT_BITS)]
    bits: usize,
    /// A key tag that the key must not have: one of each key that is published or planned and is not in the cluster file
    #[arg(long, value_name = "TAG")]
    avoid: Vec<u16>,
}

/// Arguments of `conclave-dealer reseal`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  conclave-dealer reseal custodian-alice.age --identity key.txt --recipient age1… --out part.age"
)]
pub struct Reseal {
    /// A custodian's part
    part: PathBuf,
    /// His key
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// The public key of the machine that is to use it
    #[arg(long, value_name = "AGE1…")]
    recipient: Recipient,
    /// File to make
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArgument {
    /// Signs everything but the DNSKEY set
    Zsk,
    /// Signs the DNSKEY set
    Ksk,
}

/// Runs `conclave-dealer redeal`.
pub fn redeal(arguments: &Redeal) -> Result<(), Failure> {
    let (plan, cluster) = arguments.deal.read()?;
    let keys: Vec<SealingKey> =
        arguments.identity.iter().map(|path| SealingKey::read(path)).collect::<Result<_, _>>()?;
    let parts: Vec<&Path> = arguments.part.iter().map(PathBuf::as_path).collect();
    let mut kept = Kept::default();
    for path in &arguments.backup {
        backup::open(path, &parts, &keys, &mut kept)?;
    }
    eprintln!("{} keys are in the backup.", kept.keys.len());
    if plan.digest() == cluster.plan {
        let zones: Vec<Name> = arguments.zone.iter().map(Name::to_lowercase).collect();
        let bundles = new_key::share_again(&plan, &cluster, &kept, &zones, &arguments.deal.out)?;
        return tell(&bundles, &arguments.deal.out);
    }
    let is_kept = |name: &Name| kept.tsig.iter().any(|clause| clause.name == *name);
    for key in plan.tsig.iter().filter(|key| !is_kept(&key.key.name)) {
        eprintln!("TSIG key {} is not in the backup: it gets a new secret.", key.key.name);
    }
    let source = Source::Backup(&cluster, &kept);
    let new = deal(&plan, &source, now()?, &arguments.deal.out, &|_| {})?;
    let out = arguments.deal.out.display();
    print(&format!(
        "cluster {} of epoch {}, with the keys of {}\n\
         Give every operator {out}, for: conclave import --dir HIS --deal {out} --into NEW\n\
         Collect the receipts in {out}/receipts. Until those of all {} replicas are there, the old shares stay.\n",
        new.id().0.to_hex(),
        new.epoch.0,
        cluster.id().0.to_hex(),
        plan.committee.n()
    ));
    Ok(())
}

/// Runs `conclave-dealer keys`.
pub fn keys(arguments: &Keys) -> Result<(), Failure> {
    let (plan, cluster) = arguments.deal.read()?;
    let roles = match arguments.role {
        Some(RoleArgument::Zsk) => vec![Role::Zsk],
        Some(RoleArgument::Ksk) => vec![Role::Ksk],
        None => vec![Role::Zsk, Role::Ksk],
    };
    let (zone, algorithm, bits) = (arguments.zone.to_lowercase(), arguments.algorithm, arguments.bits);
    if algorithm == 9 {
        return Err(Failure::new("algorithm 9 is not 8 (RSASHA256) or 10 (RSASHA512)"));
    }
    match (cluster.zone(&zone), arguments.role) {
        (Some(_), None) => {
            return Err(Failure::new(format!(
                "{zone} is a zone of the cluster: say --role zsk or --role ksk"
            )));
        }
        (None, _) => eprintln!("{zone} is not in the cluster file: a zone that was added, or is to be."),
        _ => {}
    }
    let wanted = |role| Wanted { zone: zone.clone(), role, algorithm, bits, n: 0, k: 0 };
    let wanted = roles.into_iter().map(wanted).collect();
    let display = DealDisplay::default();
    let (taken, out) = (&arguments.avoid, &arguments.deal.out);
    let bundles = new_key::deal(&plan, &cluster, wanted, taken, out, &|news| display.tell(news))?;
    tell(&bundles, out)
}

/// Runs `conclave-dealer reseal`.
pub fn reseal(arguments: &Reseal) -> Result<(), Failure> {
    let key = SealingKey::read(&arguments.identity)?;
    let sealed = backup::reseal(&arguments.part, key, &arguments.recipient)?;
    Ok(write_public(&arguments.out, &sealed)?)
}

fn tell(bundles: &[CheckedBundle], out: &Path) -> Result<(), Failure> {
    for bundle in bundles {
        let key = bundle.bundle();
        print(&format!(
            "{} {} tag {}, bundle {}\n",
            key.zone,
            key.role,
            bundle.tag(),
            bundle.name().to_hex()
        ));
        words::lines(&bundle.name()).iter().for_each(|line| print(&format!("  {line}\n")));
    }
    print(&format!("Give every operator {}, for: conclave ctl import FILE\n", out.display()));
    Ok(())
}
