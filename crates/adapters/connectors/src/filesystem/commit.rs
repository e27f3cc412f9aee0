//! Names of output files, and the steps that make them visible or take them back.
//!
//! A file is `.part-<lineage>-<subtask>-<tag>-<n>.<ext>.inprogress` until a checkpoint that holds all of it is
//! complete; then it loses the dot and the ending. The tag is the id of the last checkpoint before the file was
//! created, so after a restore from checkpoint K everything with a tag of K or more was written by rows that will be
//! read again. Every step may be repeated: a process can die between any two of them.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use kobel_dataflow::ports::RestoredSink;
use kobel_model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which file of its lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The subtask that created it.
    pub subtask: usize,
    /// The checkpoint before it was created.
    pub tag: u64,
    /// Counts the files of a subtask and tag.
    pub counter: u64,
}

/// A file that is finished but not visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingPart {
    pub part: Part,
    pub length: u64,
}

/// A file that goes on being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenPart {
    pub part: Part,
    /// Bytes that belong to the checkpoint.
    pub length: u64,
    pub created_ms: i64,
    pub modified_ms: i64,
}

/// What a checkpoint holds of a writer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WriterState {
    version: u32,
    pub open: Option<OpenPart>,
    pub pending: Vec<PendingPart>,
}

impl WriterState {
    const VERSION: u32 = 1;

    /// A state of the version that this program writes.
    pub fn new(open: Option<OpenPart>, pending: Vec<PendingPart>) -> Self {
        Self { version: Self::VERSION, open, pending }
    }

    /// Bytes for a checkpoint.
    ///
    /// # Errors
    /// Bug, never in fact.
    pub fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::bug("cannot encode the state of a sink").with_source(error))
    }

    /// The state in a checkpoint.
    ///
    /// # Errors
    /// Corrupt if the bytes are no state.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let state: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::corrupt("the snapshot holds no state of a `filesystem` sink").with_source(error))?;
        match state.version {
            Self::VERSION => Ok(state),
            version => Err(Error::corrupt(format!("the state of a `filesystem` sink has unknown version {version}"))),
        }
    }
}

/// Whether a file is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    InProgress,
    Finished,
}

/// The directory of a table, seen by one lineage.
#[derive(Debug, Clone)]
pub(crate) struct OutputDirectory {
    path: PathBuf,
    lineage: String,
    extension: &'static str,
}

impl OutputDirectory {
    /// The view of a lineage.
    ///
    /// # Errors
    /// Bug if the lineage cannot be part of a file name.
    pub fn new(path: &Path, lineage: &str, extension: &'static str) -> Result<Self> {
        let is_name = !lineage.is_empty() && lineage.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_name {
            return Err(Error::bug(format!("`{lineage}` cannot be part of a file name")));
        }
        Ok(Self { path: path.to_owned(), lineage: lineage.to_owned(), extension })
    }

    /// Creates the directory and proves that it can be written.
    ///
    /// # Errors
    /// Denied or Missing with the path.
    pub fn prepare(&self) -> Result<()> {
        let failed = |error| {
            Error::io(format!("cannot write to output directory `{}`", self.path.display()), error)
                .with_hint("the option `path` must name a directory that this user may write")
        };
        if self.path.exists() && !self.path.is_dir() {
            let message = format!("output path `{}` is no directory", self.path.display());
            return Err(Error::invalid(message).with_hint("the option `path` must name a directory"));
        }
        fs::create_dir_all(&self.path).map_err(failed)?;
        let probe = self.path.join(format!(".part-{}.probe", self.lineage));
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(failed)
    }

    /// Creates the next file of a subtask and tag that does not exist, from `part` upwards.
    ///
    /// # Errors
    /// Denied or Unavailable if it cannot be created.
    pub fn create(&self, part: Part) -> Result<(Part, File)> {
        let mut part = part;
        while self.path_of(part, Stage::InProgress).exists() || self.path_of(part, Stage::Finished).exists() {
            part.counter += 1;
        }
        let path = self.path_of(part, Stage::InProgress);
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = created.map_err(|error| Error::io(format!("cannot create output `{}`", path.display()), error))?;
        Ok((part, file))
    }

    /// Opens a file in progress behind its first `length` bytes, which are all that is kept.
    ///
    /// # Errors
    /// Corrupt if it is shorter.
    pub fn reopen(&self, part: Part, length: u64) -> Result<File> {
        let path = self.path_of(part, Stage::InProgress);
        let failed = |error| Error::io(format!("cannot go on writing output `{}`", path.display()), error);
        let file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() < length {
            return Err(lost(&path));
        }
        file.set_len(length).map_err(failed)?;
        Ok(file)
    }

    /// Makes a file visible; nothing is done if it is already.
    ///
    /// # Errors
    /// Corrupt if the file is not there with its length.
    pub fn publish(&self, pending: PendingPart) -> Result<()> {
        let hidden = self.path_of(pending.part, Stage::InProgress);
        let visible = self.path_of(pending.part, Stage::Finished);
        match length_of(&hidden)? {
            Some(length) if length < pending.length => Err(lost(&hidden)),
            Some(length) => {
                if length > pending.length {
                    truncate(&hidden, pending.length)?;
                }
                rename(&hidden, &visible)
            }
            None if length_of(&visible)? == Some(pending.length) => Ok(()),
            None => Err(lost(&visible)),
        }
    }

    /// Puts the directory into the state of a checkpoint: what it prepared is made visible, what it goes on writing is
    /// hidden and cut to its length, what came later is removed. Files of other lineages are not touched.
    ///
    /// # Errors
    /// Corrupt if output of the checkpoint is lost, or was taken back when an older one was restored.
    pub fn restore(&self, restored: &RestoredSink, states: &[WriterState], now_ms: i64) -> Result<()> {
        self.check_not_rewound(restored)?;
        let checkpoint_id = restored.checkpoint_id;
        for pending in states.iter().flat_map(|state| &state.pending) {
            self.publish(*pending)?;
        }
        for open in states.iter().filter_map(|state| state.open) {
            self.take_back(open)?;
        }
        let open: HashSet<Part> = states.iter().filter_map(|state| state.open).map(|open| open.part).collect();
        let parts = self.list()?;
        if parts.iter().any(|(part, stage)| *stage == Stage::Finished && part.tag >= checkpoint_id) {
            self.note_rewind(checkpoint_id, now_ms)?;
        }
        for (part, stage) in parts {
            let is_kept = match stage {
                Stage::InProgress => open.contains(&part),
                Stage::Finished => part.tag < checkpoint_id,
            };
            if !is_kept {
                remove(&self.path_of(part, stage))?;
            }
        }
        self.sync()
    }

    /// Refuses a snapshot whose visible output was removed when an older one was restored after it: what it relies on is
    /// no longer there.
    fn check_not_rewound(&self, restored: &RestoredSink) -> Result<()> {
        let path = self.rewinds();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io(format!("cannot read `{}`", path.display()), error)),
        };
        let rewind = |line: &str| -> Option<(u64, i64)> {
            let (id, at) = line.split_once(' ')?;
            Some((id.parse().ok()?, at.parse().ok()?))
        };
        match text
            .lines()
            .filter_map(rewind)
            .find(|(id, at)| *id < restored.checkpoint_id && restored.triggered_ms < *at)
        {
            None => Ok(()),
            Some((id, _)) => {
                let (snapshot, directory) = (restored.checkpoint_id, self.path.display());
                let message = format!(
                    "output of snapshot {snapshot} in `{directory}` was taken back when the job was resumed from snapshot {id}"
                );
                Err(Error::corrupt(message)
                    .with_hint(format!("resume from snapshot {id} or one that was taken after that")))
            }
        }
    }

    /// Notes, before visible output is removed, which checkpoint it is removed for and when.
    fn note_rewind(&self, checkpoint_id: u64, now_ms: i64) -> Result<()> {
        let path = self.rewinds();
        let noted = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
            writeln!(file, "{checkpoint_id} {now_ms}")?;
            file.sync_all()
        });
        noted.map_err(|error| Error::io(format!("cannot write `{}`", path.display()), error))?;
        self.sync()
    }

    /// The file that says which checkpoints output was taken back for.
    fn rewinds(&self) -> PathBuf {
        self.path.join(format!(".part-{}.rewinds", self.lineage))
    }

    /// Removes all files of this lineage: it begins again, so a run of it that died wrote what no checkpoint knows.
    ///
    /// # Errors
    /// Denied or Unavailable if they cannot be removed.
    pub fn begin_again(&self) -> Result<()> {
        self.list()?.into_iter().try_for_each(|(part, stage)| remove(&self.path_of(part, stage)))
    }

    /// Makes created, renamed and removed names durable.
    ///
    /// # Errors
    /// Unavailable if the file system fails.
    pub fn sync(&self) -> Result<()> {
        let synced = File::open(&self.path).and_then(|directory| directory.sync_all());
        synced.map_err(|error| Error::io(format!("cannot sync output directory `{}`", self.path.display()), error))
    }

    /// Hides a file that the dead run may have finished, and cuts it to what the checkpoint holds.
    fn take_back(&self, open: OpenPart) -> Result<()> {
        let hidden = self.path_of(open.part, Stage::InProgress);
        let visible = self.path_of(open.part, Stage::Finished);
        if length_of(&hidden)?.is_none() && length_of(&visible)?.is_some() {
            rename(&visible, &hidden)?;
        }
        match length_of(&hidden)? {
            Some(length) if length > open.length => truncate(&hidden, open.length),
            Some(length) if length == open.length => Ok(()),
            _ => Err(lost(&hidden)),
        }
    }

    /// The files of this lineage.
    fn list(&self) -> Result<Vec<(Part, Stage)>> {
        let failed = |error| Error::io(format!("cannot list output directory `{}`", self.path.display()), error);
        let mut parts = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            parts.extend(name.to_str().and_then(|name| self.parse(name)));
        }
        Ok(parts)
    }

    fn name_of(&self, part: Part, stage: Stage) -> String {
        let Part { subtask, tag, counter } = part;
        let name = format!("part-{}-{subtask}-{tag}-{counter}.{}", self.lineage, self.extension);
        match stage {
            Stage::Finished => name,
            Stage::InProgress => format!(".{name}.inprogress"),
        }
    }

    fn path_of(&self, part: Part, stage: Stage) -> PathBuf {
        self.path.join(self.name_of(part, stage))
    }

    /// Reads what `name_of` wrote; of a lineage that begins like this one it reads nothing.
    fn parse(&self, name: &str) -> Option<(Part, Stage)> {
        let (stage, rest) = match name.strip_prefix('.') {
            Some(rest) => (Stage::InProgress, rest.strip_suffix(".inprogress")?),
            None => (Stage::Finished, name),
        };
        let rest = rest.strip_prefix("part-")?.strip_prefix(&self.lineage)?.strip_prefix('-')?;
        let (numbers, extension) = rest.rsplit_once('.')?;
        let mut numbers = numbers.split('-');
        let part = Part {
            subtask: numbers.next()?.parse().ok()?,
            tag: numbers.next()?.parse().ok()?,
            counter: numbers.next()?.parse().ok()?,
        };
        let is_ours = numbers.next().is_none() && extension == self.extension && self.name_of(part, stage) == name;
        is_ours.then_some((part, stage))
    }
}

fn lost(path: &Path) -> Error {
    Error::corrupt(format!("output `{}` of the snapshot is lost or cut", path.display()))
        .with_hint("output files must not be changed while their application can still be resumed")
}

fn length_of(path: &Path) -> Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("cannot look at output `{}`", path.display()), error)),
    }
}

fn truncate(path: &Path, length: u64) -> Result<()> {
    let cut = OpenOptions::new().write(true).open(path).and_then(|file| {
        file.set_len(length)?;
        file.sync_all()
    });
    cut.map_err(|error| Error::io(format!("cannot cut output `{}`", path.display()), error))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    let message = || format!("cannot rename output `{}` to `{}`", from.display(), to.display());
    fs::rename(from, to).map_err(|error| Error::io(message(), error))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove output `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}
