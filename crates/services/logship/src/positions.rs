//! How far each file was read, kept beside the logs over restarts of the agent.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::{Error, ErrorKind, Result};
use kobel_storage::file;
use serde::{Deserialize, Serialize};

/// The most bytes of a file of positions.
const BYTES_MAX: u64 = 1 << 20;

/// What one destination knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Positions {
    /// The files, in the order in which they are read.
    pub(crate) files: Vec<Position>,
    /// What is packed but not closed, by stream.
    #[serde(default)]
    pub(crate) spools: BTreeMap<String, Spooled>,
}

/// How far a file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The device and the number of the file, which a new name does not change.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How many bytes were read.
    pub(crate) read: u64,
    /// What it begins with, so that another file that got its number is known for another.
    pub(crate) mark: Mark,
}

/// The checksum of the first bytes of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) length: u64,
    pub(crate) crc32: u32,
}

/// What is packed of a stream but not closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spooled {
    /// How many bytes it has, packed.
    pub(crate) packed: u64,
    /// How many bytes it holds.
    pub(crate) held: u64,
    /// The index that it gets when it is closed.
    pub(crate) index: u64,
}

/// Where they are kept.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    saved: Positions,
}

impl Store {
    /// Reads what was kept. What cannot be understood is as good as nothing: logs are then read anew.
    ///
    /// # Errors
    /// Denied or Unavailable if the file cannot be read.
    pub(crate) fn open(path: &Path) -> Result<(Self, Positions)> {
        let bytes = match file::read(path, BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::Missing | ErrorKind::Corrupt) => Vec::new(),
            Err(error) => return Err(error),
        };
        let saved: Positions = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            if path.exists() {
                tracing::warn!(file = %path.display(), "positions are damaged; logs are read from their beginning");
                // What is spooled belongs to positions that are gone.
                let _ = fs::remove_file(path);
            }
            Positions::default()
        });
        Ok((Self { path: path.to_owned(), saved: saved.clone() }, saved))
    }

    /// Keeps positions, if they are others than before.
    ///
    /// # Errors
    /// Denied or Unavailable if the file cannot be written.
    pub(crate) fn save(&mut self, positions: Positions) -> Result<()> {
        if positions == self.saved {
            return Ok(());
        }
        let text = serde_json::to_vec(&positions)
            .map_err(|error| Error::bug("positions cannot be written as JSON").with_source(error))?;
        file::write_atomically(&self.path, &text)?;
        self.saved = positions;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_were_kept_and_damaged_ones_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s3.json");
        let (mut store, none) = Store::open(&path).unwrap();
        assert_eq!(none, Positions::default());
        let file = Position { device: 1, inode: 2, read: 3, mark: Mark { length: 3, crc32: 4 } };
        let spools = BTreeMap::from([("log".to_owned(), Spooled { packed: 5, held: 6, index: 7 })]);
        let kept = Positions { files: vec![file], spools };
        store.save(kept.clone()).unwrap();
        assert_eq!(Store::open(&path).unwrap().1, kept);
        fs::write(&path, "{").unwrap();
        assert_eq!(Store::open(&path).unwrap().1, Positions::default());
    }
}
