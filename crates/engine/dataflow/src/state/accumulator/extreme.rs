//! MIN and MAX over input that never takes rows back: the best value so far.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, PrimitiveArray, new_null_array};
use arrow_row::{OwnedRow, RowConverter, SortField};
use arrow_schema::{DataType, TimeUnit};
use kobel_model::{Error, Result};

use crate::batch::arrow_bug;
use crate::state::aggregate::{Accumulator, Update, column, wrong_state};

/// Which end of the order is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// MIN
    Least,
    /// MAX
    Greatest,
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

/// MIN or MAX over `argument`.
pub(super) fn accumulator(argument: &DataType, end: End) -> Result<Box<dyn Accumulator>> {
    fn make<T: ArrowPrimitiveType>(argument: &DataType, end: End) -> Box<dyn Accumulator>
    where
        T::Native: ArrowNativeTypeOp,
    {
        Box::new(Extreme::<T> { best: Vec::new(), end, ty: argument.clone() })
    }
    match with_primitive!(argument, make, argument, end) {
        Some(accumulator) => Ok(accumulator),
        None => Ok(Box::new(ExtremeRow::new(argument, end)?)),
    }
}

struct Extreme<T: ArrowPrimitiveType> {
    best: Vec<Option<T::Native>>,
    end: End,
    ty: DataType,
}

impl<T: ArrowPrimitiveType> Accumulator for Extreme<T>
where
    T::Native: ArrowNativeTypeOp,
{
    fn grow(&mut self, slots: usize) {
        self.best.resize(slots, None);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let values = update.argument()?;
        let values = values.as_primitive_opt::<T>().ok_or_else(|| wrong_state(&self.ty, values))?.values();
        let (best, end) = (self.best.as_mut_slice(), self.end);
        update.for_each(|row, slot, _| {
            let value = values[row];
            let better = best[slot].is_none_or(|best| match end {
                // As in Flink, these are the comparisons of Java: a NaN is neither less nor greater.
                End::Least => value < best,
                End::Greatest => value > best,
            });
            if better {
                best[slot] = Some(value);
            }
        });
        Ok(())
    }

    fn reset(&mut self, slot: usize) {
        self.best[slot] = None;
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        let best: PrimitiveArray<T> = slots.iter().map(|slot| self.best[*slot as usize]).collect();
        Ok(Arc::new(best.with_data_type(self.ty.clone())))
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.ty.clone()]
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.results(slots)?])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let saved = column(columns, 0)?;
        let saved = saved.as_primitive_opt::<T>().ok_or_else(|| wrong_state(&self.ty, saved))?;
        slots.iter().zip(saved.iter()).for_each(|(slot, value)| self.best[*slot as usize] = value);
        Ok(())
    }
}

/// MIN and MAX of types without a primitive: the best value in Arrow's row format, whose bytes order as values do.
struct ExtremeRow {
    converter: RowConverter,
    best: Vec<Option<OwnedRow>>,
    end: End,
    ty: DataType,
}

impl ExtremeRow {
    fn new(ty: &DataType, end: End) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(ty.clone())]).map_err(|error| {
            Error::unsupported(format!("MIN and MAX over {ty} are not supported by the native engine"))
                .with_source(error)
        })?;
        Ok(Self { converter, best: Vec::new(), end, ty: ty.clone() })
    }
}

impl Accumulator for ExtremeRow {
    fn grow(&mut self, slots: usize) {
        self.best.resize(slots, None);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(update.argument()?)).map_err(arrow_bug)?;
        let (best, end) = (self.best.as_mut_slice(), self.end);
        update.for_each(|row, slot, _| {
            let value = rows.row(row);
            let better = best[slot].as_ref().is_none_or(|best| match end {
                End::Least => value < best.row(),
                End::Greatest => value > best.row(),
            });
            if better {
                best[slot] = Some(value.owned());
            }
        });
        Ok(())
    }

    fn reset(&mut self, slot: usize) {
        self.best[slot] = None;
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        let null = new_null_array(&self.ty, 1);
        let null = self.converter.convert_columns(&[null]).map_err(arrow_bug)?;
        let best =
            slots.iter().map(|slot| self.best[*slot as usize].as_ref().map_or_else(|| null.row(0), OwnedRow::row));
        let columns = self.converter.convert_rows(best).map_err(arrow_bug)?;
        columns.into_iter().next().ok_or_else(|| Error::bug("a row had no column"))
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.ty.clone()]
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.results(slots)?])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let saved = column(columns, 0)?;
        if saved.data_type() != &self.ty {
            return Err(wrong_state(&self.ty, saved));
        }
        let rows = self.converter.convert_columns(std::slice::from_ref(saved)).map_err(arrow_bug)?;
        for (row, slot) in slots.iter().enumerate() {
            self.best[*slot as usize] = saved.is_valid(row).then(|| rows.row(row).owned());
        }
        Ok(())
    }
}
