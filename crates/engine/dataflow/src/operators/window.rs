//! Tumbling event-time windows: assignment of window columns, and aggregation per window and key.
//!
//! A window `[start, end)` is emitted once, when the watermark reaches `end - 1`, and its state is dropped with it. A row
//! whose window has been emitted is late: dropped and counted. `window_time` is `end - 1` ms.
//!
//! # Source
//! Flink `SlicingWindowOperator`, `TumblingSliceAssigner`; FLIP-145.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMillisecondArray, UInt32Array};
use arrow_schema::SchemaRef;
use kobel_model::{Error, Result};

use crate::batch::{Batch, arrow_bug};
use crate::graph::{AggregateSpec, WindowSpec};
use crate::operator::{Element, Operator, OperatorGauges, Restore};
use crate::state::snapshot::{OperatorState, Page, SnapshotMode};
use crate::state::table::{GroupLayout, GroupTable};

/// Rows of an emitted batch.
const EMIT_ROWS: usize = 8192;

impl WindowSpec {
    /// The end of the window that holds `timestamp`, in epoch milliseconds.
    pub fn end_of(&self, timestamp: i64) -> i64 {
        let since = timestamp.saturating_sub(self.offset_ms);
        since.div_euclid(self.size_ms).saturating_mul(self.size_ms).saturating_add(self.offset_ms + self.size_ms)
    }

    /// The event times of a batch.
    fn timestamps<'a>(&self, records: &'a RecordBatch) -> Result<&'a TimestampMillisecondArray> {
        let column = records.column(self.rowtime);
        let times = column.as_primitive_opt::<TimestampMillisecondType>();
        let times = times.ok_or_else(|| Error::bug(format!("a rowtime column has type {}", column.data_type())))?;
        if times.null_count() > 0 {
            return Err(Error::invalid("the rowtime of a row is NULL, so it belongs to no window"));
        }
        Ok(times)
    }

    /// The columns window_start, window_end, window_time for these window ends.
    fn columns(&self, ends: &[i64]) -> Result<[ArrayRef; 3]> {
        let [start_type, end_type, time_type] = &self.time_types;
        let make = |shift: i64, ty: &arrow_schema::DataType| -> Result<ArrayRef> {
            let times: TimestampMillisecondArray = ends.iter().map(|end| Some(end - shift)).collect();
            let data = times.into_data().into_builder().data_type(ty.clone()).build().map_err(arrow_bug)?;
            Ok(arrow_array::make_array(data))
        };
        Ok([make(self.size_ms, start_type)?, make(0, end_type)?, make(1, time_type)?])
    }
}

/// TUMBLE without aggregation: appends the window columns; late rows pass.
pub struct AssignWindow {
    spec: WindowSpec,
    schema: SchemaRef,
}

impl AssignWindow {
    /// Yields rows of `schema`: the input's columns, then the three of the window.
    pub fn new(spec: WindowSpec, schema: SchemaRef) -> Self {
        Self { spec, schema }
    }
}

impl Operator for AssignWindow {
    fn process(&mut self, batch: Batch, out: &mut Vec<Element>) -> Result<()> {
        let times = self.spec.timestamps(batch.records())?;
        let ends: Vec<_> = times.values().iter().map(|time| self.spec.end_of(*time)).collect();
        let mut columns = batch.records().columns().to_vec();
        columns.extend(self.spec.columns(&ends)?);
        let records = RecordBatch::try_new(self.schema.clone(), columns).map_err(arrow_bug)?;
        out.push(Element::Batch(batch.with_records(records)?));
        Ok(())
    }
}

/// Aggregation per window and key.
pub struct WindowAggregate {
    layout: GroupLayout,
    spec: WindowSpec,
    schema: SchemaRef,
    /// By window end.
    windows: BTreeMap<i64, GroupTable>,
    watermark: i64,
    late_rows: u64,
}

impl WindowAggregate {
    /// An aggregation of rows of schema `input`; yields rows of `schema`: the keys, the results, the window columns.
    ///
    /// # Errors
    /// Unsupported if a key or an aggregate is.
    pub fn new(input: SchemaRef, spec: AggregateSpec, window: WindowSpec, schema: SchemaRef) -> Result<Self> {
        let layout = GroupLayout::new(input, spec)?;
        Ok(Self { layout, spec: window, schema, windows: BTreeMap::new(), watermark: i64::MIN, late_rows: 0 })
    }

    /// The rows of each window that is still open; late rows are counted.
    fn split(&mut self, times: &[i64]) -> Vec<(i64, Vec<u32>)> {
        let mut parts: Vec<(i64, Vec<u32>)> = Vec::new();
        let mut last = 0;
        // The window of the row before: rows of one window often stand together, and a division is dear.
        let mut window = 0..0;
        for (row, time) in times.iter().enumerate() {
            if !window.contains(time) {
                let end = self.spec.end_of(*time);
                window = end - self.spec.size_ms..end;
                last = parts.iter().position(|(other, _)| *other == end).unwrap_or_else(|| {
                    parts.push((end, Vec::new()));
                    parts.len() - 1
                });
            }
            parts[last].1.push(row as u32);
        }
        let watermark = self.watermark;
        let late: usize = parts.iter().filter(|(end, _)| end - 1 <= watermark).map(|(_, rows)| rows.len()).sum();
        self.late_rows += late as u64;
        parts.retain(|(end, _)| end - 1 > watermark);
        parts
    }

    fn add(&mut self, end: i64, batch: &Batch) -> Result<()> {
        let table = match self.windows.entry(end) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(GroupTable::new(&self.layout)?),
        };
        let keys = self.layout.encoder.encode(batch.records())?;
        let slots = table.intern(&keys);
        table.update(&self.layout, &slots, batch)
    }

    fn emit(&self, end: i64, table: &GroupTable, out: &mut Vec<Element>) -> Result<()> {
        for slots in table.live_slots().chunks(EMIT_ROWS) {
            let mut columns = table.columns(&self.layout, slots)?;
            columns.extend(self.spec.columns(&vec![end; slots.len()])?);
            let records = RecordBatch::try_new(self.schema.clone(), columns).map_err(arrow_bug)?;
            out.push(Element::Batch(Batch::insert_only(records)));
        }
        Ok(())
    }
}

impl Operator for WindowAggregate {
    fn process(&mut self, batch: Batch, _out: &mut Vec<Element>) -> Result<()> {
        let times = self.spec.timestamps(batch.records())?.values().clone();
        let parts = self.split(&times);
        for (end, rows) in parts {
            if rows.len() == batch.num_rows() {
                self.add(end, &batch)?;
            } else {
                self.add(end, &batch.take(&UInt32Array::from(rows))?)?;
            }
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut Vec<Element>) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        while let Some(entry) = self.windows.first_entry()
            && entry.key() - 1 <= watermark
        {
            let (end, table) = entry.remove_entry();
            self.emit(end, &table, out)?;
        }
        out.push(Element::Watermark(watermark));
        Ok(())
    }

    fn snapshot(&mut self, mode: SnapshotMode) -> Result<Option<OperatorState>> {
        let mut pages: Vec<Page> = Vec::new();
        for (end, table) in &mut self.windows {
            table.snapshot(&self.layout, *end, mode, &mut pages)?;
        }
        Ok(Some(OperatorState { inline: self.watermark.to_le_bytes().to_vec(), pages }))
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        for state in restore.states {
            // All subtasks have seen the same watermark when a barrier is aligned.
            let watermark = <[u8; 8]>::try_from(state.inline.as_slice());
            let watermark =
                watermark.map_err(|_| Error::corrupt("the watermark of a window operator is not 8 bytes"))?;
            self.watermark = self.watermark.max(i64::from_le_bytes(watermark));
            for page in &state.pages {
                let Some(content) = &page.content else { continue };
                let mut table = match self.windows.remove(&page.table) {
                    Some(table) => table,
                    None => GroupTable::new(&self.layout)?,
                };
                table.load(&self.layout, content, restore.owned)?;
                if !table.is_empty() {
                    self.windows.insert(page.table, table);
                }
            }
        }
        Ok(())
    }

    fn gauges(&self) -> OperatorGauges {
        OperatorGauges { groups: self.windows.values().map(GroupTable::len).sum(), late_rows: self.late_rows }
    }
}
