//! How a replica takes what was dealt to it, on its own machine: `conclave import`.
//!
//! 1. The plan and the cluster file of the deal are read; both must be of the plan whose words the operator knows.
//! 2. The replica finds itself among the members by its identity, and opens its package with its sealing key.
//! 3. Each share is checked against the public key (v^{s_i} = v_i), the coin share and the TSIG secrets against theirs.
//! 4. The files are written beside its keys (mode 0600), `cluster.toml` last: an import that broke off is done again.
//! 5. It makes its receipts: `DIR/replica-I.receipt`, to be brought to the dealer and to all operators.
//!
//! A directory that belongs to another cluster is refused: its shares stay valid until the new deal is complete, and a
//! new epoch has a directory of its own (`into`).
#![forbid(unsafe_code)]

use super::client_keys::parse_tsig;
use super::client_plan::TsigPlan;
use super::cluster::Cluster;
use super::cluster_file;
use super::files::{
    NEVER_RUN, PREDECESSOR, Problem, make_dir, read_public, read_text, replace_public, replace_secret,
    zone_stem,
};
use super::identity;
use super::keygen::{self, CERTIFICATE, IDENTITY, SEAL};
use super::package::Package;
use super::receipt;
use super::seal::{self, SealingKey};
use super::share_file::{self, Kind, Label};
use super::written::WrittenPlan;
use crate::codec::Digest;
use crate::consensus::coin::CoinSecret;
use crate::dns::tsig::TsigAlgorithm;
use crate::quorum::ReplicaId;
use crate::threshold::SecretShare;
use crate::zone::{CheckedBundle, Receipt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What an import gave.
pub struct Imported {
    /// The cluster.
    pub cluster: Cluster,
    /// Which of its replicas this is.
    pub replica: ReplicaId,
    /// A receipt for each key's share.
    pub receipts: Vec<Receipt>,
    /// The file that holds them.
    pub receipt: PathBuf,
}

/// Reads the plan and the cluster of the deal in `deal`, which must be those of the plan with this digest.
pub fn read_deal(deal: &Path, plan: &Digest) -> Result<(WrittenPlan, Cluster), Vec<Problem>> {
    let path = deal.join("plan.toml");
    let written = WrittenPlan::read(&path)?;
    if written.digest() != *plan {
        return Err(vec![Problem::new(&path, "is not the plan whose words were said; its own are others")]);
    }
    let path = deal.join("cluster.toml");
    let cluster = cluster_file::read(&path)?;
    let wrong = |reason: &str| Err(vec![Problem::new(&path, reason)]);
    if cluster.plan != *plan {
        return wrong("was dealt under another plan");
    }
    match differs(&written, &cluster) {
        Some(what) => wrong(&format!("does not keep to the plan: {what}")),
        None => Ok((written, cluster)),
    }
}

/// What of the cluster is not as the plan says, if anything.
fn differs(plan: &WrittenPlan, cluster: &Cluster) -> Option<&'static str> {
    let members = plan.members.iter().map(|member| (member.identity, member.sealing));
    let zones =
        plan.zones.iter().map(|zone| (&zone.origin, zone.digest, zone.reads, zone.denial, &zone.policy));
    let served =
        cluster.zones.iter().map(|zone| (&zone.origin, zone.records, zone.reads, zone.denial, &zone.policy));
    let keys = cluster.zones.iter().flat_map(|zone| [&zone.zsk, &zone.ksk]);
    let tsig = cluster.tsig.iter().map(|entry| {
        let algorithm = TsigAlgorithm::parse(&entry.algorithm)?;
        Some(TsigPlan { name: entry.name.clone(), algorithm, mode: entry.mode, quota: entry.quota })
    });
    let choices_differ = plan.zones.iter().zip(&cluster.zones).any(|(planned, zone)| {
        planned.serial.is_some_and(|rule| rule != zone.serial)
            || planned.dnskey_ttl.is_some_and(|ttl| ttl != zone.dnskey_ttl)
    });
    // Keys that are dealt again are as long as they are.
    let is_first = plan.replaces.is_none();
    let sig0 = plan.sig0.iter().zip(&cluster.sig0);
    let sig0_differs = plan.sig0.len() != cluster.sig0.len()
        || sig0.into_iter().any(|(planned, entry)| {
            (&planned.name, planned.quota) != (&entry.name, entry.quota)
                || planned.key.as_ref().is_some_and(|key| *key != entry.key)
        });
    [
        (plan.committee != cluster.committee || plan.epoch != cluster.epoch, "the replicas or the epoch"),
        (plan.signing != cluster.signing, "the signing protocol"),
        (!cluster.members.iter().map(|m| (m.identity, m.sealing)).eq(members), "a member's keys"),
        (!zones.eq(served) || choices_differ, "a zone, its records or its policy"),
        (is_first && keys.into_iter().any(|key| key.public.bits() != plan.bits), "the length of a key"),
        (!tsig.eq(plan.tsig.iter().map(|planned| Some(planned.key.clone()))), "TSIG keys"),
        (sig0_differs, "SIG(0) keys"),
        (plan.operators != cluster.operators, "the operators"),
    ]
    .into_iter()
    .find_map(|(differs, what)| differs.then_some(what))
}

/// Imports the package of the replica whose keys are in `home` from the deal in `deal`; writes into `into`, which may be `home`.
pub fn import(home: &Path, deal: &Path, plan: &Digest, into: &Path) -> Result<Imported, Vec<Problem>> {
    let (_, cluster) = read_deal(deal, plan)?;
    let id = cluster.id();
    let seed = keygen::identity_seed(home)?;
    let key = SealingKey::read(&home.join(SEAL))?;
    let wrong = |path: &Path, reason: &str| vec![Problem::new(path, reason)];
    let public = identity::public_key(&seed).map_err(|reason| wrong(&home.join(IDENTITY), &reason))?;
    let me = cluster.committee.members().find(|id| cluster.members[id.slot()].identity == public);
    let me = me.ok_or_else(|| wrong(&home.join(IDENTITY), "is not the identity of a member of this deal"))?;
    let before = into.join("cluster.toml");
    let was_imported = before.exists();
    if was_imported && cluster_file::read(&before)?.id() != id {
        return Err(wrong(
            &before,
            "is another cluster's, whose shares stay valid until the new deal is complete; import with --into",
        ));
    }
    let path = deal.join("sealed").join(Package::name(me));
    let opened = seal::open(&key, &read_public(&path)?).map_err(|reason| wrong(&path, reason))?;
    let package = Package::parse(&opened).map_err(|reason| wrong(&path, reason))?;
    if (package.plan, package.cluster, package.epoch, package.replica) != (*plan, id, cluster.epoch, me) {
        return Err(wrong(&path, "is the package of another deal or another replica"));
    }
    let shares = check(&package, &cluster, &path)?;
    write(home, deal, into, &cluster, &package, was_imported)?;
    let receipts = shares.iter().map(|(bundle, share)| receipt::make(bundle, share, &seed));
    let receipts: Vec<Receipt> =
        receipts.collect::<Result<_, _>>().map_err(|reason| wrong(&path, &reason))?;
    let receipt = into.join(receipt::name(me));
    receipt::write(&receipt, &receipts)?;
    Ok(Imported { cluster, replica: me, receipts, receipt })
}

/// Checks all of a package against the cluster; the shares, with their keys' bundles.
fn check(
    package: &Package,
    cluster: &Cluster,
    path: &Path,
) -> Result<Vec<(CheckedBundle, SecretShare)>, Problem> {
    let wrong = |reason: String| Problem::new(path, reason);
    if !package.files.iter().map(|(name, _)| name).eq(&Package::names(cluster)) {
        return Err(wrong("does not hold the files that the cluster file asks for".into()));
    }
    let file = |name: &str| package.files.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes);
    let secret = |name: &str, kind: Kind| -> Result<Zeroizing<Vec<u8>>, Problem> {
        let bytes = file(name).ok_or_else(|| wrong(format!("lacks {name}")))?;
        let (label, secret) = share_file::open(bytes).map_err(|e| wrong(format!("{name} {e}")))?;
        let Package { cluster, epoch, replica, .. } = *package;
        let wanted = Label { kind, cluster, epoch, replica };
        if label == wanted { Ok(secret) } else { Err(wrong(format!("{name} is another replica's or key's"))) }
    };
    let me = package.replica;
    let coin = CoinSecret::from_bytes(&secret("coin.share", Kind::Coin)?);
    if coin.ok().map(|coin| coin.public()) != Some(cluster.members[me.slot()].coin) {
        return Err(wrong("coin.share does not fit the coin verification key of the cluster file".into()));
    }
    let mut shares = Vec::new();
    for bundle in cluster.bundles().map_err(wrong)? {
        let name = format!("{}.{}.share", zone_stem(&bundle.bundle().zone), bundle.bundle().role.word());
        let share = SecretShare::from_bytes(&secret(&name, Kind::Rsa(bundle.key_id()))?);
        let share = share.map_err(|e| wrong(format!("{name}: {e}")))?;
        if share.index() != me {
            return Err(wrong(format!("{name} is another replica's")));
        }
        share.check(bundle.public()).map_err(|e| wrong(format!("{name}: {e}")))?;
        shares.push((bundle, share));
    }
    let text = file("tsig.keys").and_then(|bytes| std::str::from_utf8(bytes).ok());
    let clauses = parse_tsig(text.unwrap_or_default(), Path::new("tsig.keys"))?;
    let fits = clauses.len() == cluster.tsig.len()
        && clauses.iter().zip(&cluster.tsig).all(|(clause, entry)| entry.is(clause, Some(me)));
    if fits { Ok(shares) } else { Err(wrong("tsig.keys is not what the cluster file commits to".into())) }
}

/// The cluster file that the deal's cluster replaces, if it replaces one.
fn predecessor(deal: &Path, cluster: &Cluster) -> Result<Option<Vec<u8>>, Problem> {
    let Some(replaced) = cluster.replaces else { return Ok(None) };
    let path = deal.join(PREDECESSOR);
    match cluster_file::read(&path).map_err(|mut problems| problems.swap_remove(0))?.id() == replaced {
        true => read_public(&path).map(Some),
        false => Err(Problem::new(&path, "is not the cluster that is replaced")),
    }
}

fn write(
    home: &Path,
    deal: &Path,
    into: &Path,
    cluster: &Cluster,
    package: &Package,
    was_imported: bool,
) -> Result<(), Problem> {
    let predecessor = predecessor(deal, cluster)?;
    make_dir(&into.join("zones"))?;
    if home != into {
        let seed = keygen::identity_seed(home)?;
        let label = Label {
            kind: Kind::Identity,
            cluster: package.cluster,
            epoch: package.epoch,
            replica: package.replica,
        };
        replace_secret(&into.join(IDENTITY), &share_file::seal(&label, &seed[..]))?;
        replace_secret(&into.join(SEAL), SealingKey::read(&home.join(SEAL))?.to_text().as_bytes())?;
        replace_public(&into.join(CERTIFICATE), &read_public(&home.join(CERTIFICATE))?)?;
    }
    let Package { cluster: id, epoch, replica, .. } = *package;
    keygen::bind(into, &Label { kind: Kind::Identity, cluster: id, epoch, replica })?;
    for (name, bytes) in &package.files {
        replace_secret(&into.join(name), bytes)?;
    }
    for zone in &cluster.zones {
        let name = format!("{}.zone", zone_stem(&zone.origin));
        let from = deal.join("zones").join(&name);
        // A zone that is served already comes with the state.
        if from.exists() {
            replace_public(&into.join("zones").join(&name), &read_public(&from)?)?;
        }
    }
    if let Some(text) = predecessor {
        replace_public(&into.join(PREDECESSOR), &text)?;
    }
    let settings = into.join("replica.toml");
    if !settings.exists() {
        let text = read_text(&deal.join("sealed").join(format!("replica-{replica}.toml")))?;
        replace_public(&settings, text.as_bytes())?;
    }
    if !was_imported {
        replace_public(
            &into.join(NEVER_RUN),
            b"This replica has never run. Its first start removes this file. Never bring it back: a replica that has run and\n\
              finds it with an empty log would contradict what it has said before.\n",
        )?;
    }
    replace_public(&into.join("cluster.toml"), cluster_file::write(cluster).as_bytes())
}
