//! Every bound of the system, with its unit and its reason. Bounds that depend on one another assert it
//! at compile time, at the end.

/// Replicas in a committee. Above some thirty the n² messages and Δ = n! serve nobody.
pub const MAX_REPLICAS: u8 = 32;

/// Bytes of one ordered request: one DNS message over TCP (65,535) and its envelope, with a key's name and a replica's signature.
pub const MAX_REQUEST_BYTES: usize = 65_535 + 512;

/// Bytes of requests in one vertex; one request larger than this travels alone.
pub const MAX_VERTEX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Requests in one vertex.
pub const MAX_VERTEX_REQUESTS: usize = 256;

/// Rounds below a leader's that its history may still deliver, and that weak links may reach.
pub const HISTORY_ROUNDS: u64 = 64;

/// Weak links of one vertex: the history window times the replicas that may be left out of each round.
pub const MAX_WEAK_LINKS: usize = 512;

/// Bytes of one frame between peers, before TLS: a vertex with one request of the greatest size, or a page of fetched ones.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// Frames and bytes that wait for one peer's acknowledgement before its queue is dropped and a gap reported.
pub const MAX_LINK_QUEUE_FRAMES: usize = 16_384;
/// See [`MAX_LINK_QUEUE_FRAMES`].
pub const MAX_LINK_QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// Milliseconds after which an idle end of a link shows that it lives.
pub const LINK_KEEP_ALIVE_MS: u64 = 2_000;
/// Milliseconds of silence after which a connection to a peer counts as dead: some keep-alives.
pub const LINK_SILENCE_MS: u64 = 10_000;
/// Milliseconds for connecting to a peer, TLS and the first frame.
pub const LINK_HANDSHAKE_MS: u64 = 5_000;
/// The longest pause between two tries to reach a peer, in milliseconds: it must not be what a restart waits for.
pub const LINK_RETRY_MS: u64 = 1_000;
/// Connections at the peers' port that have not yet shown a member's key.
pub const MAX_LINK_HANDSHAKES: usize = 64;
/// Messages of one peer, and bytes of them, that wait for the replica's thread; then the peer's connection waits.
pub const MAX_INBOX_FRAMES: usize = 4_096;
/// See [`MAX_INBOX_FRAMES`].
pub const MAX_INBOX_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of vertices from or needed by one author that may wait for their ancestors.
pub const MAX_WAITING_BYTES_PER_AUTHOR: usize = 16 * 1024 * 1024;
/// Vertices of one author that may wait for their ancestors.
pub const MAX_WAITING_VERTICES_PER_AUTHOR: usize = 4_096;

/// Vertices that an alert names, one of each round that a replica keeps; 41 KB. More than it keeps: 64 rounds before the last
/// checkpoint but one, two checkpoints, and what execution may be behind.
pub const MAX_ALERT_VERTICES: usize = 1_024;

/// Vertices of one round that a correct replica of n accepts, of which t are corrupt: 2n of each corrupt one's, whatever these do
/// together (`consensus`, alerts).
pub const fn most_vertices(n: usize, t: usize) -> usize {
    n - t + 2 * t * n
}

/// P: batches that execution may run ahead of signing.
pub const PIPELINE_BATCHES: u64 = 4;

/// Batches that may wait for the signatures of earlier ones before clients are told that it is too much.
pub const MAX_WAITING_BATCHES: usize = 256;

/// Bytes of a checkpoint's mark and manifest: the mark names the vertices delivered in the last 64 rounds, 41 bytes each.
pub const MAX_CHECKPOINT_HEAD_BYTES: usize = 2 * 1024 * 1024;

/// Updates and ordered reads of clients that one replica keeps waiting at a time: half of them updates, half reads, of which
/// anybody can send any number.
pub const MAX_PENDING_CLIENTS: usize = 4_096;

/// Bytes of requests that wait at one replica to enter a vertex.
pub const MAX_PENDING_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Milliseconds after which a client whose update is not through gets SERVFAIL with an extended error: clients in Go give
/// up after 1.5 s, stock nsupdate after three tries of three seconds.
pub const CLIENT_PATIENCE_MS: u64 = 1_400;

/// Refused updates that a replica can explain, at most some 8 KB each: some hours' of a badly configured client. The audit has more.
/// So many of those whose signature holds, and a quarter of that of those of whom nothing is known.
pub const MAX_EXPLAINED: usize = 256;
/// See [`MAX_EXPLAINED`].
pub const MAX_EXPLAINED_OF_STRANGERS: usize = 64;

/// Bytes of one of the two files of the audit: some 30,000 entries, one of the greatest size at most over it.
pub const AUDIT_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Executed requests remembered against replay, over all keys, some 200 bytes each; a full table refuses. Enough for 400
/// updates a second for as long as a signature's window can last.
pub const MAX_REPLAY_ENTRIES: usize = 262_144;

/// Milliseconds of agreed time for which an executed request is remembered; no signature window is taken that is longer.
pub const REPLAY_WINDOW_MS: u64 = 600_000;

/// Changes of one key that one replica vouches for and that lack others' vouches: some minutes' of a client that reaches too few
/// replicas. One more, and its oldest goes.
pub const MAX_OPEN_VOUCHES: usize = 64;

/// Signing shares for jobs not known here that are kept for each peer.
pub const MAX_EARLY_SHARES_PER_PEER: usize = 16_384;

/// Tries of k-subsets of bare shares before proofs are asked for.
pub const MAX_OPTTE_TRIES: usize = 32;

/// Finished signatures kept to answer laggards, 350 bytes each. Checkpoints bound them by what the history that is kept
/// can ask for; this bounds what one change of a whole large zone can add. Who then lacks one takes over a checkpoint.
pub const MAX_FINISHED_SIGNATURES: usize = 2 * 1024 * 1024;

/// RSA tasks given out at a time: enough to feed the cores, few enough that new work is not stuck behind old.
pub const MAX_SIGNING_TASKS: usize = 16;
/// Jobs in one RSA task: some 20 ms of work, and that many shares in one message.
pub const MAX_JOBS_PER_SIGNING_TASK: usize = 8;

/// Job ids in one message that asks: half a megabyte.
pub const MAX_ASKED_JOBS: usize = 16_384;
/// Milliseconds without a signature, own share made, after which the others' shares are asked for; doubles each time.
pub const SIGNING_ASK_AFTER_MS: u64 = 500;
/// Milliseconds between two askings at most.
pub const MAX_SIGNING_ASK_MS: u64 = 16_000;

/// Bytes of RAM that one peer can make a replica hold, whatever it sends or does not read: what waits for it and of it on the
/// link, its vertices that wait, its early shares (with proofs, at 2048 bits, 610 bytes and some around them), requests of its late vertices, and
/// some frames on their way. What is ordered is not in it: that is the log's.
pub const MAX_HELD_BYTES_PER_PEER: usize = MAX_LINK_QUEUE_BYTES
    + MAX_INBOX_BYTES
    + MAX_WAITING_BYTES_PER_AUTHOR
    + MAX_EARLY_SHARES_PER_PEER * 1_000
    + MAX_PENDING_REQUEST_BYTES / 16
    + 8 * MAX_FRAME_BYTES;

/// Depth of nested $INCLUDE in a master file.
pub const MAX_INCLUDE_DEPTH: usize = 8;
/// Records that the $GENERATE lines of one zone may make together: one short line must not fill the memory.
pub const MAX_GENERATED_RECORDS: usize = 1 << 20;

/// Octets of a message of a zone transfer, unless one record needs more: what compression can point at, and little enough
/// that a reader who stops holds no memory.
pub const MAX_TRANSFER_MESSAGE_OCTETS: usize = 16 * 1024;
/// Zone transfers at once; more are told SERVFAIL and come again.
pub const MAX_TRANSFERS: usize = 16;
/// Zone transfers of one client at once: a secondary of many zones gets on, and there is room for three others.
pub const MAX_TRANSFERS_PER_CLIENT: usize = 4;

/// Records in one RRset, and RRset types at one name, that an update may build.
pub const MAX_RECORDS_PER_RRSET: usize = 2_048;
/// See [`MAX_RECORDS_PER_RRSET`].
pub const MAX_TYPES_PER_NAME: usize = 256;

/// Octets of rdata in one RRset that an update may build: with owners, TTLs, signature and denial it must fit one message.
pub const MAX_RRSET_OCTETS: usize = 24 * 1024;

/// Signatures that one refresh makes anew; more that are due follow with the next.
pub const MAX_REFRESHED_PER_VERSION: usize = 4_096;

/// Zones of a cluster: the manifest of its state lists them all.
pub const MAX_ZONES: usize = 768;

/// Bytes of a manifest of the state: 48 for each of its chunks, and at most 264 for each zone.
pub const MAX_MANIFEST_BYTES: usize = 256 * 1024;

/// Bytes of one piece of the state: an RRset of the greatest size, its records' lengths, names and two signatures.
pub const MAX_PIECE_BYTES: usize = 32 * 1024;

/// Bytes of an encoded command that operators vote on.
pub const MAX_COMMAND_BYTES: usize = 1_024;
/// Open votes of one replica: more commands than an operator has in hand at a time.
pub const MAX_OPEN_VOTES: usize = 8;
/// Decided commands that are kept, for operators to look at.
pub const MAX_DECIDED: usize = 32;
/// Retired keys of a zone that the state remembers, the newest: who is away for longer keeps shares of older ones, which are worth
/// nothing alone.
pub const MAX_RETIRED_KEYS: usize = 32;
/// Bundles that one replica brought and that are not complete: some rollovers' worth.
pub const MAX_BUNDLES: usize = 8;
/// Bytes of the reason for which a command was refused: a sentence with names and a date.
pub const MAX_REASON_BYTES: usize = 1_024;
/// Bytes of a bundle, the public part of one new key: a modulus of 4,096 bits and as many numbers of that length as there are
/// replicas, and their identity keys. It must fit one request, and one piece of the state.
pub const MAX_BUNDLE_BYTES: usize = 24 * 1024;

/// Bytes of the statements of one zone's policy, each counted with four more: some 300 rules. With the zone's keys they must fit
/// one piece of the state.
pub const MAX_POLICY_BYTES: usize = 20 * 1024;
/// Signatures that one command may have made, some seconds' to some minutes' work: until they are there nothing else becomes visible.
pub const MAX_SIGNATURES_BY_COMMAND: usize = 65_536;
/// Seconds that a signature may live, and be dated back, a leap year: RFC 4034 §3.1.5 has room for 68 years of both.
pub const MAX_VALIDITY_SECS: u32 = 366 * 86_400;
/// Seconds of the TTL of a DNSKEY RRset: what a rollover waits for.
pub const MAX_DNSKEY_TTL_SECS: u32 = 7 * 86_400;
/// Operators of a cluster: as many as replicas.
pub const MAX_OPERATORS: usize = 32;
/// Bytes of a piece of a parcel: with its path it must fit one request, and one piece of the state.
pub const PARCEL_PIECE_BYTES: usize = 24 * 1024;
/// Bytes of a parcel: a zone of some hundred thousand names.
pub const MAX_PARCEL_BYTES: usize = 64 * 1024 * 1024;
/// Pieces of a parcel.
pub const MAX_PARCEL_PIECES: u32 = MAX_PARCEL_BYTES.div_ceil(PARCEL_PIECE_BYTES) as u32;
/// Parcels that the state awaits at a time, all of which it may hold but for a piece of each.
pub const MAX_AWAITED_PARCELS: usize = 4;
/// Parcels that a replica holds for its operator, to propose what of them is awaited.
pub const MAX_HELD_PARCELS: usize = 2;
/// Removed zones of which the state remembers the keys, the newest: as with [`MAX_RETIRED_KEYS`].
pub const MAX_REMOVED_ZONES: usize = 256;

/// Octets of an RSA signature: 4,096 bits (RFC 5702 §2.1).
pub const MAX_SIGNATURE_OCTETS: usize = 512;

/// Octets of a UDP answer: no fragments (RFC 9715).
pub const MAX_UDP_ANSWER_OCTETS: usize = 1232;

/// Octets of a server's name and version for those who ask: with a question and a TSIG's names they fit 512 octets.
pub const MAX_IDENTITY_OCTETS: usize = 64;
/// Seconds without links to a quorum after which a replica's answers are marked as stale: longer than a restart or a broken line
/// takes, shorter than most TTLs.
pub const STALE_AFTER_S: u64 = 300;
/// Secrets of cookies that are accepted: the present one, the next, the last, and one more.
pub const MAX_COOKIE_SECRETS: usize = 4;

/// Open connections of clients (TCP, TLS, HTTPS, QUIC) on one replica, unless the operator chooses another number.
pub const MAX_TCP_CLIENTS: usize = 1_024;
/// What he may choose at most: each takes a descriptor and, at worst, some megabytes.
pub const MAX_TCP_CLIENTS_CHOSEN: usize = 16_384;
/// Connections of one client: an eighth of all, and enough for many hosts behind one address.
pub const MAX_TCP_CONNECTIONS_PER_CLIENT: usize = 128;
/// Milliseconds a client's TCP connection may be idle.
pub const TCP_IDLE_MS: u64 = 30_000;
/// Milliseconds for a client's TLS handshake: some round trips to anywhere.
pub const TLS_HANDSHAKE_MS: u64 = 5_000;
/// Queries of one TCP connection that may wait for their answers.
pub const MAX_TCP_PIPELINE: usize = 64;
/// Octets of one HTTP request's header fields, by the reckoning of RFC 9113 §6.5.2: a query of some 11,000 octets in a URI, and what
/// browsers send beside it. Longer messages go by POST.
pub const MAX_HTTP_HEADER_OCTETS: u32 = 16 * 1024;
/// Octets of requests not yet whole that one HTTPS or QUIC connection may make us hold: four of the greatest, thousands of the usual.
pub const MAX_STREAMED_OCTETS: u32 = 4 * 65_536;
/// Octets of answers that one QUIC connection may leave unacknowledged.
pub const MAX_QUIC_UNACKNOWLEDGED_OCTETS: u64 = 1024 * 1024;
/// QUIC handshakes of addresses that have not shown that they are the client's; above that each has to by a Retry (RFC 9000 §8.1.2).
pub const MAX_UNPROVEN_HANDSHAKES: usize = 64;
/// Octets of datagrams that wait for such a connection to be looked at, and of all of them.
pub const MAX_QUIC_WAITING_OCTETS: (u64, u64) = (64 * 1024, 4 * 1024 * 1024);

/// Accounts of response-rate limiting that the operator may choose at most: 32 MiB.
pub const MAX_RATE_ACCOUNTS: usize = 1024 * 1024;

/// Bytes of one log segment before the next is begun. What a snapshot stands for goes by whole segments, so about so much
/// may lie on disk that nobody needs; beginning one takes a sync of the directory, which is nothing beside writing so much.
pub const LOG_SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of one log record.
pub const MAX_LOG_RECORD_BYTES: usize = MAX_FRAME_BYTES;

const _: () = assert!(MAX_REQUEST_BYTES < MAX_FRAME_BYTES / 2);
const _: () = assert!(MAX_VERTEX_PAYLOAD_BYTES < MAX_FRAME_BYTES / 2);
const _: () = assert!(MAX_FRAME_BYTES <= MAX_INBOX_BYTES);
const _: () = assert!(
    most_vertices(MAX_REPLICAS as usize, (MAX_REPLICAS as usize - 1) / 3) * 65 * 41 + MAX_MANIFEST_BYTES + 64
        <= MAX_CHECKPOINT_HEAD_BYTES
);
const _: () = assert!(MAX_ALERT_VERTICES * 40 + MAX_REPLICAS as usize * 65 + 64 < MAX_FRAME_BYTES / 2);
// Proofs and alerts are said again on each new link.
const _: () = {
    let (n, t) = (MAX_REPLICAS as usize, (MAX_REPLICAS as usize - 1) / 3);
    let alerts = 2 * t * n * (MAX_ALERT_VERTICES * 40 + n * 65 + 64);
    assert!(alerts + t * MAX_FRAME_BYTES < MAX_LINK_QUEUE_BYTES);
};
const _: () = assert!(MAX_ALERT_VERTICES as u64 > 5 * HISTORY_ROUNDS + MAX_WAITING_BATCHES as u64);
const _: () = assert!(LINK_KEEP_ALIVE_MS * 3 < LINK_SILENCE_MS);
const _: () = assert!(MAX_LOG_RECORD_BYTES >= MAX_FRAME_BYTES);
const _: () = assert!(
    MAX_RRSET_OCTETS + 2 * MAX_RECORDS_PER_RRSET + 2 * MAX_SIGNATURE_OCTETS + 1024 <= MAX_PIECE_BYTES
);
const _: () = assert!((257 + PIPELINE_BATCHES as usize) * 48 + MAX_ZONES * 264 + 128 <= MAX_MANIFEST_BYTES);
const _: () = assert!(MAX_PIECE_BYTES < MAX_FRAME_BYTES / 2);
const _: () =
    assert!((MAX_REPLICAS as usize + 2) * (MAX_SIGNATURE_OCTETS + 4 + 32) + 512 <= MAX_BUNDLE_BYTES);
const _: () =
    assert!(MAX_BUNDLE_BYTES + 1024 <= MAX_PIECE_BYTES && MAX_BUNDLE_BYTES + 64 <= MAX_REQUEST_BYTES);
// Keys: four, and four that leave, 600 octets each; 32 that are retired, 64 each; what caches hold.
const _: () = assert!(MAX_POLICY_BYTES + 12 * 600 + MAX_RETIRED_KEYS * 64 + 2 * 1024 <= MAX_PIECE_BYTES);
const _: () = assert!(
    PARCEL_PIECE_BYTES + 16 * 32 + 128 <= MAX_REQUEST_BYTES && PARCEL_PIECE_BYTES + 128 <= MAX_PIECE_BYTES
);
const _: () = assert!(MAX_PARCEL_PIECES < 1 << 16);
const _: () = assert!(MAX_LOG_RECORD_BYTES as u64 * 4 <= LOG_SEGMENT_BYTES);
const _: () = assert!(MAX_ASKED_JOBS * 32 < MAX_FRAME_BYTES);
