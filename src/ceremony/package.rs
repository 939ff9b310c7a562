//! Packages: everything that is secret of one replica of one deal, as one file sealed for it.
//!
//! ```text
//! "CONCLAVE-PACKAGE\n" · u16 version (1) · plan digest (32) · cluster id (32) · u32 epoch · u8 replica · u16 files
//! each file: u16 length of its name · name · u32 length · bytes
//! ```
//!
//! Integers are big-endian. The names are those of the files in a replica's directory; which there must be, the cluster
//! file says. The seal protects the whole; each share inside is bound to cluster, epoch, replica and key besides.
#![forbid(unsafe_code)]

use super::cluster::Cluster;
use super::files::zone_stem;
use crate::codec::{ClusterId, Digest, Epoch};
use crate::quorum::ReplicaId;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"CONCLAVE-PACKAGE\n";
const VERSION: u16 = 1;

/// What is secret of one replica.
pub struct Package {
    /// Digest of the plan.
    pub plan: Digest,
    /// The cluster.
    pub cluster: ClusterId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Whose it is.
    pub replica: ReplicaId,
    /// Names and contents of secret files.
    pub files: Vec<(String, Zeroizing<Vec<u8>>)>,
}

impl Package {
    /// The name of its file.
    pub fn name(replica: ReplicaId) -> String {
        format!("replica-{replica}.age")
    }

    /// The names of the files that a replica of `cluster` needs, in order.
    pub fn names(cluster: &Cluster) -> Vec<String> {
        let shares = cluster
            .zones
            .iter()
            .flat_map(|zone| ["zsk", "ksk"].map(|role| format!("{}.{role}.share", zone_stem(&zone.origin))));
        std::iter::once("coin.share".into()).chain(shares).chain(["tsig.keys".into()]).collect()
    }

    /// The bytes that are sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let length: usize = self.files.iter().map(|(name, bytes)| 6 + name.len() + bytes.len()).sum();
        // Reserved at once: a buffer that grew would leave copies of secrets behind.
        let mut out = Zeroizing::new(Vec::with_capacity(MAGIC.len() + 73 + length));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.plan.0);
        out.extend_from_slice(&self.cluster.0.0);
        out.extend_from_slice(&self.epoch.0.to_be_bytes());
        out.push(self.replica.get());
        out.extend_from_slice(&(self.files.len() as u16).to_be_bytes());
        for (name, bytes) in &self.files {
            out.extend_from_slice(&(name.len() as u16).to_be_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }

    /// From [`Self::to_bytes`]; an error says what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        const FORM: &str = "holds no package of a replica";
        let mut rest = Rest(bytes.strip_prefix(MAGIC).ok_or(FORM)?);
        if rest.take().map(u16::from_be_bytes) != Some(VERSION) {
            return Err("holds a package of another version");
        }
        let plan = rest.take().map(Digest).ok_or(FORM)?;
        let cluster = rest.take().map(|id| ClusterId(Digest(id))).ok_or(FORM)?;
        let epoch = rest.take().map(|epoch| Epoch(u32::from_be_bytes(epoch))).ok_or(FORM)?;
        let replica = rest.take::<1>().and_then(|[index]| ReplicaId::new(index)).ok_or(FORM)?;
        let count = rest.take().map(u16::from_be_bytes).ok_or(FORM)?;
        let mut files = Vec::new();
        for _ in 0..count {
            let length = rest.take().map(u16::from_be_bytes).ok_or(FORM)?;
            let name =
                String::from_utf8(rest.bytes(length.into()).ok_or(FORM)?.to_vec()).map_err(|_| FORM)?;
            let length = rest.take().map(u32::from_be_bytes).ok_or(FORM)?;
            let bytes = rest.bytes(length as usize).ok_or(FORM)?;
            files.push((name, Zeroizing::new(bytes.to_vec())));
        }
        if rest.0.is_empty() { Ok(Self { plan, cluster, epoch, replica, files }) } else { Err(FORM) }
    }
}

/// What is not read yet.
pub(super) struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    /// The next octets, so many as the type says.
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// The next `length` octets.
    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_read_back_and_a_cut_or_longer_one_is_refused() {
        let package = Package {
            plan: Digest([1; 32]),
            cluster: ClusterId(Digest([2; 32])),
            epoch: Epoch(3),
            replica: ReplicaId::new(4).unwrap(),
            files: vec![
                ("coin.share".into(), Zeroizing::new(vec![5; 40])),
                ("empty".into(), Zeroizing::default()),
            ],
        };
        let bytes = package.to_bytes();
        let read = Package::parse(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!((read.plan, read.replica, read.files.len()), (package.plan, package.replica, 2));
        for cut in 0..bytes.len() {
            assert!(Package::parse(&bytes[..cut]).is_err(), "cut to {cut}");
        }
        assert!(Package::parse(&[&bytes[..], &[0]].concat()).is_err());
    }
}
