//! What is on its way to S3: packed beside the logs, one file that grows for each stream, and closed ones that wait.
//!
//! Each piece is a member of its own, which makes a valid file of gzip at any moment. What a crash wrote beyond the
//! positions that were kept is cut off when the spool is opened again, so that nothing is in it twice.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use kobel_model::{Error, Result};
use memchr::memrchr;

use crate::names::{closed, current, index_of};
use crate::positions::Spooled;
use crate::settings::Rotation;

/// The spool of one stream.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    stream: String,
    file: File,
    state: Spooled,
    /// The names of closed files, oldest first.
    closed: Vec<String>,
}

impl Spool {
    /// Opens the spool of a stream as it was when its state was kept.
    ///
    /// # Errors
    /// Denied or Unavailable if the folder cannot be read and written.
    pub(crate) fn open(folder: &Path, stream: &str, state: Spooled) -> Result<Self> {
        let path = folder.join(current(stream));
        let mut closed: Vec<(u64, String)> = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| unwritable(folder, error))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            match index_of(stream, &name) {
                Some(index) if index < state.index => closed.push((index, name)),
                // Closed after the state was kept: it is not closed yet.
                Some(index) if index == state.index => {
                    fs::rename(entry.path(), &path).map_err(|error| unwritable(&path, error))?;
                }
                Some(_) => fs::remove_file(entry.path()).map_err(|error| unwritable(&entry.path(), error))?,
                None => {}
            }
        }
        closed.sort();
        let file = create(&path)?;
        let mut spool = Self {
            folder: folder.to_owned(),
            stream: stream.to_owned(),
            file,
            state,
            closed: closed.into_iter().map(|(_, name)| name).collect(),
        };
        let length = spool.file.metadata().map_err(|error| unwritable(&path, error))?.len();
        if length < spool.state.packed {
            tracing::warn!(file = %path.display(), "what was packed of a log is damaged, and is given up");
            (spool.state.packed, spool.state.held) = (0, 0);
        }
        spool.file.set_len(spool.state.packed).map_err(|error| unwritable(&path, error))?;
        Ok(spool)
    }

    /// Adds the first of these bytes, and gives how many they are; closes the file first if nothing more fits. `day` is
    /// written as `20260901`.
    ///
    /// # Errors
    /// Denied or Unavailable if the folder cannot be written; then nothing was added.
    pub(crate) fn append(&mut self, bytes: &[u8], rotation: Rotation, day: &str) -> Result<usize> {
        let mut length = fitting(bytes, self.state.held, rotation.size);
        if length == 0 && !bytes.is_empty() {
            self.close(rotation.files, day)?;
            length = fitting(bytes, self.state.held, rotation.size);
        }
        let part = bytes.get(..length).unwrap_or(bytes);
        self.pack(part)?;
        Ok(part.len())
    }

    /// What is kept of it.
    pub(crate) fn state(&self) -> &Spooled {
        &self.state
    }

    /// The file that grows.
    pub(crate) fn growing(&self) -> &File {
        &self.file
    }

    /// The oldest closed file, with its name.
    ///
    /// # Errors
    /// Missing, Denied or Unavailable if it cannot be opened.
    pub(crate) fn oldest(&self) -> Result<Option<(String, File)>> {
        let Some(name) = self.closed.first() else { return Ok(None) };
        let path = self.folder.join(name);
        let file = File::open(&path).map_err(|error| Error::io(format!("cannot read `{}`", path.display()), error))?;
        Ok(Some((name.clone(), file)))
    }

    /// Removes the oldest closed file.
    pub(crate) fn drop_oldest(&mut self) {
        if !self.closed.is_empty() {
            // What stays because it cannot be removed is sent once more after a restart.
            let _ = fs::remove_file(self.folder.join(self.closed.remove(0)));
        }
    }

    fn pack(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
        let written = packed.and_then(|packed| {
            self.file.write_all_at(&packed, self.state.packed)?;
            Ok(packed.len() as u64)
        });
        match written {
            Ok(length) => {
                self.state.packed += length;
                self.state.held += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // A part of a member would damage what is sent.
                let _ = self.file.set_len(self.state.packed);
                Err(unwritable(&self.folder.join(current(&self.stream)), error))
            }
        }
    }

    /// Closes the file and begins a new one; lets go of the oldest if more wait than may.
    fn close(&mut self, files_max: usize, day: &str) -> Result<()> {
        let name = closed(&self.stream, day, self.state.index);
        let path = self.folder.join(current(&self.stream));
        fs::rename(&path, self.folder.join(&name)).map_err(|error| unwritable(&path, error))?;
        self.closed.push(name);
        self.state = Spooled { index: self.state.index + 1, ..Spooled::default() };
        self.file = create(&path)?;
        while self.closed.len() > files_max.max(1) {
            tracing::warn!(file = ?self.closed.first(), "a closed log is given up: too many wait to be shipped");
            self.drop_oldest();
        }
        Ok(())
    }
}

fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| unwritable(path, error))
}

/// How many of these bytes fit into a file that holds `held` already: as many whole lines as do, or all of them. Into an
/// empty file goes at least a part of a line.
fn fitting(bytes: &[u8], held: u64, max: u64) -> usize {
    let room = usize::try_from(max.saturating_sub(held)).unwrap_or(usize::MAX);
    if bytes.len() <= room {
        return bytes.len();
    }
    match bytes.get(..room).and_then(|fitting| memrchr(b'\n', fitting)) {
        Some(end) => end + 1,
        None if held > 0 => 0,
        None => room.max(1),
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot write `{}`", path.display()), error)
}

#[cfg(test)]
mod tests;
