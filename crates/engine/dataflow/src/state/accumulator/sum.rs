//! SUM: in the argument's own type, as Flink does; integers wrap.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_schema::DataType;
use kobel_model::Result;

use super::decimal::{Decimals, Outcome};
use crate::state::aggregate::{Accumulator, Update, column, gather, scatter, wrong_state};

/// SUM over `argument`, if it is a number.
pub(super) fn accumulator(argument: &DataType, result: &DataType) -> Option<Box<dyn Accumulator>> {
    fn make<T: ArrowPrimitiveType>(result: &DataType) -> Box<dyn Accumulator>
    where
        T::Native: ArrowNativeTypeOp,
    {
        Box::new(Sum::<T> { sums: Vec::new(), counts: Vec::new(), result: result.clone() })
    }
    Some(match argument {
        DataType::Int8 => make::<Int8Type>(result),
        DataType::Int16 => make::<Int16Type>(result),
        DataType::Int32 => make::<Int32Type>(result),
        DataType::Int64 => make::<Int64Type>(result),
        DataType::Float32 => make::<Float32Type>(result),
        DataType::Float64 => make::<Float64Type>(result),
        DataType::Decimal128(_, scale) => Box::new(Decimals::new(*scale, Outcome::Sum, result)),
        _ => return None,
    })
}

struct Sum<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    counts: Vec<i64>,
    result: DataType,
}

impl<T: ArrowPrimitiveType> Sum<T> {
    fn gather_sums(&self, slots: &[u32]) -> ArrayRef {
        let sums: PrimitiveArray<T> = slots.iter().map(|slot| Some(self.sums[*slot as usize])).collect();
        Arc::new(sums)
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Sum<T>
where
    T::Native: ArrowNativeTypeOp,
{
    fn grow(&mut self, slots: usize) {
        self.sums.resize(slots, T::Native::ZERO);
        self.counts.resize(slots, 0);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let values = update.argument()?;
        let values = values.as_primitive_opt::<T>().ok_or_else(|| wrong_state(&T::DATA_TYPE, values))?.values();
        let (sums, counts) = (self.sums.as_mut_slice(), self.counts.as_mut_slice());
        update.for_each(|row, slot, sign| {
            let sum = sums[slot];
            sums[slot] = if sign > 0 { sum.add_wrapping(values[row]) } else { sum.sub_wrapping(values[row]) };
            counts[slot] += sign;
        });
        Ok(())
    }

    fn reset(&mut self, slot: usize) {
        self.sums[slot] = T::Native::ZERO;
        self.counts[slot] = 0;
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        let results = slots.iter().map(|slot| {
            let sum = self.sums[*slot as usize];
            (self.counts[*slot as usize] != 0).then_some(sum)
        });
        Ok(Arc::new(results.collect::<PrimitiveArray<T>>()))
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.result.clone(), DataType::Int64]
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.gather_sums(slots), gather(&self.counts, slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let sums = column(columns, 0)?;
        let sums = sums.as_primitive_opt::<T>().ok_or_else(|| wrong_state(&self.result, sums))?;
        slots.iter().zip(sums.values()).for_each(|(slot, sum)| self.sums[*slot as usize] = *sum);
        scatter(&mut self.counts, slots, column(columns, 1)?)
    }
}
