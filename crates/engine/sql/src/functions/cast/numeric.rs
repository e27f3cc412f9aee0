//! Casts between numbers, BOOLEAN and intervals.
//!
//! Integers keep their low bits, floats become integers as in Java: cut, and held at the limits of INT or BIGINT.
//! Decimals are rounded half up to decimals and cut to integers; what has too many digits for a DECIMAL is NULL.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::BooleanBuffer;
use datafusion_common::Result;

use crate::functions::argument::Argument;
use crate::functions::call::Call;
use crate::functions::decimal::{self, Decimal, Shape, power};
use crate::functions::fault::internal;
use crate::plan::CastMode;
use crate::types::TypeKind;

use super::java_double::shortest;
use super::outcome::settled;

/// Java's conversions between primitive numbers.
trait JavaNumber: Copy {
    fn byte(self) -> i8;
    fn short(self) -> i16;
    fn int(self) -> i32;
    fn long(self) -> i64;
    fn float(self) -> f32;
    fn double(self) -> f64;
}

macro_rules! java_integer {
    ($($native:ty),*) => {$(
        impl JavaNumber for $native {
            fn byte(self) -> i8 {
                self.long() as i8
            }
            fn short(self) -> i16 {
                self.long() as i16
            }
            fn int(self) -> i32 {
                self.long() as i32
            }
            fn long(self) -> i64 {
                i64::from(self)
            }
            fn float(self) -> f32 {
                self.long() as f32
            }
            fn double(self) -> f64 {
                self.long() as f64
            }
        }
    )*};
}

macro_rules! java_float {
    ($($native:ty),*) => {$(
        impl JavaNumber for $native {
            fn byte(self) -> i8 {
                self.int() as i8
            }
            fn short(self) -> i16 {
                self.int() as i16
            }
            fn int(self) -> i32 {
                self.double() as i32
            }
            fn long(self) -> i64 {
                self.double() as i64
            }
            fn float(self) -> f32 {
                self.double() as f32
            }
            fn double(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

java_integer!(i8, i16, i32, i64);
java_float!(f32, f64);

/// A cast from a number, BOOLEAN or an interval to another of them.
pub fn evaluate(call: &Call<'_>, arg: &Argument, from: TypeKind, mode: CastMode) -> Result<ArrayRef> {
    let to = call.returns.kind;
    match from {
        TypeKind::TinyInt => integers::<Int8Type>(column(arg)?, to),
        TypeKind::SmallInt => integers::<Int16Type>(column(arg)?, to),
        TypeKind::Int => integers::<Int32Type>(column(arg)?, to),
        TypeKind::BigInt => integers::<Int64Type>(column(arg)?, to),
        TypeKind::IntervalMonths => {
            integers::<Int32Type>(&column::<IntervalYearMonthType>(arg)?.reinterpret_cast(), to)
        }
        TypeKind::IntervalMillis => {
            integers::<Int64Type>(&column::<DurationMillisecondType>(arg)?.reinterpret_cast(), to)
        }
        TypeKind::Float => floats::<Float32Type>(call, column(arg)?, mode),
        TypeKind::Double => floats::<Float64Type>(call, column(arg)?, mode),
        TypeKind::Decimal(_, scale) => decimals(call, column(arg)?, scale),
        TypeKind::Boolean => booleans(arg, to),
        other => Err(internal(format!("{other} is no number"))),
    }
}

fn column<T: ArrowPrimitiveType>(arg: &Argument) -> Result<&PrimitiveArray<T>> {
    arg.array().as_primitive_opt::<T>().ok_or_else(|| internal("a number is of another type than its plan says"))
}

/// Conversions that Java has between primitive types; `None` for other targets.
fn converted<T>(array: &PrimitiveArray<T>, to: TypeKind) -> Option<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: JavaNumber,
{
    Some(match to {
        TypeKind::TinyInt => Arc::new(array.unary::<_, Int8Type>(JavaNumber::byte)),
        TypeKind::SmallInt => Arc::new(array.unary::<_, Int16Type>(JavaNumber::short)),
        TypeKind::Int => Arc::new(array.unary::<_, Int32Type>(JavaNumber::int)),
        TypeKind::BigInt => Arc::new(array.unary::<_, Int64Type>(JavaNumber::long)),
        TypeKind::Float => Arc::new(array.unary::<_, Float32Type>(JavaNumber::float)),
        TypeKind::Double => Arc::new(array.unary::<_, Float64Type>(JavaNumber::double)),
        TypeKind::IntervalMonths => Arc::new(array.unary::<_, IntervalYearMonthType>(JavaNumber::int)),
        TypeKind::IntervalMillis => Arc::new(array.unary::<_, DurationMillisecondType>(JavaNumber::long)),
        TypeKind::Boolean => {
            let values = array.values();
            let truth = BooleanBuffer::collect_bool(values.len(), |row| values[row].double() != 0.0);
            Arc::new(BooleanArray::new(truth, array.nulls().cloned()))
        }
        _ => return None,
    })
}

fn integers<T>(array: &PrimitiveArray<T>, to: TypeKind) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: JavaNumber,
{
    if let Some(result) = converted(array, to) {
        return Ok(result);
    }
    let shape = Shape::of(to)?;
    let round = |value: T::Native| shape.round(Decimal { unscaled: value.long().into(), scale: 0 });
    Ok(Arc::new(array.unary_opt::<_, Decimal128Type>(round).with_data_type(shape.arrow())))
}

fn floats<T>(call: &Call<'_>, array: &PrimitiveArray<T>, mode: CastMode) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: JavaNumber,
{
    let to = call.returns.kind;
    if let Some(result) = converted(array, to) {
        return Ok(result);
    }
    let shape = Shape::of(to)?;
    let result = decimal::collect(shape, call.rows, |row| {
        if array.is_null(row) {
            return Ok(None);
        }
        let value = array.value(row).double();
        match settled(shortest(value), mode, &value.to_string(), to)? {
            Some((digits, exponent)) => Ok(shape.round_scientific(digits, exponent)),
            None => Ok(None),
        }
    })?;
    Ok(Arc::new(result))
}

fn decimals(call: &Call<'_>, array: &PrimitiveArray<Decimal128Type>, scale: u8) -> Result<ArrayRef> {
    // The low 64 bits of the whole part, as Java's `BigDecimal.longValue`.
    let whole = |value: i128| (value / power(scale)) as i64;
    Ok(match call.returns.kind {
        TypeKind::TinyInt => Arc::new(array.unary::<_, Int8Type>(|value| whole(value) as i8)),
        TypeKind::SmallInt => Arc::new(array.unary::<_, Int16Type>(|value| whole(value) as i16)),
        TypeKind::Int => Arc::new(array.unary::<_, Int32Type>(|value| whole(value) as i32)),
        TypeKind::BigInt => Arc::new(array.unary::<_, Int64Type>(whole)),
        TypeKind::Float => Arc::new(array.unary::<_, Float32Type>(|value| to_double(value, scale) as f32)),
        TypeKind::Double => Arc::new(array.unary::<_, Float64Type>(|value| to_double(value, scale))),
        TypeKind::Boolean => {
            let values = array.values();
            let truth = BooleanBuffer::collect_bool(values.len(), |row| values[row] != 0);
            Arc::new(BooleanArray::new(truth, array.nulls().cloned()))
        }
        to => {
            let shape = Shape::of(to)?;
            let round = |unscaled| shape.round(Decimal { unscaled, scale });
            Arc::new(array.unary_opt::<_, Decimal128Type>(round).with_data_type(shape.arrow()))
        }
    })
}

/// The nearest double.
fn to_double(unscaled: i128, scale: u8) -> f64 {
    const EXACT: u128 = 1 << 53;
    // Both are exact, so the quotient is rounded once.
    if unscaled.unsigned_abs() <= EXACT && scale <= 22 {
        return unscaled as f64 / power(scale) as f64;
    }
    format!("{unscaled}e-{scale}").parse().unwrap_or(f64::NAN)
}

fn booleans(arg: &Argument, to: TypeKind) -> Result<ArrayRef> {
    let array = arg.array().as_boolean_opt().ok_or_else(|| internal("a truth value is not BOOLEAN"))?;
    let numbers: PrimitiveArray<Int8Type> = array.iter().map(|value| value.map(i8::from)).collect();
    integers(&numbers, to)
}
