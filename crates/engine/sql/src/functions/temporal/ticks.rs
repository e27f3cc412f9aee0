//! Columns of times as integers: ticks of timestamps, days of dates, milliseconds of times of day.

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
use crate::functions::date_format::Wall;
use crate::functions::fault::internal;
use crate::types::{TypeKind, time_unit};

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

/// A time with no more than `precision` digits of the second, in ticks; `None` if it is out of range.
pub(crate) fn of_wall(wall: Wall, precision: u8, per_ms: i64) -> Option<i64> {
    let nanos = wall.millis.rem_euclid(1_000) * 1_000_000 + wall.nanos;
    let unit = 10_i64.pow(u32::from(9 - precision.min(9)));
    let nanos = nanos - nanos % unit;
    let second = wall.millis.div_euclid(1_000);
    let per_second = per_ms * 1_000;
    second.checked_mul(per_second)?.checked_add(nanos / (1_000_000_000 / per_second))
}
