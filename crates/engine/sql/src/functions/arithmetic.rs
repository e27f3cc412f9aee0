//! + - * / % and unary minus: integers wrap and truncate as Java's, floats follow IEEE 754.
//!
//! Integer and decimal division by zero is an error; of floats it is infinite or NaN.

use std::sync::Arc;

use arrow_arith::arity;
use arrow_arith::numeric::{add_wrapping, div, mul_wrapping, neg_wrapping, rem, sub_wrapping};
use arrow_array::types::{
    Decimal128Type, DurationMillisecondType, Int8Type, Int16Type, Int32Type, Int64Type, IntervalYearMonthType,
};
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at, collect_primitive};
use crate::functions::call::Call;
use crate::functions::decimal;
use crate::functions::fault::{failure, internal};
use crate::plan::Function;
use crate::types::TypeKind;

/// A binary operator; both arguments have the result type, unless it is DECIMAL.
pub fn binary(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (left, right) = (at(args, 0)?, at(args, 1)?);
    let kind = call.returns.kind;
    if let TypeKind::Decimal(..) = kind {
        return decimal::binary(function, call, args);
    }
    if kind.is_interval() {
        return interval(function, call, args);
    }
    match function {
        Function::Add => Ok(add_wrapping(left, right)?),
        Function::Subtract => Ok(sub_wrapping(left, right)?),
        Function::Multiply => Ok(mul_wrapping(left, right)?),
        Function::Divide if kind.is_approximate() => Ok(div(left, right)?),
        Function::Modulo if kind.is_approximate() => Ok(rem(left, right)?),
        Function::Divide => integer_division(call, left, right, Division::Quotient),
        Function::Modulo => integer_division(call, left, right, Division::Remainder),
        _ => Err(internal(format!("`{function:?}` is no binary operator"))),
    }
}

#[derive(Debug, Clone, Copy)]
enum Division {
    Quotient,
    Remainder,
}

fn integer_division(call: &Call<'_>, left: &Argument, right: &Argument, division: Division) -> Result<ArrayRef> {
    match call.returns.kind {
        TypeKind::TinyInt => divide::<Int8Type>(call.rows, left, right, division),
        TypeKind::SmallInt => divide::<Int16Type>(call.rows, left, right, division),
        TypeKind::Int => divide::<Int32Type>(call.rows, left, right, division),
        TypeKind::BigInt => divide::<Int64Type>(call.rows, left, right, division),
        kind => Err(internal(format!("{kind} is not divided as an integer"))),
    }
}

fn divide<T: ArrowPrimitiveType>(
    rows: usize,
    left: &Argument,
    right: &Argument,
    division: Division,
) -> Result<ArrayRef> {
    match division {
        Division::Quotient => divide_with::<T>(rows, left, right, |a, b| a.div_wrapping(b)),
        Division::Remainder => divide_with::<T>(rows, left, right, |a, b| a.mod_wrapping(b)),
    }
}

fn divide_with<T: ArrowPrimitiveType>(
    rows: usize,
    left: &Argument,
    right: &Argument,
    operation: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef> {
    let (dividend, divisor) = (left.primitive::<T>()?, right.primitive::<T>()?);
    if let (Some(dividend), Some(divisor)) = (dividend.column(), divisor.constant())
        && !divisor.is_zero()
    {
        let result: PrimitiveArray<T> = dividend.unary(|value| operation(value, divisor));
        return Ok(Arc::new(result));
    }
    if let (Some(dividend), Some(divisor)) = (dividend.column(), divisor.column()) {
        let nulls = NullBuffer::union(dividend.nulls(), divisor.nulls());
        let is_present = |row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        if divisor.values().iter().enumerate().any(|(row, value)| value.is_zero() && is_present(row)) {
            return Err(failure("division by zero"));
        }
        // NULL rows may hold any divisor, zero too.
        let guarded = |value, divisor: T::Native| if divisor.is_zero() { value } else { operation(value, divisor) };
        let result: PrimitiveArray<T> = arity::binary(dividend, divisor, guarded)?;
        return Ok(Arc::new(result));
    }
    let result = collect_primitive::<T>(rows, |row| match (dividend.get(row), divisor.get(row)) {
        (Some(_), Some(divisor)) if divisor.is_zero() => Err(failure("division by zero")),
        (Some(value), Some(divisor)) => Ok(Some(operation(value, divisor))),
        _ => Ok(None),
    })?;
    Ok(Arc::new(result))
}

/// The sum or difference of intervals, which wraps as their integers do.
fn interval(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (left, right) = (at(args, 0)?, at(args, 1)?);
    match (function, call.returns.kind) {
        (Function::Add, TypeKind::IntervalMonths) => {
            wrapped::<IntervalYearMonthType>(call.rows, left, right, i32::wrapping_add)
        }
        (Function::Subtract, TypeKind::IntervalMonths) => {
            wrapped::<IntervalYearMonthType>(call.rows, left, right, i32::wrapping_sub)
        }
        (Function::Add, _) => wrapped::<DurationMillisecondType>(call.rows, left, right, i64::wrapping_add),
        (Function::Subtract, _) => wrapped::<DurationMillisecondType>(call.rows, left, right, i64::wrapping_sub),
        _ => Err(internal(format!("`{function:?}` is no operation on intervals"))),
    }
}

fn wrapped<T: ArrowPrimitiveType>(
    rows: usize,
    left: &Argument,
    right: &Argument,
    operation: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef> {
    let (left, right) = (left.primitive::<T>()?, right.primitive::<T>()?);
    let result = collect_primitive::<T>(rows, |row| {
        Ok(left.get(row).zip(right.get(row)).map(|(left, right)| operation(left, right)))
    })?;
    Ok(Arc::new(result))
}

/// Unary minus.
pub fn negate(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    match arg.array().data_type() {
        DataType::Decimal128(..) => {
            let shape = decimal::Shape::of(call.returns.kind)?;
            let values = arg.primitive::<Decimal128Type>()?;
            Ok(Arc::new(decimal::collect(shape, call.rows, |row| Ok(values.get(row).map(|value| -value)))?))
        }
        DataType::Interval(_) => {
            let values = arg.primitive::<IntervalYearMonthType>()?;
            let result = collect_primitive::<IntervalYearMonthType>(call.rows, |row| {
                Ok(values.get(row).map(i32::wrapping_neg))
            })?;
            Ok(Arc::new(result))
        }
        DataType::Duration(_) => {
            let values = arg.primitive::<DurationMillisecondType>()?;
            let result = collect_primitive::<DurationMillisecondType>(call.rows, |row| {
                Ok(values.get(row).map(i64::wrapping_neg))
            })?;
            Ok(Arc::new(result))
        }
        _ => Ok(neg_wrapping(arg.array())?),
    }
}
