//! What a replica makes for itself, on its own machine, before anything is dealt.
//!
//! ```text
//! DIR/identity.key       Ed25519 seed: signs its vertices, and is its TLS key   (share file; bound to a cluster by the import)
//! DIR/seal.key           X25519 secret that opens what is sealed for it          (age key file)
//! DIR/tls.crt            self-signed certificate of the identity
//! DIR/replica.pub.toml   the public halves, for the plan
//! ```
//!
//! The directory is mode 0700, the secrets 0600; they never leave it. A key that exists is not made again.
#![forbid(unsafe_code)]

use super::deal::entropy;
use super::files::{Problem, make_dir, read_text, replace_secret, write_public, write_secret};
use super::identity;
use super::seal::{Recipient, SealingKey};
use super::share_file::{self, Kind, Label};
use crate::codec::{ClusterId, Epoch};
use crate::quorum::ReplicaId;
use data_encoding::BASE64;
use serde::Deserialize;
use std::path::Path;
use zeroize::Zeroizing;

/// File names in a replica's directory.
pub const IDENTITY: &str = "identity.key";
/// See [`IDENTITY`].
pub const SEAL: &str = "seal.key";
/// See [`IDENTITY`].
pub const CERTIFICATE: &str = "tls.crt";
/// See [`IDENTITY`].
pub const PUBLIC: &str = "replica.pub.toml";

const VERSION: u16 = 1;

/// A replica's public keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKeys {
    /// The index for which they were made.
    pub index: ReplicaId,
    /// Ed25519.
    pub identity: [u8; 32],
    /// Whom its shares are sealed for.
    pub sealing: Recipient,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    version: u16,
    index: u8,
    identity: String,
    sealing: String,
}

/// Makes the keys of replica `index` in `dir`.
pub fn make(dir: &Path, index: ReplicaId) -> Result<PublicKeys, Problem> {
    make_dir(dir)?;
    for name in [IDENTITY, SEAL, CERTIFICATE, PUBLIC] {
        let path = dir.join(name);
        if path.exists() {
            return Err(Problem::new(&path, "exists already and is not overwritten; name another directory"));
        }
    }
    let mut seed = Zeroizing::new([0; 32]);
    entropy(&mut *seed);
    let wrong = |reason: String| Problem::new(dir, reason);
    let public = identity::public_key(&seed).map_err(wrong)?;
    let sealing = SealingKey::generate();
    let named = format!("replica-{index}.conclave.invalid");
    let (pem, _) = identity::certificate(&seed, &named).map_err(wrong)?;
    let keys = PublicKeys { index, identity: public, sealing: sealing.recipient() };
    write_secret(&dir.join(SEAL), sealing.to_text().as_bytes())?;
    share_file::write(&dir.join(IDENTITY), &unbound(index), &seed[..])?;
    write_public(&dir.join(CERTIFICATE), pem.as_bytes())?;
    write_public(&dir.join(PUBLIC), keys.to_text().as_bytes())?;
    Ok(keys)
}

/// The identity's seed, whichever cluster it is bound to.
pub fn identity_seed(dir: &Path) -> Result<Zeroizing<[u8; 32]>, Problem> {
    let path = dir.join(IDENTITY);
    let (label, secret) = share_file::read_any(&path)?;
    let seed = secret[..].try_into().ok().filter(|_| label.kind == Kind::Identity);
    seed.map(Zeroizing::new).ok_or_else(|| Problem::new(&path, "is not an identity key"))
}

/// Binds the identity in `dir` to a cluster: from then on no other cluster's replica starts with it.
pub fn bind(dir: &Path, label: &Label) -> Result<(), Problem> {
    let seed = identity_seed(dir)?;
    replace_secret(&dir.join(IDENTITY), &share_file::seal(label, &seed[..]))
}

/// What the file says before there is a cluster.
fn unbound(replica: ReplicaId) -> Label {
    Label { kind: Kind::Identity, cluster: ClusterId::default(), epoch: Epoch(0), replica }
}

impl PublicKeys {
    /// The text of `replica.pub.toml`.
    pub fn to_text(&self) -> String {
        format!(
            "# Public keys of a Conclave replica, for the plan of the ceremony.\n\
             version = {VERSION}\nindex = {}\nidentity = \"{}\"\nsealing = \"{}\"\n",
            self.index,
            BASE64.encode(&self.identity),
            self.sealing
        )
    }

    /// Reads a `replica.pub.toml`.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = read_text(path)?;
        let file: FileText = toml::from_str(&text).map_err(|e| Problem::toml(path, &text, &e))?;
        let wrong = |reason: String| Problem::new(path, reason);
        if file.version != VERSION {
            return Err(wrong(format!("has version {}; this program reads version {VERSION}", file.version)));
        }
        let index = ReplicaId::new(file.index).ok_or_else(|| wrong("names no possible index".into()))?;
        let identity = BASE64.decode(file.identity.as_bytes()).ok().and_then(|key| key.try_into().ok());
        let identity = identity.ok_or_else(|| wrong("identity is not 32 octets in Base64".into()))?;
        let sealing = file.sealing.parse().map_err(wrong)?;
        Ok(Self { index, identity, sealing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn keys_are_private_public_halves_are_read_back_and_nothing_is_made_twice() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("replica-2");
        let two = ReplicaId::new(2).unwrap();
        let keys = make(&home, two).unwrap();
        assert_eq!(PublicKeys::read(&home.join(PUBLIC)).unwrap(), keys);
        assert_eq!(SealingKey::read(&home.join(SEAL)).unwrap().recipient(), keys.sealing);
        assert_eq!(identity::public_key(&identity_seed(&home).unwrap()), Ok(keys.identity));
        for (name, mode) in [("", 0o700), (IDENTITY, 0o600), (SEAL, 0o600)] {
            assert_eq!(home.join(name).metadata().unwrap().mode() & 0o777, mode, "{name}");
        }
        assert!(make(&home, two).unwrap_err().to_string().contains("exists already"));
    }
}
