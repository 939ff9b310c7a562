//! `conclave-dealer ds` and `dnskey`.
//!
//! The DS records of a deal are not told before all n receipts are there: what a parent publishes must be signed by shares
//! that everybody has.

use clap::Args;
use conclave::ceremony::anchors;
use conclave::ceremony::bundle::{BundleFile, MAGIC};
use conclave::ceremony::cluster::{Cluster, Zone};
use conclave::ceremony::cluster_file;
use conclave::ceremony::files::read_public;
use conclave::ceremony::receipt;
use conclave::ceremony::verify::receipts;
use conclave::cli::{Failure, print};
use conclave::dns::name::Name;
use std::path::PathBuf;

/// Arguments of `conclave-dealer ds` and `dnskey`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The dealt directory, its cluster.toml, or a bundle
    path: PathBuf,
    /// Of this zone only
    #[arg(long, value_name = "ORIGIN")]
    zone: Option<Name>,
}

/// Runs `conclave-dealer ds`.
pub fn ds(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(bundle) = bundle(arguments)? {
        print(&anchors::ds_of(&bundle.public.bundle().zone, &bundle.public.dnskey()));
        return Ok(());
    }
    let cluster = cluster(arguments)?;
    let dir = &arguments.path;
    if dir.join(receipt::DIRECTORY).is_dir() {
        let lacking = receipts::check(&cluster, dir).lacking;
        if !lacking.is_empty() {
            let lacking: Vec<String> = lacking.iter().map(ToString::to_string).collect();
            return Err(Failure::new(format!(
                "{}: the deal is not complete: receipts are lacking from {}; its cluster.toml tells the DS all the same",
                dir.display(),
                lacking.join(", ")
            )));
        }
    }
    zones(arguments, &cluster)?.into_iter().for_each(|zone| print(&anchors::ds_text(zone)));
    Ok(())
}

/// Runs `conclave-dealer dnskey`.
pub fn dnskey(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(bundle) = bundle(arguments)? {
        print(&anchors::dnskey_text(&bundle.public.bundle().zone, &bundle.public.dnskey()));
        return Ok(());
    }
    let cluster = cluster(arguments)?;
    for zone in zones(arguments, &cluster)? {
        for key in [&zone.ksk, &zone.zsk] {
            print(&anchors::dnskey_text(&zone.origin, &key.dnskey));
        }
    }
    Ok(())
}

fn bundle(arguments: &Arguments) -> Result<Option<BundleFile>, Failure> {
    let path = &arguments.path;
    if path.is_dir() || !read_public(path)?.starts_with(MAGIC) {
        return Ok(None);
    }
    Ok(Some(BundleFile::read(path)?))
}

fn cluster(arguments: &Arguments) -> Result<Cluster, Failure> {
    let path = &arguments.path;
    Ok(cluster_file::read(&if path.is_dir() { path.join("cluster.toml") } else { path.to_owned() })?)
}

fn zones<'a>(arguments: &Arguments, cluster: &'a Cluster) -> Result<Vec<&'a Zone>, Failure> {
    let wanted = |zone: &&Zone| arguments.zone.as_ref().is_none_or(|name| *name == zone.origin);
    let zones: Vec<&Zone> = cluster.zones.iter().filter(wanted).collect();
    match zones.is_empty() {
        true => Err(Failure::new(format!("{}: does not serve this zone", arguments.path.display()))),
        false => Ok(zones),
    }
}
