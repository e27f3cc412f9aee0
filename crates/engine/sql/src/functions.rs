//! Scalar kernels with Flink's semantics over Arrow arrays, one family per file.
//!
//! [`evaluate`] runs a function or cast over arguments of the types that the plan promises. A kernel is a pure function
//! of its arguments and of the `ExprContext`; it never sees which rows a CASE or AND selected, see
//! `lower::expression` for those. Errors are one row's fault and name the value and the type.
//!
//! This file chooses the kernel. What all kernels share lies below them: [`call`], [`argument`], [`prepared`], [`fault`].

pub mod argument;
pub mod arithmetic;
pub mod call;
pub mod cast;
pub mod compare;
pub mod date_format;
pub mod decimal;
pub mod fault;
pub mod logic;
pub mod membership;
pub mod numeric;
pub mod pattern;
pub mod prepared;
pub mod string;
pub mod temporal;

#[cfg(test)]
mod tests;

use arrow_array::ArrayRef;
use datafusion_common::Result;

use crate::functions::argument::Argument;
use crate::functions::call::{Call, Operation};
use crate::functions::fault::internal;
use crate::plan::Function;

/// Runs a kernel.
///
/// # Shape
/// `call.rows` values of the Arrow type of `call.returns`.
///
/// # Errors
/// `DataFusionError::Execution` if a row has no result in Flink either; `Internal` if an argument has another type than
/// the plan promises.
pub fn evaluate(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    match call.operation {
        Operation::Cast(mode) => cast::evaluate(call, argument::at(args, 0)?, mode),
        Operation::Function(function) => dispatch(function, call, args),
    }
}

fn dispatch(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    use Function as F;
    match function {
        F::Add | F::Subtract | F::Multiply | F::Divide | F::Modulo => arithmetic::binary(function, call, args),
        F::Negate => arithmetic::negate(call, args),
        F::Abs | F::Ceil | F::Floor | F::Sign => numeric::unary(function, call, args),
        F::Round | F::Truncate => numeric::rounding(function, call, args),
        F::Power | F::Sqrt | F::Exp | F::Ln | F::Log10 | F::Log2 => numeric::transcendental(function, call, args),
        F::Equal | F::NotEqual | F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual => {
            compare::evaluate(function, args)
        }
        F::IsDistinctFrom | F::IsNotDistinctFrom => compare::evaluate(function, args),
        F::In => membership::evaluate(call, args),
        F::Greatest | F::Least => compare::extreme(function, args),
        F::And | F::Or | F::Coalesce => {
            Err(internal(format!("`{function:?}` evaluates its arguments lazily and has no kernel")))
        }
        F::Not => logic::not(args),
        F::IsNull | F::IsNotNull => logic::null_test(function, args),
        F::IsTrue | F::IsNotTrue | F::IsFalse | F::IsNotFalse => logic::truth_test(function, args),
        F::Like => pattern::evaluate(call, args),
        F::Extract(_)
        | F::FloorTo(_)
        | F::CeilTo(_)
        | F::TimestampDiff(_)
        | F::AddInterval
        | F::SubtractInterval
        | F::DateFormat
        | F::ToTimestamp
        | F::ToTimestampLtz
        | F::ToDate
        | F::FromUnixtime
        | F::UnixTimestamp
        | F::CurrentTimestamp
        | F::LocalTimestamp
        | F::CurrentDate
        | F::Proctime => temporal::evaluate(function, call, args),
        _ => string::evaluate(function, call, args),
    }
}
