//! ABS, CEIL, FLOOR, SIGN, ROUND, TRUNCATE and the functions of real numbers.
//!
//! Rounding is half up, away from zero at the middle; of floats it works on the decimal digits that Java prints for
//! them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, Reader, at, collect_primitive};
use crate::functions::call::Call;
use crate::functions::cast::java_double::shortest;
use crate::functions::decimal::{self, Shape, divide_half_up, power};
use crate::functions::fault::{failure, internal};
use crate::plan::Function;

/// ABS, CEIL, FLOOR, SIGN; the result has the type of the argument, of a DECIMAL perhaps another scale.
pub fn unary(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    match arg.array().data_type() {
        DataType::Int8 => integer::<Int8Type>(function, arg),
        DataType::Int16 => integer::<Int16Type>(function, arg),
        DataType::Int32 => integer::<Int32Type>(function, arg),
        DataType::Int64 => integer::<Int64Type>(function, arg),
        DataType::Float32 => match function {
            Function::Abs => mapped::<Float32Type>(arg, f32::abs),
            Function::Ceil => mapped::<Float32Type>(arg, f32::ceil),
            Function::Floor => mapped::<Float32Type>(arg, f32::floor),
            _ => mapped::<Float32Type>(arg, |value| signum(value.into()) as f32),
        },
        DataType::Float64 => match function {
            Function::Abs => mapped::<Float64Type>(arg, f64::abs),
            Function::Ceil => mapped::<Float64Type>(arg, f64::ceil),
            Function::Floor => mapped::<Float64Type>(arg, f64::floor),
            _ => mapped::<Float64Type>(arg, signum),
        },
        DataType::Decimal128(_, scale) => {
            let shape = Shape::of(call.returns.kind)?;
            let (unit, from) = (power(u8::try_from(*scale).unwrap_or(0)), u8::try_from(*scale).unwrap_or(0));
            let values = arg.primitive::<Decimal128Type>()?;
            let result = decimal::collect(shape, call.rows, |row| {
                let Some(value) = values.get(row) else { return Ok(None) };
                let (unscaled, scale) = match function {
                    Function::Abs => (value.abs(), from),
                    Function::Ceil => (-(-value).div_euclid(unit), 0),
                    Function::Floor => (value.div_euclid(unit), 0),
                    _ => (value.signum(), 0),
                };
                Ok(shape.round(decimal::Decimal { unscaled, scale }))
            })?;
            Ok(Arc::new(result))
        }
        other => Err(internal(format!("`{function:?}` does not take {other}"))),
    }
}

fn integer<T: ArrowPrimitiveType>(function: Function, arg: &Argument) -> Result<ArrayRef> {
    let (zero, one) = (T::Native::ZERO, T::Native::ONE);
    match function {
        Function::Abs => mapped::<T>(arg, |value| if value.is_lt(zero) { value.neg_wrapping() } else { value }),
        Function::Sign => mapped::<T>(arg, |value| {
            if value.is_lt(zero) {
                one.neg_wrapping()
            } else if value.is_zero() {
                zero
            } else {
                one
            }
        }),
        _ => Ok(Arc::clone(arg.array())),
    }
}

/// Java's `Math.signum`, which keeps zeros and NaN.
fn signum(value: f64) -> f64 {
    if value == 0.0 || value.is_nan() { value } else { value.signum() }
}

fn mapped<T: ArrowPrimitiveType>(arg: &Argument, operation: impl Fn(T::Native) -> T::Native) -> Result<ArrayRef> {
    let array = arg.array().as_primitive_opt::<T>().ok_or_else(|| internal("a number is of another type"))?;
    let result: PrimitiveArray<T> = array.unary(operation);
    Ok(Arc::new(result))
}

/// How ROUND and TRUNCATE drop digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    HalfUp,
    Down,
}

impl Rounding {
    fn divide(self, value: i128, divisor: i128) -> i128 {
        match self {
            Self::HalfUp => divide_half_up(value, divisor),
            Self::Down => value / divisor,
        }
    }

    /// An integer without the digits below ten to `-places`.
    fn integer(self, value: i64, places: i32) -> i64 {
        if places >= 0 {
            return value;
        }
        match u8::try_from(places.unsigned_abs()) {
            Ok(dropped) if dropped < 38 => {
                let unit = power(dropped);
                // Java takes the low 64 bits of a result that is too large.
                (self.divide(value.into(), unit) * unit) as i64
            }
            _ => 0,
        }
    }
}

/// ROUND and TRUNCATE to a number of places after the point.
pub fn rounding(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    let places = match args.get(1) {
        Some(places) => Some(places.primitive::<Int32Type>()?),
        None => None,
    };
    let rounding = if function == Function::Round { Rounding::HalfUp } else { Rounding::Down };
    let rounder = Rounder { places, rows: call.rows };
    match arg.array().data_type() {
        DataType::Int8 => {
            rounder.run::<Int8Type>(arg, |value, places| Ok(rounding.integer(value.into(), places) as i8))
        }
        DataType::Int16 => {
            rounder.run::<Int16Type>(arg, |value, places| Ok(rounding.integer(value.into(), places) as i16))
        }
        DataType::Int32 => {
            rounder.run::<Int32Type>(arg, |value, places| Ok(rounding.integer(value.into(), places) as i32))
        }
        DataType::Int64 => rounder.run::<Int64Type>(arg, |value, places| Ok(rounding.integer(value, places))),
        DataType::Float32 => {
            rounder.run::<Float32Type>(arg, |value, places| Ok(round_float(rounding, value.into(), places)? as f32))
        }
        DataType::Float64 => rounder.run::<Float64Type>(arg, |value, places| round_float(rounding, value, places)),
        DataType::Decimal128(_, scale) => {
            let (shape, scale) = (Shape::of(call.returns.kind)?, u8::try_from(*scale).unwrap_or(0));
            let values = arg.primitive::<Decimal128Type>()?;
            let result = decimal::collect(shape, call.rows, |row| {
                let Some((value, places)) = values.get(row).zip(rounder.places(row)) else { return Ok(None) };
                Ok(round_decimal(rounding, value, scale, places, shape))
            })?;
            Ok(Arc::new(result))
        }
        other => Err(internal(format!("`{function:?}` does not take {other}"))),
    }
}

struct Rounder<'a> {
    places: Option<Reader<&'a PrimitiveArray<Int32Type>>>,
    rows: usize,
}

impl Rounder<'_> {
    fn places(&self, row: usize) -> Option<i32> {
        match &self.places {
            Some(places) => places.get(row),
            None => Some(0),
        }
    }

    fn run<T: ArrowPrimitiveType>(
        &self,
        arg: &Argument,
        operation: impl Fn(T::Native, i32) -> Result<T::Native>,
    ) -> Result<ArrayRef> {
        let values = arg.primitive::<T>()?;
        let result = collect_primitive::<T>(self.rows, |row| match (values.get(row), self.places(row)) {
            (Some(value), Some(places)) => Ok(Some(operation(value, places)?)),
            _ => Ok(None),
        })?;
        Ok(Arc::new(result))
    }
}

fn round_decimal(rounding: Rounding, value: i128, scale: u8, places: i32, shape: Shape) -> Option<i128> {
    let dropped = i32::from(scale).saturating_sub(places);
    let rounded = match u8::try_from(dropped) {
        Ok(dropped) if dropped > 0 && dropped <= decimal::PRECISION_MAX => {
            let unit = power(dropped);
            rounding.divide(value, unit).checked_mul(unit)?
        }
        _ if dropped > 0 => 0,
        _ => value,
    };
    shape.round(decimal::Decimal { unscaled: rounded, scale })
}

/// Rounds the decimal digits of a float; half up for ROUND, towards zero for TRUNCATE.
fn round_float(rounding: Rounding, value: f64, places: i32) -> Result<f64> {
    let Some((digits, exponent)) = shortest(value) else {
        return Err(failure(format!("cannot round `{value}`")));
    };
    let dropped = (-exponent).saturating_sub(places);
    if dropped <= 0 {
        // Digits have no negative zero.
        return Ok(value + 0.0);
    }
    match u8::try_from(dropped) {
        Ok(dropped) if dropped <= decimal::PRECISION_MAX => {
            let kept = rounding.divide(digits, power(dropped));
            format!("{kept}e{}", -i64::from(places))
                .parse()
                .map_err(|_| internal("a rounded number does not read back"))
        }
        _ => Ok(0.0),
    }
}

/// POWER, SQRT, EXP, LN, LOG10, LOG2 of DOUBLE.
pub fn transcendental(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    match function {
        Function::Power => {
            let (base, exponent) = (arg.primitive::<Float64Type>()?, at(args, 1)?.primitive::<Float64Type>()?);
            let result = collect_primitive::<Float64Type>(call.rows, |row| {
                Ok(base.get(row).zip(exponent.get(row)).map(|(base, exponent)| pow(base, exponent)))
            })?;
            Ok(Arc::new(result))
        }
        Function::Sqrt => mapped::<Float64Type>(arg, |value| pow(value, 0.5)),
        Function::Exp => mapped::<Float64Type>(arg, f64::exp),
        Function::Ln => mapped::<Float64Type>(arg, f64::ln),
        Function::Log10 => mapped::<Float64Type>(arg, f64::log10),
        Function::Log2 => mapped::<Float64Type>(arg, |value| value.ln() / std::f64::consts::LN_2),
        _ => Err(internal(format!("`{function:?}` is no function of real numbers"))),
    }
}

/// Java's `Math.pow`, which differs from C's for NaN and for ±1 to an infinite power.
fn pow(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 {
        1.0
    } else if exponent.is_nan() || (base.abs() == 1.0 && exponent.is_infinite()) {
        f64::NAN
    } else {
        base.powf(exponent)
    }
}
