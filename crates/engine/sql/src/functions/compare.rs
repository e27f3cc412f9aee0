//! Comparisons, GREATEST and LEAST.
//!
//! Integers, decimals, times and strings (bytewise on UTF-8) use Arrow's kernels. Floats do not: Arrow orders them
//! totally, Java has NaN unequal to everything and -0.0 equal to 0.0.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Datum, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_select::nullif::nullif;
use arrow_select::zip::zip;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at, common_nulls};
use crate::functions::decimal;
use crate::functions::fault::internal;
use crate::functions::logic::true_rows;
use crate::plan::Function;

/// A comparison of the two arguments, which have the same type.
pub fn evaluate(function: Function, args: &[Argument]) -> Result<ArrayRef> {
    Ok(Arc::new(compare(function, at(args, 0)?, at(args, 1)?)?))
}

/// A comparison as a [`BooleanArray`].
pub fn compare(function: Function, left: &Argument, right: &Argument) -> Result<BooleanArray> {
    match (left.array().data_type(), right.array().data_type()) {
        (DataType::Float64, DataType::Float64) => compare_floats::<Float64Type>(function, left, right),
        (DataType::Float32, DataType::Float32) => compare_floats::<Float32Type>(function, left, right),
        (DataType::Decimal128(_, left_scale), DataType::Decimal128(_, right_scale)) => {
            if left_scale == right_scale {
                let (left, right) = (same_precision(left)?, same_precision(right)?);
                return Ok(kernel(function)?(&left, &right)?);
            }
            decimal::compare(function, left, right)
        }
        _ => Ok(kernel(function)?(left, right)?),
    }
}

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

fn kernel(function: Function) -> Result<Kernel> {
    Ok(match function {
        Function::Equal => cmp::eq,
        Function::NotEqual => cmp::neq,
        Function::Less => cmp::lt,
        Function::LessOrEqual => cmp::lt_eq,
        Function::Greater => cmp::gt,
        Function::GreaterOrEqual => cmp::gt_eq,
        Function::IsDistinctFrom => cmp::distinct,
        Function::IsNotDistinctFrom => cmp::not_distinct,
        _ => return Err(internal(format!("`{function:?}` is no comparison"))),
    })
}

/// Arrow compares decimals of equal types only; the precision does not matter to the order.
fn same_precision(arg: &Argument) -> Result<Argument> {
    let array = arg.array().as_primitive_opt::<Decimal128Type>().ok_or_else(|| internal("a decimal is not 128 bit"))?;
    let scale = array.scale();
    let array: ArrayRef = Arc::new(array.clone().with_data_type(DataType::Decimal128(38, scale)));
    Ok(if arg.is_scalar() { Argument::scalar(array) } else { Argument::column(array) })
}

fn compare_floats<T>(function: Function, left: &Argument, right: &Argument) -> Result<BooleanArray>
where
    T: ArrowPrimitiveType,
    T::Native: PartialOrd,
{
    match function {
        Function::Equal => float_rows::<T>(left, right, |a, b| a == b),
        Function::NotEqual => float_rows::<T>(left, right, |a, b| a != b),
        Function::Less => float_rows::<T>(left, right, |a, b| a < b),
        Function::LessOrEqual => float_rows::<T>(left, right, |a, b| a <= b),
        Function::Greater => float_rows::<T>(left, right, |a, b| a > b),
        Function::GreaterOrEqual => float_rows::<T>(left, right, |a, b| a >= b),
        Function::IsDistinctFrom => Ok(negated(&float_identity::<T>(left, right)?)),
        Function::IsNotDistinctFrom => float_identity::<T>(left, right),
        _ => Err(internal(format!("`{function:?}` is no comparison"))),
    }
}

fn negated(array: &BooleanArray) -> BooleanArray {
    BooleanArray::new(!array.values(), array.nulls().cloned())
}

/// Compares row by row; values of NULL rows are compared too, and hidden by the NULLs.
fn float_rows<T: ArrowPrimitiveType>(
    left: &Argument,
    right: &Argument,
    holds: impl Fn(T::Native, T::Native) -> bool,
) -> Result<BooleanArray> {
    let rows = if left.is_scalar() { right.array().len() } else { left.array().len() };
    let nulls = common_nulls(&[left.clone(), right.clone()], rows);
    let values = match (floats::<T>(left)?, floats::<T>(right)?) {
        (Side::Column(left), Side::Column(right)) if left.len() == right.len() => {
            let (left, right) = (left.values(), right.values());
            BooleanBuffer::collect_bool(rows, |row| holds(left[row], right[row]))
        }
        (Side::Column(left), Side::Value(right)) => {
            let left = left.values();
            BooleanBuffer::collect_bool(rows, |row| holds(left[row], right))
        }
        (Side::Value(left), Side::Column(right)) => {
            let right = right.values();
            BooleanBuffer::collect_bool(rows, |row| holds(left, right[row]))
        }
        (Side::Value(left), Side::Value(right)) => BooleanBuffer::collect_bool(rows, |_| holds(left, right)),
        _ => return Err(internal("a comparison has arguments of different lengths")),
    };
    Ok(BooleanArray::new(values, nulls))
}

enum Side<'a, T: ArrowPrimitiveType> {
    Column(&'a PrimitiveArray<T>),
    Value(T::Native),
}

fn floats<T: ArrowPrimitiveType>(arg: &Argument) -> Result<Side<'_, T>> {
    let array = arg.array().as_primitive_opt::<T>().ok_or_else(|| internal("a float is of the wrong width"))?;
    Ok(if arg.is_scalar() { Side::Value(array.value(0)) } else { Side::Column(array) })
}

/// IS NOT DISTINCT FROM: both NULL, or equal.
fn float_identity<T>(left: &Argument, right: &Argument) -> Result<BooleanArray>
where
    T: ArrowPrimitiveType,
    T::Native: PartialOrd,
{
    let equal = true_rows(&float_rows::<T>(left, right, |a, b| a == b)?);
    let both_null = &absent(left, equal.len()) & &absent(right, equal.len());
    Ok(BooleanArray::new(&equal | &both_null, None))
}

fn absent(arg: &Argument, rows: usize) -> BooleanBuffer {
    match common_nulls(std::slice::from_ref(arg), rows) {
        Some(nulls) => !nulls.inner(),
        None => BooleanBuffer::new_unset(rows),
    }
}

/// GREATEST and LEAST: NULL if any argument is.
pub fn extreme(function: Function, args: &[Argument]) -> Result<ArrayRef> {
    let better = match function {
        Function::Greatest => Function::Greater,
        _ => Function::Less,
    };
    let rows = args.iter().filter(|arg| !arg.is_scalar()).map(|arg| arg.array().len()).max().unwrap_or(1);
    let mut best = at(args, 0)?.to_column(rows)?;
    for arg in args.iter().skip(1) {
        let takes = compare(better, arg, &Argument::column(Arc::clone(&best)))?;
        best = zip(&takes, arg, &best)?;
    }
    match common_nulls(args, rows) {
        Some(nulls) => Ok(nullif(&best, &BooleanArray::new(null_rows(&nulls), None))?),
        None => Ok(best),
    }
}

fn null_rows(nulls: &NullBuffer) -> BooleanBuffer {
    !nulls.inner()
}
