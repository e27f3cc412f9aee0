//! Writes rolling files, each row exactly once.
//!
//! Rows go to one file in progress per subtask. A snapshot makes it durable and notes its length, or finishes it if the
//! rolling policy says so; the commit of that snapshot makes finished files visible. A file is created with the first
//! row, so that no rows make no file.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use kobel_dataflow::batch::{Batch, RowKind};
use kobel_dataflow::ports::{RestoredSink, Sink, SinkWriter, WriterContext};
use kobel_model::{Error, Result};
use kobel_sql::catalog::PhysicalColumn;

use super::commit::{OpenPart, OutputDirectory, Part, PendingPart, WriterState};
use super::{FilesystemOptions, RollingPolicy};
use crate::constraint::enforce_not_null;
use crate::formats::{Encoder, Format};

/// Encoded bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// A table of files to write.
pub(crate) struct FileSink {
    path: PathBuf,
    format: Format,
    rolling: RollingPolicy,
    physical: Vec<PhysicalColumn>,
}

impl FileSink {
    /// A sink for rows of all physical columns.
    pub fn new(options: FilesystemOptions, physical: Vec<PhysicalColumn>) -> Self {
        Self { path: options.path, format: options.format, rolling: options.rolling, physical }
    }

    fn directory(&self, lineage: &str) -> Result<OutputDirectory> {
        OutputDirectory::new(&self.path, lineage, self.format.extension())
    }
}

impl Sink for FileSink {
    fn open(&self, lineage: &str, restored: Option<&RestoredSink>) -> Result<()> {
        let directory = self.directory(lineage)?;
        directory.prepare()?;
        match restored {
            None => directory.begin_again(),
            Some(restored) => directory.restore(restored, &decoded(&restored.states)?, wall_clock_ms()),
        }
    }

    fn writer(&self, context: WriterContext, states: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let mut writer = FileWriter {
            directory: self.directory(&context.lineage)?,
            rolling: self.rolling,
            encoder: self.format.encoder(&self.physical),
            physical: self.physical.clone(),
            next: Part { subtask: context.subtask, tag: context.last_checkpoint_id, counter: 0 },
            now_ms: wall_clock_ms(),
            open: None,
            closed: Vec::new(),
            prepared: Vec::new(),
            text: String::new(),
            bytes: 0,
        };
        let open = decoded(&states)?.into_iter().filter_map(|state| state.open).collect();
        writer.take_over(open)?;
        Ok(Box::new(writer))
    }
}

fn decoded(states: &[Vec<u8>]) -> Result<Vec<WriterState>> {
    states.iter().map(|state| WriterState::decode(state)).collect()
}

/// Files are dated with the time of the last snapshot; before the first one the clock is asked.
fn wall_clock_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// A file in progress.
struct OpenFile {
    part: Part,
    file: File,
    length: u64,
    created_ms: i64,
    modified_ms: i64,
    is_changed: bool,
}

/// Writes the rows of a subtask.
struct FileWriter {
    directory: OutputDirectory,
    rolling: RollingPolicy,
    encoder: Box<dyn Encoder>,
    physical: Vec<PhysicalColumn>,
    /// The name of the next file.
    next: Part,
    now_ms: i64,
    open: Option<OpenFile>,
    /// Finished since the last snapshot.
    closed: Vec<PendingPart>,
    /// Finished before a snapshot that is not committed, with its id.
    prepared: Vec<(u64, PendingPart)>,
    /// Encoded rows that are not in the file yet.
    text: String,
    bytes: u64,
}

impl FileWriter {
    /// Goes on with its own file of the snapshot and finishes those of subtasks that are no more.
    fn take_over(&mut self, open: Vec<OpenPart>) -> Result<()> {
        let own = open.iter().position(|open| open.part.subtask == self.next.subtask).unwrap_or(0);
        for (index, open) in open.into_iter().enumerate() {
            if index != own {
                self.closed.push(PendingPart { part: open.part, length: open.length });
                continue;
            }
            self.open = Some(OpenFile {
                part: open.part,
                file: self.directory.reopen(open.part, open.length)?,
                length: open.length,
                created_ms: open.created_ms,
                modified_ms: open.modified_ms,
                is_changed: false,
            });
        }
        Ok(())
    }

    /// Moves encoded rows to the file, which is created if there is none.
    fn drain(&mut self) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let (part, file) = self.directory.create(self.next)?;
                self.next.counter = part.counter + 1;
                self.open.insert(OpenFile {
                    part,
                    file,
                    length: 0,
                    created_ms: self.now_ms,
                    modified_ms: self.now_ms,
                    is_changed: true,
                })
            }
        };
        open.file.write_all(self.text.as_bytes()).map_err(|error| Error::io("cannot write output rows", error))?;
        open.length += self.text.len() as u64;
        open.is_changed = true;
        self.text.clear();
        Ok(())
    }

    /// Finishes the file in progress.
    fn roll(&mut self) -> Result<()> {
        self.drain()?;
        if let Some(open) = self.open.take() {
            sync(&open.file)?;
            self.closed.push(PendingPart { part: open.part, length: open.length });
        }
        Ok(())
    }

    /// Whether the file in progress is finished by this snapshot.
    fn is_due(&mut self) -> bool {
        let (now_ms, rolling) = (self.now_ms, self.rolling);
        let has_passed = |since_ms: i64, limit: std::time::Duration| {
            u128::try_from(now_ms.saturating_sub(since_ms)).is_ok_and(|passed| passed >= limit.as_millis())
        };
        self.open.as_mut().is_some_and(|open| {
            if open.is_changed {
                open.modified_ms = now_ms;
                open.is_changed = false;
            }
            rolling.is_per_checkpoint
                || open.length >= rolling.size
                || has_passed(open.created_ms, rolling.age)
                || has_passed(open.modified_ms, rolling.inactivity)
        })
    }

    fn state(&self) -> WriterState {
        let open = self.open.as_ref().map(|open| OpenPart {
            part: open.part,
            length: open.length,
            created_ms: open.created_ms,
            modified_ms: open.modified_ms,
        });
        WriterState::new(open, self.prepared.iter().map(|(_, pending)| *pending).collect())
    }
}

fn sync(file: &File) -> Result<()> {
    file.sync_data().map_err(|error| Error::io("cannot sync output rows", error))
}

impl SinkWriter for FileWriter {
    fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| *kind != RowKind::Insert)) {
            return Err(Error::bug("a `filesystem` sink doesn't support consuming update changes"));
        }
        enforce_not_null(&self.physical, batch.records())?;
        let before = self.text.len();
        self.encoder.encode(batch.records(), &mut self.text)?;
        self.bytes += (self.text.len() - before) as u64;
        if self.text.len() >= BUFFER {
            self.drain()?;
        }
        let length = self.open.as_ref().map_or(0, |open| open.length) + self.text.len() as u64;
        if length >= self.rolling.size { self.roll() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.drain()
    }

    fn snapshot(&mut self, checkpoint_id: u64, now_ms: i64) -> Result<Vec<u8>> {
        self.drain()?;
        self.now_ms = now_ms;
        if self.is_due() {
            self.roll()?;
        } else if let Some(open) = &self.open {
            sync(&open.file)?;
        }
        self.prepared.extend(self.closed.drain(..).map(|pending| (checkpoint_id, pending)));
        // The names of new files must not be lost before their bytes.
        self.directory.sync()?;
        self.next = Part { tag: checkpoint_id, counter: 0, ..self.next };
        self.state().encode()
    }

    fn commit(&mut self, checkpoint_id: u64) -> Result<()> {
        let due: Vec<PendingPart> =
            self.prepared.iter().filter(|(id, _)| *id <= checkpoint_id).map(|(_, pending)| *pending).collect();
        if due.is_empty() {
            return Ok(());
        }
        for pending in due {
            self.directory.publish(pending)?;
        }
        self.directory.sync()?;
        self.prepared.retain(|(id, _)| *id > checkpoint_id);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.roll()
    }

    fn bytes_written(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
