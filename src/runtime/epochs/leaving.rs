//! What stays of a replica whose epoch is over: a mark, and nothing that is secret.
#![forbid(unsafe_code)]

use super::super::Error;
use super::super::config::ReplicaFile;
use super::super::engine::Engine;
use super::super::vault::SHARES;
use crate::ceremony::files::{Problem, replace_public};
use crate::ceremony::held;
use crate::ceremony::keygen::{IDENTITY, SEAL};
use std::fs;
use std::io;
use std::path::Path;
use tracing::{info, warn};

/// Says, in the data directory, what became of a replica whose epoch is over.
pub(super) const MARK: &str = "epoch-over";
/// The clients' keys that replicas have in common.
pub(super) const TSIG: &str = "tsig.keys";

/// What became of a replica whose epoch is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Mark {
    /// It went on to the next epoch.
    Moved,
    /// It was not in the next epoch.
    Left,
}

impl Mark {
    fn text(self) -> &'static str {
        match self {
            Self::Moved => "moved\n",
            Self::Left => "left\n",
        }
    }
}

/// What the data directory says became of a replica; none if it is at work, or has never been.
pub(in super::super) fn mark(file: &ReplicaFile) -> Result<Option<Mark>, Error> {
    let path = file.data.join(MARK);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error(Problem::io(&path, "read", &why).to_string())),
    };
    let mark = [Mark::Moved, Mark::Left].into_iter().find(|mark| mark.text() == text);
    mark.map(Some).ok_or_else(|| Error(format!("{}: is neither `moved` nor `left`", path.display())))
}

/// Stops a replica whose epoch is over; removes its log and its secrets. The mark comes first: who starts it again must not
/// take the empty log for a lost one.
pub(super) async fn retire(engine: Engine, mark: Mark) -> Result<(), Error> {
    let file = engine.file.clone();
    engine.stop().await?;
    let marked =
        replace_public(&file.data.join(MARK), mark.text().as_bytes()).and_then(|()| sync(&file.data));
    marked.map_err(|problem| Error(problem.to_string()))?;
    remove(&file, mark);
    info!(directory = %file.directory().display(), "what this epoch needed is removed");
    Ok(())
}

/// Removes what a replica needed whose epoch is over. Of one that has left also what it has in common with others, and what
/// opens packages: who goes on has them in `next/`, and needs them.
pub(in super::super) fn remove(file: &ReplicaFile, mark: Mark) {
    let home = file.directory();
    let ends = |path: &Path, endings: &[&str]| {
        path.extension().is_some_and(|end| endings.iter().any(|ending| end == *ending))
    };
    for (directory, endings) in [
        (&file.data, &["log", "snap", "mark", "part"][..]),
        (&home.to_owned(), &["share"]),
        (&home.join(SHARES), &["secret", "new"]),
        (&home.join(held::DIRECTORY), &["bundle"]),
    ] {
        let files = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        files.filter(|path| ends(path, endings)).for_each(|path| remove_file(&path));
    }
    if mark == Mark::Left {
        [IDENTITY, SEAL, TSIG].iter().for_each(|name| remove_file(&home.join(name)));
    }
    for directory in [&file.data, &home.to_owned(), &home.join(SHARES), &home.join(held::DIRECTORY)] {
        if directory.exists()
            && let Err(problem) = sync(directory)
        {
            warn!("{problem}: what was removed there may come back after a power cut: look after it");
        }
    }
}

fn remove_file(path: &Path) {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            warn!("{}: cannot be removed: {why}: remove it by hand", path.display());
        }
        _ => {}
    }
}

fn sync(directory: &Path) -> Result<(), Problem> {
    let sync = || fs::File::open(directory)?.sync_all();
    sync().map_err(|why| Problem::io(directory, "synced", &why))
}
