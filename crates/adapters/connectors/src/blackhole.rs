//! The sink that takes every row and keeps none, as Flink's `blackhole`.

use std::sync::Arc;

use kobel_dataflow::batch::Batch;
use kobel_dataflow::ports::{RestoredSink, Sink, SinkWriter, WriterContext};
use kobel_model::Result;
use kobel_sql::catalog::{PhysicalColumn, TableSpec};

use crate::constraint::enforce_not_null;
use crate::options::{Checked, Options, catalogue};

/// Checks the options of a table.
pub(crate) fn check(table: &TableSpec) -> Checked<()> {
    Options::of(table, &[catalogue::TABLE, catalogue::SINK, catalogue::BLACKHOLE]).map(drop)
}

/// Makes the sink.
pub(crate) fn sink(table: &TableSpec) -> Arc<dyn Sink> {
    Arc::new(Blackhole { physical: table.physical.clone().into() })
}

struct Blackhole {
    physical: Arc<[PhysicalColumn]>,
}

impl Sink for Blackhole {
    fn open(&self, _lineage: &str, _restored: Option<&RestoredSink>) -> Result<()> {
        Ok(())
    }

    fn writer(&self, _context: WriterContext, _states: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(BlackholeWriter { physical: Arc::clone(&self.physical) }))
    }
}

struct BlackholeWriter {
    physical: Arc<[PhysicalColumn]>,
}

impl SinkWriter for BlackholeWriter {
    fn write(&mut self, batch: &Batch) -> Result<()> {
        enforce_not_null(&self.physical, batch.records())
    }
}
