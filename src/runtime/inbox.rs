//! What arrives at the replica's thread: bounded lanes, drained in turn.
//!
//! Each source (a peer, the clients, the workers) has a lane of its own with a bound in items and in bytes, so a flood
//! in one keeps up only its own source. The thread takes a little of every lane at a time, by items and by bytes: what
//! waits in the other lanes waits for one turn of each, not for all that a flooding peer may have sent.
#![forbid(unsafe_code)]

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Items taken of one lane before the others have their turn.
const TURN: usize = 64;
/// Bytes after which a lane's turn ends, in the middle of the items: a full vertex of each peer, and some.
const TURN_BYTES: usize = 256 * 1024;

/// The receiving end of all lanes, for one thread.
pub struct Inbox<T> {
    lanes: Vec<mpsc::Receiver<Held<T>>>,
    bell: Arc<Bell>,
}

/// The sending end of one lane.
pub struct Lane<T> {
    items: mpsc::Sender<Held<T>>,
    bytes: Arc<Semaphore>,
    limit: u32,
    bell: Arc<Bell>,
}

/// The receiver has ended, or (where it says so) the lane is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;

/// An item and its bytes, which are free for others once it is taken.
struct Held<T>(T, OwnedSemaphorePermit);

/// Wakes the thread: rung before it listens, it still wakes it.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    ring: Condvar,
}

impl<T> Inbox<T> {
    /// An inbox without lanes.
    pub fn new() -> Self {
        Self { lanes: Vec::new(), bell: Arc::default() }
    }

    /// A new lane that holds at most `items` and `bytes`.
    pub fn lane(&mut self, items: usize, bytes: usize) -> Lane<T> {
        let (sender, receiver) = mpsc::channel(items);
        self.lanes.push(receiver);
        let limit = u32::try_from(bytes).unwrap_or(u32::MAX);
        Lane { items: sender, bytes: Arc::new(Semaphore::new(bytes)), limit, bell: self.bell.clone() }
    }

    /// Some items of every lane, waiting for the first at most `patience`.
    pub fn take(&mut self, patience: Duration) -> Vec<T> {
        let deadline = Instant::now() + patience;
        loop {
            let taken = self.drain();
            let left = deadline.saturating_duration_since(Instant::now());
            if !taken.is_empty() || left.is_zero() {
                return taken;
            }
            // The bell may still ring for what an earlier turn has taken.
            self.bell.wait(left);
        }
    }

    fn drain(&mut self) -> Vec<T> {
        let mut taken = Vec::new();
        for lane in &mut self.lanes {
            let mut bytes = 0;
            for _ in 0..TURN {
                let Ok(Held(item, permit)) = lane.try_recv() else { break };
                taken.push(item);
                bytes += permit.num_permits();
                if bytes >= TURN_BYTES {
                    break;
                }
            }
        }
        taken
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Lane<T> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
            bytes: self.bytes.clone(),
            limit: self.limit,
            bell: self.bell.clone(),
        }
    }
}

impl<T> Lane<T> {
    /// Puts in an item that counts `bytes`, waiting while the lane is full.
    pub async fn put(&self, item: T, bytes: usize) -> Result<(), Closed> {
        let count = self.count(bytes);
        let permit = self.bytes.clone().acquire_many_owned(count).await.map_err(|_| Closed)?;
        self.items.send(Held(item, permit)).await.map_err(|_| Closed)?;
        self.bell.ring();
        Ok(())
    }

    /// Puts in an item, or gives it back if the lane is full or closed.
    pub fn try_put(&self, item: T, bytes: usize) -> Result<(), T> {
        let Ok(permit) = self.bytes.clone().try_acquire_many_owned(self.count(bytes)) else {
            return Err(item);
        };
        self.items.try_send(Held(item, permit)).map_err(|error| match error {
            TrySendError::Full(held) | TrySendError::Closed(held) => held.0,
        })?;
        self.bell.ring();
        Ok(())
    }

    /// Puts in an item from a thread, waiting while the lane is full.
    pub fn put_blocking(&self, item: T) -> Result<(), Closed> {
        let permit = self.bytes.clone().try_acquire_many_owned(0).map_err(|_| Closed)?;
        self.items.blocking_send(Held(item, permit)).map_err(|_| Closed)?;
        self.bell.ring();
        Ok(())
    }

    fn count(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.limit)
    }
}

impl Bell {
    fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(|e| e.into_inner());
        if !*rung {
            *rung = true;
            self.ring.notify_one();
        }
    }

    fn wait(&self, patience: Duration) {
        let rung = self.rung.lock().unwrap_or_else(|e| e.into_inner());
        let (mut rung, _) = match self.ring.wait_timeout_while(rung, patience, |rung| !*rung) {
            Ok(woken) => woken,
            Err(poisoned) => poisoned.into_inner(),
        };
        *rung = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_in_one_lane_does_not_hold_up_another() {
        let mut inbox = Inbox::new();
        let (flood, quiet) = (inbox.lane(1000, 1000), inbox.lane(10, 10));
        while flood.try_put("flood", 1).is_ok() {}
        quiet.try_put("quiet", 1).unwrap();
        assert!(inbox.take(Duration::ZERO).contains(&"quiet"));
    }

    #[test]
    fn a_lane_is_bounded_in_bytes_and_in_items_and_takes_more_when_emptied() {
        let mut inbox = Inbox::new();
        let lane = inbox.lane(3, 100);
        lane.try_put(1, 60).unwrap();
        assert_eq!(lane.try_put(2, 60), Err(2));
        lane.try_put(3, 0).unwrap();
        lane.try_put(4, 0).unwrap();
        assert_eq!(lane.try_put(5, 0), Err(5));
        assert_eq!(inbox.take(Duration::ZERO), [1, 3, 4]);
        lane.try_put(6, 100_000).expect("one item over the limit travels alone");
    }

    #[test]
    fn a_turn_ends_after_so_many_bytes_and_takes_one_item_at_least() {
        let mut inbox = Inbox::new();
        let (large, small) = (inbox.lane(100, 100 * TURN_BYTES), inbox.lane(100, 1000));
        for size in [2 * TURN_BYTES, TURN_BYTES / 2, TURN_BYTES / 2, 1] {
            large.try_put(size, size).unwrap();
        }
        (0..3).for_each(|_| small.try_put(0, 1).unwrap());
        assert_eq!(inbox.take(Duration::ZERO), [2 * TURN_BYTES, 0, 0, 0]);
        assert_eq!(inbox.take(Duration::ZERO), [TURN_BYTES / 2, TURN_BYTES / 2]);
        assert_eq!(inbox.take(Duration::ZERO), [1]);
    }

    #[test]
    fn an_item_wakes_the_thread() {
        let mut inbox = Inbox::new();
        let lane = inbox.lane(1, 1);
        let sender = std::thread::spawn(move || lane.put_blocking(7));
        let mut taken = Vec::new();
        while taken.is_empty() {
            taken = inbox.take(Duration::from_secs(60));
        }
        assert_eq!(taken, [7]);
        sender.join().unwrap().unwrap();
    }
}
