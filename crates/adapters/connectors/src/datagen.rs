//! The source that makes rows up, as Flink's `datagen`.
//!
//! Every value is a function of a seed, its column and the number of its row, so a reader can go on at any row and
//! yields the same rows again; only timestamps also depend on the clock. Splits take turns with the rows of the table:
//! split `s` of `n` makes the rows `s`, `s + n`, `s + 2n` …

mod generator;
mod settings;
mod throttle;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use kobel_dataflow::batch::arrow_bug;
use kobel_dataflow::ports::{Pending, Poll, Source, SourceReader, Split};
use kobel_model::{Error, Result};
use kobel_sql::catalog::TableSpec;

use self::generator::{Column, Rows};
use self::settings::Settings;
use self::throttle::Throttle;
use crate::options::{Checked, invalid};

/// A batch with long strings ends after so many bytes.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Checks the options of a table.
pub(crate) fn check(table: &TableSpec) -> Checked<()> {
    Settings::read(table).map(drop)
}

/// Makes the source of the columns `asked`.
pub(crate) fn source(table: &TableSpec, asked: &[usize]) -> Result<Arc<dyn Source>> {
    let settings = Settings::read(table).map_err(|problem| invalid(table, problem))?;
    let columns: Option<Vec<Column>> = asked.iter().map(|index| settings.columns.get(*index).cloned()).collect();
    let columns = columns.ok_or_else(|| Error::bug("a scan asks for a column that its table does not have"))?;
    Ok(Arc::new(Datagen {
        schema: crate::formats::schema(&table.physical, asked)?,
        columns: columns.into(),
        total: settings.total,
        rows_per_second: settings.rows_per_second,
    }))
}

struct Datagen {
    schema: SchemaRef,
    columns: Arc<[Column]>,
    total: Option<u64>,
    rows_per_second: u64,
}

impl Source for Datagen {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn splits(&self, parallelism: usize) -> Result<Vec<Split>> {
        let seed = rand::random();
        let step = parallelism.max(1) as u64;
        let split =
            |offset: u64| Split { id: offset.to_string(), position: Position { seed, offset, step, next: 0 }.encode() };
        Ok((0..step).map(split).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>> {
        let splits: Vec<Running> = splits.into_iter().map(Running::of).collect::<Result<_>>()?;
        let shares: f64 = splits.iter().map(|split| 1.0 / split.position.step as f64).sum();
        Ok(Box::new(DatagenReader {
            schema: Arc::clone(&self.schema),
            columns: Arc::clone(&self.columns),
            total: self.total,
            throttle: Throttle::new(self.rows_per_second, shares),
            rows_max: rows_max(&self.columns),
            splits,
            turn: 0,
        }))
    }

    fn is_bounded(&self) -> bool {
        self.total.is_some()
    }
}

/// Rows that fit into a batch.
fn rows_max(columns: &[Column]) -> usize {
    let row: usize = columns.iter().map(Column::bytes_per_row).sum();
    (BATCH_BYTES_MAX / row.max(1)).max(1)
}

/// Where a split goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    seed: u64,
    /// The first row of the split.
    offset: u64,
    /// The distance between its rows.
    step: u64,
    /// Rows made.
    next: u64,
}

impl Position {
    const VERSION: u8 = 1;

    fn encode(self) -> Vec<u8> {
        let numbers = [self.seed, self.offset, self.step, self.next];
        std::iter::once(Self::VERSION).chain(numbers.into_iter().flat_map(u64::to_le_bytes)).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, numbers) = bytes.split_first()?;
        let (numbers, rest) = numbers.as_chunks::<8>();
        match (*version, numbers, rest) {
            (Self::VERSION, [seed, offset, step, next], []) => {
                let position = Self {
                    seed: u64::from_le_bytes(*seed),
                    offset: u64::from_le_bytes(*offset),
                    step: u64::from_le_bytes(*step),
                    next: u64::from_le_bytes(*next),
                };
                (position.step > 0).then_some(position)
            }
            _ => None,
        }
    }

    /// Rows to come, of `total` rows of the table.
    fn remaining(self, total: Option<u64>) -> u64 {
        let Some(total) = total else { return u64::MAX };
        total.saturating_sub(self.offset).div_ceil(self.step).saturating_sub(self.next)
    }

    fn rows(self, count: usize) -> Rows {
        Rows { first: self.offset.wrapping_add(self.next.wrapping_mul(self.step)), step: self.step, count }
    }
}

/// A split being read.
struct Running {
    id: Arc<str>,
    position: Position,
}

impl Running {
    fn of(split: Split) -> Result<Self> {
        let position = Position::decode(&split.position).ok_or_else(|| {
            Error::corrupt(format!("the snapshot holds no position of `datagen` split `{}`", split.id))
        })?;
        Ok(Self { id: split.id.into(), position })
    }
}

struct DatagenReader {
    schema: SchemaRef,
    columns: Arc<[Column]>,
    total: Option<u64>,
    throttle: Throttle,
    rows_max: usize,
    splits: Vec<Running>,
    /// Whose turn it is.
    turn: usize,
}

impl SourceReader for DatagenReader {
    fn poll(&mut self, max_rows: usize, now_ms: i64) -> Result<Poll> {
        if self.turn >= self.splits.len() {
            self.turn = 0;
        }
        let Some(split) = self.splits.get_mut(self.turn) else { return Ok(Poll::End) };
        let remaining = split.position.remaining(self.total);
        if remaining == 0 {
            let ended = self.splits.remove(self.turn);
            return Ok(Poll::SplitEnd(ended.id));
        }
        let allowed = self.throttle.allowed(now_ms);
        if allowed == 0 {
            return Ok(Poll::Idle(self.throttle.wait()));
        }
        let count =
            usize::try_from(remaining.min(allowed)).unwrap_or(usize::MAX).min(max_rows.max(1)).min(self.rows_max);
        let rows = split.position.rows(count);
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter()
            .map(|column| column.generate(split.position.seed, rows, now_ms))
            .collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(arrow_bug)?;
        split.position.next += count as u64;
        self.throttle.take(count);
        self.turn += 1;
        Ok(Poll::Rows { split: Arc::clone(&split.id), rows: batch })
    }

    fn snapshot(&self) -> Vec<Split> {
        let split = |running: &Running| Split { id: running.id.to_string(), position: running.position.encode() };
        self.splits.iter().map(split).collect()
    }

    fn pending(&self) -> Pending {
        let left = || self.splits.iter().map(|split| split.position.remaining(self.total)).sum();
        Pending { rows: self.total.map(|_| left()), bytes: None }
    }
}

#[cfg(test)]
mod tests;
