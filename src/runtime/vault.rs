//! Secrets that a replica makes while it runs, in files of its own directory: `shares/`, mode 0700, one file an item, mode 0600.
//!
//! An item is written beside its place, synced, and moved there, so that after a power cut it is whole or not there. What is
//! wiped is unlinked, and the directory synced. What is retired leaves an empty file behind, `NAME.retired`, which is there before
//! anything goes: so that a start knows what it need not look for, and wipes what a crash left.
//!
//! Whether the medium forgets it is not in a program's hands: journals, copies on write and worn flash cells keep what they
//! like, and so do backups, which therefore should leave `shares/` out.
#![forbid(unsafe_code)]

use crate::ceremony::files::{Problem, make_dir, read_secret, write_secret};
use crate::signing::Vault;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The directory's name, in the replica's.
pub(super) const SHARES: &str = "shares";
const SUFFIX: &str = "secret";
const UNFINISHED: &str = "new";
const RETIRED: &str = "retired";

/// An item, and its file.
type Item = (PathBuf, Zeroizing<Vec<u8>>);

/// The directory, and where the dealer put what an item can stand for.
pub(super) struct Directory {
    path: PathBuf,
    dealt: Mutex<BTreeMap<String, PathBuf>>,
}

impl Directory {
    /// The directory in `home`, made with its first item. `dealt` names, for the items of dealt shares, the dealer's files.
    pub fn of(home: &Path, dealt: BTreeMap<String, PathBuf>) -> Self {
        Self { path: home.join(SHARES), dealt: Mutex::new(dealt) }
    }

    /// Whether this item was retired.
    pub fn is_retired(&self, name: &str) -> bool {
        self.mark(name).exists()
    }

    /// All items. What a crash left unfinished goes, and what it left of what was retired.
    pub fn items(&self) -> Result<Vec<Item>, Problem> {
        let cannot = |e: io::Error| Problem::io(&self.path, "read", &e);
        let mut paths = Vec::new();
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        for entry in fs::read_dir(&self.path).map_err(cannot)? {
            let path = entry.map_err(cannot)?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some(SUFFIX) => paths.push(path),
                Some(UNFINISHED) => fs::remove_file(&path).map_err(|e| Problem::io(&path, "removed", &e))?,
                Some(RETIRED) => {
                    let name = path.file_stem().unwrap_or_default().to_string_lossy();
                    self.wipe(&name).map_err(|why| Problem::new(&path, why))?;
                }
                _ => {}
            }
        }
        paths.sort();
        paths.retain(|path| path.exists());
        paths.into_iter().map(|path| read_secret(&path).map(|item| (path, item))).collect()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.{SUFFIX}"))
    }

    fn mark(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.{RETIRED}"))
    }

    fn sync(path: &Path) -> Result<(), String> {
        let sync = || File::open(path)?.sync_all();
        sync().map_err(|e| Problem::io(path, "synced", &e).to_string())
    }
}

impl Vault for Directory {
    fn keep(&self, name: &str, item: &[u8]) -> Result<(), String> {
        let (unfinished, path) = (self.path.join(format!("{name}.{UNFINISHED}")), self.file(name));
        make_dir(&self.path).map_err(|problem| problem.to_string())?;
        self.path.parent().map_or(Ok(()), Self::sync)?;
        // Of an earlier try that failed.
        remove(&unfinished)?;
        write_secret(&unfinished, item).map_err(|problem| problem.to_string())?;
        fs::rename(&unfinished, &path).map_err(|e| Problem::io(&path, "written", &e).to_string())?;
        Self::sync(&self.path)
    }

    fn wipe(&self, name: &str) -> Result<(), String> {
        if self.path.exists() {
            remove(&self.file(name))?;
            Self::sync(&self.path)?;
        }
        let dealt = self.dealt.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        match dealt.filter(|dealt| dealt.exists()) {
            Some(dealt) => {
                remove(&dealt)?;
                dealt.parent().map_or(Ok(()), Self::sync)
            }
            None => Ok(()),
        }
    }

    fn retire(&self, name: &str) -> Result<(), String> {
        let mark = self.mark(name);
        if !mark.exists() {
            make_dir(&self.path).map_err(|problem| problem.to_string())?;
            write_secret(&mark, b"").map_err(|problem| problem.to_string())?;
            Self::sync(&self.path)?;
        }
        self.wipe(name)
    }

    fn is_in(&self, name: &str, file: &Path) {
        let mut dealt = self.dealt.lock().unwrap_or_else(PoisonError::into_inner);
        dealt.insert(name.into(), file.into());
    }
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Problem::io(path, "removed", &e).to_string()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_kept_whole_and_wiped_with_what_was_dealt() {
        let home = tempfile::tempdir().unwrap();
        let dealt = home.path().join("a.share");
        fs::write(&dealt, "dealt").unwrap();
        let open = || Directory::of(home.path(), BTreeMap::from([("share-1".into(), dealt.clone())]));
        assert!(open().items().unwrap().is_empty());
        let vault = open();
        vault.keep("share-2", b"two").unwrap();
        vault.keep("share-1", b"one").unwrap();
        vault.keep("share-1", b"one again").unwrap();
        fs::write(home.path().join("shares/share-3.new"), "cut off").unwrap();
        let items = |vault: &Directory| {
            vault.items().unwrap().into_iter().map(|(_, item)| item.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(items(&open()), [b"one again".to_vec(), b"two".to_vec()]);
        assert!(!home.path().join("shares/share-3.new").exists());
        vault.wipe("share-1").unwrap();
        vault.wipe("share-1").unwrap();
        assert!(!dealt.exists());
        assert_eq!(items(&open()), [b"two".to_vec()]);
    }

    #[test]
    fn what_is_retired_is_gone_whenever_a_crash_comes_and_is_known_to_have_gone_on_purpose() {
        let home = tempfile::tempdir().unwrap();
        let dealt = home.path().join("a.share");
        fs::write(&dealt, "dealt").unwrap();
        let open = || Directory::of(home.path(), BTreeMap::from([("share-1".into(), dealt.clone())]));
        let vault = open();
        vault.keep("share-1", b"one").unwrap();
        // The mark is there, and a crash comes before anything goes.
        fs::write(home.path().join("shares/share-1.retired"), "").unwrap();
        assert!(open().is_retired("share-1") && !open().is_retired("share-2"));
        assert!(open().items().unwrap().is_empty());
        assert!(!dealt.exists());
        // What came while the replica ran goes too; and once more is as good as once.
        let brought = home.path().join("b.bundle");
        fs::write(&brought, "dealt").unwrap();
        vault.is_in("share-2", &brought);
        vault.retire("share-2").unwrap();
        vault.retire("share-2").unwrap();
        assert!(!brought.exists() && open().is_retired("share-2"));
        assert!(open().items().unwrap().is_empty());
    }
}
