//! How connections hear that the process ends: what they were asked they still answer, and no more is taken.
#![forbid(unsafe_code)]

use tokio::sync::watch;

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
