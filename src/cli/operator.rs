//! `conclave keygen` and `conclave import`: a replica's side of the key ceremony, on its own machine. And `conclave
//! operator-key`: the key of who manages zones, on his.

use super::{Failure, agree, print};
use crate::ceremony::cluster_file;
use crate::ceremony::import;
use crate::ceremony::keygen;
use crate::ceremony::operators::OperatorKey;
use crate::limits::MAX_REPLICAS;
use crate::quorum::ReplicaId;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `conclave keygen`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  conclave keygen --dir /etc/conclave --index 3\n\nThen send replica.pub.toml to who writes \
                        the plan. The other files stay where they are."
)]
pub struct Keygen {
    /// Directory of the replica; made if it is not there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Which replica this will be
    #[arg(long, value_name = "I", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_REPLICAS)))]
    index: u8,
}

/// Arguments of `conclave import`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  conclave import --dir /etc/conclave --deal deal --words \"$(cat words)\"\n\nThen bring the \
                        receipt to the dealer: a deal is complete only with those of all replicas."
)]
pub struct Import {
    /// Directory of the replica, with the keys of `conclave keygen`
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The directory that the dealer made
    #[arg(long, value_name = "DIR")]
    deal: PathBuf,
    /// The words of the plan, as the operators read them out [default: shown and asked for]
    #[arg(long, value_name = "WORDS")]
    words: Option<String>,
    /// Write into another directory: for a new epoch of a cluster that runs
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Arguments of `conclave operator-key`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  conclave operator-key --name alice --out alice.key\n  conclave ctl zone freeze example.test --operator \
                        alice.key\n\nWhat is printed belongs into the plan of the ceremony. The file is the operator's alone."
)]
pub struct OperatorKeyArguments {
    /// The operator's name: letters, digits, - and _
    #[arg(long, value_name = "NAME")]
    name: String,
    /// File to make, for the private key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `conclave operator-key`.
pub fn operator_key(arguments: &OperatorKeyArguments) -> Result<(), Failure> {
    let key = OperatorKey::generate(&arguments.name).map_err(Failure::new)?;
    key.write(&arguments.out)?;
    print(&key.public.table());
    Ok(())
}

/// Runs `conclave keygen`.
pub fn keygen(arguments: &Keygen) -> Result<(), Failure> {
    let index = ReplicaId::new(arguments.index).ok_or_else(|| Failure::new("no such replica"))?;
    let keys = keygen::make(&arguments.dir, index)?;
    print(&keys.to_text());
    Ok(())
}

/// Runs `conclave import`.
pub fn import(arguments: &Import) -> Result<(), Failure> {
    let plan = cluster_file::read(&arguments.deal.join("cluster.toml"))?.plan;
    agree(&plan, arguments.words.as_deref())?;
    let into = arguments.into.as_ref().unwrap_or(&arguments.dir);
    let done = import::import(&arguments.dir, &arguments.deal, &plan, into)?;
    print(&format!(
        "replica {} of cluster {}: {} shares opened and checked\nreceipt {}\n",
        done.replica,
        done.cluster.id().0.to_hex(),
        done.receipts.len(),
        done.receipt.display()
    ));
    Ok(())
}
