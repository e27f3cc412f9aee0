//! Groups: keys with the state of all their aggregates, in pages of slots.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use kobel_model::{Error, Result};

use super::accumulator::{InputKind, accumulator};
use super::aggregate::{Accumulator, Update};
use super::keys::{EncodedKeys, KeyEncoder, KeyIndex};
use super::snapshot::{Page, SnapshotMode};
use crate::batch::{Batch, arrow_bug};
use crate::graph::AggregateSpec;

/// Slots of a page: small enough that a touched page is cheap to write, large enough that its schema does not matter.
const PAGE_SLOTS: usize = 1024;

/// What all tables of one operator share: how keys are encoded and which aggregates there are.
pub struct GroupLayout {
    /// Encodes the key columns of the input.
    pub encoder: KeyEncoder,
    spec: AggregateSpec,
    input: SchemaRef,
}

impl GroupLayout {
    /// The layout of an aggregation over rows of this schema.
    ///
    /// # Errors
    /// Unsupported if a key or an aggregate is.
    pub fn new(input: SchemaRef, spec: AggregateSpec) -> Result<Self> {
        let encoder = KeyEncoder::new(&input, &spec.keys)?;
        let layout = Self { encoder, spec, input };
        layout.accumulators()?;
        Ok(layout)
    }

    /// Keys and aggregates.
    pub fn spec(&self) -> &AggregateSpec {
        &self.spec
    }

    fn accumulators(&self) -> Result<Vec<Box<dyn Accumulator>>> {
        let make = |call: &crate::graph::AggregateCall| {
            let argument = call.argument.map(|column| self.input.field(column).data_type());
            let input = if self.spec.input_retracts { InputKind::Retracting } else { InputKind::InsertOnly };
            accumulator(call, argument, input)
        };
        self.spec.aggregates.iter().map(make).collect()
    }

    /// What the state means; equal fingerprints can read each other's pages.
    pub fn fingerprint(&self) -> String {
        let ty = |column: usize| self.input.field(column).data_type().to_string();
        let keys: Vec<_> = self.spec.keys.iter().map(|column| ty(*column)).collect();
        let calls = self.spec.aggregates.iter().map(|call| {
            let argument = call.argument.map_or("*".to_owned(), ty);
            let distinct = if call.distinct { "DISTINCT " } else { "" };
            let filter = if call.filter.is_some() { " FILTER" } else { "" };
            format!("{}({distinct}{argument}){filter}", call.function)
        });
        let retracts = if self.spec.input_retracts { " retracting" } else { "" };
        format!("keys=[{}] aggregates=[{}]{retracts}", keys.join(", "), calls.collect::<Vec<_>>().join(", "))
    }
}

/// The names that SQL has for the types that a fingerprint names.
const SQL_NAMES: [(&str, &str); 17] = [
    ("Timestamp(ms, \"UTC\")", "TIMESTAMP_LTZ(3)"),
    ("Timestamp(µs, \"UTC\")", "TIMESTAMP_LTZ(6)"),
    ("Timestamp(ns, \"UTC\")", "TIMESTAMP_LTZ(9)"),
    ("Timestamp(ms)", "TIMESTAMP(3)"),
    ("Timestamp(µs)", "TIMESTAMP(6)"),
    ("Timestamp(ns)", "TIMESTAMP(9)"),
    ("Time32(ms)", "TIME"),
    ("Date32", "DATE"),
    ("Decimal128", "DECIMAL"),
    ("Boolean", "BOOLEAN"),
    ("Int16", "SMALLINT"),
    ("Int32", "INT"),
    ("Int64", "BIGINT"),
    ("Int8", "TINYINT"),
    ("Float32", "FLOAT"),
    ("Float64", "DOUBLE"),
    ("Utf8", "STRING"),
];

/// A fingerprint for a person, who knows the types by their names in SQL; only fingerprints themselves are compared.
pub fn in_sql(fingerprint: &str) -> String {
    SQL_NAMES.iter().fold(fingerprint.to_owned(), |text, (stored, told)| text.replace(stored, told))
}

/// The groups of one table.
///
/// # Invariants
/// `rows` counts the rows of each group; a page is dirty if a group of it changed since the baseline.
pub struct GroupTable {
    index: KeyIndex,
    rows: Vec<i64>,
    accumulators: Vec<Box<dyn Accumulator>>,
    dirty: Vec<bool>,
}

impl GroupTable {
    /// An empty table.
    ///
    /// # Errors
    /// Unsupported if an aggregate is.
    pub fn new(layout: &GroupLayout) -> Result<Self> {
        let accumulators = layout.accumulators()?;
        Ok(Self { index: KeyIndex::new(&layout.encoder), rows: Vec::new(), accumulators, dirty: Vec::new() })
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The slots of all groups, ascending.
    pub fn live_slots(&self) -> Vec<u32> {
        (0..self.index.slots()).filter(|slot| self.index.is_live(*slot)).map(|slot| slot as u32).collect()
    }

    /// The slots of these keys, made where they are new; they will be changed, so their pages are dirty.
    pub fn intern(&mut self, keys: &EncodedKeys) -> Vec<u32> {
        let mut slots = Vec::new();
        self.index.intern(keys, &mut slots);
        let count = self.index.slots();
        if count > self.rows.len() {
            self.rows.resize(count, 0);
            self.dirty.resize(count.div_ceil(PAGE_SLOTS), true);
            self.accumulators.iter_mut().for_each(|accumulator| accumulator.grow(count));
        }
        slots.iter().for_each(|slot| self.dirty[*slot as usize / PAGE_SLOTS] = true);
        slots
    }

    /// Takes the rows of a batch into (or back from) the groups at `slots`.
    ///
    /// # Errors
    /// Bug if the batch has another schema than the layout.
    pub fn update(&mut self, layout: &GroupLayout, slots: &[u32], batch: &Batch) -> Result<()> {
        let kinds = batch.kinds();
        let rows = self.rows.as_mut_slice();
        Update { slots, kinds, values: None, keep: None }.for_each(|_, slot, sign| rows[slot] += sign);
        for (call, accumulator) in layout.spec.aggregates.iter().zip(&mut self.accumulators) {
            let values = call.argument.map(|column| batch.records().column(column));
            let filter = call.filter.map(|column| batch.records().column(column).as_boolean());
            accumulator.update(&Update::new(slots, kinds, values, filter))?;
        }
        Ok(())
    }

    /// The number of rows in a group.
    pub fn rows(&self, slot: u32) -> i64 {
        self.rows[slot as usize]
    }

    /// Key columns, then result columns, of these groups.
    ///
    /// # Errors
    /// Bug if a slot is free.
    pub fn columns(&self, layout: &GroupLayout, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.index.columns(&layout.encoder, slots)?;
        for accumulator in &self.accumulators {
            columns.push(accumulator.results(slots)?);
        }
        Ok(columns)
    }

    /// Removes a group.
    pub fn remove(&mut self, slot: u32) {
        self.index.remove(slot);
        self.rows[slot as usize] = 0;
        self.accumulators.iter_mut().for_each(|accumulator| accumulator.reset(slot as usize));
        self.dirty[slot as usize / PAGE_SLOTS] = true;
    }

    /// All pages that hold a group, with the contents that `mode` asks for; appended to `pages`.
    ///
    /// # Errors
    /// Bug if a page cannot be built.
    pub fn snapshot(
        &mut self,
        layout: &GroupLayout,
        table: i64,
        mode: SnapshotMode,
        pages: &mut Vec<Page>,
    ) -> Result<()> {
        for page in 0..self.dirty.len() {
            let start = page * PAGE_SLOTS;
            let end = (start + PAGE_SLOTS).min(self.index.slots());
            let slots: Vec<_> = (start..end).filter(|slot| self.index.is_live(*slot)).map(|slot| slot as u32).collect();
            let wanted = self.dirty[page] || mode != SnapshotMode::Incremental;
            if mode != SnapshotMode::Savepoint {
                self.dirty[page] = false;
            }
            if !slots.is_empty() {
                let content = if wanted { Some(self.page(layout, &slots)?) } else { None };
                pages.push(Page { table, page: page as u32, content });
            }
        }
        Ok(())
    }

    fn page(&self, layout: &GroupLayout, slots: &[u32]) -> Result<RecordBatch> {
        let mut columns = self.index.columns(&layout.encoder, slots)?;
        let rows = slots.iter().map(|slot| self.rows[*slot as usize]);
        columns.push(Arc::new(rows.collect::<Int64Array>()));
        for accumulator in &self.accumulators {
            columns.extend(accumulator.save(slots)?);
        }
        let fields: Vec<_> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| Field::new(format!("c{index}"), column.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow_bug)
    }

    /// Takes in the groups of a page whose key hash is `owned`.
    ///
    /// # Errors
    /// Corrupt if the page has other columns than the layout.
    pub fn load(&mut self, layout: &GroupLayout, page: &RecordBatch, owned: &dyn Fn(u64) -> bool) -> Result<()> {
        let key_count = layout.spec.keys.len();
        let widths: Vec<_> = self.accumulators.iter().map(|accumulator| accumulator.state_types().len()).collect();
        if page.num_columns() != key_count + 1 + widths.iter().sum::<usize>() {
            return Err(Error::corrupt("a state page has another number of columns than the operator's state"));
        }
        for (column, key) in page.columns().iter().zip(&layout.spec.keys) {
            let expected = layout.input.field(*key).data_type();
            if column.data_type() != expected {
                let found = column.data_type();
                return Err(Error::corrupt(format!(
                    "a key column of a state page has type {found}, expected {expected}"
                )));
            }
        }
        let keys = layout.encoder.encode_columns(&page.columns()[..key_count], page.num_rows())?;
        let keep: arrow_array::BooleanArray = keys.hashes.iter().map(|hash| Some(owned(*hash))).collect();
        let page = arrow_select::filter::filter_record_batch(page, &keep).map_err(arrow_bug)?;
        let keys = layout.encoder.encode_columns(&page.columns()[..key_count], page.num_rows())?;
        let slots = self.intern(&keys);
        let counts = page.column(key_count).as_primitive_opt::<Int64Type>();
        let counts =
            counts.ok_or_else(|| Error::corrupt(format!("a state page counts rows in {}", DataType::Int64)))?;
        slots.iter().zip(counts.values()).for_each(|(slot, count)| self.rows[*slot as usize] = *count);
        let mut at = key_count + 1;
        for (accumulator, width) in self.accumulators.iter_mut().zip(widths) {
            accumulator.load(&slots, &page.columns()[at..at + width])?;
            at += width;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::TimeUnit;

    use super::*;

    #[test]
    fn a_person_reads_the_names_of_sql() {
        let zoned = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        for (stored, expected) in [
            (DataType::Int8, "TINYINT"),
            (DataType::Int16, "SMALLINT"),
            (DataType::Int32, "INT"),
            (DataType::Int64, "BIGINT"),
            (DataType::Float32, "FLOAT"),
            (DataType::Float64, "DOUBLE"),
            (DataType::Utf8, "STRING"),
            (DataType::Boolean, "BOOLEAN"),
            (DataType::Date32, "DATE"),
            (DataType::Time32(TimeUnit::Millisecond), "TIME"),
            (DataType::Decimal128(10, 2), "DECIMAL(10, 2)"),
            (DataType::Timestamp(TimeUnit::Microsecond, None), "TIMESTAMP(6)"),
            (zoned, "TIMESTAMP_LTZ(3)"),
        ] {
            assert_eq!(in_sql(&format!("keys=[{stored}]")), format!("keys=[{expected}]"));
        }
    }
}
