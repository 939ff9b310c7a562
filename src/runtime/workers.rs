//! Threads for RSA: one for each core, at a lower priority than those that answer.
//!
//! How many tasks wait is bounded by the replica, which has at most
//! [`PIPELINE_BATCHES`](crate::limits::PIPELINE_BATCHES) batches at signing.
//!
//! A task may write a share that it has made. So who stops the workers waits until the last task is done: from then on
//! nothing writes into the replica's directory, and what is removed there stays removed.
#![forbid(unsafe_code)]

use super::inbox::Lane;
use crate::signing::{Computed, KeyStore, Task};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// How much the workers give way to the threads that answer queries (nice(2)).
const NICENESS: i32 = 5;

/// Results that wait for the replica's thread before the workers wait themselves.
pub(super) const LANE_ITEMS: usize = 1_024;

/// The workers and their queue. Dropped, it waits until they have ended.
pub(super) struct Workers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    ended: bool,
}

impl Workers {
    /// Starts the threads; what they compute goes into `lane`.
    pub fn start<T: From<Computed> + Send + 'static>(
        keys: &Arc<KeyStore>,
        lane: &Lane<T>,
    ) -> io::Result<Self> {
        let mut workers = Self { queue: Arc::default(), threads: Vec::new() };
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        for number in 0..count {
            let (queue, keys, lane) = (workers.queue.clone(), keys.clone(), lane.clone());
            let thread = std::thread::Builder::new().name(format!("sign {number}"));
            workers.threads.push(thread.spawn(move || work(&queue, &keys, &lane))?);
        }
        Ok(workers)
    }

    /// Adds tasks, to be done in about this order.
    pub fn add(&self, tasks: Vec<Task>) {
        if !tasks.is_empty() {
            self.queue.lock().tasks.extend(tasks);
            self.queue.changed.notify_all();
        }
    }

    /// Tasks that no worker has taken yet.
    pub fn waiting(&self) -> usize {
        self.queue.lock().tasks.len()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.lock().ended = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // One that has panicked is over, too.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The next task; `None` at the end.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.ended {
                return None;
            }
            if let Some(task) = state.tasks.pop_front() {
                return Some(task);
            }
            state = self.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
    }
}

fn work<T: From<Computed> + Send + 'static>(queue: &Queue, keys: &KeyStore, lane: &Lane<T>) {
    // Linux gives each thread its own priority; elsewhere it does no harm.
    let _ = rustix::process::setpriority_process(None, NICENESS);
    while let Some(task) = queue.next() {
        let mut entropy = [0; 32];
        if aws_lc_rs::rand::fill(&mut entropy).is_err() {
            tracing::error!("the operating system gives no randomness; a signing task is dropped");
            continue;
        }
        if lane.put_blocking(task.run(keys, entropy).into()).is_err() {
            return;
        }
    }
}
