//! COUNT: values that are not NULL, or rows.

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use kobel_model::Result;

use crate::state::aggregate::{Accumulator, Update, column, gather, scatter};

/// COUNT: values that count, or rows.
#[derive(Default)]
pub(super) struct Count {
    counts: Vec<i64>,
}

impl Accumulator for Count {
    fn grow(&mut self, slots: usize) {
        self.counts.resize(slots, 0);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let counts = self.counts.as_mut_slice();
        update.for_each(|_, slot, sign| counts[slot] += sign);
        Ok(())
    }

    fn reset(&mut self, slot: usize) {
        self.counts[slot] = 0;
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        Ok(gather(&self.counts, slots))
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![gather(&self.counts, slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        scatter(&mut self.counts, slots, column(columns, 0)?)
    }
}
