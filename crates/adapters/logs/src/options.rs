//! What a caller chooses about the log of a process, and the bounds of it.
//!
//! # Source
//! Amazon EMR on EKS, `monitoringConfiguration.containerLogRotationConfiguration`: `rotationSize` from 2KB to 2GB,
//! `maxFilesToKeep` from 1 to 50.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use kobel_model::quantity::show_memory;
use kobel_model::{Error, Result};
use tracing::level_filters::LevelFilter;

/// The sizes at which a file may be rotated, in bytes.
const ROTATION_SIZES: RangeInclusive<u64> = 2 << 10..=2 << 30;
/// How many files may be kept, the one that is written among them.
pub const FILE_COUNTS: RangeInclusive<usize> = 1..=50;
/// The longest stem: file systems take names of 255 bytes, and an ending follows.
const STEM_BYTES_MAX: usize = 200;

/// Where the log of a process goes, what is in it and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// The directory of the files; made if it is not there.
    pub directory: PathBuf,
    /// What the names of the files begin with: `<stem>.log`, `<stem>.log.1`, `<stem>.out`; `<stem>.lock` keeps other
    /// processes away from them, which then write `<stem>-<process id>.log` and so on.
    pub file_stem: String,
    /// The bytes that a file may hold before it is rotated.
    pub rotation_size: u64,
    /// How many files are kept, the one that is written among them.
    pub max_files: usize,
    /// The least important level that is written.
    pub level: Level,
    /// How a line looks.
    pub format: Format,
}

/// How important an event is, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something may fail, or was set in vain.
    Warn,
    /// What an operator wants to know of a healthy job.
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// As Flink's log4j pattern writes it.
    Text,
    /// One JSON object.
    Json,
}

impl Level {
    /// The filter that lets this level and the more important ones pass.
    pub(crate) fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl LogOptions {
    /// Checks that every choice is within its bounds.
    ///
    /// # Errors
    /// Invalid if one is not; the message says what is allowed.
    pub fn check(&self) -> Result<()> {
        if !ROTATION_SIZES.contains(&self.rotation_size) {
            let (least, most) = (show_memory(*ROTATION_SIZES.start()), show_memory(*ROTATION_SIZES.end()));
            let found = show_memory(self.rotation_size);
            return Err(Error::invalid(format!(
                "cannot rotate log files at `{found}`: the rotation size must be between `{least}` and `{most}`"
            )));
        }
        if !FILE_COUNTS.contains(&self.max_files) {
            let (least, most, found) = (*FILE_COUNTS.start(), *FILE_COUNTS.end(), self.max_files);
            return Err(Error::invalid(format!(
                "cannot keep `{found}` log files: the number must be between `{least}` and `{most}`"
            )));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let stem = &self.file_stem;
        if stem.is_empty() || stem.len() > STEM_BYTES_MAX || stem.starts_with('.') || !stem.chars().all(is_plain) {
            return Err(Error::invalid(format!(
                "cannot name log files `{}`: the name must have 1 to {STEM_BYTES_MAX} letters, digits, `.`, `_` or `-` \
                 and not begin with `.`",
                stem.escape_debug()
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> LogOptions {
        LogOptions {
            directory: PathBuf::from("logs"),
            file_stem: "kobel-1.job_a".to_owned(),
            rotation_size: 2 << 30,
            max_files: 10,
            level: Level::Info,
            format: Format::Text,
        }
    }

    #[test]
    fn sizes_and_counts_have_the_bounds_of_emr() {
        for (rotation_size, max_files, words) in [
            (2 << 10, 1, None),
            (2 << 30, 50, None),
            ((2 << 10) - 1, 1, Some("between `2 kb` and `2 gb`")),
            ((2 << 30) + 1, 1, Some("between `2 kb` and `2 gb`")),
            (2 << 20, 0, Some("between `1` and `50`")),
            (2 << 20, 51, Some("between `1` and `50`")),
        ] {
            let checked = LogOptions { rotation_size, max_files, ..options() }.check();
            match words {
                None => assert!(checked.is_ok(), "{rotation_size} bytes, {max_files} files: {checked:?}"),
                Some(words) => {
                    let message = checked.unwrap_err().to_string();
                    assert!(message.contains(words), "{message}");
                }
            }
        }
    }

    #[test]
    fn a_stem_is_a_plain_name() {
        for stem in ["", ".hidden", "..", "a/b", "a\\b", "a b", "a\0", "a%2fb", "ä", "a".repeat(201).as_str()] {
            let checked = LogOptions { file_stem: stem.to_owned(), ..options() }.check();
            assert!(checked.is_err(), "`{stem}` was taken");
        }
    }
}
