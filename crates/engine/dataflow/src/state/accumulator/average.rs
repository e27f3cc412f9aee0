//! AVG: integers divide as integers, FLOAT and DOUBLE sum as DOUBLE.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array};
use arrow_schema::DataType;
use kobel_model::{Error, Result};

use super::decimal::{Decimals, Outcome};
use crate::state::aggregate::{Accumulator, Update, column, gather, scatter, wrong_state};

/// AVG over `argument`, if it is a number.
pub(super) fn accumulator(argument: &DataType, result: &DataType) -> Option<Box<dyn Accumulator>> {
    use DataType::{Decimal128, Float32, Float64, Int8, Int16, Int32, Int64};
    let sums = match argument {
        Int8 | Int16 | Int32 | Int64 => Sums::Integers(Vec::new()),
        Float32 | Float64 => Sums::Doubles(Vec::new()),
        Decimal128(_, scale) => {
            let Decimal128(_, result_scale) = result else { return None };
            let places = u32::try_from(result_scale - scale).ok()?;
            return Some(Box::new(Decimals::new(*scale, Outcome::Average(places), result)));
        }
        _ => return None,
    };
    Some(Box::new(Average { sums, counts: Vec::new(), result: result.clone() }))
}

struct Average {
    sums: Sums,
    counts: Vec<i64>,
    result: DataType,
}

enum Sums {
    Integers(Vec<i64>),
    Doubles(Vec<f64>),
}

/// An integer column as 64 bits.
fn integers(values: &ArrayRef) -> Result<Vec<i64>> {
    fn widen<T: Copy + Into<i64>>(values: &[T]) -> Vec<i64> {
        values.iter().map(|value| (*value).into()).collect()
    }
    match values.data_type() {
        DataType::Int8 => Ok(widen(values.as_primitive::<Int8Type>().values())),
        DataType::Int16 => Ok(widen(values.as_primitive::<Int16Type>().values())),
        DataType::Int32 => Ok(widen(values.as_primitive::<Int32Type>().values())),
        DataType::Int64 => Ok(values.as_primitive::<Int64Type>().values().to_vec()),
        _ => Err(wrong_state(&DataType::Int64, values)),
    }
}

/// A FLOAT or DOUBLE column as 64 bits.
fn doubles(values: &ArrayRef) -> Result<Vec<f64>> {
    match values.data_type() {
        DataType::Float32 => Ok(values.as_primitive::<Float32Type>().values().iter().map(|v| f64::from(*v)).collect()),
        DataType::Float64 => Ok(values.as_primitive::<Float64Type>().values().to_vec()),
        _ => Err(wrong_state(&DataType::Float64, values)),
    }
}

impl Average {
    fn integer_results(&self, sums: &[i64], slots: &[u32]) -> Result<ArrayRef> {
        let results = slots.iter().map(|slot| {
            let (sum, count) = (sums[*slot as usize], self.counts[*slot as usize]);
            (count != 0).then(|| sum.wrapping_div(count))
        });
        Ok(match self.result {
            DataType::Int8 => Arc::new(results.map(|r| r.map(|r| r as i8)).collect::<Int8Array>()),
            DataType::Int16 => Arc::new(results.map(|r| r.map(|r| r as i16)).collect::<Int16Array>()),
            DataType::Int32 => Arc::new(results.map(|r| r.map(|r| r as i32)).collect::<Int32Array>()),
            DataType::Int64 => Arc::new(results.collect::<Int64Array>()),
            ref other => return Err(Error::bug(format!("AVG of integers cannot be {other}"))),
        })
    }

    fn double_results(&self, sums: &[f64], slots: &[u32]) -> ArrayRef {
        let results = slots.iter().map(|slot| {
            let (sum, count) = (sums[*slot as usize], self.counts[*slot as usize]);
            (count != 0).then(|| sum / count as f64)
        });
        match self.result {
            DataType::Float32 => Arc::new(results.map(|r| r.map(|r| r as f32)).collect::<Float32Array>()),
            _ => Arc::new(results.collect::<Float64Array>()),
        }
    }
}

impl Accumulator for Average {
    fn grow(&mut self, slots: usize) {
        self.counts.resize(slots, 0);
        match &mut self.sums {
            Sums::Integers(sums) => sums.resize(slots, 0),
            Sums::Doubles(sums) => sums.resize(slots, 0.0),
        }
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let values = update.argument()?;
        let counts = self.counts.as_mut_slice();
        match &mut self.sums {
            Sums::Integers(sums) => {
                let values = integers(values)?;
                update.for_each(|row, slot, sign| {
                    sums[slot] = sums[slot].wrapping_add(values[row].wrapping_mul(sign));
                    counts[slot] += sign;
                });
            }
            Sums::Doubles(sums) => {
                let values = doubles(values)?;
                update.for_each(|row, slot, sign| {
                    sums[slot] += values[row] * sign as f64;
                    counts[slot] += sign;
                });
            }
        }
        Ok(())
    }

    fn reset(&mut self, slot: usize) {
        self.counts[slot] = 0;
        match &mut self.sums {
            Sums::Integers(sums) => sums[slot] = 0,
            Sums::Doubles(sums) => sums[slot] = 0.0,
        }
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        match &self.sums {
            Sums::Integers(sums) => self.integer_results(sums, slots),
            Sums::Doubles(sums) => Ok(self.double_results(sums, slots)),
        }
    }

    fn state_types(&self) -> Vec<DataType> {
        let sums = match &self.sums {
            Sums::Integers(_) => DataType::Int64,
            Sums::Doubles(_) => DataType::Float64,
        };
        vec![sums, DataType::Int64]
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let at = |slot: &u32| *slot as usize;
        let sums: ArrayRef = match &self.sums {
            Sums::Integers(sums) => gather(sums, slots),
            Sums::Doubles(sums) => Arc::new(slots.iter().map(|slot| sums[at(slot)]).collect::<Float64Array>()),
        };
        Ok(vec![sums, gather(&self.counts, slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let saved = column(columns, 0)?;
        match &mut self.sums {
            Sums::Integers(sums) => scatter(sums, slots, saved)?,
            Sums::Doubles(sums) => {
                let saved = doubles(saved)?;
                slots.iter().zip(saved).for_each(|(slot, sum)| sums[*slot as usize] = sum);
            }
        }
        scatter(&mut self.counts, slots, column(columns, 1)?)
    }
}
