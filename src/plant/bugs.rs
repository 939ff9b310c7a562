//! The bugs, and where they are sown.

use crate::quorum::ReplicaId;
use std::cell::{Cell, RefCell};

/// A bug. The table in `tests/README.md` says what finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plant {
    /// No round's leaders are ever known.
    NoCoin,
    /// The order of the leaders is the same in all rounds.
    GuessableCoin,
    /// A share of a round's coin is in the vertices of that round.
    EarlyCoin,
    /// Messages leave before the records they rest on are durable.
    SendBeforeSync,
    /// What waits for ancestors has no quota.
    UnboundedWaiting,
    /// A question for too many vertices meets an assertion.
    PanicOnLongQuestion,
    /// A combined signature is not verified.
    UncheckedCombination,
    /// Nor is any signature before it is published.
    UncheckedPublication,
    /// Who has a certified state gives it to nobody.
    NoStateToGive,
    /// The name of a vertex does not bind its requests.
    FakeDigests,
    /// Vertices are taken without their signature.
    FakeSignatures,
    /// A link forgets at a new connection what the peer has not acknowledged.
    DropOnReconnect,
    /// Nobody is asked for anything when a link is new.
    LinkedUnheard,
    /// Digests bind neither cluster nor epoch.
    UnboundDigests,
    /// A batch's requests come in the order of a map with a seed of its own.
    MapOrder,
    /// A restart forgets the newest own vertex.
    NewestForgotten,
    /// The mark of a checkpoint does not say what is delivered.
    NothingDelivered,
    /// Agreed time is the greatest of the parents' times.
    GreatestTime,
    /// Batches are executed at the replica's own time.
    LocalTime,
    /// A lacking ancestor is not asked for.
    NothingFetched,
    /// The table of executed requests is not looked at.
    RepeatsForgotten,
    /// The table of executed requests is not in the state that another takes over.
    RepeatsNotRestored,
    /// A request is known by all its octets, and not by those that its signature covers.
    RepeatsByMessage,
    /// Whose key it is does not matter.
    PolicyIgnored,
    /// A prerequisite's records may be some of those that are there.
    PrerequisiteSubset,
    /// The serial moves with every message.
    SerialPerMessage,
    /// The owner before a deleted name keeps its NSEC, and nobody looks.
    ChainNotMended,
    /// A version is published as soon as it is executed.
    PublishUnsigned,
    /// A reply does not wait for the version that holds its update.
    ReplyBeforePublication,
    /// A client is told twice.
    TwoReplies,
    /// An equivocator's vertex is accepted when anybody else's needs it.
    UnlistedAccepted,
    /// A share counts as another replica's.
    SharesMixedUp,
    /// A share counts as proven whatever its proof is.
    ProofUnchecked,
    /// Shares that do not combine show that each of them is wrong.
    AllBlamed,
    /// Bare shares that do not combine lead to nothing more.
    NoFallBack,
    /// A rollover does not wait for DNSKEY RRsets in caches.
    DnskeyUnawaited,
    /// Nor for signatures in caches.
    DataUnawaited,
    /// Nor for DS RRsets in caches.
    DsUnawaited,
    /// What left before the new key signed is forgotten.
    HorizonForgotten,
    /// Nor does the next rollover know what was signed by the key that it replaces and left during the last.
    FreshForgotten,
    /// A parent may go back to what a late secondary says.
    CdsUnawaited,
    /// What is ordered counts as executed.
    ServedByOrder,
    /// A version counts as served when it is executed.
    ServedAtOnce,
    /// Replicas and secondaries are never late.
    NoAllowance,
    /// t + 1 certificates commit a leader.
    FewCertificates,
    /// t + 1 blames skip one.
    FewBlames,
    /// q - 1 parents are enough.
    FewParents,
    /// A share of the coin counts without its proof.
    UncheckedCoin,
    /// A leader delivers one round less of its history.
    ShallowDelivery,
}

/// At which replicas a plant is sown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// All, and the trusted server.
    All,
    /// The first.
    First,
}

thread_local! {
    static SOWN: RefCell<Vec<(Plant, Whose)>> = const { RefCell::new(Vec::new()) };
    static FIRST: Cell<bool> = const { Cell::new(false) };
}

/// Runs something with these plants. A panic inside is what it gives in place of a value.
pub(crate) fn sown<T>(plants: &[Plant], whose: Whose, run: impl FnOnce() -> T) -> std::thread::Result<T> {
    SOWN.set(plants.iter().map(|plant| (*plant, whose)).collect());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    SOWN.take();
    FIRST.set(false);
    result
}

/// What runs on this thread from now on is this replica, or nobody.
pub(crate) fn at(who: Option<ReplicaId>) {
    FIRST.set(who.is_some_and(|who| who.slot() == 0));
}

/// Whether this bug is planted where this thread is.
pub(crate) fn is_planted(plant: Plant) -> bool {
    let here = |(sown, whose): &(Plant, Whose)| *sown == plant && (*whose == Whose::All || FIRST.get());
    SOWN.with_borrow(|sown| sown.iter().any(here))
}
