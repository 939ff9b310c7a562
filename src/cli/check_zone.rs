//! `conclave check-zone`: reads a master file as a cluster would, and says what is wrong, as named-checkzone does.
//!
//! Errors and warnings go to stderr; stdout has the serial and `OK`, or nothing.

use super::progress::ReadDisplay;
use super::{Failure, print};
use crate::dns::{Name, master};
use crate::zone::check::check;
use clap::Args;
use std::path::{Path, PathBuf};

/// Warnings, and errors, that are shown; of the rest it is said how many.
const MAX_SHOWN: usize = 100;

/// Arguments of `conclave check-zone`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 a zone (perhaps with warnings), 1 none, 2 wrong usage.\n\nExamples:\n  \
                        conclave check-zone example.test.zone\n  conclave check-zone --origin example.test db.test"
)]
pub struct Arguments {
    /// The zone's name; else what the file says ($ORIGIN, or the owner of its SOA), else the file's name
    #[arg(long, value_name = "NAME")]
    origin: Option<Name>,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    /// The master file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// The command.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = &arguments.file;
    let text =
        std::fs::read(file).map_err(|e| Failure::new(format!("{}: cannot be read: {e}", file.display())))?;
    let origin = arguments.origin.clone().or_else(|| master::stated_origin(&text)).or_else(|| named_by(file));
    let unknown = || {
        let what = "which zone this is neither the file nor its name says: say --origin NAME";
        Failure::new(format!("{}: {what}", file.display()))
    };
    let origin = origin.ok_or_else(unknown)?;
    let display = ReadDisplay::new(text.len() as u64);
    let mut first = Some(text);
    let mut open = |path: &Path| match first.take() {
        Some(text) => Ok(text),
        None => std::fs::read(path),
    };
    let records = master::read_zone_telling(file, &origin, &mut open, &mut |octets, records| {
        display.tell(octets, records);
    });
    let records = records.map_err(|error| {
        display.end();
        Failure::new(error)
    })?;
    display.checking();
    let (serial, findings) = check(&origin, &records);
    display.end();
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.error || arguments.strict);
    for warning in warnings.iter().take(MAX_SHOWN) {
        eprintln!("warning: {warning}");
    }
    if let Some(more @ 1..) = warnings.len().checked_sub(MAX_SHOWN) {
        eprintln!("warning: and {more} more");
    }
    let mut lines: Vec<String> = errors.iter().take(MAX_SHOWN).map(ToString::to_string).collect();
    match (serial, errors.len()) {
        (Some(serial), 0) => {
            let zone = origin.to_string();
            let zone = if origin.is_root() { "." } else { zone.trim_end_matches('.') };
            print(&format!("zone {zone}/IN: loaded serial {serial}\nOK\n"));
            Ok(())
        }
        (_, count) => {
            lines.push(format!("{}: no zone {origin}; errors: {count}", file.display()));
            Err(Failure(lines))
        }
    }
}

/// `example.test` of `example.test.zone`, `db.example.test` and the like.
fn named_by(file: &Path) -> Option<Name> {
    let name = file.file_name()?.to_str()?;
    let bare = name
        .strip_prefix("db.")
        .or_else(|| [".zone", ".db"].iter().find_map(|end| name.strip_suffix(end)))?;
    Name::parse(bare).ok()
}
