//! One replica as one value: an input gives a step.
//!
//! [`Replica::step`] is the whole program without its hands: no clock, socket, file, thread or chance inside. The
//! runtime gives it what arrives and carries out what it returns; the simulator does the same with invented
//! arrivals, so what is simulated is what ships.
//!
//! # The way of an update (architecture, "An update's life")
//! 1. *Ingress* (`ingress`): parsed, authenticated against this replica's own clock and matched with a zone at
//!    once, so that what can never succeed is answered without costing the others anything. What passes is handed
//!    to `consensus` byte for byte; every replica checks it again, in agreed time, at execution.
//! 2. *Order*: `consensus` returns batches, the same ones in the same order everywhere.
//! 3. *Pipeline* (`pipeline`): batch b waits until every signing job of the batches up to b − P is signed, then
//!    the zone machine executes it whole; its jobs go to `signing`.
//! 4. *Signing*: shares go out and come in; each finished signature is logged and given to the zone machine, which
//!    publishes complete versions, in order, after checking them.
//! 5. *Reply* (`reply`): only the replica that took a request from a client replies, after its own
//!    execution, when the version that holds the update is durable, published and visible here.
//!
//! # Order of effects
//! Every [`Output`] lists records to append and effects. If `sync` is set the effects must wait until everything
//! appended so far is durable; `tasks` never wait. Own vertices are in the records before the message that sends
//! them is in the effects, and the vertices that decided a batch before the replies to its requests.
//!
//! # Recovery
//! [`Replica::recover`] reads the checkpoint that was stored last and replays the log since: consensus delivers all later
//! batches again, logged signatures spare the work of signing again, nobody is answered, and of each zone only the last
//! version is published. What a crash cut off goes on from there, once peers are [`Input::Linked`].
//!
//! # History
//! `checkpoint`: states that t+1 replicas certify let history go, in memory and (`store`) on disk. `transfer`: a
//! replica that is behind what the others have kept takes over such a state.
//!
//! # Epochs
//! `ending`: an ordered command ends the epoch, and t+1 replicas certify the last state. `beginning`: the next epoch's
//! replica starts from that state, and from nothing else.
//!
//! # Zones
//! Which zones there are is part of the state (`zones`): commands add, remove and change them.
//!
//! # Bounds
//! Clients that wait, requests on their way and bytes of them are bounded by [`crate::limits`]; who comes above a bound
//! is told SERVFAIL at once, and so is everybody while [`MAX_WAITING_BATCHES`](crate::limits::MAX_WAITING_BATCHES) wait.
//! Batches executed and not signed are bounded by P; signatures kept for others, by checkpoints.
#![forbid(unsafe_code)]

mod beginning;
mod checkpoint;
mod clients;
mod ending;
mod holding;
mod ingress;
mod journal;
mod keys;
mod pipeline;
mod proposals;
mod recover;
mod refresh;
mod reply;
mod status;
mod step;
mod store;
pub mod transfer;
mod votes;
mod vouching;
mod zones;

pub use beginning::Predecessor;
pub use ending::News;
pub use journal::{Entry, Explanation, Trial};
pub use keys::{BundleStatus, RollStatus, ZoneKeyStatus, ZoneKeys};
pub use recover::Past;
pub use status::{CulpritStatus, EpochStatus, KeyStatus, SigningStatus, Status, ZoneStatus};
pub use store::StateFile;
pub use votes::{Decision, OpenVotes, Votes};
pub use zones::{AwaitedContents, OperatorStatus, ZoneCharter, Zones};

use crate::codec::{self, Digest, JobId, KeyId};
use crate::consensus::{self, Consensus};
use crate::dns::edns::Manners;
use crate::dns::{Name, Rcode};
use crate::protocol::{Fault, To};
use crate::quorum::{Committee, ReplicaId};
use crate::signing::{self, Signing};
use crate::threshold::{PublicKey, RetiredKey};
use crate::time::{AgreedTime, UnixMillis};
use crate::zone::{self, Machine, View};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A client that waits for a reply; numbered by whoever serves it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u64);

/// Everything one replica is made of.
pub struct Config {
    /// The committee, this replica's place in it, and everyone's public keys.
    pub consensus: consensus::Config,
    /// This replica's identity key and coin share.
    pub secrets: consensus::Secrets,
    /// The zones as dealt, their rules, and the clients' keys.
    pub genesis: zone::Genesis,
    /// The public parts of the zones' threshold keys.
    pub keys: BTreeMap<KeyId, Arc<PublicKey>>,
    /// The shares that this replica holds, and how it can be dealt others.
    pub holdings: signing::Holdings,
    /// How signing sessions go.
    pub signing: signing::Protocol,
    /// Fresh randomness of this start. Everything random in the replica derives from it.
    pub entropy: [u8; 32],
    /// Milliseconds after which a client that waits gets SERVFAIL ([`CLIENT_PATIENCE_MS`](crate::limits::CLIENT_PATIENCE_MS)).
    pub patience_ms: u64,
    /// The epoch before, whose last state this one begins with; none where the zones begin as dealt.
    pub predecessor: Option<Predecessor>,
}

/// What happens to a replica.
pub enum Input {
    /// A message from a peer, authenticated by its link.
    Peer {
        /// The peer.
        from: ReplicaId,
        /// An encoded [`PeerMessage`], or anything else.
        bytes: Vec<u8>,
    },
    /// The peer is a new incarnation, or messages to or from it may have been lost.
    Linked(ReplicaId),
    /// An update, or a query to a zone with ordered reads.
    Client {
        /// Whom to reply to.
        id: ClientId,
        /// The message as received.
        wire: Vec<u8>,
        /// What the reply is to have besides.
        manners: Manners,
    },
    /// The client waits no longer.
    Forget(ClientId),
    /// The records of a stored state ([`Past::checkpoint`]) of the epoch before, which has ended at this machine.
    Begin(Vec<Vec<u8>>),
    /// The next epoch has begun at this machine, durably, whether this one has come to its end here or not.
    Continued,
    /// A task is done.
    Computed(signing::Computed),
    /// The [`StateFile`] of this round is on disk, and stands for all that was in the log when it was given out.
    Stored {
        /// The round.
        round: u64,
        /// The file's size.
        bytes: u64,
    },
    /// Time has passed: `wake_at` of the last output is reached.
    Tick,
}

/// What a step wants done.
#[must_use]
#[derive(Default)]
pub struct Output {
    /// To be appended to the log, in this order; each an encoded [`Record`].
    pub records: Vec<Vec<u8>>,
    /// Whether `effects` must wait until all that was appended so far is durable.
    pub sync: bool,
    /// To be carried out in this order.
    pub effects: Vec<Effect>,
    /// Long computations, which may begin at once; their results come back as [`Input::Computed`].
    pub tasks: Vec<signing::Task>,
    /// Batches that this step executed: for logs, metrics and the simulator's checks.
    pub executed: Vec<ExecutedBatch>,
    /// Rounds of which this step decided all slots: for logs, drawings and the simulator's coverage.
    pub closed: Vec<consensus::ClosedRound>,
    /// When to give [`Input::Tick`] at the latest.
    pub wake_at: Option<UnixMillis>,
    /// A state to be stored, in place of everything in the log up to and with this output's records. One at a time.
    pub store: Option<StateFile>,
    /// Keys that come and go: the workers must know them before they do this output's tasks.
    pub keys: Vec<KeyChange>,
    /// The replica must not go on: why, and what to do.
    pub fatal: Option<String>,
    /// Steps from epoch to epoch.
    pub news: Vec<News>,
    /// Updates that this step executed, for the audit: after a restart those since the stored checkpoint once more.
    pub audit: Vec<Entry>,
    /// The state after this batch was taken over from the others: what was executed before is in their audits.
    pub skipped_to: Option<u64>,
    /// Updates that this step refused, for the log.
    pub refused: Vec<Explanation>,
    /// What the operator should hear of once, a line each.
    pub remarks: Vec<String>,
}

/// A threshold key that jobs may name from now on, or no more.
#[derive(Clone)]
pub enum KeyChange {
    /// It came with a rollover.
    Learn(Arc<PublicKey>),
    /// Nobody can want a signature by it any more: its shares are to be wiped, in memory and on disk, once all records up to this
    /// output are durable. Told again after each start.
    Retire(RetiredKey),
}

/// What is told of a batch that was executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutedBatch {
    /// Its number, from 1.
    pub number: u64,
    /// The round that it closed.
    pub round: u64,
    /// Its agreed time.
    pub time: AgreedTime,
    /// Its requests, in order.
    pub requests: Vec<consensus::Ordered>,
    /// What became of each.
    pub rcodes: Vec<Rcode>,
    /// The digest of all batches up to this one: equal on all replicas for equal numbers.
    pub history: Digest,
}

/// What the world sees of a step.
pub enum Effect {
    /// A message to peers.
    Send {
        /// To whom.
        to: To,
        /// An encoded [`PeerMessage`].
        bytes: Arc<[u8]>,
    },
    /// The whole reply to a client.
    Reply {
        /// The client.
        client: ClientId,
        /// A DNS message.
        wire: Vec<u8>,
    },
    /// An ordered query, to be answered from the version at its place in the order.
    Answer {
        /// The client.
        client: ClientId,
        /// The query as received.
        query: Vec<u8>,
        /// The version.
        view: Arc<View>,
    },
    /// A client whose message deserves no answer (shorter than a header, or itself a response): forget it.
    Drop {
        /// The client.
        client: ClientId,
    },
    /// A new version of a zone, or of the catalog ([`View::is_catalog`]): answer from it.
    Publish {
        /// The zone's origin.
        zone: Name,
        /// The version.
        view: Arc<View>,
        /// Whether queries for it are to go through the order.
        ordered: bool,
    },
    /// The cluster has this zone, or this catalog, no more.
    Withdraw {
        /// The zone's origin.
        zone: Name,
    },
    /// A peer misbehaved.
    Fault(Fault),
    /// What the operator must hear of, in one line.
    Alarm(String),
}

/// What replicas say to one another.
#[derive(BorshSerialize, BorshDeserialize)]
pub enum PeerMessage {
    /// Of the atomic broadcast.
    Consensus(consensus::Message),
    /// Of the signing sessions.
    Signing(signing::Message),
    /// Of certified states.
    State(transfer::Message),
    /// How the epoch before ended.
    Before(consensus::Finale),
}

/// What a replica writes to its log.
#[derive(BorshSerialize, BorshDeserialize)]
pub enum Record {
    /// Of the atomic broadcast; durable before anything that depends on it leaves.
    Consensus(consensus::Record),
    /// A finished signature, so that a restart need not make it again. Losing it costs only work.
    Signature {
        /// Of which job.
        job: JobId,
        /// The signature.
        bytes: Vec<u8>,
    },
}

/// Why a replica cannot be made.
#[derive(Debug)]
pub enum Error {
    /// The zones, rules and keys do not fit one another.
    Zones(zone::MachineError),
    /// A log record of a format this program does not know, although its checksum is right.
    Record {
        /// Its position from 0.
        position: usize,
        /// What is wrong with it.
        why: codec::DecodeError,
    },
    /// A stored checkpoint that is not one, although its checksums are right.
    Checkpoint(String),
    /// Records that do not fit together, although their checksums are right.
    Order(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Zones(why) => write!(f, "{why}"),
            Self::Record { position, why } => write!(
                f,
                "record {position} of the log is not of a kind this program knows ({why}): run the program that wrote it"
            ),
            Self::Checkpoint(why) => write!(
                f,
                "the stored checkpoint: {why}; remove the data directory, and the replica will rejoin the others"
            ),
            Self::Order(why) => write!(
                f,
                "the records of the log: {why}; remove the data directory, and the replica will rejoin the others"
            ),
        }
    }
}

impl std::error::Error for Error {}

/// A replica.
pub struct Replica {
    me: ReplicaId,
    committee: Committee,
    consensus: Consensus,
    machine: Machine,
    signing: Signing,
    ingress: ingress::Ingress,
    clients: clients::Clients,
    pipeline: pipeline::Pipeline,
    proposals: proposals::Proposals,
    refreshes: refresh::Refreshes,
    /// What became of chores, and is not looked at yet.
    errands: Vec<signing::Errand>,
    /// Signatures that finished and are not yet given to the machine.
    finished: VecDeque<(JobId, Vec<u8>)>,
    /// Jobs whose signatures the log already holds.
    logged: BTreeSet<JobId>,
    /// The newest executed version of each zone.
    newest: BTreeMap<Name, u64>,
    /// The digest of all executed batches.
    history: Digest,
    /// The round of the last executed batch.
    executed_round: u64,
    /// When the order last gave a batch; and whether it has in this step.
    last_ordered: UnixMillis,
    ordered: bool,
    /// When a batch was executed last.
    last_executed: UnixMillis,
    checkpoints: checkpoint::Checkpoints,
    transfer: Option<transfer::Transfer>,
    /// Who may say how the epoch before ended, and what it was.
    predecessor: Option<Predecessor>,
    /// How the epoch before ended.
    before: Option<consensus::Finale>,
    /// Whether this replica has no state yet: it executes nothing.
    awaits: bool,
    /// What this epoch has come to here.
    last: Option<ending::Last>,
    /// Whether it was told that nobody needs this replica.
    released: bool,
    /// When a certified state last could not be gone on from.
    failed: Option<UnixMillis>,
    /// How fast each peer is answered about states.
    serving: BTreeMap<ReplicaId, consensus::Pace>,
    /// A state that was taken over and is not on disk yet.
    ready: Option<transfer::Ready>,
    /// To restore states by; without the records of zones that have begun.
    genesis: zone::Genesis,
    /// The keys that jobs may name.
    keys: BTreeSet<KeyId>,
    /// Those that may be named no more, as far as this run has told.
    retired: BTreeSet<RetiredKey>,
    /// As dealt.
    dealt: BTreeMap<KeyId, Arc<PublicKey>>,
    /// Whether a record was appended since the last output that asked for a sync.
    unsynced: bool,
    consensus_wake: Option<UnixMillis>,
    /// When the signing sessions are to be ticked; none while no job is open.
    signing_wake: Option<UnixMillis>,
    counters: status::Counters,
    journal: journal::Journal,
    /// The number of the operator's newest vote.
    voted: u64,
    /// Of bundles that were brought, by their names.
    receipts: BTreeMap<Digest, crate::zone::Receipt>,
    parcels: zones::Parcels,
}
