//! The log files of one process: written by its layer, listed and opened for whoever asks over REST.
//!
//! Only plain files whose whole name is one that this process writes are ever opened, so no name leads out of the
//! directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use kobel_model::{Error, ErrorKind, Result};

use crate::fields::Fields;
use crate::line::{Event, render};
use crate::options::{FILE_COUNTS, LogOptions};
use crate::scrub::Scrubber;
use crate::stem::Stem;
use crate::writer::Writer;

/// A file that can be read by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The name, to be given to [`LogFiles::open_file`].
    pub name: String,
    /// The bytes of the file.
    pub size: u64,
    /// When it was written last, in milliseconds since 1970.
    pub modified_ms: i64,
}

/// The log of one process on disk.
#[derive(Debug)]
pub struct LogFiles {
    options: LogOptions,
    stem: Stem,
    writer: Mutex<Writer>,
}

impl LogFiles {
    /// Opens the log and makes its directory; lines of an earlier process stay.
    ///
    /// If another process writes files of this stem, the names of this one begin with `<stem>-<process id>`.
    ///
    /// # Errors
    /// Invalid if the options are out of bounds, else Denied, Missing or Unavailable if the file cannot be written.
    pub fn open(options: LogOptions) -> Result<Self> {
        options.check()?;
        let wanted = options.directory.join(main_name(&options.file_stem));
        let stem = Stem::take(&options.directory, &options.file_stem).map_err(|error| unwritable(&wanted, error))?;
        let path = options.directory.join(main_name(&stem.text));
        let writer = Writer::open(path.clone(), options.rotation_size, options.max_files)
            .map_err(|error| unwritable(&path, error))?;
        Ok(Self { options, stem, writer: Mutex::new(writer) })
    }

    /// What was chosen about the log.
    pub fn options(&self) -> &LogOptions {
        &self.options
    }

    /// The name of the file that is written.
    pub fn main_name(&self) -> String {
        main_name(&self.stem.text)
    }

    /// The name of the file to which the standard output of the process may have been sent.
    pub fn stdout_name(&self) -> String {
        format!("{}.out", self.stem.text)
    }

    /// The files of this process: the one that is written, then its elders, then the standard output.
    ///
    /// # Errors
    /// Denied, Missing or Unavailable if the directory cannot be read.
    pub fn list(&self) -> Result<Vec<LogFile>> {
        let directory = &self.options.directory;
        let failed = |error| Error::io(format!("cannot list log directory `{}`", directory.display()), error);
        let mut found = Vec::new();
        let _held = self.lock();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Some(rank) = self.rank(&name) else {
                continue;
            };
            let metadata = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => metadata,
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let modified_ms = since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default();
            found.push((rank, LogFile { name, size: metadata.len(), modified_ms }));
        }
        found.sort_by_key(|(rank, _)| *rank);
        Ok(found.into_iter().map(|(_, file)| file).collect())
    }

    /// Opens a file for reading by a name that [`LogFiles::list`] gives.
    ///
    /// # Errors
    /// Missing for every other name, Denied or Unavailable if the file cannot be opened.
    pub fn open_file(&self, name: &str) -> Result<File> {
        let missing = || Error::new(ErrorKind::Missing, format!("there is no log file `{}`", name.escape_debug()));
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => Error::io(format!("cannot read log file `{name}`"), error),
        };
        if self.rank(name).is_none() {
            return Err(missing());
        }
        let path = self.options.directory.join(name);
        // No rotation moves the file between the two looks at it.
        let _held = self.lock();
        let seen = fs::symlink_metadata(&path).map_err(failed)?;
        if !seen.is_file() {
            return Err(missing());
        }
        let file = File::open(&path).map_err(failed)?;
        let opened = file.metadata().map_err(failed)?;
        // A link that took the place of the file after it was seen leads to another one.
        if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) {
            return Err(missing());
        }
        Ok(file)
    }

    /// Writes one line; a line that cannot be written is counted, and the count is written later.
    pub(crate) fn write(&self, line: &str) {
        self.lock().write(line, |dropped| self.report(dropped));
    }

    /// The line that tells of dropped ones.
    fn report(&self, dropped: u64) -> String {
        let message = format!("{dropped} log lines were lost because they could not be written");
        let event = Event {
            time: Timestamp::try_from(SystemTime::now()).unwrap_or_default(),
            level: "WARN",
            logger: module_path!(),
            thread: "",
            spans: &[],
            fields: &Fields { message, values: Vec::new() },
        };
        render(&event, self.options.format, &Scrubber::new())
    }

    /// The place of a name in the list, if it is one of this process.
    fn rank(&self, name: &str) -> Option<usize> {
        let ending = name.strip_prefix(&self.stem.text)?;
        match ending {
            ".log" => Some(0),
            ".out" => Some(usize::MAX),
            _ => {
                let digits = ending.strip_prefix(".log.")?;
                let number: usize = digits.parse().ok()?;
                // A number has one spelling: without zeros and signs before it.
                (FILE_COUNTS.contains(&number) && number.to_string() == digits).then_some(number)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot write log file `{}`", path.display()), error)
}

fn main_name(stem: &str) -> String {
    format!("{stem}.log")
}

#[cfg(test)]
mod tests;
