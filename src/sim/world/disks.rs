//! Disks that fail: the process ends without having answered what is not durable; what follows is the log's to say.
use super::super::DiskFault;
use super::super::actor::Stop;
use super::super::witness::News;
use super::{Event, World};
use crate::storage::{Disk as _, LogError};

/// The machine whose disk fails.
const VICTIM: usize = 0;
/// Milliseconds from the start at which its disk is full, or a bit flips; and at which there is room again.
const FAULT_MS: u64 = 8_000;
/// See [`FAULT_MS`].
const ROOM_MS: u64 = 20_000;
/// Octets that are left when it becomes full.
const LEFT: u64 = 4_096;

/// What befalls the disk of the first machine.
pub(super) enum DiskEvent {
    /// It is as good as full.
    Fill,
    /// There is room again.
    Room,
    /// The machine ends, a bit flips, and it is started.
    Flip,
    /// Its operator removes what is on the disk, and starts it.
    Wipe,
}

impl World<'_> {
    pub(super) fn plan_disks(&mut self) {
        match self.scenario.disk {
            DiskFault::Never => {}
            DiskFault::FailAt(operation) => self.actors[VICTIM].disk.fail_after(operation),
            DiskFault::Full => {
                self.at(FAULT_MS, Event::Disk(DiskEvent::Fill));
                self.at(ROOM_MS, Event::Disk(DiskEvent::Room));
            }
            DiskFault::BitFlip => self.at(FAULT_MS, Event::Disk(DiskEvent::Flip)),
        }
    }

    /// Whether something is still to befall a disk.
    pub(super) fn disk_is_due(&self) -> bool {
        self.events.values().any(|event| matches!(event, Event::Disk(_)))
    }

    pub(super) fn disk(&mut self, event: DiskEvent) -> Result<(), String> {
        let disk = self.actors[VICTIM].disk.clone();
        match event {
            DiskEvent::Fill => disk.set_capacity(disk.used() + LEFT),
            DiskEvent::Room => disk.set_capacity(u64::MAX),
            DiskEvent::Flip => {
                self.actors[VICTIM].crash(&mut self.chance);
                self.lose_to(VICTIM);
                self.tell(VICTIM, News::Crashed { between: false });
                self.report.crashes += 1;
                self.flip();
                self.soon(1, 100, Event::Start(VICTIM));
            }
            DiskEvent::Wipe => {
                disk.wipe();
                self.soon(1, 100, Event::Start(VICTIM));
            }
        }
        Ok(())
    }

    /// A machine's log has failed, or refuses to be opened.
    pub(super) fn stopped(&mut self, actor: usize, stop: Stop) -> Result<(), String> {
        let id = self.actors[actor].id;
        let fault = self.scenario.disk;
        match stop {
            Stop::Log(LogError::Damaged { file, offset, .. })
                if actor == VICTIM && fault == DiskFault::BitFlip =>
            {
                let length =
                    self.actors[actor].disk.len(&file).map_err(|e| format!("disk: no file {file}: {e}"))?;
                if offset > length {
                    return Err(format!("disk: damage at {offset} of {file}, which has {length} octets"));
                }
                self.report.refused_starts += 1;
                self.soon(1_000, 5_000, Event::Disk(DiskEvent::Wipe));
                Ok(())
            }
            Stop::Log(LogError::Io { .. } | LogError::FailedBefore)
                if actor == VICTIM && matches!(fault, DiskFault::FailAt(_) | DiskFault::Full) =>
            {
                self.report.disk_failures += 1;
                self.actors[actor].crash(&mut self.chance);
                self.lose_to(actor);
                self.tell(actor, News::Crashed { between: true });
                self.soon(100, 2_000, Event::Start(actor));
                Ok(())
            }
            Stop::Log(why) => Err(format!("disk: {id:?}: {why}")),
            Stop::Fatal(why) => Err(format!("execution: {id:?}: {why}")),
            Stop::Replica(why) => Err(format!("disk: {id:?} cannot start: {why}")),
        }
    }

    /// One bit of the first half of the newest segment, which was synced long ago.
    fn flip(&mut self) {
        let mut disk = self.actors[VICTIM].disk.clone();
        let names = disk.list().unwrap_or_default();
        let Some(name) = names.iter().rev().find(|name| name.ends_with(".log")) else { return };
        let length = disk.len(name).unwrap_or(0);
        let at = self.chance.range(0, length / 2) as usize;
        let bit = 1 << self.chance.range(0, 7);
        disk.damage(name, |bytes| bytes.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= bit));
    }
}
