//! The file that is written, and those that were: appended line by line, moved away when it is full.
//!
//! ```text
//! a.log ─▶ a.log.1 ─▶ a.log.2 ─▶ …          the oldest is replaced
//! ```
//! The oldest file moves first, so a crash leaves a gap in the numbers and never a file in two places; the next
//! rotation fills the gap. No rotation splits a line, and after a failed write the file ends with a whole line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::options::FILE_COUNTS;

/// Appends lines to a file of bounded size.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    rotation_size: u64,
    max_files: usize,
    /// None after a failure; the next line opens it again.
    file: Option<File>,
    /// The bytes of the file.
    size: u64,
    /// Whether a crash left a line without an end.
    is_torn: bool,
    /// Lines that could not be written since the last one that could.
    dropped: u64,
}

impl Writer {
    /// Opens the file at `path` (and makes it); what is in it stays.
    ///
    /// # Errors
    /// Whatever the file system says; `InvalidInput` if something other than a file is there.
    pub fn open(path: PathBuf, rotation_size: u64, max_files: usize) -> io::Result<Self> {
        let mut writer = Self { path, rotation_size, max_files, file: None, size: 0, is_torn: false, dropped: 0 };
        // Files that a former process was allowed to keep; one that stays does no harm.
        for number in writer.max_files..=*FILE_COUNTS.end() {
            let _ = fs::remove_file(numbered(&writer.path, number));
        }
        writer.file = Some(writer.reopen()?);
        Ok(writer)
    }

    /// Writes a line that ends with a line feed, or counts it as dropped.
    ///
    /// The first line after dropped ones is what `report` makes of their number.
    pub fn write(&mut self, line: &str, report: impl FnOnce(u64) -> String) {
        if self.dropped > 0 && self.append(&report(self.dropped)).is_ok() {
            self.dropped = 0;
        }
        if self.dropped > 0 || self.append(line).is_err() {
            self.dropped += 1;
        }
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        let length = line.len() as u64;
        if self.size > 0 && self.size.saturating_add(length) > self.rotation_size {
            // A file that cannot be moved away grows, which loses less than to write nothing.
            let _ = self.rotate();
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.reopen()?,
        };
        let end = if self.is_torn { "\n" } else { "" };
        if let Err(error) = file.write_all(end.as_bytes()).and_then(|()| file.write_all(line.as_bytes())) {
            // What was written of the line is taken back; if that fails too, the next opening finds it torn.
            let _ = file.set_len(self.size);
            return Err(error);
        }
        self.size += (end.len() + line.len()) as u64;
        self.is_torn = false;
        self.file = Some(file);
        Ok(())
    }

    /// Moves the file and its elders one number up.
    fn rotate(&mut self) -> io::Result<()> {
        let last = self.max_files.saturating_sub(1);
        let moved = if last == 0 {
            fs::remove_file(&self.path)
        } else {
            let is_free = |number: &usize| fs::symlink_metadata(numbered(&self.path, *number)).is_err();
            let free = (1..last).find(is_free).unwrap_or(last);
            for number in (1..free).rev() {
                fs::rename(numbered(&self.path, number), numbered(&self.path, number + 1))?;
            }
            fs::rename(&self.path, numbered(&self.path, 1))
        };
        // Somebody may have taken the file away.
        moved.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
        self.file = None;
        self.size = 0;
        self.is_torn = false;
        Ok(())
    }

    /// Opens the file and finds out how long it is and whether its last line is whole.
    fn reopen(&mut self) -> io::Result<File> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        // A link would let the log end up in the file of somebody else.
        if fs::symlink_metadata(&self.path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "something other than a file is there"));
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        let size = file.metadata()?.len();
        let mut end = [b'\n'];
        if size > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut end)?;
        }
        self.size = size;
        self.is_torn = end != [b'\n'];
        Ok(file)
    }
}

/// The path of a file that was moved away.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{number}"));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;
