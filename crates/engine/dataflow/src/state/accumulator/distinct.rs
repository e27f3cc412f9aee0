//! DISTINCT: passes a value on when its count leaves or reaches zero.

use arrow_array::{ArrayRef, UInt32Array};
use arrow_schema::DataType;
use arrow_select::take::take;
use kobel_model::Result;

use super::multiset::Multisets;
use crate::batch::{RowKind, arrow_bug};
use crate::state::aggregate::{Accumulator, Update};

/// An aggregate over the distinct values of each group.
pub(super) struct Distinct {
    inner: Box<dyn Accumulator>,
    seen: Multisets,
}

impl Distinct {
    /// Wraps an aggregate over values of type `argument`.
    pub(super) fn new(inner: Box<dyn Accumulator>, argument: &DataType) -> Result<Self> {
        Ok(Self { inner, seen: Multisets::new(argument)? })
    }
}

impl Accumulator for Distinct {
    fn grow(&mut self, slots: usize) {
        self.inner.grow(slots);
        self.seen.grow(slots);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let (mut rows, mut kinds) = (Vec::new(), Vec::new());
        self.seen.update(update, |row, before, after| {
            if before <= 0 && after > 0 {
                rows.push(row as u32);
                kinds.push(RowKind::Insert);
            } else if before > 0 && after <= 0 {
                rows.push(row as u32);
                kinds.push(RowKind::Delete);
            }
        })?;
        let slots: Vec<_> = rows.iter().map(|row| update.slots[*row as usize]).collect();
        let values = take(update.argument()?, &UInt32Array::from(rows), None).map_err(arrow_bug)?;
        self.inner.update(&Update { slots: &slots, kinds: Some(&kinds), values: Some(&values), keep: None })
    }

    fn reset(&mut self, slot: usize) {
        self.inner.reset(slot);
        self.seen.reset(slot);
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.inner.results(slots)
    }

    fn state_types(&self) -> Vec<DataType> {
        self.seen.state_types()
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.seen.save(slots)
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.seen.load(slots, columns)?;
        for slot in slots {
            // The inner aggregate is a function of the distinct values, so it is not saved but computed again.
            let values = self.seen.present(*slot)?;
            let repeated = vec![*slot; values.len()];
            self.inner.update(&Update::new(&repeated, None, Some(&values), None))?;
        }
        Ok(())
    }
}
