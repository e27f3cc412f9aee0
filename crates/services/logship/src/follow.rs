//! The files of a directory, followed over renames and rotation: each is known by its number, and read to its end even
//! after it was deleted.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kobel_model::{Error, Result};

use crate::batch::End;
use crate::destination::{Phase, Progress};
use crate::names::stream_of;
use crate::positions::{Mark, Position};

/// How much is given at a time.
const CHUNK: usize = 512 << 10;
/// How much of a file tells it from others.
const MARK_MAX: u64 = 256;

/// Some bytes of a stream.
#[derive(Debug)]
pub(crate) struct Chunk<'a> {
    /// The stream.
    pub(crate) stream: &'a str,
    /// The bytes.
    pub(crate) bytes: &'a [u8],
    /// Whether the file ends with them and does not grow any more.
    pub(crate) end: End,
}

/// Follows the files of a directory for one destination.
#[derive(Debug)]
pub(crate) struct Follower {
    directory: PathBuf,
    /// In the order in which they are read.
    files: Vec<Followed>,
    /// What was read before this process began; nothing once it looked.
    before: Vec<Position>,
    /// The most deleted files that are kept open.
    waiting_max: usize,
    /// What could not be opened, which was told once.
    told: BTreeSet<PathBuf>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Followed {
    stream: String,
    path: PathBuf,
    identity: (u64, u64),
    file: File,
    read: u64,
    mark: Mark,
    is_deleted: bool,
}

/// A file that a listing has.
struct Found {
    stream: String,
    path: PathBuf,
    identity: (u64, u64),
    modified: SystemTime,
}

impl Follower {
    /// Follows what is in `directory`, from these positions.
    pub(crate) fn new(directory: &Path, before: Vec<Position>, waiting_max: usize) -> Self {
        let (files, told, buffer) = (Vec::new(), BTreeSet::new(), vec![0; CHUNK]);
        Self { directory: directory.to_owned(), files, before, waiting_max, told, buffer }
    }

    /// Finds files that are new, renamed or deleted.
    ///
    /// # Errors
    /// Denied or Unavailable if the directory cannot be listed.
    pub(crate) fn look(&mut self) -> Result<()> {
        let mut found = self.list()?;
        for followed in &mut self.files {
            let place = found.iter().position(|found| found.identity == followed.identity);
            followed.is_deleted = place.is_none();
            if let Some(place) = place {
                followed.path = found.swap_remove(place).path;
            }
        }
        let before = |found: &Found| self.before.iter().position(|position| is_of(position, found.identity));
        let order = |found: &Found| (before(found).unwrap_or(usize::MAX), found.modified, found.path.clone());
        found.sort_by_cached_key(order);
        for found in found {
            self.adopt(found);
        }
        // What is not there any more was deleted while nobody looked.
        self.before.clear();
        self.let_go();
        Ok(())
    }

    /// Gives what is new to `take`, which says how much of it it took; what it did not take is given again. Stops after
    /// `most` bytes. At the last, no file grows any more.
    ///
    /// # Errors
    /// Those of `take`, and Unavailable if a file cannot be read. What was taken before stays taken.
    pub(crate) fn read(
        &mut self,
        phase: Phase,
        most: u64,
        take: &mut dyn FnMut(Chunk<'_>) -> Result<usize>,
    ) -> Result<Progress> {
        let mut left = most;
        for place in 0..self.files.len() {
            let later = self.files.get(place + 1..).unwrap_or_default();
            let stream = self.files.get(place).map(|file| file.stream.as_str());
            let is_followed = later.iter().any(|later| Some(later.stream.as_str()) == stream);
            let Some(file) = self.files.get_mut(place) else { break };
            let is_closed = phase == Phase::Last || is_followed || file.is_deleted;
            left = file.read(&mut self.buffer, is_closed, left, take)?;
            if left == 0 {
                return Ok(Progress::More);
            }
        }
        self.files.retain(|file| !file.is_deleted || file.unread() > 0);
        Ok(if left == most { Progress::Nothing } else { Progress::Some })
    }

    /// How far each file was read.
    ///
    /// # Errors
    /// Unavailable if a file cannot be read.
    pub(crate) fn positions(&mut self) -> Result<Vec<Position>> {
        let position = |file: &mut Followed| file.position().map_err(|error| unreadable(&file.path, error));
        self.files.iter_mut().map(position).collect()
    }

    fn list(&mut self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let is_root = folder.as_os_str().is_empty();
            let whole = self.directory.join(&folder);
            let entries = match fs::read_dir(&whole) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if is_root => {
                    return Err(Error::io(format!("cannot list the logs in `{}`", whole.display()), error));
                }
                Err(error) => {
                    self.tell(&whole, &error);
                    continue;
                }
            };
            for entry in entries.flatten() {
                let path = folder.join(entry.file_name());
                // That of a link itself: what a link leads to is no log of this pod.
                let Ok(metadata) = entry.metadata() else { continue };
                let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
                if metadata.is_dir() && is_root && !is_hidden {
                    folders.push(path);
                } else if metadata.is_file()
                    && let Some(stream) = stream_of(&path)
                {
                    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    found.push(Found { stream, path, identity: identity(&metadata), modified });
                }
            }
        }
        Ok(found)
    }

    /// Begins to follow a file.
    fn adopt(&mut self, found: Found) {
        let path = self.directory.join(&found.path);
        let opened = File::open(&path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        let (file, metadata) = match opened {
            // Another file has the name by now, and is seen next time.
            Ok((_, metadata)) if identity(&metadata) != found.identity => return,
            Ok(opened) => opened,
            Err(error) => return self.tell(&path, &error),
        };
        let known = self.before.iter().position(|position| is_of(position, found.identity));
        let known = known.map(|place| self.before.remove(place));
        let known = known.filter(|position| position.read <= metadata.len() && has_mark(&file, position.mark));
        let (read, mark) = known.map_or((0, Mark::default()), |position| (position.read, position.mark));
        let Found { stream, path, identity, .. } = found;
        self.files.push(Followed { stream, path, identity, file, read, mark, is_deleted: false });
    }

    /// Closes the oldest deleted files if there are too many: each takes room on the disk for as long as it is open.
    fn let_go(&mut self) {
        let mut count = self.files.iter().filter(|file| file.is_deleted && file.unread() > 0).count();
        let waiting_max = self.waiting_max;
        self.files.retain(|file| {
            let is_over = file.is_deleted && file.unread() > 0 && count > waiting_max;
            if is_over {
                count -= 1;
                let (file, bytes) = (file.path.display(), file.unread());
                tracing::warn!(file = %file, bytes, "a deleted log is given up: too many wait to be shipped");
            }
            !is_over
        });
    }

    /// Tells once what cannot be opened.
    fn tell(&mut self, path: &Path, error: &io::Error) {
        if self.told.insert(path.to_owned()) {
            tracing::warn!(file = %path.display(), error = %error, "a log cannot be read, and is not shipped");
        }
    }
}

impl Followed {
    /// Gives what is new; gives back how much more may be read.
    fn read(
        &mut self,
        buffer: &mut [u8],
        is_closed: bool,
        mut left: u64,
        take: &mut dyn FnMut(Chunk<'_>) -> Result<usize>,
    ) -> Result<u64> {
        while left > 0 {
            let failed = |error| unreadable(&self.path, error);
            let length = self.file.metadata().map_err(failed)?.len();
            let count = self.file.read_at(buffer, self.read).map_err(failed)?;
            if length < self.read {
                // Somebody cut the file off and writes it anew.
                (self.read, self.mark) = (0, Mark::default());
                continue;
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            let is_last = is_closed && self.read + bytes.len() as u64 >= length;
            let end = if is_last { End::Final } else { End::Open };
            let taken = take(Chunk { stream: &self.stream, bytes, end })? as u64;
            if taken == 0 {
                break;
            }
            self.read += taken;
            left = left.saturating_sub(taken);
        }
        Ok(left)
    }

    fn unread(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len().saturating_sub(self.read))
    }

    fn position(&mut self) -> io::Result<Position> {
        let length = self.read.min(MARK_MAX);
        if length > self.mark.length {
            self.mark = Mark { length, crc32: checksum(&self.file, length)? };
        }
        let (device, inode) = self.identity;
        Ok(Position { device, inode, read: self.read, mark: self.mark })
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn is_of(position: &Position, identity: (u64, u64)) -> bool {
    (position.device, position.inode) == identity
}

fn has_mark(file: &File, mark: Mark) -> bool {
    checksum(file, mark.length).is_ok_and(|crc32| crc32 == mark.crc32)
}

/// The checksum of the first bytes of a file.
fn checksum(file: &File, length: u64) -> io::Result<u32> {
    let mut bytes = vec![0; usize::try_from(length.min(MARK_MAX)).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(crc32fast::hash(&bytes))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot read the log `{}`", path.display()), error)
}

#[cfg(test)]
mod tests;
