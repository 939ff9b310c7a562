//! How connections hear that the process ends: what they were asked they still answer, and no more is taken.
#![forbid(unsafe_code)]

use crate::limits::CLIENT_PATIENCE_MS;
use std::time::Duration;
use tokio::sync::watch;

/// How long a connection that ends waits for answers still due: a little longer than a client of the replica waits.
pub const LAST_ANSWERS: Duration = Duration::from_millis(CLIENT_PATIENCE_MS + 1_000);

/// What connections listen to.
#[derive(Clone)]
pub struct Ending(watch::Receiver<bool>);

/// What tells them. Dropped, it has told them too.
pub struct Teller(watch::Sender<bool>);

/// A teller and what listens to it.
pub fn pair() -> (Teller, Ending) {
    let (teller, ending) = watch::channel(false);
    (Teller(teller), Ending(ending))
}

impl Teller {
    /// Tells all connections.
    pub fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Ending {
    /// Waits until it is told.
    pub async fn told(&mut self) {
        // An error says that the teller is gone.
        let _ = self.0.wait_for(|told| *told).await;
    }
}
