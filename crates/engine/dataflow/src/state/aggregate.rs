//! What an aggregate function is: the state of all groups of a table as columns, by slot.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use kobel_model::{Error, Result};

use crate::batch::RowKind;

/// The state of one aggregate for all groups of a table.
///
/// # Invariants
/// Every slot that is passed is smaller than the number given to the last `grow`.
pub trait Accumulator: Send {
    /// Makes room for so many slots; new ones are empty.
    fn grow(&mut self, slots: usize);

    /// Takes rows in or back.
    ///
    /// # Errors
    /// Bug if the values have another type than the accumulator was made for.
    fn update(&mut self, update: &Update<'_>) -> Result<()>;

    /// Makes a slot empty again.
    fn reset(&mut self, slot: usize);

    /// The results of these slots.
    ///
    /// # Errors
    /// Bug if a result does not fit its type.
    fn results(&self, slots: &[u32]) -> Result<ArrayRef>;

    /// Types of the state columns.
    fn state_types(&self) -> Vec<DataType>;

    /// The state of these slots as columns.
    ///
    /// # Errors
    /// Bug if a column cannot be built.
    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>>;

    /// Sets the state of these (empty) slots from columns that `save` made.
    ///
    /// # Errors
    /// Corrupt if the columns have other types.
    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()>;
}

/// Rows for an accumulator.
pub struct Update<'a> {
    /// The group of each row.
    pub slots: &'a [u32],
    /// The kind of each row; absent: all are added.
    pub kinds: Option<&'a [RowKind]>,
    /// The argument of each row; absent for `COUNT(*)`.
    pub values: Option<&'a ArrayRef>,
    /// The rows that count; absent: all.
    pub keep: Option<BooleanBuffer>,
}

impl<'a> Update<'a> {
    /// Rows of which those count whose filter is TRUE and whose value is not NULL.
    pub fn new(
        slots: &'a [u32],
        kinds: Option<&'a [RowKind]>,
        values: Option<&'a ArrayRef>,
        filter: Option<&BooleanArray>,
    ) -> Self {
        let filter = filter.map(|filter| match filter.nulls() {
            Some(nulls) => filter.values() & nulls.inner(),
            None => filter.values().clone(),
        });
        let valid = values.and_then(|values| values.logical_nulls()).filter(|nulls| nulls.null_count() > 0);
        let keep = match (filter, valid) {
            (Some(filter), Some(valid)) => Some(&filter & valid.inner()),
            (Some(filter), None) => Some(filter),
            (None, Some(valid)) => Some(valid.into_inner()),
            (None, None) => None,
        };
        Self { slots, kinds, values, keep }
    }

    /// Calls `visit(row, slot, sign)` for each row that counts; the sign is 1 for added rows, -1 for those taken back.
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize, i64)) {
        match (&self.keep, self.kinds) {
            (None, None) => self.slots.iter().enumerate().for_each(|(row, slot)| visit(row, *slot as usize, 1)),
            (keep, kinds) => {
                for (row, slot) in self.slots.iter().enumerate() {
                    if keep.as_ref().is_none_or(|keep| keep.value(row)) {
                        let added = kinds.is_none_or(|kinds| kinds[row].is_addition());
                        visit(row, *slot as usize, if added { 1 } else { -1 });
                    }
                }
            }
        }
    }

    /// The values, which the plan promised.
    pub(super) fn argument(&self) -> Result<&'a ArrayRef> {
        self.values.ok_or_else(|| Error::bug("an aggregate got no argument"))
    }
}

/// A column of these slots' 64-bit values.
pub(super) fn gather(values: &[i64], slots: &[u32]) -> ArrayRef {
    Arc::new(slots.iter().map(|slot| values[*slot as usize]).collect::<Int64Array>())
}

/// Sets these slots' 64-bit values from a column.
pub(super) fn scatter(values: &mut [i64], slots: &[u32], column: &ArrayRef) -> Result<()> {
    let column = column.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_state(&DataType::Int64, column))?;
    slots.iter().zip(column.values()).for_each(|(slot, value)| values[*slot as usize] = *value);
    Ok(())
}

/// The state column at `index`.
pub(super) fn column(columns: &[ArrayRef], index: usize) -> Result<&ArrayRef> {
    columns.get(index).ok_or_else(|| Error::corrupt("a state column is missing"))
}

/// The error for a state column of another type.
pub(super) fn wrong_state(expected: &DataType, found: &ArrayRef) -> Error {
    Error::corrupt(format!("a state column has type {}, expected {expected}", found.data_type()))
}
