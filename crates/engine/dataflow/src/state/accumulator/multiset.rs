//! Values with counts per group, in order: what MIN and MAX need when rows are taken back, and DISTINCT always.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, new_null_array};
use arrow_buffer::OffsetBuffer;
use arrow_row::{OwnedRow, RowConverter, SortField};
use arrow_schema::{DataType, Field};
use kobel_model::{Error, Result};

use super::extreme::End;
use crate::batch::arrow_bug;
use crate::state::aggregate::{Accumulator, Update, column, wrong_state};

/// The values of each group with their counts.
///
/// # Invariants
/// No count is zero. A count may be negative for a while if a row is taken back before it came.
pub(super) struct Multisets {
    converter: RowConverter,
    groups: Vec<BTreeMap<OwnedRow, i64>>,
    ty: DataType,
}

impl Multisets {
    /// Multisets of values of type `ty`.
    pub(super) fn new(ty: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(ty.clone())]).map_err(|error| {
            Error::unsupported(format!("values of type {ty} cannot be told apart")).with_source(error)
        })?;
        Ok(Self { converter, groups: Vec::new(), ty: ty.clone() })
    }

    pub(super) fn grow(&mut self, slots: usize) {
        self.groups.resize_with(slots, BTreeMap::new);
    }

    pub(super) fn reset(&mut self, slot: usize) {
        self.groups[slot].clear();
    }

    /// Changes counts; calls `changed(row, before, after)` for each row that counts.
    pub(super) fn update(&mut self, update: &Update<'_>, mut changed: impl FnMut(usize, i64, i64)) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(update.argument()?)).map_err(arrow_bug)?;
        let groups = self.groups.as_mut_slice();
        update.for_each(|row, slot, sign| {
            let key = rows.row(row).owned();
            let before = groups[slot].get(&key).copied().unwrap_or(0);
            let after = before + sign;
            if after == 0 {
                groups[slot].remove(&key);
            } else {
                groups[slot].insert(key, after);
            }
            changed(row, before, after);
        });
        Ok(())
    }

    /// The first or last value of each slot, NULL if there is none.
    fn ends(&self, slots: &[u32], end: End) -> Result<ArrayRef> {
        let null = self.converter.convert_columns(&[new_null_array(&self.ty, 1)]).map_err(arrow_bug)?;
        let present = |(value, count): (&OwnedRow, &i64)| (*count > 0).then(|| value.clone());
        let ends: Vec<_> = slots
            .iter()
            .map(|slot| match end {
                End::Least => self.groups[*slot as usize].iter().find_map(present),
                End::Greatest => self.groups[*slot as usize].iter().rev().find_map(present),
            })
            .collect();
        let rows = ends.iter().map(|value| value.as_ref().map_or_else(|| null.row(0), OwnedRow::row));
        self.values(rows)
    }

    fn values<'a>(&self, rows: impl IntoIterator<Item = arrow_row::Row<'a>>) -> Result<ArrayRef> {
        let columns = self.converter.convert_rows(rows).map_err(arrow_bug)?;
        columns.into_iter().next().ok_or_else(|| Error::bug("a row had no column"))
    }

    pub(super) fn state_types(&self) -> Vec<DataType> {
        let list = |ty: DataType| DataType::List(Arc::new(Field::new_list_field(ty, true)));
        vec![list(self.ty.clone()), list(DataType::Int64)]
    }

    pub(super) fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let entries = || slots.iter().flat_map(|slot| self.groups[*slot as usize].iter());
        let values = self.values(entries().map(|(value, _)| value.row()))?;
        let counts: ArrayRef = Arc::new(entries().map(|(_, count)| *count).collect::<Int64Array>());
        let offsets = OffsetBuffer::from_lengths(slots.iter().map(|slot| self.groups[*slot as usize].len()));
        let list = |items: ArrayRef| -> Result<ArrayRef> {
            let field = Arc::new(Field::new_list_field(items.data_type().clone(), true));
            Ok(Arc::new(ListArray::try_new(field, offsets.clone(), items, None).map_err(arrow_bug)?))
        };
        Ok(vec![list(values)?, list(counts)?])
    }

    pub(super) fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let wrong = |found: &ArrayRef| wrong_state(&self.ty, found);
        let values = column(columns, 0)?.as_list_opt::<i32>().ok_or_else(|| wrong(&columns[0]))?;
        let counts = column(columns, 1)?.as_list_opt::<i32>().ok_or_else(|| wrong(&columns[1]))?;
        if values.value_type() != self.ty {
            return Err(wrong(&columns[0]));
        }
        let rows = self.converter.convert_columns(std::slice::from_ref(values.values())).map_err(arrow_bug)?;
        let items = counts.values().as_primitive_opt::<Int64Type>().ok_or_else(|| wrong(&columns[1]))?;
        for (index, slot) in slots.iter().enumerate() {
            let range = values.value_offsets()[index] as usize..values.value_offsets()[index + 1] as usize;
            let entries = range.map(|at| (rows.row(at).owned(), items.value(at)));
            self.groups[*slot as usize] = entries.collect();
        }
        Ok(())
    }

    /// The values of a slot whose count is positive, as a column.
    pub(super) fn present(&self, slot: u32) -> Result<ArrayRef> {
        let entries = self.groups[slot as usize].iter().filter(|(_, count)| **count > 0);
        self.values(entries.map(|(value, _)| value.row()))
    }
}

/// MIN or MAX over `argument` when rows are taken back.
pub(super) fn accumulator(argument: &DataType, end: End) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(RetractableExtreme { values: Multisets::new(argument)?, end }))
}

struct RetractableExtreme {
    values: Multisets,
    end: End,
}

impl Accumulator for RetractableExtreme {
    fn grow(&mut self, slots: usize) {
        self.values.grow(slots);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        self.values.update(update, |_, _, _| ())
    }

    fn reset(&mut self, slot: usize) {
        self.values.reset(slot);
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.values.ends(slots, self.end)
    }

    fn state_types(&self) -> Vec<DataType> {
        self.values.state_types()
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.values.save(slots)
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.values.load(slots, columns)
    }
}
