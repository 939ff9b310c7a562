//! What becomes of a bundle that the operator brings to a running replica.
//!
//! Its share is opened, checked and kept ([`crate::ceremony::held`]), given to the workers, and told to the replica's thread, which
//! says the bundle and gives the receipt. Nothing is signed with it before a command of a quorum takes the key into use.
#![forbid(unsafe_code)]

use crate::ceremony::cluster::Cluster;
use crate::ceremony::files::Problem;
use crate::ceremony::held;
use crate::quorum::ReplicaId;
use crate::signing::KeyStore;
use crate::zone::{CheckedBundle, Receipt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an import needs of the replica.
pub(super) struct Importer {
    pub home: PathBuf,
    pub dealt: Arc<Cluster>,
    pub me: ReplicaId,
    pub keys: Arc<KeyStore>,
}

impl Importer {
    /// Takes the bundle in `file`; some ten milliseconds of RSA.
    pub fn take(&self, file: &Path) -> Result<(CheckedBundle, Receipt), String> {
        let said = |problem: Problem| problem.to_string();
        let (held, bytes) = held::read(&self.home, &self.dealt, self.me, file).map_err(said)?;
        let public = held.bundle.public();
        self.keys.admits(public.modulus()).map_err(|why| said(Problem::new(file, why)))?;
        let kept = held::keep(&self.home, &held.bundle, &bytes).map_err(said)?;
        self.keys.bring(Arc::new(public.clone()), held.share, &kept)?;
        Ok((held.bundle, held.receipt))
    }
}
