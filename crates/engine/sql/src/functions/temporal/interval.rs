//! Times plus and minus intervals, and the difference of times in whole units.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{
    Date32Type, DurationMillisecondType, Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType,
};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at, collect_primitive};
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::plan::TimeUnit;
use crate::types::TypeKind;

use super::civil::{MILLIS_PER_DAY, add_months, add_months_to_millis, months_between, months_between_millis};
use super::ticks::{Ticks, from_instants};

/// Plus or minus an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// +
    Plus,
    /// -
    Minus,
}

#[derive(Debug, Clone, Copy)]
enum Amount {
    Months(i64),
    Millis(i64),
}

/// Reads intervals with the sign applied.
fn amounts(sign: Sign, arg: &Argument) -> Result<Box<dyn Fn(usize) -> Option<Amount> + '_>> {
    let negate = sign == Sign::Minus;
    if let DataType::Interval(_) = arg.array().data_type() {
        let months = arg.primitive::<IntervalYearMonthType>()?;
        return Ok(Box::new(move |row| {
            let months = i64::from(months.get(row)?);
            Some(Amount::Months(if negate { -months } else { months }))
        }));
    }
    let millis = arg.primitive::<DurationMillisecondType>()?;
    Ok(Box::new(move |row| {
        let millis = millis.get(row)?;
        Some(Amount::Millis(if negate { millis.wrapping_neg() } else { millis }))
    }))
}

/// `time + INTERVAL` and `time - INTERVAL`.
///
/// # Source
/// Flink `ScalarOperatorGens.generateTemporalPlusMinus`.
pub fn shift(sign: Sign, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (time, interval) = (at(args, 0)?, at(args, 1)?);
    let amount = amounts(sign, interval)?;
    let ticks = Ticks::read(time)?;
    match (time.array().data_type(), call.returns.kind) {
        (DataType::Date32, TypeKind::Date) => {
            let result = collect_primitive::<Date32Type>(call.rows, |row| {
                Ok(ticks.get(row).zip(amount(row)).map(|(day, amount)| match amount {
                    Amount::Months(months) => add_months(day, months) as i32,
                    Amount::Millis(millis) => (day + millis / MILLIS_PER_DAY) as i32,
                }))
            })?;
            Ok(Arc::new(result))
        }
        (DataType::Time32(_), _) => {
            let result = collect_primitive::<Time32MillisecondType>(call.rows, |row| {
                Ok(ticks.get(row).zip(amount(row)).map(|(time, amount)| match amount {
                    Amount::Months(_) => time as i32,
                    Amount::Millis(millis) => {
                        ((time + MILLIS_PER_DAY + millis % MILLIS_PER_DAY) % MILLIS_PER_DAY) as i32
                    }
                }))
            })?;
            Ok(Arc::new(result))
        }
        (DataType::Date32, kind) => {
            let result = collect_primitive::<Int64Type>(call.rows, |row| {
                Ok(ticks.get(row).zip(amount(row)).map(|(day, amount)| match amount {
                    Amount::Months(months) => add_months(day, months) * MILLIS_PER_DAY,
                    Amount::Millis(millis) => (day * MILLIS_PER_DAY).wrapping_add(millis),
                }))
            })?;
            from_instants(kind, result, 1)
        }
        (_, kind) => {
            let per_ms = ticks.per_ms;
            let result = collect_primitive::<Int64Type>(call.rows, |row| {
                Ok(ticks.get(row).zip(amount(row)).map(|(value, amount)| match amount {
                    Amount::Months(months) => {
                        let (millis, rest) = (value.div_euclid(per_ms), value.rem_euclid(per_ms));
                        add_months_to_millis(millis, months).wrapping_mul(per_ms).wrapping_add(rest)
                    }
                    Amount::Millis(millis) => value.wrapping_add(millis.wrapping_mul(per_ms)),
                }))
            })?;
            from_instants(kind, result, per_ms)
        }
    }
}

/// TIMESTAMPDIFF(unit, a, b): b − a in whole units, truncated towards zero.
pub fn difference(unit: TimeUnit, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (from, to) = (Moments::read(at(args, 0)?)?, Moments::read(at(args, 1)?)?);
    let both_dates = from.is_date && to.is_date;
    let months = move |from: i64, to: i64| {
        if both_dates { months_between_days(from, to) } else { months_between_millis(from, to) }
    };
    let between: Box<dyn Fn(i64, i64) -> i64> = match unit {
        TimeUnit::Year => Box::new(move |from, to| months(from, to) / 12),
        TimeUnit::Quarter => Box::new(move |from, to| months(from, to) / 3),
        TimeUnit::Month => Box::new(months),
        TimeUnit::Week => Box::new(|from, to| to.wrapping_sub(from) / (7 * MILLIS_PER_DAY)),
        TimeUnit::Day => Box::new(|from, to| to.wrapping_sub(from) / MILLIS_PER_DAY),
        TimeUnit::Hour => Box::new(|from, to| to.wrapping_sub(from) / 3_600_000),
        TimeUnit::Minute => Box::new(|from, to| to.wrapping_sub(from) / 60_000),
        TimeUnit::Second => Box::new(|from, to| to.wrapping_sub(from) / 1_000),
        TimeUnit::Millisecond => Box::new(|from, to| to.wrapping_sub(from)),
        _ => return Err(internal(format!("times have no difference in {unit:?}"))),
    };
    // Java keeps the low 32 bits of a difference that is too large.
    let result = collect_primitive::<Int32Type>(call.rows, |row| {
        Ok(from.get(row).zip(to.get(row)).map(|(from, to)| between(from, to) as i32))
    })?;
    Ok(Arc::new(result))
}

fn months_between_days(from: i64, to: i64) -> i64 {
    months_between(from.div_euclid(MILLIS_PER_DAY), to.div_euclid(MILLIS_PER_DAY))
}

/// Dates and timestamps in milliseconds.
struct Moments {
    ticks: Ticks,
    is_date: bool,
}

impl Moments {
    fn read(arg: &Argument) -> Result<Self> {
        let is_date = matches!(arg.array().data_type(), DataType::Date32);
        Ok(Self { ticks: Ticks::read(arg)?, is_date })
    }

    fn get(&self, row: usize) -> Option<i64> {
        if self.is_date { self.ticks.get(row).map(|day| day * MILLIS_PER_DAY) } else { self.ticks.millis(row) }
    }
}
