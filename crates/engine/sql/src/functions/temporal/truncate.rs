//! FLOOR and CEIL of dates, times and timestamps to a unit.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Date32Type, Int64Type, Time32MillisecondType};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at};
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::plan::TimeUnit;

use super::civil::{MILLIS_PER_DAY, Period, period_end, period_start};
use super::ticks::{Ticks, from_instants};
use super::zone::zone_of;

/// FLOOR or CEIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// FLOOR
    Down,
    /// CEIL
    Up,
}

impl Direction {
    fn of_period(self, period: Period, day: i64) -> i64 {
        match self {
            Self::Down => period_start(period, day),
            Self::Up => period_end(period, day),
        }
    }

    /// The multiple of `unit` at or before, or at or after, `value`.
    fn of_multiple(self, value: i64, unit: i64) -> i64 {
        let down = value - value.rem_euclid(unit);
        if self == Self::Up && down != value { down + unit } else { down }
    }
}

enum Step {
    Calendar(Period),
    Millis(i64),
    /// Finer than the values are.
    Nothing,
}

fn step(unit: TimeUnit) -> Result<Step> {
    Ok(match unit {
        TimeUnit::Millennium => Step::Calendar(Period::Millennium),
        TimeUnit::Century => Step::Calendar(Period::Century),
        TimeUnit::Decade => Step::Calendar(Period::Decade),
        TimeUnit::Year => Step::Calendar(Period::Year),
        TimeUnit::Quarter => Step::Calendar(Period::Quarter),
        TimeUnit::Month => Step::Calendar(Period::Month),
        TimeUnit::Week => Step::Calendar(Period::Week),
        TimeUnit::Day => Step::Millis(MILLIS_PER_DAY),
        TimeUnit::Hour => Step::Millis(3_600_000),
        TimeUnit::Minute => Step::Millis(60_000),
        TimeUnit::Second => Step::Millis(1_000),
        TimeUnit::Millisecond => Step::Millis(1),
        TimeUnit::Microsecond | TimeUnit::Nanosecond => Step::Nothing,
        TimeUnit::Dow | TimeUnit::IsoDow | TimeUnit::Doy | TimeUnit::IsoYear | TimeUnit::Epoch => {
            return Err(internal(format!("times are not rounded to {unit:?}")));
        }
    })
}

/// FLOOR(value TO unit), CEIL(value TO unit).
///
/// # Source
/// Flink `FloorCeilCallGen`, `DateTimeUtils.timestampFloor`. The day of a timestamp is the quotient towards zero, and
/// CEIL to units of the calendar does not look at the time of day.
pub fn evaluate(direction: Direction, unit: TimeUnit, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    let step = match step(unit)? {
        Step::Nothing => return Ok(Arc::clone(arg.array())),
        step => step,
    };
    let ticks = Ticks::read(arg)?;
    match arg.array().data_type() {
        DataType::Date32 => match step {
            Step::Calendar(period) => {
                let days = ticks.values.unary::<_, Date32Type>(|day| direction.of_period(period, day) as i32);
                Ok(Arc::new(days))
            }
            // Flink takes a date to the next day always, and leaves it alone for smaller units.
            Step::Millis(MILLIS_PER_DAY) if direction == Direction::Up => {
                Ok(Arc::new(ticks.values.unary::<_, Date32Type>(|day| (day + 1) as i32)))
            }
            _ => Ok(Arc::clone(arg.array())),
        },
        DataType::Time32(_) => match step {
            Step::Millis(unit) => {
                let rounded = |time| direction.of_multiple(time, unit) as i32;
                Ok(Arc::new(ticks.values.unary::<_, Time32MillisecondType>(rounded)))
            }
            _ => Err(internal(format!("TIME is not rounded to {unit:?}"))),
        },
        _ => {
            let zone = zone_of(call.returns.kind, call);
            let millis = ticks.to_millis();
            let rounded = match step {
                Step::Millis(unit) if unit < 3_600_000 => {
                    millis.unary::<_, Int64Type>(|value| direction.of_multiple(value, unit))
                }
                Step::Millis(unit) => millis.unary::<_, Int64Type>(|value| {
                    let offset = zone.offset_at(value);
                    direction.of_multiple(value.wrapping_add(offset), unit).wrapping_sub(offset)
                }),
                Step::Calendar(period) => millis.unary::<_, Int64Type>(|value| {
                    let offset = zone.offset_at(value);
                    let day = direction.of_period(period, value.wrapping_add(offset) / MILLIS_PER_DAY);
                    day.wrapping_mul(MILLIS_PER_DAY).wrapping_sub(offset)
                }),
                Step::Nothing => millis,
            };
            from_instants(call.returns.kind, rounded, 1)
        }
    }
}
