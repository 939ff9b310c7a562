//! A replica from nothing, or from a stored checkpoint and its log.
//!
//! The checkpoint, if there is one, stands for all that happened before; its machine and its place in the order are what the
//! replay begins with. The log holds consensus records and finished signatures. Signatures are told to the signing layer first; then
//! consensus redelivers every batch, the pipeline executes them as it did the first time, and each job whose
//! signature is logged is done at once. What then remains open, remains open: its shares go out again, which is
//! harmless, for they are the same bytes.
//!
//! A replica whose epoch is over orders nothing; one whose epoch follows another begins with what it stored of that one, or
//! awaits it.
//!
//! Of the effects of the past only the last version of each zone comes out. No client of the past is answered: they
//! are gone, and the table is empty.
use super::checkpoint::Checkpoints;
use super::refresh::Refreshes;
use super::store::{self, Place, Stored};
use super::{Config, Effect, Error, Output, Record, Replica};
use super::{
    clients::Clients, ingress::Ingress, journal::Journal, pipeline::Pipeline, proposals::Proposals,
    status::Counters, zones::Parcels,
};
use crate::codec::{self, Digest, JobId, digest};
use crate::consensus::{self, Base, Consensus};
use crate::limits::MAX_LOG_RECORD_BYTES;
use crate::signing::{self, Signing};
use crate::time::UnixMillis;
use crate::zone::{Genesis, Machine};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the disk held.
#[derive(Default)]
pub struct Past {
    /// The records of the stored checkpoint ([`StateFile`](super::StateFile)), if there is one; and the file's size.
    pub checkpoint: Option<(Vec<Vec<u8>>, u64)>,
    /// Those of the log since then.
    pub records: Vec<Vec<u8>>,
}

impl Replica {
    /// What must be in the log, durably, before a replica that has never run starts the first time. One that finds its log empty
    /// takes it for lost: it makes no vertices before it has learnt from the others where it may resume.
    pub fn first_record(config: &consensus::Config) -> Vec<u8> {
        codec::encode(&Record::Consensus(Consensus::first_record(config)))
    }

    /// A replica from what its disk held, in order. The output holds what is to be published and sent, at local
    /// time `now`.
    pub fn recover(now: UnixMillis, config: Config, past: Past) -> Result<(Self, Output), Error> {
        let Config { consensus: public, secrets, genesis, keys, holdings, predecessor, .. } = config;
        let (entropy, protocol) = (config.entropy, config.signing);
        let (me, committee, cluster, epoch) = (public.me, public.committee, public.cluster, public.epoch);
        let (dealt, refreshes) = (keys.clone(), Refreshes::new(holdings, keys.clone()));
        let own = signing::Config { committee, me, cluster, epoch, protocol, keys };
        let log_bytes = past.records.iter().map(|record| record.len() as u64).sum();
        let (mut order, signatures) = sort(past.records)?;
        let logged: BTreeSet<JobId> = signatures.iter().map(|(job, _)| *job).collect();
        let signing = knowing(Signing::new(own), signatures);
        let (stored, stored_bytes) = past.checkpoint.unzip();
        let (authority, before) = (public.authority(), predecessor.as_ref());
        let reader = store::Reader { genesis: &genesis, authority: &authority, predecessor: before };
        let mut state = stored.map(|records| reader.read(records)).transpose()?;
        let base = state.as_mut().and_then(|stored| begin_order(stored, &mut order));
        let chance = |purpose: &str| digest("conclave/entropy", &[&entropy, purpose.as_bytes()]).0;
        let awaits = predecessor.is_some() && state.is_none();
        let recovered = Consensus::recover(public, secrets, chance("consensus"), base, order);
        let (mut consensus, step) = recovered.map_err(Error::Order)?;
        consensus.set_awaiting(awaits);
        let mut replica = Self {
            me,
            committee,
            consensus,
            machine: first_machine(&genesis, predecessor.is_some())?,
            signing,
            ingress: Ingress::new(&genesis, chance("ingress")),
            clients: Clients::new(config.patience_ms),
            pipeline: Pipeline::default(),
            proposals: Proposals::new(me.slot()),
            refreshes,
            errands: Vec::new(),
            finished: VecDeque::new(),
            logged,
            newest: BTreeMap::new(),
            history: Digest::default(),
            executed_round: 0,
            last_ordered: now,
            last_executed: now,
            ordered: false,
            checkpoints: Checkpoints::default(),
            transfer: None,
            awaits,
            predecessor,
            before: None,
            last: None,
            released: false,
            failed: None,
            serving: BTreeMap::new(),
            ready: None,
            genesis,
            keys: dealt.keys().copied().collect(),
            retired: BTreeSet::new(),
            dealt,
            unsynced: false,
            consensus_wake: None,
            signing_wake: None,
            counters: Counters::default(),
            journal: Journal::default(),
            voted: 0,
            receipts: BTreeMap::new(),
            parcels: Parcels::default(),
        };
        replica.checkpoints.logged(log_bytes);
        replica.checkpoints.stored(stored_bytes.unwrap_or(0));
        let out = replica.replayed(now, state, step);
        Ok((replica, out))
    }

    /// What follows from a stored state and the order since.
    fn replayed(&mut self, now: UnixMillis, state: Option<Stored>, step: consensus::Step) -> Output {
        let mut out = Output::default();
        if let Some(stored) = state {
            self.resume(now, stored, &mut out);
        }
        self.absorb_consensus(step, &mut out);
        self.advance(now, &mut out);
        keep_last_versions(&mut out);
        out.sync = self.unsynced && !out.effects.is_empty();
        self.unsynced &= !out.sync;
        out.wake_at = Some(now);
        out
    }

    /// Goes on from a stored state.
    fn resume(&mut self, now: UnixMillis, stored: Stored, out: &mut Output) {
        let Stored { place, machine, jobs, finished, signed, .. } = stored;
        match place {
            Place::Checkpoint { base, held, before } => {
                (self.executed_round, self.history) = (base.mark.round, held.statement.history);
                self.before = before;
                self.begun_late(out);
                self.checkpoints.resume(held);
                self.go_on(now, machine, (jobs, finished), signed, out);
            }
            Place::Start(finale, held) => {
                self.before = Some(finale);
                self.begun(held, out);
                self.go_on(now, machine, (jobs, finished), signed, out);
            }
            Place::Last(finale, last) => {
                (self.executed_round, self.history) = (last.ending.round, last.ending.history);
                self.go_on(now, machine, (jobs, finished), signed, out);
                self.consensus.know_finale(finale);
                self.leave(now, *last, out);
                self.ended(now, out);
            }
        }
    }
}

fn first_machine(genesis: &Genesis, follows: bool) -> Result<Machine, Error> {
    match follows {
        true => Ok(Machine::awaiting(genesis.clone())),
        false => Machine::new(genesis.clone()).map_err(Error::Zones),
    }
}

/// Puts what a stored state says of the order before the records since; gives its base, if it is a checkpoint.
fn begin_order(stored: &mut Stored, order: &mut Vec<consensus::Record>) -> Option<Base> {
    let records = std::mem::take(&mut stored.records);
    match &stored.place {
        Place::Last(..) => {
            order.clear(); // what came after the end, without its ancestors
            return None;
        }
        Place::Start(..) | Place::Checkpoint { .. } => drop(order.splice(..0, records)),
    }
    match &stored.place {
        Place::Checkpoint { base, .. } => Some(base.clone()),
        Place::Last(..) | Place::Start(..) => None,
    }
}

/// The sessions, with the signatures that the log has.
fn knowing(mut signing: Signing, signatures: Vec<(JobId, Vec<u8>)>) -> Signing {
    signatures.into_iter().for_each(|(job, signature)| signing.known(job, signature));
    signing
}

type Sorted = (Vec<consensus::Record>, Vec<(JobId, Vec<u8>)>);

fn sort(records: Vec<Vec<u8>>) -> Result<Sorted, Error> {
    let mut past = Vec::new();
    let mut signatures = Vec::new();
    for (position, bytes) in records.into_iter().enumerate() {
        match codec::decode(&bytes, MAX_LOG_RECORD_BYTES) {
            Ok(Record::Consensus(record)) => past.push(record),
            Ok(Record::Signature { job, bytes }) => signatures.push((job, bytes)),
            Err(why) => return Err(Error::Record { position, why }),
        }
    }
    Ok((past, signatures))
}

/// Readers of the past are gone: of each zone only its last version is published, or that it went.
fn keep_last_versions(out: &mut Output) {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Effect> = Vec::new();
    for effect in std::mem::take(&mut out.effects).into_iter().rev() {
        if let Effect::Publish { zone, .. } | Effect::Withdraw { zone } = &effect
            && !seen.insert(zone.clone())
        {
            continue;
        }
        kept.push(effect);
    }
    kept.reverse();
    out.effects = kept;
    out.closed.clear();
    out.refused.clear();
}
