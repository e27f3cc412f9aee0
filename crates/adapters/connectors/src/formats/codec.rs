//! What every format is to its caller: a decoder and an encoder, and how they say what went wrong.

use arrow_array::RecordBatch;
use kobel_model::Result;

/// What comes after the bytes that a decoder is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// More bytes of the file.
    More,
    /// The end of the file.
    End,
}

/// What a decoder made of the first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The record is longer than the bytes; never said before the end of the file.
    Incomplete,
    /// The record, or something that is skipped, was taken.
    Taken(Taken),
}

/// How much a decoder took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes, including the line end; at least one.
    pub bytes: usize,
    /// Lines begun behind the record.
    pub lines: u64,
    /// Rows appended: none if the record is skipped.
    pub rows: usize,
}

/// What is done about fields and rows that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFault {
    /// The job fails.
    Fail,
    /// The field is NULL, the row is skipped.
    Ignore,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The column, if one is to blame.
    pub column: Option<String>,
    /// Lower-case fragment.
    pub message: String,
}

impl Fault {
    /// A fault of the whole record.
    pub fn of_record(message: impl Into<String>) -> Self {
        Self { column: None, message: message.into() }
    }

    /// A fault of a column.
    pub fn of_column(column: &str, message: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), message: message.into() }
    }
}

/// A value for a message: at most 64 characters, on one line.
pub(crate) fn shown(value: &str) -> String {
    const CHARACTERS: usize = 64;
    let mut text: String = value.chars().take(CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if value.chars().nth(CHARACTERS).is_some() {
        text.push('…');
    }
    text
}

/// Reads records into columns.
pub(crate) trait Decoder: Send {
    /// Takes the first record of `bytes`, which are not empty.
    ///
    /// # Errors
    /// What is wrong with the record. The decoder must not be used afterwards.
    fn decode(&mut self, bytes: &[u8], tail: Tail) -> std::result::Result<Step, Fault>;

    /// Rows taken since the last [`Decoder::finish`].
    fn rows(&self) -> usize;

    /// The rows taken.
    ///
    /// # Errors
    /// Bug if the columns do not fit the schema.
    fn finish(&mut self) -> Result<RecordBatch>;
}

/// Writes rows as records.
pub(crate) trait Encoder: Send {
    /// Appends all rows.
    ///
    /// # Errors
    /// Bug if a column has a type that the format cannot carry.
    fn encode(&mut self, records: &RecordBatch, out: &mut String) -> Result<()>;
}
