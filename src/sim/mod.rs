//! Whole replicas in a simulated world: seeded, sans-IO, in virtual time.
//!
//! What runs is the shipped [`Replica`](crate::replica::Replica) with its real layers: real hashes, real Ed25519 and
//! coin, distinct identities, real threshold RSA (on fixed published primes), the real log over a disk in memory.
//! Invented are only the clocks (each with its skew), the network, the disks' crashes, the clients and the adversary.
//! One seed decides everything: the same [`Scenario`] gives the same run, event for event.
//!
//! # The model
//! - *Links* deliver in order and lose nothing while both ends run; how long a message takes, the
//!   [scheduler](schedulers) decides, message by message, when it is sent and again when it is due. Links overtake one
//!   another at will. When a replica restarts, what was under way to and from it is lost and both ends of each of its
//!   links are told `Linked`.
//! - *Connections* end, with the scheduler that has them end, at any moment, as [`link`](crate::link) allows: what is under
//!   way comes late over the next one; or a full queue was dropped, and both ends are told `Linked`. A replica that
//!   restarts gets again the last messages that it had not acknowledged: its former incarnation may have had them.
//! - *Disks* lose what was not synced ([`MemDisk`](crate::storage::MemDisk)). A sync takes time, and the effects that
//!   wait for it are lost with it. So may be what the replica executed meanwhile: nobody was told, and nothing is checked
//!   before it is durable. One disk may [fail](DiskFault): its replica ends, and what it may start from again is for its log
//!   to say.
//! - *Epochs*: in the middle of a run operators may vote the cluster into its [next epoch](Succession). A machine that is in
//!   both runs two replicas for a while, each with a disk of its own, which crash together; links are within an epoch.
//! - *Losses*: replicas are [away](Losses) until the others have collected what they lack, or lose their disk: they must take
//!   over a certified state, and take part again.
//! - *Computations* are done at once and their results arrive later.
//! - *Corrupt replicas* run the shipped code behind an [adversary](adversaries) that changes what they send, or
//!   twice with one identity. Replies of corrupt replicas are not used.
//!
//! # What is checked ([`checkers`], [`clients`])
//! Order: batches with equal numbers are equal. Execution and publication: outcomes, states and zones, signatures
//! included, are those of one trusted server with the whole key that is given the same batches. Authorisation: what
//! changes is what clients signed, each request once. Replies: one for each try of a client, with the rcode that a plain
//! model of its names gives, and NOERROR only once that replica serves what it says. Accusation: no correct replica is
//! reported for what only a corrupt one does. Time: agreed time is not ahead of the correct clocks. Coin: nobody can know
//! a round's leaders before it is time. Bounds: buffers stay within their limits. Liveness: every operation ends, and is
//! delivered within a bounded number of rounds. In the end: all correct replicas serve the same version, and what was
//! answered is in it.
//!
//! A simulator that finds no planted bug proves nothing: [`Plant`] breaks one replica on purpose, and the tests
//! demand that it is caught; so do those of `plant` for some thirty more, one wrong line each, in the layers themselves.
#![forbid(unsafe_code)]

mod actor;
pub mod adversaries;
#[cfg(test)]
mod behind;
mod chance;
pub mod checkers;
pub mod clients;
pub mod cluster;
pub mod coverage;
mod graph;
mod rolls;
pub mod scenario;
pub mod schedulers;
mod sig0;
pub mod svg;
pub mod trace;
pub mod witness;
mod world;
mod zones;

pub use chance::Chance;
pub use sig0::Signer;
pub use world::{run, run_seen, watch};

use crate::protocol::Misbehaviour;
use crate::signing::Protocol;
use adversaries::{AdversaryKind, Deeds};
use checkers::bounds::Peaks;
use clap::ValueEnum;
use schedulers::SchedulerKind;
use std::collections::BTreeMap;
use std::fmt;

/// Which replicas end without warning, and come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Crashes {
    /// None.
    Never,
    /// One after another, each back before the next.
    OneByOne,
    /// All at the same moment, several times.
    AllAtOnce,
    /// The first, and it is away until the others have let go what it lacks.
    LongAbsence,
}

/// Which of the zone's keys operators roll, or what else they do with zones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Rolls {
    /// None.
    Never,
    /// The ZSK.
    Zsk,
    /// The KSK; the operators say of a parent that is not there what a rollover wants to hear.
    Ksk,
    /// Both, from algorithm 8 to 10.
    Algorithm,
    /// None; but they add a zone with keys of its own, freeze it, and remove it.
    Zone,
}

/// Which replicas lose more than the order brings back, one after another; each is level with the others before the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Losses {
    /// None.
    Never,
    /// Each is down until the others have collected what it lacks.
    Away,
    /// The same, but it runs and no message passes.
    CutOff,
    /// Each loses its disk.
    Wiped,
}

/// Who the replicas of the next epoch are; its command comes in the middle of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Succession {
    /// There is no next epoch.
    Never,
    /// A new one in the place of the last.
    Replace,
    /// Three more.
    Grow,
    /// Three less: the last.
    Shrink,
    /// As few go on as may, the last ones; the others are new.
    Least,
    /// One is left.
    Alone,
}

/// What goes wrong with the first replica's disk, beside crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskFault {
    /// Nothing.
    Never,
    /// Its so-many-th writing operation fails, with a power cut.
    FailAt(u64),
    /// It is full for a while.
    Full,
    /// One bit of what was synced long ago flips, and the replica starts again; when it has refused to, its operator removes
    /// what is on the disk.
    BitFlip,
}

/// A bug planted in the first replica, which the checkers must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Plant {
    /// Effects leave before the records they rest on are durable.
    SendBeforeSync,
    /// One client's updates are not executed.
    SkipUpdates,
    /// Replies leave, and then some of the log is forgotten at a restart although it was synced.
    ForgetLog,
}

/// One run. Everything that happens follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// Replicas.
    pub n: u8,
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How long messages take.
    pub scheduler: SchedulerKind,
    /// What the last t replicas do, if they are corrupt.
    pub adversary: Option<AdversaryKind>,
    /// Who crashes.
    pub crashes: Crashes,
    /// Whose disk fails.
    pub disk: DiskFault,
    /// Who loses more than a crash takes. Clients go on until all are back.
    pub losses: Losses,
    /// Whether the run goes on in another epoch.
    pub succession: Succession,
    /// Whether clients rest while one comes back.
    pub rest: bool,
    /// Whether who comes back crashes on its way: in the transfer, in storing, and before it goes on.
    pub interrupted: bool,
    /// Clients, each doing one thing after the other.
    pub clients: usize,
    /// Operations of each client.
    pub operations: usize,
    /// Virtual milliseconds from one operation of a client to its next, beside half a second by chance.
    pub pace_ms: u64,
    /// Octets in each update that nobody heeds.
    pub padding: usize,
    /// Virtual milliseconds of silence before the last operation of each client.
    pub idle_ms: u64,
    /// Whether the zone's queries go through the order.
    pub ordered_reads: bool,
    /// Refreshes of keys.
    pub refreshes: usize,
    /// Whether clients send each update to two replicas at once.
    pub doubled: bool,
    /// How signing sessions go.
    pub signing: Protocol,
    /// What operators roll meanwhile.
    pub rolls: Rolls,
    /// A bug to be found.
    pub plant: Option<Plant>,
}

impl Scenario {
    /// An ordinary run of `n` replicas.
    pub fn new(n: u8, seed: u64) -> Self {
        Self {
            n,
            seed,
            scheduler: SchedulerKind::Random,
            adversary: None,
            crashes: Crashes::Never,
            disk: DiskFault::Never,
            losses: Losses::Never,
            succession: Succession::Never,
            rest: false,
            interrupted: false,
            clients: 3,
            operations: 5,
            pace_ms: 0,
            padding: 0,
            idle_ms: 0,
            ordered_reads: false,
            refreshes: 0,
            doubled: false,
            signing: Protocol::default(),
            rolls: Rolls::Never,
            plant: None,
        }
    }
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Virtual milliseconds.
    pub virtual_ms: u64,
    /// Messages between replicas.
    pub messages: u64,
    /// Messages between replicas in the last nine tenths of the silence.
    pub messages_in_silence: u64,
    /// Batches executed.
    pub batches: u64,
    /// Rounds reached.
    pub rounds: u64,
    /// The most rounds from an update's arrival at a replica to the decision of its batch.
    pub worst_rounds: u64,
    /// Operations ended.
    pub operations: usize,
    /// Tries of operations; more than operations where a gateway was down or slow.
    pub tries: usize,
    /// Times that a replica crashed.
    pub crashes: usize,
    /// Reports of misbehaviour by correct replicas, by kind.
    pub faults: BTreeMap<Misbehaviour, u64>,
    /// What the adversaries did, by kind.
    pub deeds: Deeds,
    /// Updates executed again, without effect.
    pub repeats: u64,
    /// The most that correct replicas have kept.
    pub peaks: Peaks,
    /// Writing operations of the first replica's disk.
    pub disk_operations: u64,
    /// Times that a replica ended because its disk failed.
    pub disk_failures: usize,
    /// Replicas that refused to start on what their disk held.
    pub refused_starts: usize,
    /// Losses from which a replica came back.
    pub returns: usize,
    /// States that correct replicas took over from others.
    pub states_taken: u64,
    /// Replicas that have begun the next epoch.
    pub begun: usize,
    /// Replicas that ended because they are not in the next epoch, or that epoch needs the one before no more.
    pub left: usize,
    /// Crashes of replicas on their way back, by moment.
    pub falls: BTreeMap<&'static str, u64>,
}

/// What can be seen of a run while it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glance {
    /// Virtual milliseconds from the start.
    pub at_ms: u64,
    /// Bytes on the fullest disk.
    pub disk_bytes: u64,
    /// Bytes of this process's memory that all disks take.
    pub disk_memory: u64,
}

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Virtual milliseconds from the start.
    pub at_ms: u64,
    /// What was broken.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} ms: {}", self.at_ms, self.what)
    }
}
