//! What a correct server holds: the states of one machine after some batches and after one more.

use super::super::bytes::Bytes;
use super::super::keys::{self, NOW, name};
use super::super::update::{genesis, signature, update};
use conclave::codec::encode;
use conclave::dns::tsig;
use conclave::time::{AgreedTime, SECOND};
use conclave::zone::{Batch, Machine, Piece, Request, RequestId, Snapshot};
use std::sync::OnceLock;

/// A state, whole.
pub struct Truth {
    pub snapshot: Snapshot,
    /// All its pieces, by chunk.
    pub chunks: Vec<Vec<Piece>>,
}

/// Updates, each a batch, as [`update`] reads them; the last two are not signed any more.
const SCRIPT: [&[u8]; 6] = [
    &[0, 2, 4, 2, 0, 12, 0, 48],
    &[0, 1, 9, 2, 0],
    &[0, 1, 4, 11, 48],
    &[0, 1, 1, 15, 1],
    &[0, 2, 4, 0, 48, 7, 1, 48],
    &[0, 1, 4, 15, 1],
];
const SIGNED: usize = 4;

/// Before the last batch, and after it.
pub fn get() -> &'static [Truth; 2] {
    static TRUTH: OnceLock<[Truth; 2]> = OnceLock::new();
    TRUTH.get_or_init(|| {
        let mut machine = Machine::new(genesis(0)).expect("a zone");
        let mut now = AgreedTime(NOW * SECOND);
        execute(&mut machine, now, &encode(&Request::Genesis { zone: name("z.") }));
        sign(&mut machine);
        let mut before = None;
        for (number, script) in SCRIPT.iter().enumerate() {
            now.0 += SECOND;
            before = Some(truth(&machine));
            let mut wire = update(&mut Bytes(script));
            tsig::sign_request(&mut wire, &keys::updater(), now.secs());
            execute(&mut machine, now, &encode(&Request::Update { wire }));
            if number < SIGNED {
                sign(&mut machine);
            }
        }
        [before.expect("a script"), truth(&machine)]
    })
}

fn truth(machine: &Machine) -> Truth {
    let snapshot = machine.snapshot();
    let chunks = 0..snapshot.manifest().chunks();
    let chunks = chunks.map(|chunk| snapshot.pieces(chunk, 0, usize::MAX).0).collect();
    Truth { snapshot, chunks }
}

fn execute(machine: &mut Machine, time: AgreedTime, request: &[u8]) {
    let done = machine.execute(&Batch { time, requests: &[(RequestId(0), request)] });
    assert_eq!(done.outcomes.len(), 1);
}

fn sign(machine: &mut Machine) {
    for job in machine.pending_jobs() {
        let signed = machine.signed(job.id, &signature(&job));
        assert!(signed.failures.is_empty(), "{:?}", signed.failures);
    }
}
