//! Functions of dates, times, timestamps and intervals.
//!
//! TIMESTAMP is a wall clock time, TIMESTAMP_LTZ an instant that the session time zone shows as one. Parts of times
//! before 1970 are what Flink makes of them, which divides as Java does, towards zero.

pub mod civil;
pub mod extract;
pub mod interval;
pub mod reading;
pub mod truncate;
pub mod zone;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use datafusion_common::Result;

use crate::functions::argument::Argument;
use crate::functions::{Call, internal};
use crate::plan::Function;
use crate::types::{TypeKind, time_unit};

use self::civil::MILLIS_PER_DAY;
use self::zone::Zone;

/// A function of times.
pub fn evaluate(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    match function {
        Function::Extract(unit) => extract::evaluate(unit, call, args),
        Function::FloorTo(unit) => truncate::evaluate(truncate::Direction::Down, unit, call, args),
        Function::CeilTo(unit) => truncate::evaluate(truncate::Direction::Up, unit, call, args),
        Function::TimestampDiff(unit) => interval::difference(unit, call, args),
        Function::AddInterval => interval::shift(interval::Sign::Plus, call, args),
        Function::SubtractInterval => interval::shift(interval::Sign::Minus, call, args),
        Function::CurrentTimestamp | Function::LocalTimestamp | Function::CurrentDate | Function::Proctime => {
            current(function, call)
        }
        _ => reading::evaluate(function, call, args),
    }
}

/// The time of the evaluation clock.
fn current(function: Function, call: &Call<'_>) -> Result<ArrayRef> {
    let now = call.context.clock.now_ms();
    let zone = Zone::new(&call.context.time_zone);
    match function {
        Function::CurrentDate => {
            let day = zone.wall_at(now).div_euclid(MILLIS_PER_DAY);
            let day = i32::try_from(day).map_err(|_| internal("the clock is beyond the range of DATE"))?;
            Ok(Arc::new(PrimitiveArray::<Date32Type>::from_value(day, call.rows)))
        }
        Function::LocalTimestamp => {
            from_instants(call.returns.kind, PrimitiveArray::from_value(zone.wall_at(now), call.rows), 1)
        }
        _ => from_instants(call.returns.kind, PrimitiveArray::from_value(now, call.rows), 1),
    }
}

/// Ticks of an Arrow unit in a millisecond; Flink's timestamps have no coarser unit.
pub fn ticks_per_ms(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1_000_000,
        TimeUnit::Second | TimeUnit::Millisecond => 1,
    }
}

/// Values that denote times, as one integer each.
#[derive(Debug, Clone)]
pub struct Ticks {
    /// The integers: ticks of timestamps, days of dates, milliseconds of times.
    pub values: PrimitiveArray<Int64Type>,
    /// Ticks in a millisecond, of timestamps.
    pub per_ms: i64,
    scalar: bool,
}

impl Ticks {
    /// Reads dates, times and timestamps.
    ///
    /// # Errors
    /// Internal if `arg` is none of them.
    pub fn read(arg: &Argument) -> Result<Self> {
        let array = arg.array();
        let (values, per_ms) = match array.data_type() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => (
                array.as_primitive_opt::<TimestampMillisecondType>().map(|ticks| ticks.reinterpret_cast::<Int64Type>()),
                1,
            ),
            DataType::Timestamp(TimeUnit::Microsecond, _) => (
                array.as_primitive_opt::<TimestampMicrosecondType>().map(|ticks| ticks.reinterpret_cast::<Int64Type>()),
                1_000,
            ),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => (
                array.as_primitive_opt::<TimestampNanosecondType>().map(|ticks| ticks.reinterpret_cast::<Int64Type>()),
                1_000_000,
            ),
            DataType::Date32 => {
                (array.as_primitive_opt::<Date32Type>().map(|days| days.unary::<_, Int64Type>(i64::from)), 1)
            }
            DataType::Time32(TimeUnit::Millisecond) => (
                array.as_primitive_opt::<Time32MillisecondType>().map(|times| times.unary::<_, Int64Type>(i64::from)),
                1,
            ),
            _ => (None, 1),
        };
        match values {
            Some(values) => Ok(Self { values, per_ms, scalar: arg.is_scalar() }),
            None => Err(internal(format!("{} is no type of times", array.data_type()))),
        }
    }

    /// The integer in `row`, `None` if it is NULL.
    pub fn get(&self, row: usize) -> Option<i64> {
        let index = if self.scalar { 0 } else { row };
        (!self.values.is_null(index)).then(|| self.values.value(index))
    }

    /// Milliseconds of the timestamp in `row`.
    pub fn millis(&self, row: usize) -> Option<i64> {
        self.get(row).map(|ticks| ticks.div_euclid(self.per_ms))
    }

    /// Nanoseconds within the millisecond of a timestamp.
    pub fn nanos_of_milli(&self, ticks: i64) -> i64 {
        ticks.rem_euclid(self.per_ms) * (1_000_000 / self.per_ms)
    }

    /// The column in milliseconds.
    pub fn to_millis(&self) -> PrimitiveArray<Int64Type> {
        match self.per_ms {
            1 => self.values.clone(),
            per_ms => self.values.unary(|ticks| ticks.div_euclid(per_ms)),
        }
    }
}

/// Makes a column of timestamps of `kind` from integers with `per_ms` ticks in a millisecond.
///
/// # Errors
/// Internal if `kind` is no timestamp.
pub fn from_instants(kind: TypeKind, values: PrimitiveArray<Int64Type>, per_ms: i64) -> Result<ArrayRef> {
    let (precision, zone) = match kind {
        TypeKind::Timestamp(precision) => (precision, None),
        TypeKind::TimestampLtz(precision) => (precision, Some("UTC")),
        _ => return Err(internal(format!("{kind} is no timestamp type"))),
    };
    let unit = time_unit(precision);
    let wanted = ticks_per_ms(unit);
    let values = if wanted == per_ms {
        values
    } else if wanted > per_ms {
        let factor = wanted / per_ms;
        values.unary::<_, Int64Type>(|ticks| ticks.wrapping_mul(factor))
    } else {
        let divisor = per_ms / wanted;
        values.unary::<_, Int64Type>(|ticks| ticks.div_euclid(divisor))
    };
    Ok(match unit {
        TimeUnit::Microsecond => {
            Arc::new(values.reinterpret_cast::<TimestampMicrosecondType>().with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => Arc::new(values.reinterpret_cast::<TimestampNanosecondType>().with_timezone_opt(zone)),
        TimeUnit::Second | TimeUnit::Millisecond => {
            Arc::new(values.reinterpret_cast::<TimestampMillisecondType>().with_timezone_opt(zone))
        }
    })
}

/// The zone in which values of `kind` are read: the session's for TIMESTAMP_LTZ, else none.
pub fn zone_of<'a>(kind: TypeKind, call: &Call<'a>) -> Zone<'a> {
    match kind {
        TypeKind::TimestampLtz(_) => Zone::new(&call.context.time_zone),
        _ => Zone::utc(),
    }
}
