//! Casts between DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ.
//!
//! TIMESTAMP and TIMESTAMP_LTZ meet in the session time zone. Digits that the target does not have are cut.

use std::sync::Arc;

use arrow_array::types::{Date32Type, Int64Type, Time32MillisecondType};
use arrow_array::{ArrayRef, PrimitiveArray};
use datafusion_common::Result;

use crate::functions::argument::Argument;
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::functions::temporal::civil::MILLIS_PER_DAY;
use crate::functions::temporal::ticks::{Ticks, from_instants};
use crate::functions::temporal::zone::{Overlap, Zone, zone_of};
use crate::types::TypeKind;

/// A cast between types of times.
pub fn evaluate(call: &Call<'_>, arg: &Argument, from: TypeKind) -> Result<ArrayRef> {
    let ticks = Ticks::read(arg)?;
    let to = call.returns.kind;
    match (from, to) {
        (TypeKind::Date, TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_)) => {
            let walls: PrimitiveArray<Int64Type> = ticks.values.unary(|day| day * MILLIS_PER_DAY);
            from_walls(walls, call)
        }
        (TypeKind::Time(_), TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_)) => from_walls(ticks.values, call),
        (TypeKind::Time(_), TypeKind::Time(precision)) => {
            Ok(Arc::new(ticks.values.unary::<_, Time32MillisecondType>(|time| cut(time, precision, 3) as i32)))
        }
        (from, TypeKind::Date) if from.is_timestamp() => {
            let zone = zone_of(from, call);
            let millis = ticks.to_millis();
            let days = if matches!(from, TypeKind::TimestampLtz(_)) {
                millis.unary::<_, Date32Type>(|instant| zone.wall_at(instant).div_euclid(MILLIS_PER_DAY) as i32)
            } else {
                // Flink divides towards zero here.
                millis.unary::<_, Date32Type>(|wall| (wall / MILLIS_PER_DAY) as i32)
            };
            Ok(Arc::new(days))
        }
        (from, TypeKind::Time(precision)) if from.is_timestamp() => {
            let zone = zone_of(from, call);
            let millis = ticks.to_millis();
            let times = if matches!(from, TypeKind::TimestampLtz(_)) {
                millis.unary::<_, Time32MillisecondType>(|instant| {
                    cut(zone.wall_at(instant).rem_euclid(MILLIS_PER_DAY), precision, 3) as i32
                })
            } else {
                millis.unary::<_, Time32MillisecondType>(|wall| cut(wall % MILLIS_PER_DAY, precision, 3) as i32)
            };
            Ok(Arc::new(times))
        }
        (from, to) if from.is_timestamp() && to.is_timestamp() => between_timestamps(call, &ticks, from),
        _ => Err(internal(format!("there is no cast from {from} to {to}"))),
    }
}

/// Wall clock times in milliseconds as the TIMESTAMP or TIMESTAMP_LTZ that the call returns.
fn from_walls(walls: PrimitiveArray<Int64Type>, call: &Call<'_>) -> Result<ArrayRef> {
    let zone = zone_of(call.returns.kind, call);
    if zone.is_utc() {
        return from_instants(call.returns.kind, walls, 1);
    }
    from_instants(call.returns.kind, walls.unary(|wall| zone.instant_of(wall, Overlap::Earlier)), 1)
}

fn between_timestamps(call: &Call<'_>, ticks: &Ticks, from: TypeKind) -> Result<ArrayRef> {
    let per_ms = ticks.per_ms;
    let zone = Zone::new(&call.context.time_zone);
    let moved = |value: i64, move_millis: &dyn Fn(i64) -> i64| {
        move_millis(value.div_euclid(per_ms)).wrapping_mul(per_ms).wrapping_add(value.rem_euclid(per_ms))
    };
    let values = match (from, call.returns.kind) {
        (TypeKind::Timestamp(_), TypeKind::TimestampLtz(_)) => {
            ticks.values.unary::<_, Int64Type>(|value| moved(value, &|wall| zone.instant_of(wall, Overlap::Earlier)))
        }
        (TypeKind::TimestampLtz(_), TypeKind::Timestamp(_)) => {
            ticks.values.unary::<_, Int64Type>(|value| moved(value, &|instant| zone.wall_at(instant)))
        }
        _ => ticks.values.clone(),
    };
    let (before, after) = (precision(from), precision(call.returns.kind));
    let values = if after >= before {
        values
    } else if after <= 3 {
        values.unary::<_, Int64Type>(|value| {
            let unit = per_ms * 10_i64.pow(u32::from(3 - after));
            value - value.rem_euclid(unit)
        })
    } else {
        let digits = if per_ms == 1_000 { 6 } else { 9 };
        values.unary::<_, Int64Type>(|value| value - value.rem_euclid(10_i64.pow(u32::from(digits - after))))
    };
    from_instants(call.returns.kind, values, per_ms)
}

fn precision(kind: TypeKind) -> u8 {
    match kind {
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => precision,
        _ => 3,
    }
}

/// `value`, which has `digits` digits of the second, with only `precision` of them.
pub(super) fn cut(value: i64, precision: u8, digits: u8) -> i64 {
    let unit = 10_i64.pow(u32::from(digits.saturating_sub(precision)));
    value / unit * unit
}
