//! A replica from nothing, or from its log.
//!
//! The log holds consensus records and finished signatures. Signatures are told to the signing layer first; then
//! consensus redelivers every batch, the pipeline executes them as it did the first time, and each job whose
//! signature is logged is done at once. What then remains open, remains open: its shares go out again, which is
//! harmless, for they are the same bytes.
//!
//! Of the effects of the past only the last version of each zone comes out. No client of the past is answered: they
//! are gone, and the table is empty.
use super::{Config, Effect, Error, Output, Record, Replica};
use super::{clients::Clients, ingress::Ingress, pipeline::Pipeline, proposals::Proposals, status::Counters};
use crate::codec::{self, Digest, JobId, digest};
use crate::consensus::{self, Consensus};
use crate::limits::MAX_LOG_RECORD_BYTES;
use crate::signing::{self, Signing};
use crate::time::UnixMillis;
use crate::zone::Machine;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

impl Replica {
    /// A replica that has never run: its log is empty.
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::recover(UnixMillis(0), config, Vec::new()).map(|(replica, _)| replica)
    }

    /// A replica from the records of its log, in order. The output holds what is to be published and sent, at local
    /// time `now`.
    pub fn recover(now: UnixMillis, config: Config, records: Vec<Vec<u8>>) -> Result<(Self, Output), Error> {
        let Config { consensus: public, secrets, genesis, keys, entropy, patience_ms } = config;
        let (past, signatures) = sort(&records)?;
        drop(records);
        let me = public.me;
        let committee = public.committee;
        let own = signing::Config { committee, me, cluster: public.cluster, epoch: public.epoch, keys };
        let mut signing = Signing::new(own);
        let logged: BTreeSet<JobId> = signatures.iter().map(|(job, _)| *job).collect();
        for (job, bytes) in signatures {
            signing.known(job, bytes);
        }
        let chance = |purpose: &str| digest("conclave/entropy", &[&entropy, purpose.as_bytes()]).0;
        let ingress = Ingress::new(&genesis, chance("ingress"));
        let machine = Machine::new(genesis).map_err(Error::Zones)?;
        let (consensus, step) = if past.is_empty() {
            (Consensus::new(public, secrets, chance("consensus")), None)
        } else {
            let (consensus, step) = Consensus::recover(public, secrets, chance("consensus"), past);
            (consensus, Some(step))
        };
        let mut replica = Self {
            me,
            committee,
            consensus,
            machine,
            signing,
            ingress,
            clients: Clients::new(patience_ms),
            pipeline: Pipeline::default(),
            proposals: Proposals::new(me.slot()),
            finished: VecDeque::new(),
            logged,
            newest: BTreeMap::new(),
            history: Digest::default(),
            unsynced: false,
            consensus_wake: None,
            signing_wake: None,
            counters: Counters::default(),
        };
        let mut out = Output::default();
        if let Some(step) = step {
            replica.absorb_consensus(step, &mut out);
        }
        replica.advance(now, &mut out);
        keep_last_versions(&mut out);
        out.sync = replica.unsynced && !out.effects.is_empty();
        replica.unsynced &= !out.sync;
        out.wake_at = Some(now);
        Ok((replica, out))
    }
}

type Sorted = (Vec<consensus::Record>, Vec<(JobId, Vec<u8>)>);

fn sort(records: &[Vec<u8>]) -> Result<Sorted, Error> {
    let mut past = Vec::new();
    let mut signatures = Vec::new();
    for (position, bytes) in records.iter().enumerate() {
        match codec::decode(bytes, MAX_LOG_RECORD_BYTES) {
            Ok(Record::Consensus(record)) => past.push(record),
            Ok(Record::Signature { job, bytes }) => signatures.push((job, bytes)),
            Err(why) => return Err(Error::Record { position, why }),
        }
    }
    Ok((past, signatures))
}

/// Readers of the past are gone: of each zone only its last version is published.
fn keep_last_versions(out: &mut Output) {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Effect> = Vec::new();
    for effect in std::mem::take(&mut out.effects).into_iter().rev() {
        if let Effect::Publish { zone, .. } = &effect
            && !seen.insert(zone.clone())
        {
            continue;
        }
        kept.push(effect);
    }
    kept.reverse();
    out.effects = kept;
    out.executed.clear();
    out.closed.clear();
}
