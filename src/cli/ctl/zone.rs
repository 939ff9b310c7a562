//! `conclave ctl zone …` and `conclave ctl catalog …`: zones that come, go and change while the cluster runs.
//!
//! Each is a command of the cluster ([`crate::zone::Command`]), done when enough people want the same: operators, who sign it with
//! their own keys (`--operator`), or without that the operators of a quorum of the replicas, each at his own. What a command
//! cannot hold (a zone's records, a policy) is given to the replica beside it, and named in it by a digest: two who say the same
//! with the same files say the same octets.

mod contents;
mod diff;
mod list;
mod say;

use super::votes::agree_to;
use super::{Failure, Target, print};
use crate::codec::Digest;
use crate::dns::name::Name;
use crate::zone::{Command, Contents, Denial, Reads, SerialRule, ZoneAct};
use clap::{Args, Subcommand, ValueEnum};
use contents::Named;
use say::{Who, have_done};
use std::path::PathBuf;

/// What to do with zones.
#[derive(Subcommand, Debug)]
pub(super) enum ZoneCommand {
    /// Show the zones: serial, version, whether frozen, how existence is denied, keys, policy
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a zone, whose keys were dealt (conclave-dealer keys) and imported at all replicas
    #[command(
        after_help = "A policy file has a statement a line, in the words of BIND's update-policy; # begins a comment.\n\n\
                      Examples:\n  conclave-dealer keys --plan deal/plan.toml --cluster deal/cluster.toml --zone new.test --out \
                      new\n  conclave ctl import new/*.bundle     (at every replica)\n  conclave ctl zone add new.test --file \
                      new.zone --zsk new/new.test.zsk.4711.bundle --ksk new/new.test.ksk.4712.bundle \\\n    --policy \
                      new.policy --operator alice.key"
    )]
    Add(Box<Add>),
    /// Remove a zone; its keys are destroyed
    #[command(after_help = "Example:\n  conclave ctl zone remove old.test --operator alice.key")]
    Remove {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: Name,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Make a zone's records those of a file; what stays the same keeps its signatures
    #[command(
        after_help = "The file may be an edited export: what the cluster makes itself (signatures, DNSKEY, NSEC …) is left out of \
                      it.\n\nExamples:\n  conclave ctl zone replace example.test --file example.zone\n  conclave ctl zone replace \
                      example.test --file edited.zone --if-serial 42 --yes --operator alice.key"
    )]
    Replace {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: Name,
        /// The master file
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Only if this is still the zone's serial
        #[arg(long, value_name = "SERIAL")]
        if_serial: Option<u32>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Judge updates by other statements from now on
    #[command(
        after_help = "A policy file has a statement a line, in the words of BIND's update-policy; # begins a comment.\n\n\
                      Example:\n  conclave ctl zone policy example.test --policy new.policy --operator alice.key"
    )]
    Policy {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: Name,
        /// The statements
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        #[command(flatten)]
        who: Who,
    },
    /// Refuse updates until the zone is thawed; signatures are made anew all the same
    #[command(after_help = "Example:\n  conclave ctl zone freeze example.test --operator alice.key")]
    Freeze(One),
    /// Take updates again
    #[command(after_help = "Example:\n  conclave ctl zone thaw example.test --operator alice.key")]
    Thaw(One),
    /// Give up what waits for contents that do not come
    #[command(
        after_help = "`conclave ctl zone list --json` shows what waits.\n\nExample:\n  conclave ctl zone forget example.test CONTENTS \
                            --operator alice.key"
    )]
    Forget {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: Name,
        /// The name of the contents, 64 hexadecimal digits
        #[arg(value_name = "CONTENTS", value_parser = contents_name)]
        contents: Digest,
        #[command(flatten)]
        who: Who,
    },
    /// Deny existence by NSEC or by NSEC3
    #[command(after_help = "Example:\n  conclave ctl zone denial example.test nsec3 --operator alice.key")]
    Denial {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: Name,
        /// How
        #[arg(value_enum)]
        by: DenialArgument,
        #[command(flatten)]
        who: Who,
    },
}

/// A zone, and who wants something of it.
#[derive(Args, Debug)]
pub(super) struct One {
    /// The zone
    #[arg(value_name = "ORIGIN")]
    origin: Name,
    #[command(flatten)]
    who: Who,
}

/// Arguments of `conclave ctl catalog`.
#[derive(Args, Debug)]
#[command(
    after_help = "Only those see the catalog whom a [[transfer]] rule for it lets in.\n\nExamples:\n  conclave ctl catalog \
                  catalog.invalid --operator alice.key\n  conclave ctl catalog none"
)]
pub(super) struct Catalog {
    /// The catalog zone's name, or `none`
    #[arg(value_name = "ORIGIN|none")]
    origin: String,
    #[command(flatten)]
    who: Who,
}

/// Arguments of `conclave ctl zone add`.
#[derive(Args, Debug)]
pub(super) struct Add {
    /// The zone
    #[arg(value_name = "ORIGIN")]
    origin: Name,
    /// Its unsigned master file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The bundle of its ZSK: the file, or the name that `conclave ctl import` tells
    #[arg(long, value_name = "BUNDLE")]
    zsk: Named,
    /// The bundle of its KSK
    #[arg(long, value_name = "BUNDLE")]
    ksk: Named,
    /// Who may change what: statements [default: nobody]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Where queries are answered from
    #[arg(long, value_enum, default_value = "local")]
    reads: ReadsArgument,
    /// How a change moves the serial
    #[arg(long, value_enum, default_value = "increment")]
    serial: SerialArgument,
    /// How it begins to deny existence
    #[arg(long, value_enum, default_value = "nsec")]
    denial: DenialArgument,
    /// TTL of its DNSKEY set [default: the SOA's, an hour at most]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=7 * 86_400))]
    dnskey_ttl: Option<u32>,
    #[command(flatten)]
    who: Who,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReadsArgument {
    /// The replica's last signed version
    Local,
    /// The query's place in the order: linearizable, slower
    Ordered,
}

impl From<ReadsArgument> for Reads {
    fn from(argument: ReadsArgument) -> Self {
        match argument {
            ReadsArgument::Local => Self::Local,
            ReadsArgument::Ordered => Self::Ordered,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SerialArgument {
    /// One more
    Increment,
    /// The time in seconds
    Unixtime,
    /// The day and a number, YYYYMMDDnn
    Date,
}

impl From<SerialArgument> for SerialRule {
    fn from(argument: SerialArgument) -> Self {
        match argument {
            SerialArgument::Increment => Self::Increment,
            SerialArgument::Unixtime => Self::UnixTime,
            SerialArgument::Date => Self::Date,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DenialArgument {
    /// NSEC
    Nsec,
    /// NSEC3 (RFC 5155), without iterations and salt
    Nsec3,
}

impl From<DenialArgument> for Denial {
    fn from(argument: DenialArgument) -> Self {
        match argument {
            DenialArgument::Nsec => Self::Nsec,
            DenialArgument::Nsec3 => Self::Nsec3,
        }
    }
}

fn contents_name(text: &str) -> Result<Digest, String> {
    Digest::from_hex(text).ok_or_else(|| "the name of contents has 64 hexadecimal digits".into())
}

/// Runs `conclave ctl zone …`.
pub(super) fn run(targets: &[Target], command: &ZoneCommand) -> Result<(), Failure> {
    let act = |origin: &Name, act, who: &Who| {
        have_done(targets, who, &Command::Zone { zone: origin.to_lowercase(), act }, None)
    };
    match command {
        ZoneCommand::List { json } => list::show(targets, *json),
        ZoneCommand::Add(add) => add_zone(targets, add),
        ZoneCommand::Remove { origin, yes, who } => {
            agree_to(*yes, &format!("Remove {origin}, and destroy its keys?"))?;
            act(origin, ZoneAct::Remove, who)
        }
        ZoneCommand::Replace { origin, file, if_serial, yes, who } => {
            let origin = origin.to_lowercase();
            let new = contents::records(&origin, file)?;
            print(&diff::told(targets, &origin, &new)?);
            agree_to(*yes, &format!("Replace the records of {origin} so?"))?;
            let new = Contents::Records(new);
            with_contents(targets, who, &origin, &new, |name| ZoneAct::Replace(name, *if_serial))
        }
        ZoneCommand::Policy { origin, policy, who } => {
            let new = Contents::Policy(contents::policy(policy)?);
            with_contents(targets, who, &origin.to_lowercase(), &new, ZoneAct::Policy)
        }
        ZoneCommand::Freeze(One { origin, who }) => act(origin, ZoneAct::Freeze, who),
        ZoneCommand::Thaw(One { origin, who }) => act(origin, ZoneAct::Thaw, who),
        ZoneCommand::Forget { origin, contents, who } => act(origin, ZoneAct::Forget(*contents), who),
        ZoneCommand::Denial { origin, by, who } => {
            let command = Command::Denial { zone: origin.to_lowercase(), by: (*by).into() };
            have_done(targets, who, &command, None)
        }
    }
}

/// Runs `conclave ctl catalog …`.
pub(super) fn catalog(targets: &[Target], Catalog { origin, who }: &Catalog) -> Result<(), Failure> {
    let command: Command = format!("catalog {origin}").parse().map_err(Failure::new)?;
    have_done(targets, who, &command, None)
}

fn add_zone(targets: &[Target], add: &Add) -> Result<(), Failure> {
    let origin = add.origin.to_lowercase();
    let new = Contents::Zone(Box::new(contents::new_zone(&origin, add)?));
    with_contents(targets, &add.who, &origin, &new, ZoneAct::Add)
}

fn with_contents(
    targets: &[Target],
    who: &Who,
    zone: &Name,
    new: &Contents,
    act: impl FnOnce(Digest) -> ZoneAct,
) -> Result<(), Failure> {
    let parcel = contents::parcel(new)?;
    let command = Command::Zone { zone: zone.clone(), act: act(parcel.name()) };
    have_done(targets, who, &command, Some(&parcel))
}
