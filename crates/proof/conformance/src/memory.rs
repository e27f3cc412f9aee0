//! Tables in memory: sources with several splits that yield a prefix and then fall idle, and a sink that keeps rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use kobel_dataflow::Batch;
use kobel_dataflow::ports::{Poll, RestoredSink, Sink, SinkWriter, Source, SourceReader, Split, WriterContext};
use kobel_model::{Error, Result};
use kobel_sql::catalog::{Connectors, OptionProblem, TableSpec, Usage};

/// The rows of a table by split; all physical columns, in order.
pub type Splits = Vec<RecordBatch>;

/// Connectors whose tables live in memory.
#[derive(Default)]
pub struct MemoryConnectors {
    tables: BTreeMap<String, Splits>,
}

impl MemoryConnectors {
    /// Connectors that read these tables.
    pub fn new(tables: BTreeMap<String, Splits>) -> Self {
        Self { tables }
    }
}

impl Connectors for MemoryConnectors {
    fn check(&self, _table: &TableSpec, _usage: Usage) -> Result<(), OptionProblem> {
        Ok(())
    }

    fn source(&self, table: &TableSpec, columns: &[usize]) -> Result<Arc<dyn Source>> {
        let splits =
            self.tables.get(&table.name).ok_or_else(|| Error::invalid(format!("no table `{}`", table.name)))?;
        let project = |split: &RecordBatch| split.project(columns).map_err(kobel_dataflow::batch::arrow_bug);
        let fields: Vec<_> =
            columns.iter().map(|column| table.physical[*column].ty.field(&table.physical[*column].name)).collect();
        Ok(Arc::new(MemorySource {
            schema: Arc::new(arrow_schema::Schema::new(fields)),
            splits: splits.iter().map(project).collect::<Result<_>>()?,
        }))
    }

    fn sink(&self, _table: &TableSpec) -> Result<Arc<dyn Sink>> {
        Err(Error::invalid("memory tables are only read"))
    }
}

struct MemorySource {
    schema: SchemaRef,
    splits: Splits,
}

impl Source for MemorySource {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn splits(&self, _parallelism: usize) -> Result<Vec<Split>> {
        Ok((0..self.splits.len()).map(|index| Split { id: index.to_string(), position: Vec::new() }).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>> {
        let find = |split: &Split| {
            Some((split.id.as_str().into(), self.splits.get(split.id.parse::<usize>().ok()?)?.clone(), 0))
        };
        Ok(Box::new(MemoryReader { splits: splits.iter().filter_map(find).collect(), next: 0 }))
    }

    fn is_bounded(&self) -> bool {
        false
    }

    fn interleaves_splits(&self) -> bool {
        true
    }
}

/// Reads its splits in turn; idle for ever behind their last rows.
struct MemoryReader {
    splits: Vec<(Arc<str>, RecordBatch, usize)>,
    next: usize,
}

impl SourceReader for MemoryReader {
    fn poll(&mut self, max_rows: usize, _now_ms: i64) -> Result<Poll> {
        if self.splits.is_empty() {
            return Ok(Poll::End);
        }
        for _ in 0..self.splits.len() {
            self.next = (self.next + 1) % self.splits.len();
            let (id, rows, at) = &mut self.splits[self.next];
            let count = max_rows.min(rows.num_rows() - *at);
            if count > 0 {
                let rows = rows.slice(*at, count);
                *at += count;
                return Ok(Poll::Rows { split: Arc::clone(id), rows });
            }
        }
        Ok(Poll::Idle(Duration::from_secs(1)))
    }

    fn snapshot(&self) -> Vec<Split> {
        Vec::new()
    }
}

/// Keeps every batch that it is given.
#[derive(Clone, Default)]
pub struct MemorySink {
    batches: Arc<Mutex<Vec<Batch>>>,
}

impl MemorySink {
    /// What has been written, in order.
    pub fn batches(&self) -> Vec<Batch> {
        self.batches.lock().map(|batches| batches.clone()).unwrap_or_default()
    }
}

impl Sink for MemorySink {
    fn open(&self, _lineage: &str, _restored: Option<&RestoredSink>) -> Result<()> {
        Ok(())
    }

    fn writer(&self, _context: WriterContext, _states: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter for MemorySink {
    fn write(&mut self, batch: &Batch) -> Result<()> {
        self.batches.lock().map_err(|_| Error::bug("a writer panicked"))?.push(batch.clone());
        Ok(())
    }
}
