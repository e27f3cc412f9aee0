//! Continuously updating GROUP BY: a changelog of each group's result, folded per batch.
//!
//! For every group that a batch touches, its result before and after the batch is compared: `+I` if it is new,
//! `-U`/`+U` if it changed, `-D` if its last row was taken back. With batches of one row this is Flink's output row by
//! row; with larger ones intermediate results are left out, as with Flink's mini-batch.
//!
//! # Source
//! Flink `GroupAggFunction`, `MiniBatchGroupAggFunction`.

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use kobel_model::Result;

use crate::batch::{Batch, RowKind, arrow_bug};
use crate::graph::AggregateSpec;
use crate::operator::{Element, Operator, OperatorGauges, Restore};
use crate::state::snapshot::{OperatorState, SnapshotMode};
use crate::state::table::{GroupLayout, GroupTable};

/// The operator.
pub struct GroupAggregate {
    layout: GroupLayout,
    table: GroupTable,
    schema: SchemaRef,
    /// The batch in which a slot was last touched, to find each touched slot once.
    touched_in: Vec<u64>,
    batches: u64,
}

impl GroupAggregate {
    /// An aggregation of rows of schema `input`; yields rows of `schema`: the keys, then the results.
    ///
    /// # Errors
    /// Unsupported if a key or an aggregate is.
    pub fn new(input: SchemaRef, spec: AggregateSpec, schema: SchemaRef) -> Result<Self> {
        let layout = GroupLayout::new(input, spec)?;
        let table = GroupTable::new(&layout)?;
        Ok(Self { layout, table, schema, touched_in: Vec::new(), batches: 0 })
    }

    /// Each slot once, in the order of its first row.
    fn distinct(&mut self, slots: &[u32]) -> Vec<u32> {
        self.batches += 1;
        let mut touched = Vec::new();
        for slot in slots {
            let at = *slot as usize;
            if at >= self.touched_in.len() {
                self.touched_in.resize(at + 1, 0);
            }
            if self.touched_in[at] != self.batches {
                self.touched_in[at] = self.batches;
                touched.push(*slot);
            }
        }
        touched
    }

    fn results(&self, slots: &[u32]) -> Result<RecordBatch> {
        RecordBatch::try_new(self.schema.clone(), self.table.columns(&self.layout, slots)?).map_err(arrow_bug)
    }

    /// The changelog from `before` (with whether each group was there) to the table's present.
    fn changelog(&self, touched: &[u32], existed: &[bool], before: &RecordBatch) -> Result<Option<Batch>> {
        let after = self.results(touched)?;
        let changed = changed_rows(before.columns(), after.columns(), self.layout.spec().keys.len())?;
        let count = touched.len();
        let (mut rows, mut kinds) = (Vec::with_capacity(count * 2), Vec::with_capacity(count * 2));
        for (index, slot) in touched.iter().enumerate() {
            let exists = self.table.rows(*slot) > 0;
            let (old, new) = (index as u32, (count + index) as u32);
            match (existed[index], exists) {
                (false, true) => {
                    rows.push(new);
                    kinds.push(RowKind::Insert);
                }
                (true, false) => {
                    rows.push(old);
                    kinds.push(RowKind::Delete);
                }
                (true, true) if changed[index] => {
                    rows.extend([old, new]);
                    kinds.extend([RowKind::UpdateBefore, RowKind::UpdateAfter]);
                }
                _ => {}
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let both = concat_batches(&self.schema, [before, &after]).map_err(arrow_bug)?;
        let records = arrow_select::take::take_record_batch(&both, &UInt32Array::from(rows)).map_err(arrow_bug)?;
        if kinds.iter().all(|kind| *kind == RowKind::Insert) {
            return Ok(Some(Batch::insert_only(records)));
        }
        Ok(Some(Batch::changelog(records, kinds)?))
    }
}

/// Whether any column from `first` on differs, by row; NULLs are equal to each other.
fn changed_rows(before: &[ArrayRef], after: &[ArrayRef], first: usize) -> Result<Vec<bool>> {
    let mut changed = vec![false; before.first().map_or(0, |column| column.len())];
    for (before, after) in before.iter().zip(after).skip(first) {
        let distinct = arrow_ord::cmp::distinct(before, after).map_err(arrow_bug)?;
        distinct.values().iter().zip(&mut changed).for_each(|(distinct, changed)| *changed |= distinct);
    }
    Ok(changed)
}

impl Operator for GroupAggregate {
    fn process(&mut self, batch: Batch, out: &mut Vec<Element>) -> Result<()> {
        let keys = self.layout.encoder.encode(batch.records())?;
        let slots = self.table.intern(&keys);
        let touched = self.distinct(&slots);
        let existed: Vec<_> = touched.iter().map(|slot| self.table.rows(*slot) > 0).collect();
        let before = self.results(&touched)?;
        self.table.update(&self.layout, &slots, &batch)?;
        if let Some(batch) = self.changelog(&touched, &existed, &before)? {
            out.push(Element::Batch(batch));
        }
        for slot in touched {
            if self.table.rows(slot) == 0 {
                self.table.remove(slot);
            }
        }
        Ok(())
    }

    fn snapshot(&mut self, mode: SnapshotMode) -> Result<Option<OperatorState>> {
        let mut state = OperatorState::default();
        self.table.snapshot(&self.layout, 0, mode, &mut state.pages)?;
        Ok(Some(state))
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        for page in restore.states.iter().flat_map(|state| &state.pages) {
            if let Some(content) = &page.content {
                self.table.load(&self.layout, content, restore.owned)?;
            }
        }
        Ok(())
    }

    fn gauges(&self) -> OperatorGauges {
        OperatorGauges { groups: self.table.len(), late_rows: 0 }
    }
}
