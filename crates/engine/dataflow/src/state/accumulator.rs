//! Aggregate functions as columns: one accumulator holds the state of all groups of a table, by slot.
//!
//! Accumulators follow Flink's result rules: SUM and AVG of integers stay integers and wrap, NULLs are skipped, an
//! aggregate over no values is NULL. Each can take rows back as far as its input needs it.
//!
//! # Source
//! Flink `org.apache.flink.table.planner.functions.aggfunctions`.

mod average;
mod distinct;
mod extreme;
mod multiset;
mod sum;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use kobel_model::{Error, Result};

use crate::batch::RowKind;
use crate::graph::{AggregateCall, AggregateFunction};

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
    fn argument(&self) -> Result<&'a ArrayRef> {
        self.values.ok_or_else(|| Error::bug("an aggregate got no argument"))
    }
}

/// Makes the accumulator of a call over an argument of type `argument`.
///
/// # Errors
/// Unsupported if the function does not exist for the type.
pub fn accumulator(call: &AggregateCall, argument: Option<&DataType>, retracts: bool) -> Result<Box<dyn Accumulator>> {
    if call.distinct && !matches!(call.function, AggregateFunction::Min | AggregateFunction::Max) {
        let argument = argument.ok_or_else(|| Error::bug("DISTINCT without an argument"))?;
        let inner = AggregateCall { distinct: false, filter: None, ..call.clone() };
        return Ok(Box::new(distinct::Distinct::new(accumulator(&inner, Some(argument), true)?, argument)?));
    }
    let unsupported = || {
        let argument = argument.map_or("nothing".to_owned(), ToString::to_string);
        Error::unsupported(format!("{:?} over {argument} is not supported by the native engine", call.function))
    };
    match call.function {
        AggregateFunction::Count => Ok(Box::new(Count::default())),
        AggregateFunction::Sum => sum::accumulator(argument.ok_or_else(unsupported)?, &call.result).ok_or_else(unsupported),
        AggregateFunction::Avg => {
            average::accumulator(argument.ok_or_else(unsupported)?, &call.result).ok_or_else(unsupported)
        }
        AggregateFunction::Min | AggregateFunction::Max => {
            let end = if call.function == AggregateFunction::Min { extreme::End::Least } else { extreme::End::Greatest };
            let argument = argument.ok_or_else(unsupported)?;
            if retracts { multiset::accumulator(argument, end) } else { extreme::accumulator(argument, end) }
        }
    }
}

/// COUNT: values that count, or rows.
#[derive(Default)]
struct Count {
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

/// A column of these slots' 64-bit values.
fn gather(values: &[i64], slots: &[u32]) -> ArrayRef {
    Arc::new(slots.iter().map(|slot| values[*slot as usize]).collect::<Int64Array>())
}

/// Sets these slots' 64-bit values from a column.
fn scatter(values: &mut [i64], slots: &[u32], column: &ArrayRef) -> Result<()> {
    let column = column.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_state(&DataType::Int64, column))?;
    slots.iter().zip(column.values()).for_each(|(slot, value)| values[*slot as usize] = *value);
    Ok(())
}

/// The state column at `index`.
fn column(columns: &[ArrayRef], index: usize) -> Result<&ArrayRef> {
    columns.get(index).ok_or_else(|| Error::corrupt("a state column is missing"))
}

/// The error for a state column of another type.
fn wrong_state(expected: &DataType, found: &ArrayRef) -> Error {
    Error::corrupt(format!("a state column has type {}, expected {expected}", found.data_type()))
}

/// Calls a generic constructor with the primitive type that carries `ty`; `None` if no primitive does.
macro_rules! with_primitive {
    ($ty:expr, $constructor:ident $(, $arg:expr)*) => {
        match $ty {
            DataType::Int8 => Some($constructor::<Int8Type>($($arg),*)),
            DataType::Int16 => Some($constructor::<Int16Type>($($arg),*)),
            DataType::Int32 => Some($constructor::<Int32Type>($($arg),*)),
            DataType::Int64 => Some($constructor::<Int64Type>($($arg),*)),
            DataType::Float32 => Some($constructor::<Float32Type>($($arg),*)),
            DataType::Float64 => Some($constructor::<Float64Type>($($arg),*)),
            DataType::Decimal128(..) => Some($constructor::<Decimal128Type>($($arg),*)),
            DataType::Date32 => Some($constructor::<Date32Type>($($arg),*)),
            DataType::Time32(TimeUnit::Millisecond) => Some($constructor::<Time32MillisecondType>($($arg),*)),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Some($constructor::<TimestampMillisecondType>($($arg),*)),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Some($constructor::<TimestampMicrosecondType>($($arg),*)),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Some($constructor::<TimestampNanosecondType>($($arg),*)),
            _ => None,
        }
    };
}
use with_primitive;
