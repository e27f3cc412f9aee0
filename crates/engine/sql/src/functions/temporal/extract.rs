//! EXTRACT: the parts of dates, times, timestamps and intervals.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{DurationMillisecondType, Int64Type, IntervalYearMonthType};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at};
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::plan::TimeUnit;

use super::civil::{MILLIS_PER_DAY, civil, day_of_year, iso_week, iso_weekday};
use super::ticks::Ticks;
use super::zone::zone_of;

type Column = PrimitiveArray<Int64Type>;

/// EXTRACT(unit FROM value).
///
/// # Source
/// Flink `ExtractCallGen`, `DateTimeUtils.extractFromTimestamp`.
pub fn evaluate(unit: TimeUnit, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    let kind = call.types.first().map(|ty| ty.kind).ok_or_else(|| internal("EXTRACT has no argument"))?;
    let column = match arg.array().data_type() {
        DataType::Date32 => from_days(unit, &Ticks::read(arg)?.values),
        DataType::Time32(_) => from_millis(unit, &Ticks::read(arg)?.values),
        DataType::Duration(_) => {
            let millis = arg.array().as_primitive_opt::<DurationMillisecondType>();
            let millis: Column = millis.ok_or_else(|| internal("an interval is of another unit"))?.reinterpret_cast();
            let days = || (unit == TimeUnit::Day).then(|| millis.unary(|value| value / MILLIS_PER_DAY));
            from_millis(unit, &millis).or_else(days)
        }
        DataType::Interval(_) => {
            let months = arg.array().as_primitive_opt::<IntervalYearMonthType>();
            from_months(unit, &months.ok_or_else(|| internal("an interval is of another unit"))?.unary(i64::from))
        }
        _ => {
            let ticks = Ticks::read(arg)?;
            if matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond) {
                return Ok(Arc::new(below_milli(unit, &ticks)));
            }
            let zone = zone_of(kind, call);
            let mut millis = ticks.to_millis();
            if !zone.is_utc() {
                millis = millis.unary(|instant| zone.wall_at(instant));
            }
            from_millis(unit, &millis).or_else(|| from_days(unit, &millis.unary(|millis| millis / MILLIS_PER_DAY)))
        }
    };
    match column {
        Some(column) => Ok(Arc::new(column)),
        None => Err(internal(format!("{unit:?} is no part of {kind}"))),
    }
}

/// Units that need no calendar, of milliseconds of a timestamp, time or interval.
fn from_millis(unit: TimeUnit, millis: &Column) -> Option<Column> {
    Some(match unit {
        TimeUnit::Hour => millis.unary(|value| value % MILLIS_PER_DAY / 3_600_000),
        TimeUnit::Minute => millis.unary(|value| value % 3_600_000 / 60_000),
        TimeUnit::Second => millis.unary(|value| value % 60_000 / 1_000),
        TimeUnit::Millisecond => millis.unary(|value| value % 1_000),
        TimeUnit::Microsecond => millis.unary(|value| value % 1_000 * 1_000),
        TimeUnit::Nanosecond => millis.unary(|value| value % 1_000 * 1_000_000),
        TimeUnit::Epoch => millis.unary(|value| value / 1_000),
        _ => return None,
    })
}

/// Micro- and nanoseconds within the second, of timestamps; no offset is a fraction of a second.
fn below_milli(unit: TimeUnit, ticks: &Ticks) -> Column {
    let per_ms = ticks.per_ms;
    let (nanos_per_unit, units_per_ms) = if unit == TimeUnit::Microsecond { (1_000, 1_000) } else { (1, 1_000_000) };
    ticks.values.unary(|value| {
        let nanos = value.rem_euclid(per_ms) * (1_000_000 / per_ms);
        value.div_euclid(per_ms) % 1_000 * units_per_ms + nanos / nanos_per_unit
    })
}

/// Units of the calendar, of days; for smaller units Flink takes the number of the day for milliseconds.
fn from_days(unit: TimeUnit, days: &Column) -> Option<Column> {
    Some(match unit {
        TimeUnit::Millennium => days.unary(|day| centuries(civil(day).year, 1_000)),
        TimeUnit::Century => days.unary(|day| centuries(civil(day).year, 100)),
        TimeUnit::Decade => days.unary(|day| civil(day).year / 10),
        TimeUnit::Year => days.unary(|day| civil(day).year),
        TimeUnit::Quarter => days.unary(|day| (civil(day).month + 2) / 3),
        TimeUnit::Month => days.unary(|day| civil(day).month),
        TimeUnit::Week => days.unary(|day| iso_week(day).1),
        TimeUnit::Day => days.unary(|day| civil(day).day),
        TimeUnit::Dow => days.unary(|day| iso_weekday(day) % 7 + 1),
        TimeUnit::IsoDow => days.unary(iso_weekday),
        TimeUnit::Doy => days.unary(day_of_year),
        TimeUnit::IsoYear => days.unary(|day| iso_week(day).0),
        TimeUnit::Epoch => days.unary(|day| day * 86_400),
        TimeUnit::Hour | TimeUnit::Minute | TimeUnit::Second | TimeUnit::Millisecond => return from_millis(unit, days),
        TimeUnit::Microsecond | TimeUnit::Nanosecond => return None,
    })
}

/// The number of the period of `length` years, the first of which starts with year 1.
fn centuries(year: i64, length: i64) -> i64 {
    if year > 0 { (year + length - 1) / length } else { (year - length + 1) / length }
}

/// Parts of an interval of months.
fn from_months(unit: TimeUnit, months: &Column) -> Option<Column> {
    Some(match unit {
        TimeUnit::Millennium => months.unary(|value| value / 12_000),
        TimeUnit::Century => months.unary(|value| value / 1_200),
        TimeUnit::Decade => months.unary(|value| value / 120),
        TimeUnit::Year => months.unary(|value| value / 12),
        TimeUnit::Quarter => months.unary(|value| (value % 12 - 1) / 3 + 1),
        TimeUnit::Month => months.unary(|value| value % 12),
        _ => return None,
    })
}
