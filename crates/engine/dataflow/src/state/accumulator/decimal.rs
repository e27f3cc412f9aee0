//! Sums of decimals: 256 bits wide, so that rows can leave the range of DECIMAL(38, s) and come back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type};
use arrow_array::{ArrayRef, Decimal128Array, Decimal256Array};
use arrow_buffer::i256;
use arrow_schema::DataType;
use kobel_model::{Error, Result};

use crate::state::aggregate::{Accumulator, Update, column, gather, scatter, wrong_state};

/// The largest magnitude of a DECIMAL(38, s), unscaled.
const DECIMAL_MAX: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// What is made of sum and count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// SUM
    Sum,
    /// AVG, with the decimal places that the result has more than the argument.
    Average(u32),
}

/// SUM or AVG of decimals.
pub(super) struct Decimals {
    sums: Vec<i256>,
    counts: Vec<i64>,
    scale: i8,
    outcome: Outcome,
    result: DataType,
}

impl Decimals {
    /// An accumulator of arguments with `scale` decimal places.
    pub(super) fn new(scale: i8, outcome: Outcome, result: &DataType) -> Self {
        Self { sums: Vec::new(), counts: Vec::new(), scale, outcome, result: result.clone() }
    }

    fn state_type(&self) -> DataType {
        DataType::Decimal256(76, self.scale)
    }

    /// NULL over no values, and where the result has more than 38 digits.
    fn result(&self, slot: usize) -> Option<i128> {
        let (sum, count) = (self.sums[slot], self.counts[slot]);
        let result = match self.outcome {
            _ if count == 0 => return None,
            Outcome::Sum => sum.to_i128()?,
            Outcome::Average(places) => divide(sum, count, places)?,
        };
        (-DECIMAL_MAX..=DECIMAL_MAX).contains(&result).then_some(result)
    }
}

/// `sum / count` with more decimal places, rounded half away from zero.
fn divide(sum: i256, count: i64, places: u32) -> Option<i128> {
    let scaled = sum.checked_mul(i256::from_i128(10i128.checked_pow(places)?))?;
    let count = i256::from_i128(i128::from(count));
    let (quotient, rest) = (scaled.checked_div(count)?, scaled.checked_rem(count)?);
    let twice = rest.checked_mul(i256::from_i128(2))?.wrapping_abs();
    let is_negative = scaled < i256::ZERO;
    let away =
        if twice >= count.wrapping_abs() { i256::from_i128(if is_negative { -1 } else { 1 }) } else { i256::ZERO };
    quotient.checked_add(away)?.to_i128()
}

impl Accumulator for Decimals {
    fn grow(&mut self, slots: usize) {
        self.sums.resize(slots, i256::ZERO);
        self.counts.resize(slots, 0);
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let values = update.argument()?;
        let values = values.as_primitive_opt::<Decimal128Type>().ok_or_else(|| wrong_state(&self.result, values))?;
        let (sums, counts) = (self.sums.as_mut_slice(), self.counts.as_mut_slice());
        update.for_each(|row, slot, sign| {
            let value = i256::from_i128(values.value(row));
            sums[slot] = if sign > 0 { sums[slot].wrapping_add(value) } else { sums[slot].wrapping_sub(value) };
            counts[slot] += sign;
        });
        Ok(())
    }

    fn reset(&mut self, slot: usize) {
        self.sums[slot] = i256::ZERO;
        self.counts[slot] = 0;
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        let results: Decimal128Array = slots.iter().map(|slot| self.result(*slot as usize)).collect();
        if !matches!(self.result, DataType::Decimal128(..)) {
            return Err(Error::bug("SUM and AVG of decimals must be decimals"));
        }
        Ok(Arc::new(results.with_data_type(self.result.clone())))
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.state_type(), DataType::Int64]
    }

    fn save(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let sums: Decimal256Array = slots.iter().map(|slot| Some(self.sums[*slot as usize])).collect();
        Ok(vec![Arc::new(sums.with_data_type(self.state_type())), gather(&self.counts, slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let sums = column(columns, 0)?;
        let sums = sums.as_primitive_opt::<Decimal256Type>().ok_or_else(|| wrong_state(&self.state_type(), sums))?;
        slots.iter().zip(sums.values()).for_each(|(slot, sum)| self.sums[*slot as usize] = *sum);
        scatter(&mut self.counts, slots, column(columns, 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(outcome: Outcome, values: &[i128]) -> Option<i128> {
        let mut decimals = Decimals::new(0, outcome, &DataType::Decimal128(38, 6));
        decimals.grow(1);
        let values: ArrayRef = Arc::new(values.iter().map(|value| Some(*value)).collect::<Decimal128Array>());
        let slots = vec![0; values.len()];
        decimals.update(&Update::new(&slots, None, Some(&values), None)).expect("decimals");
        decimals.result(0)
    }

    #[test]
    fn a_sum_beyond_38_digits_is_null_and_never_wraps() {
        let large = 99 * 10i128.pow(36);
        assert_eq!(results(Outcome::Sum, &[large; 4]), None);
        assert_eq!(results(Outcome::Sum, &[large, large, -large]), Some(large));
        assert_eq!(results(Outcome::Sum, &[]), None);
    }

    #[test]
    fn an_average_rounds_half_away_from_zero() {
        assert_eq!(results(Outcome::Average(0), &[1, 2]), Some(2));
        assert_eq!(results(Outcome::Average(0), &[-1, -2]), Some(-2));
        assert_eq!(results(Outcome::Average(6), &[1, 0, 0]), Some(333_333));
    }
}
