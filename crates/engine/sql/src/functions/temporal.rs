//! Functions of dates, times, timestamps and intervals.
//!
//! TIMESTAMP is a wall clock time, TIMESTAMP_LTZ an instant that the session time zone shows as one. Parts of times
//! before 1970 are what Flink makes of them, which divides as Java does, towards zero.

pub mod civil;
pub mod extract;
pub mod interval;
pub mod reading;
pub mod ticks;
pub mod truncate;
pub mod zone;

use std::sync::Arc;

use arrow_array::types::Date32Type;
use arrow_array::{ArrayRef, PrimitiveArray};
use datafusion_common::Result;

use crate::functions::argument::Argument;
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::plan::Function;

use self::civil::MILLIS_PER_DAY;
use self::ticks::from_instants;
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
