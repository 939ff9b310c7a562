//! Both sides of a comparison.

use super::tools;
use conclave::dns::rdata::canonical;
use conclave::dns::{Name, Record, RrType, master};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The zone of all files here.
pub const ORIGIN: &str = "example.test";

pub fn origin() -> Name {
    Name::parse(ORIGIN).expect("a name")
}

/// The records of the main file in `dir`, by our reader.
pub fn ours_as_written(dir: &Path) -> Result<Vec<Record>, String> {
    let mut open = |path: &Path| std::fs::read(path);
    master::read_zone(&dir.join("zone"), &origin(), &mut open).map_err(|error| error.to_string())
}

/// The same; each RRset with its least TTL, as the zone has it.
pub fn ours(dir: &Path) -> Result<Vec<Record>, String> {
    let mut records = ours_as_written(dir)?;
    let mut least: BTreeMap<(Name, RrType), u32> = BTreeMap::new();
    for record in &records {
        let ttl = least.entry((record.name.clone(), record.rtype)).or_insert(record.ttl);
        *ttl = record.ttl.min(*ttl);
    }
    records.iter_mut().for_each(|record| record.ttl = least[&(record.name.clone(), record.rtype)]);
    Ok(records)
}

/// A file in `dir` as named-compilezone writes it, or what it says: by its syntax only, what the records mean is compared in
/// `semantics`.
pub fn theirs(dir: &Path, file: &str) -> Result<String, String> {
    let (path, directory) = (dir.join(file), dir.to_str().expect("a path of text"));
    let ignored = ["-k", "-m", "-M", "-S", "-n", "-r", "-W", "-T"].map(|option| [option, "ignore"]);
    let rest = ["-i", "none", "-s", "full", "-w", directory, "-o", "-", ORIGIN];
    let path = path.to_str().expect("a path of text");
    let output = tools::run("named-compilezone", &[ignored.as_flattened(), &rest, &[path]].concat());
    if output.status.success() { Ok(tools::stdout(&output)) } else { Err(tools::all_output(&output)) }
}

/// What differs between the two readings of the main file in `dir`: nothing, or what.
pub fn difference(dir: &Path) -> Option<String> {
    match (ours(dir), theirs(dir, "zone")) {
        (Err(_), Err(_)) => None,
        (Ok(_), Err(said)) => Some(format!("only ours takes it; BIND says: {said}")),
        (Err(said), Ok(_)) => Some(format!("only BIND takes it; ours says: {said}")),
        (Ok(records), Ok(text)) => compared(dir, &records, &text),
    }
}

/// Both took it: what we write must compile to the same text, and what they write must read as the same records.
fn compared(dir: &Path, records: &[Record], text: &str) -> Option<String> {
    let written: String = records.iter().map(|record| master::write_record(record) + "\n").collect();
    std::fs::write(dir.join("written"), &written).expect("a file");
    let again = match theirs(dir, "written") {
        Ok(again) => again,
        Err(said) => return Some(format!("BIND does not read what we write: {said}\n{written}")),
    };
    if again != text {
        return Some(format!("BIND reads\n{text}\nand of what we write\n{again}"));
    }
    let theirs = match master::read_str(text, &origin()) {
        Ok(read) => set(&read),
        Err(error) => return Some(format!("we do not read what BIND writes: {error}\n{text}")),
    };
    let ours = set(records);
    (theirs != ours).then(|| format!("of BIND's text we read\n{theirs:#?}\nof the file\n{ours:#?}"))
}

/// Owner, type, TTL and canonical data of all.
fn set(records: &[Record]) -> BTreeSet<(Name, RrType, u32, Vec<u8>)> {
    let data = |record: &Record| canonical(record.rtype, &record.rdata).into_owned();
    records.iter().map(|record| (record.name.clone(), record.rtype, record.ttl, data(record))).collect()
}
