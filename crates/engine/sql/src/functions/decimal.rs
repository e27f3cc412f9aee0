//! Exact decimals: an unscaled 128-bit integer and a scale, computed in 256 bits where 128 do not suffice.
//!
//! Results are rounded half up to the scale of the result type; a result with more digits than its precision is NULL,
//! as in Flink. Division by zero is an error.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, Reader, at, collect_boolean, collect_primitive};
use crate::functions::call::Call;
use crate::functions::fault::{failure, internal};
use crate::plan::Function;
use crate::types::TypeKind;

/// The most digits of a DECIMAL.
pub const PRECISION_MAX: u8 = 38;

/// The powers of ten that fit 128 bits.
pub const POWERS: [i128; 39] = {
    let mut powers = [1_i128; 39];
    let mut exponent = 1;
    while exponent < 39 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// A number with its own scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The value times ten to the scale.
    pub unscaled: i128,
    /// Digits after the point.
    pub scale: u8,
}

/// A DECIMAL type as arithmetic needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Digits in all.
    pub precision: u8,
    /// Digits after the point.
    pub scale: u8,
}

impl Shape {
    /// The shape of a DECIMAL type.
    ///
    /// # Errors
    /// Internal if it is another type.
    pub fn of(kind: TypeKind) -> Result<Self> {
        match kind {
            TypeKind::Decimal(precision, scale) => Ok(Self { precision, scale }),
            _ => Err(internal(format!("{kind} is no decimal type"))),
        }
    }

    /// The Arrow type.
    pub fn arrow(self) -> DataType {
        TypeKind::Decimal(self.precision, self.scale).arrow()
    }

    /// `value` if it has no more digits than the type.
    pub fn fit(self, value: i128) -> Option<i128> {
        (value.unsigned_abs() < power(self.precision).unsigned_abs()).then_some(value)
    }

    /// Rounds a number half up to the type; `None` if it has too many digits.
    pub fn round(self, value: Decimal) -> Option<i128> {
        if value.scale <= self.scale {
            return self.fit(value.unscaled.checked_mul(power(self.scale - value.scale))?);
        }
        self.fit(divide_half_up(value.unscaled, power(value.scale - self.scale)))
    }

    /// Rounds `digits` times ten to `exponent` half up to the type; `None` if it has too many digits.
    pub fn round_scientific(self, digits: i128, exponent: i32) -> Option<i128> {
        if digits == 0 {
            return Some(0);
        }
        let shift = exponent.saturating_add(i32::from(self.scale));
        match u8::try_from(shift.unsigned_abs()) {
            Ok(places) if places <= PRECISION_MAX => {
                if shift >= 0 {
                    self.fit(digits.checked_mul(power(places))?)
                } else {
                    self.fit(divide_half_up(digits, power(places)))
                }
            }
            // Beyond 38 places the value is too large, or nothing of it is left.
            _ if shift > 0 => None,
            _ => Some(0),
        }
    }

    /// As [`Self::round`] for a value of 256 bits with `scale` digits after the point.
    pub fn round_wide(self, value: i256, scale: u8) -> Option<i128> {
        if scale <= self.scale {
            return self.fit(value.checked_mul(wide_power(self.scale - scale))?.to_i128()?);
        }
        self.fit(divide_half_up_wide(value, wide_power(scale - self.scale))?.to_i128()?)
    }
}

/// Ten to `exponent`, at most 38.
pub fn power(exponent: u8) -> i128 {
    POWERS[usize::from(exponent.min(PRECISION_MAX))]
}

/// Ten to `exponent`, at most 76.
fn wide_power(exponent: u8) -> i256 {
    let low = i256::from_i128(power(exponent));
    if exponent <= PRECISION_MAX {
        return low;
    }
    low.wrapping_mul(i256::from_i128(power(exponent - PRECISION_MAX)))
}

/// `value / divisor` rounded half away from zero; `divisor` is positive.
pub fn divide_half_up(value: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (value / divisor, (value % divisor).unsigned_abs());
    if remainder >= divisor.unsigned_abs() - remainder { quotient + value.signum() } else { quotient }
}

fn divide_half_up_wide(value: i256, divisor: i256) -> Option<i256> {
    let quotient = value.checked_div(divisor)?;
    let remainder = value.checked_rem(divisor)?.wrapping_abs();
    let magnitude = divisor.wrapping_abs();
    if remainder < magnitude.wrapping_sub(remainder) {
        return Some(quotient);
    }
    let away = if value.is_negative() == divisor.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    Some(quotient.wrapping_add(away))
}

/// Reads decimals, and integers as decimals without fraction.
#[derive(Debug)]
pub struct DecimalReader<'a> {
    values: Source<'a>,
    scale: u8,
}

#[derive(Debug)]
enum Source<'a> {
    Decimal(Reader<&'a PrimitiveArray<Decimal128Type>>),
    TinyInt(Reader<&'a PrimitiveArray<Int8Type>>),
    SmallInt(Reader<&'a PrimitiveArray<Int16Type>>),
    Int(Reader<&'a PrimitiveArray<Int32Type>>),
    BigInt(Reader<&'a PrimitiveArray<Int64Type>>),
}

impl<'a> DecimalReader<'a> {
    /// Reads `arg`.
    ///
    /// # Errors
    /// Internal if it is neither decimal nor integer.
    pub fn new(arg: &'a Argument) -> Result<Self> {
        let (values, scale) = match arg.array().data_type() {
            DataType::Decimal128(_, scale) => (Source::Decimal(arg.primitive()?), u8::try_from(*scale).unwrap_or(0)),
            DataType::Int8 => (Source::TinyInt(arg.primitive()?), 0),
            DataType::Int16 => (Source::SmallInt(arg.primitive()?), 0),
            DataType::Int32 => (Source::Int(arg.primitive()?), 0),
            DataType::Int64 => (Source::BigInt(arg.primitive()?), 0),
            other => return Err(internal(format!("{other} is not an exact number"))),
        };
        Ok(Self { values, scale })
    }

    /// The number in `row`, `None` if it is NULL.
    pub fn get(&self, row: usize) -> Option<Decimal> {
        let unscaled = match &self.values {
            Source::Decimal(values) => values.get(row),
            Source::TinyInt(values) => values.get(row).map(i128::from),
            Source::SmallInt(values) => values.get(row).map(i128::from),
            Source::Int(values) => values.get(row).map(i128::from),
            Source::BigInt(values) => values.get(row).map(i128::from),
        };
        unscaled.map(|unscaled| Decimal { unscaled, scale: self.scale })
    }
}

/// Makes a DECIMAL column, row by row.
pub fn collect(
    shape: Shape,
    rows: usize,
    value: impl FnMut(usize) -> Result<Option<i128>>,
) -> Result<PrimitiveArray<Decimal128Type>> {
    Ok(collect_primitive::<Decimal128Type>(rows, value)?.with_data_type(shape.arrow()))
}

/// +, -, *, / and % with a DECIMAL result; the arguments keep their own scales.
pub fn binary(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let shape = Shape::of(call.returns.kind)?;
    let (left, right) = (DecimalReader::new(at(args, 0)?)?, DecimalReader::new(at(args, 1)?)?);
    let operation: fn(Decimal, Decimal, Shape) -> Result<Option<i128>> = match function {
        Function::Add => |left, right, shape| Ok(sum(left, right.unscaled, right.scale, shape)),
        Function::Subtract => |left, right, shape| Ok(sum(left, -right.unscaled, right.scale, shape)),
        Function::Multiply => |left, right, shape| Ok(product(left, right, shape)),
        Function::Divide => quotient,
        Function::Modulo => remainder,
        _ => return Err(internal(format!("`{function:?}` is no operation on decimals"))),
    };
    let result = collect(shape, call.rows, |row| match (left.get(row), right.get(row)) {
        (Some(left), Some(right)) => operation(left, right, shape),
        _ => Ok(None),
    })?;
    Ok(Arc::new(result))
}

fn sum(left: Decimal, right: i128, right_scale: u8, shape: Shape) -> Option<i128> {
    let scale = left.scale.max(right_scale);
    let (raise_left, raise_right) = (power(scale - left.scale), power(scale - right_scale));
    let narrow = left
        .unscaled
        .checked_mul(raise_left)
        .zip(right.checked_mul(raise_right))
        .and_then(|(left, right)| left.checked_add(right));
    if let Some(unscaled) = narrow {
        return shape.round(Decimal { unscaled, scale });
    }
    let left = i256::from_i128(left.unscaled).wrapping_mul(i256::from_i128(raise_left));
    let right = i256::from_i128(right).wrapping_mul(i256::from_i128(raise_right));
    shape.round_wide(left.wrapping_add(right), scale)
}

fn product(left: Decimal, right: Decimal, shape: Shape) -> Option<i128> {
    let scale = left.scale + right.scale;
    match left.unscaled.checked_mul(right.unscaled) {
        Some(unscaled) if scale <= PRECISION_MAX || scale - shape.scale <= PRECISION_MAX => {
            shape.round(Decimal { unscaled, scale })
        }
        _ => {
            let wide = i256::from_i128(left.unscaled).wrapping_mul(i256::from_i128(right.unscaled));
            shape.round_wide(wide, scale)
        }
    }
}

/// The quotient to 38 significant digits, half up, then to the scale of the result, half up.
///
/// # Source
/// Flink `DecimalDataUtils.divide`, which rounds twice.
fn quotient(left: Decimal, right: Decimal, shape: Shape) -> Result<Option<i128>> {
    if right.unscaled == 0 {
        return Err(failure("division by zero"));
    }
    if left.unscaled == 0 {
        return Ok(Some(0));
    }
    let raise = (i32::from(PRECISION_MAX) + digits(right.unscaled) - digits(left.unscaled)).max(0);
    let raise = u8::try_from(raise).map_err(|_| internal("a decimal has more than 38 digits"))?;
    let dividend = i256::from_i128(left.unscaled).wrapping_mul(wide_power(raise));
    let divisor = i256::from_i128(right.unscaled);
    let truncated = dividend.wrapping_div(divisor);
    // The quotient has 38 or 39 digits; the 39th decides how to round, without it the remainder does.
    let mut scale = i32::from(raise) + i32::from(left.scale) - i32::from(right.scale);
    let rounded = if truncated.wrapping_abs() >= wide_power(PRECISION_MAX) {
        scale -= 1;
        divide_half_up_wide(truncated, i256::from_i128(10))
    } else {
        divide_half_up_wide(dividend, divisor)
    };
    let Some(rounded) = rounded else { return Ok(None) };
    if let Ok(scale) = u8::try_from(scale) {
        return Ok(round_far(rounded, scale, shape));
    }
    let raise = u8::try_from(-scale).unwrap_or(u8::MAX).min(2 * PRECISION_MAX);
    Ok(rounded.checked_mul(wide_power(raise)).and_then(|value| shape.round_wide(value, 0)))
}

/// As [`Shape::round_wide`] for scales beyond 76, whose surplus digits cannot matter after the first 38.
fn round_far(value: i256, scale: u8, shape: Shape) -> Option<i128> {
    if scale.saturating_sub(shape.scale) > 2 * PRECISION_MAX { Some(0) } else { shape.round_wide(value, scale) }
}

fn digits(value: i128) -> i32 {
    let magnitude = value.unsigned_abs();
    i32::try_from(magnitude.checked_ilog10().map_or(1, |log| log + 1)).unwrap_or(39)
}

fn remainder(left: Decimal, right: Decimal, shape: Shape) -> Result<Option<i128>> {
    if right.unscaled == 0 {
        return Err(failure("division by zero"));
    }
    let scale = left.scale.max(right.scale);
    let dividend = i256::from_i128(left.unscaled).wrapping_mul(wide_power(scale - left.scale));
    let divisor = i256::from_i128(right.unscaled).wrapping_mul(wide_power(scale - right.scale));
    Ok(shape.round_wide(dividend.wrapping_rem(divisor), scale))
}

/// A comparison of decimals with different scales.
pub fn compare(function: Function, left: &Argument, right: &Argument) -> Result<BooleanArray> {
    let rows = if left.is_scalar() { right.array().len() } else { left.array().len() };
    let (left, right) = (DecimalReader::new(left)?, DecimalReader::new(right)?);
    let result = collect_boolean(rows, |row| {
        let (left, right) = (left.get(row), right.get(row));
        if matches!(function, Function::IsDistinctFrom | Function::IsNotDistinctFrom) {
            let same = left.map(comparable) == right.map(comparable);
            return Ok(Some(same == (function == Function::IsNotDistinctFrom)));
        }
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        let order = comparable(left).cmp(&comparable(right));
        Ok(Some(match function {
            Function::Equal => order.is_eq(),
            Function::NotEqual => order.is_ne(),
            Function::Less => order.is_lt(),
            Function::LessOrEqual => order.is_le(),
            Function::Greater => order.is_gt(),
            _ => order.is_ge(),
        }))
    })?;
    result.as_boolean_opt().cloned().ok_or_else(|| internal("a comparison is not BOOLEAN"))
}

/// The value with 38 digits after the point, which every scale divides.
fn comparable(value: Decimal) -> i256 {
    i256::from_i128(value.unscaled).wrapping_mul(wide_power(PRECISION_MAX.saturating_sub(value.scale)))
}
