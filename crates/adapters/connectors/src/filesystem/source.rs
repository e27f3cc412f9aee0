//! Reads files row by row from remembered positions.
//!
//! One split is one file as long as it was when it was listed. The position is behind the last row handed out, so a
//! reader that starts there goes on with the next row. Memory is bounded by the longest row that is allowed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use arrow_schema::SchemaRef;
use kobel_dataflow::ports::{Pending as InputLeft, Poll, Source, SourceReader, Split};
use kobel_model::{Error, Result};
use kobel_sql::catalog::PhysicalColumn;

use super::FilesystemOptions;
use super::listing::input_files;
use crate::formats::{Decoder, Fault, Step, Tail};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;
/// The longest row.
const ROW_MAX: usize = 64 * 1024 * 1024;
/// A batch of more input bytes is handed out although it could take more rows.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A table of files.
pub(crate) struct FileSource {
    options: FilesystemOptions,
    physical: Vec<PhysicalColumn>,
    asked: Vec<usize>,
    schema: SchemaRef,
}

impl FileSource {
    /// A source of the columns `asked`.
    ///
    /// # Errors
    /// Bug if a column does not exist.
    pub fn new(options: FilesystemOptions, physical: &[PhysicalColumn], asked: &[usize]) -> Result<Self> {
        let schema = crate::formats::schema(physical, asked)?;
        Ok(Self { options, physical: physical.to_vec(), asked: asked.to_vec(), schema })
    }
}

impl Source for FileSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn splits(&self, _parallelism: usize) -> Result<Vec<Split>> {
        let files = input_files(&self.options.path)?;
        let split = |file: super::listing::InputFile| Split {
            id: file.path,
            position: Position { offset: 0, line: 0, length: file.length }.encode(),
        };
        Ok(files.into_iter().map(split).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>> {
        let queue: VecDeque<_> = splits.into_iter().map(Pending::of).collect::<Result<_>>()?;
        let queued = queue.iter().map(Pending::bytes).sum();
        let decoder = self.options.format.decoder(&self.physical, &self.asked)?;
        Ok(Box::new(FileReader { queue, open: None, decoder, bytes: 0, queued }))
    }

    fn is_bounded(&self) -> bool {
        true
    }
}

/// Where reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    /// Bytes before the next row.
    offset: u64,
    /// Lines before the next row.
    line: u64,
    /// Bytes that are input.
    length: u64,
}

impl Position {
    const VERSION: u8 = 1;

    fn encode(self) -> Vec<u8> {
        let numbers = [self.offset, self.line, self.length];
        std::iter::once(Self::VERSION).chain(numbers.into_iter().flat_map(u64::to_le_bytes)).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, numbers) = bytes.split_first()?;
        let (numbers, rest) = numbers.as_chunks::<8>();
        match (*version, numbers, rest) {
            (Self::VERSION, [offset, line, length], []) => Some(Self {
                offset: u64::from_le_bytes(*offset),
                line: u64::from_le_bytes(*line),
                length: u64::from_le_bytes(*length),
            }),
            _ => None,
        }
    }
}

/// A split that is not open yet.
struct Pending {
    id: Arc<str>,
    position: Position,
}

impl Pending {
    fn of(split: Split) -> Result<Self> {
        let position = Position::decode(&split.position)
            .ok_or_else(|| Error::corrupt(format!("the snapshot holds no position in `{}`", split.id)))?;
        Ok(Self { id: split.id.into(), position })
    }

    fn split(&self) -> Split {
        Split { id: self.id.to_string(), position: self.position.encode() }
    }

    fn bytes(&self) -> u64 {
        self.position.length.saturating_sub(self.position.offset)
    }

    fn open(self) -> Result<OpenFile> {
        let failed = |error| Error::io(format!("cannot read input `{}`", self.id), error);
        let mut file = File::open(&*self.id).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length < self.position.length {
            return Err(shrunk(&self.id));
        }
        file.seek(SeekFrom::Start(self.position.offset)).map_err(failed)?;
        let unread = self.position.length.saturating_sub(self.position.offset);
        Ok(OpenFile { id: self.id, position: self.position, file, buffer: Vec::new(), start: 0, end: 0, unread })
    }
}

fn shrunk(id: &str) -> Error {
    Error::corrupt(format!("input `{id}` is shorter than when the job started"))
        .with_hint("files must not change while a job reads them")
}

/// A file being read.
struct OpenFile {
    id: Arc<str>,
    position: Position,
    file: File,
    /// Bytes read and not yet taken are at `start .. end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the input behind the buffer.
    unread: u64,
}

/// What taking a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Taken,
    FileEnd,
}

impl OpenFile {
    fn window(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes the next record.
    fn take(&mut self, decoder: &mut dyn Decoder) -> Result<Progress> {
        if self.position.offset == 0 && self.start == 0 {
            self.skip_byte_order_mark()?;
        }
        loop {
            let tail = if self.unread == 0 { Tail::End } else { Tail::More };
            if self.start == self.end {
                if tail == Tail::End {
                    return Ok(Progress::FileEnd);
                }
                self.fill()?;
                continue;
            }
            match decoder.decode(self.window(), tail).map_err(|fault| self.malformed(fault))? {
                Step::Taken(taken) => {
                    let bytes = taken.bytes.clamp(1, self.end - self.start);
                    self.start += bytes;
                    self.position.offset += bytes as u64;
                    self.position.line += taken.lines;
                    return Ok(Progress::Taken);
                }
                Step::Incomplete if tail == Tail::End => {
                    return Err(Error::bug("a decoder waits for more than the end of the file"));
                }
                Step::Incomplete => self.fill()?,
            }
        }
    }

    /// Reads on. A row that does not fit is read in steps that double, so that scanning it anew stays linear.
    fn fill(&mut self) -> Result<()> {
        let kept = self.end - self.start;
        if kept > ROW_MAX {
            return Err(self.malformed(Fault::of_record(format!("the row is longer than {} MiB", ROW_MAX >> 20))));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, kept);
        let unread = usize::try_from(self.unread).unwrap_or(usize::MAX);
        let wanted = unread.min(CHUNK.max(kept)).min(ROW_MAX + CHUNK - kept);
        self.buffer.resize(kept + wanted, 0);
        if kept + wanted <= CHUNK * 2 {
            // After a huge row its memory is given back.
            self.buffer.shrink_to(CHUNK * 2);
        }
        let free = self.buffer.get_mut(kept..).unwrap_or_default();
        let read = match self.file.read(free) {
            // The caller asks again.
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(Error::io(format!("cannot read input `{}`", self.id), error)),
            Ok(read) => read,
        };
        if read == 0 {
            return Err(shrunk(&self.id));
        }
        self.end += read;
        self.unread -= read as u64;
        Ok(())
    }

    /// The mark stands for nothing and may only be the first three bytes.
    fn skip_byte_order_mark(&mut self) -> Result<()> {
        while self.end < BYTE_ORDER_MARK.len() && self.unread > 0 {
            self.fill()?;
        }
        if self.window().starts_with(BYTE_ORDER_MARK) {
            self.start += BYTE_ORDER_MARK.len();
            self.position.offset += BYTE_ORDER_MARK.len() as u64;
        }
        Ok(())
    }

    /// The error for a row, with its place.
    fn malformed(&self, fault: Fault) -> Error {
        let place = format!("{}:{}", self.id, self.position.line + 1);
        let message = match fault.column {
            Some(column) => format!("cannot read `{place}`: column `{column}`: {}", fault.message),
            None => format!("cannot read `{place}`: {}", fault.message),
        };
        Error::invalid(message)
    }
}

/// Reads files one after the other.
struct FileReader {
    queue: VecDeque<Pending>,
    open: Option<OpenFile>,
    decoder: Box<dyn Decoder>,
    bytes: u64,
    /// Bytes of the files in the queue.
    queued: u64,
}

impl SourceReader for FileReader {
    fn poll(&mut self, max_rows: usize, _now_ms: i64) -> Result<Poll> {
        let file = match &mut self.open {
            Some(file) => file,
            None => match self.queue.pop_front() {
                None => return Ok(Poll::End),
                Some(pending) => {
                    self.queued = self.queued.saturating_sub(pending.bytes());
                    self.open.insert(pending.open()?)
                }
            },
        };
        let from = file.position.offset;
        let decoder = self.decoder.as_mut();
        let mut progress = Progress::Taken;
        while decoder.rows() < max_rows.max(1) && file.position.offset - from < BATCH_BYTES_MAX as u64 {
            progress = file.take(decoder)?;
            if progress == Progress::FileEnd {
                break;
            }
        }
        self.bytes += file.position.offset - from;
        let id = Arc::clone(&file.id);
        if decoder.rows() > 0 {
            return Ok(Poll::Rows { split: id, rows: decoder.finish()? });
        }
        if progress == Progress::FileEnd {
            self.open = None;
            return Ok(Poll::SplitEnd(id));
        }
        // So much was skipped that others should have their turn.
        Ok(Poll::Idle(Duration::ZERO))
    }

    fn snapshot(&self) -> Vec<Split> {
        let open = self.open.iter().map(|file| Split { id: file.id.to_string(), position: file.position.encode() });
        open.chain(self.queue.iter().map(Pending::split)).collect()
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }

    fn pending(&self) -> InputLeft {
        let open = self.open.iter().map(|file| file.position.length.saturating_sub(file.position.offset));
        InputLeft { rows: None, bytes: Some(self.queued + open.sum::<u64>()) }
    }
}

#[cfg(test)]
mod tests;
