//! Rows from JSON lines; only the fields that are asked for are kept.
//!
//! A line is scanned into one slot per column first and appended to the columns then, so that a later duplicate of a
//! key wins and a broken line leaves nothing behind.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::RecordBatch;
use foldhash::fast::RandomState;
use kobel_model::Result;
use kobel_sql::catalog::PhysicalColumn;
use kobel_sql::types::TypeKind;
use memchr::memchr;

use super::JsonOptions;
use super::scanner::{Broken, Scanner, Text, Value};
use crate::formats::columns::{ColumnBuilder, RowsBuilder};
use crate::formats::{Decoder, Fault, OnFault, Step, Tail, Taken};

/// Reads JSON lines.
pub(crate) struct JsonDecoder {
    options: JsonOptions,
    rows: RowsBuilder,
    slots: Vec<Slot>,
    /// The slot of a key. Several columns cannot have one name.
    keys: HashMap<String, usize, RandomState>,
    key: String,
    /// For values of fields that nobody asked for.
    unused: String,
}

/// What a line holds for a column.
struct Slot {
    name: String,
    is_text: bool,
    found: Found,
    buffer: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Missing,
    Null,
    Boolean(bool),
    /// Text in the line.
    Line(Range<usize>),
    /// A number with a fraction or an exponent.
    Fraction(Range<usize>),
    /// Text in the slot's buffer.
    Buffer,
    /// An object or array, for a column that is no text.
    Container,
}

impl JsonDecoder {
    /// A decoder of the columns `asked`.
    ///
    /// # Errors
    /// Bug if a column cannot be built.
    pub fn new(options: JsonOptions, physical: &[PhysicalColumn], asked: &[usize]) -> Result<Self> {
        let mut rows = RowsBuilder::new(physical, asked)?;
        let slots: Vec<Slot> = rows.columns_mut().iter().map(Slot::new).collect();
        let keys = slots.iter().enumerate().map(|(index, slot)| (slot.name.clone(), index)).collect();
        Ok(Self { options, rows, slots, keys, key: String::new(), unused: String::new() })
    }

    /// Reads a line into the slots.
    fn scan(&mut self, line: &str) -> std::result::Result<(), Broken> {
        for slot in &mut self.slots {
            slot.found = Found::Missing;
        }
        let mut scanner = Scanner::new(line);
        if !scanner.take(b'{') {
            return Err(no_object(&mut scanner));
        }
        if !scanner.take(b'}') {
            let mut expected = 0;
            loop {
                expected = self.field(&mut scanner, expected)?;
                if !scanner.take(b',') {
                    break;
                }
            }
            scanner.expect(b'}')?;
        }
        match scanner.peek() {
            None => Ok(()),
            Some(_) => Err(scanner.unexpected("the end of the line")),
        }
    }

    /// Reads a key and its value. Keys mostly come in the order of the columns: `expected` is tried first. Answers
    /// the slot to try next.
    fn field(&mut self, scanner: &mut Scanner<'_>, expected: usize) -> std::result::Result<usize, Broken> {
        let key = scanner.string(&mut self.key)?;
        let key = match &key {
            Text::Plain(range) => scanner.text(range),
            Text::Unescaped => self.key.as_str(),
        };
        let is_expected = self.slots.get(expected).is_some_and(|slot| slot.name == key);
        let index = if is_expected { Some(expected) } else { self.keys.get(key).copied() };
        scanner.expect(b':')?;
        match index.and_then(|index| self.slots.get_mut(index)) {
            Some(slot) => slot.fill(scanner)?,
            None => {
                if scanner.value(&mut self.unused)? == Value::Container {
                    scanner.container(None)?;
                }
            }
        }
        Ok(index.map_or(expected, |index| index + 1))
    }

    /// Appends what the slots hold.
    fn append(&mut self, line: &str) -> std::result::Result<(), Fault> {
        let scanner = Scanner::new(line);
        let style = self.options.style;
        for (column, slot) in self.rows.columns_mut().iter_mut().zip(&self.slots) {
            let appended = match &slot.found {
                Found::Missing | Found::Null => {
                    column.append_null()?;
                    continue;
                }
                Found::Boolean(value) => column.append_truth(if *value { "true" } else { "false" }),
                Found::Line(range) => column.append_text(scanner.text(range), style),
                Found::Fraction(range) => column.append_fraction(scanner.text(range), style),
                Found::Buffer => column.append_text(&slot.buffer, style),
                Found::Container => Err(column.refuse("{…}")),
            };
            match (appended, self.options.on_fault) {
                (Ok(()), _) => {}
                (Err(fault), OnFault::Fail) => return Err(fault),
                (Err(_), OnFault::Ignore) => column.append_null()?,
            }
        }
        self.rows.end_row();
        Ok(())
    }

    fn row(&mut self, line: &[u8]) -> std::result::Result<usize, Fault> {
        let scanned = match str::from_utf8(line) {
            Ok(line) => self.scan(line).map(|()| line),
            Err(error) => Err(format!("byte {} is no UTF-8", error.valid_up_to() + 1)),
        };
        let line = match (scanned, self.options.on_fault) {
            (Ok(line), _) => line,
            (Err(_), OnFault::Ignore) => return Ok(0),
            (Err(broken), OnFault::Fail) => return Err(Fault::of_record(broken)),
        };
        if self.options.must_be_complete
            && let Some(slot) = self.slots.iter().find(|slot| slot.found == Found::Missing)
        {
            return Err(Fault::of_column(&slot.name, "is missing, and `json.fail-on-missing-field` is set"));
        }
        self.append(line).map(|()| 1)
    }
}

/// The complaint about a line that does not start with an object.
fn no_object(scanner: &mut Scanner<'_>) -> Broken {
    match scanner.peek() {
        Some(b'[') => {
            "an array on a line is not supported by the native engine: expected one object per line".to_owned()
        }
        _ => scanner.unexpected("an object"),
    }
}

impl Slot {
    fn new(column: &ColumnBuilder) -> Self {
        let is_text = matches!(column.kind(), TypeKind::Char(_) | TypeKind::Varchar(_));
        Self { name: column.name().to_owned(), is_text, found: Found::Missing, buffer: String::new() }
    }

    fn fill(&mut self, scanner: &mut Scanner<'_>) -> std::result::Result<(), Broken> {
        self.found = match scanner.value(&mut self.buffer)? {
            Value::Null => Found::Null,
            Value::Boolean(value) => Found::Boolean(value),
            Value::Integer(range) | Value::Text(Text::Plain(range)) => Found::Line(range),
            Value::Fraction(range) => Found::Fraction(range),
            Value::Text(Text::Unescaped) => Found::Buffer,
            Value::Container if self.is_text => {
                self.buffer.clear();
                scanner.container(Some(&mut self.buffer))?;
                Found::Buffer
            }
            Value::Container => {
                scanner.container(None)?;
                Found::Container
            }
        };
        Ok(())
    }
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, bytes: &[u8], tail: Tail) -> std::result::Result<Step, Fault> {
        let (line, taken) = match memchr(b'\n', bytes) {
            Some(end) => (bytes.get(..end).unwrap_or_default(), end + 1),
            None if tail == Tail::More => return Ok(Step::Incomplete),
            None => (bytes, bytes.len()),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let rows = if line.is_empty() { 0 } else { self.row(line)? };
        Ok(Step::Taken(Taken { bytes: taken, lines: 1, rows }))
    }

    fn rows(&self) -> usize {
        self.rows.rows()
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        self.rows.finish()
    }
}
