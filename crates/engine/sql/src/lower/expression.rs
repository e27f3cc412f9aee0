//! Typed expressions become DataFusion physical expressions, one node per plan node.
//!
//! Three kinds of node are ours: [`kernel::KernelExpr`] evaluates all arguments and runs a kernel of
//! [`crate::functions`]; [`connective::ConnectiveExpr`] (AND, OR) and [`branch::BranchExpr`] (CASE, COALESCE) evaluate
//! an argument only for the rows that need it, so that `x <> 0 AND 1 / x > 2` cannot fail. Nothing is coerced here: the
//! plan has a cast wherever Flink has one.

pub mod branch;
pub mod connective;
pub mod kernel;
pub mod selection;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};
use kobel_model::{Error, Result};

use crate::functions::call::Operation;
use crate::functions::cast;
use crate::lower::ExprContext;
use crate::plan::{Expr, ExprKind, Function, Scalar};
use crate::types::{TypeKind, time_unit};

use self::branch::BranchExpr;
use self::connective::{Connective, ConnectiveExpr};
use self::kernel::{KernelExpr, Signature, depends_on_clock};

/// Makes the physical expression that evaluates `expr` over batches whose columns `expr` refers to by index.
///
/// # Shape
/// Values have the Arrow type of `expr.ty`.
///
/// # Errors
/// Unsupported for a cast that Flink does not have; Invalid for a literal pattern or format that is malformed; Bug if
/// the plan is ill-typed.
pub fn lower_expr(expr: &Expr, context: &ExprContext) -> Result<Arc<dyn PhysicalExpr>> {
    match &expr.kind {
        ExprKind::Column(index) => Ok(Arc::new(Column::new(&format!("c{index}"), *index))),
        ExprKind::Literal(value) => Ok(Arc::new(Literal::new(scalar_value(value, expr.ty.kind)?))),
        ExprKind::Call(function, args) => lower_call(*function, args, expr, context),
        ExprKind::Cast(input, mode) => {
            if !cast::is_supported(input.ty.kind, expr.ty.kind) {
                let message = format!("cast from {} to {} is not supported", input.ty.kind, expr.ty.kind);
                return Err(Error::unsupported(message));
            }
            let signature = Signature { args: vec![input.ty], returns: expr.ty };
            let children = vec![lower_expr(input, context)?];
            Ok(Arc::new(KernelExpr::try_new(Operation::Cast(*mode), children, signature, context.clone())?))
        }
        ExprKind::Case { branches, otherwise } => {
            let branches = branches
                .iter()
                .map(|(when, then)| Ok((lower_expr(when, context)?, lower_expr(then, context)?)))
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(BranchExpr::case(branches, lower_expr(otherwise, context)?, expr.ty)))
        }
    }
}

fn lower_call(function: Function, args: &[Expr], expr: &Expr, context: &ExprContext) -> Result<Arc<dyn PhysicalExpr>> {
    let children = args.iter().map(|arg| lower_expr(arg, context)).collect::<Result<Vec<_>>>()?;
    match function {
        Function::And => Ok(Arc::new(ConnectiveExpr::new(Connective::And, children, expr.ty))),
        Function::Or => Ok(Arc::new(ConnectiveExpr::new(Connective::Or, children, expr.ty))),
        Function::Coalesce => Ok(Arc::new(BranchExpr::coalesce(children, expr.ty))),
        _ => {
            let signature = Signature { args: args.iter().map(|arg| arg.ty).collect(), returns: expr.ty };
            let operation = Operation::Function(function);
            Ok(Arc::new(KernelExpr::try_new(operation, children, signature, context.clone())?))
        }
    }
}

/// The DataFusion value of a constant, with exactly the Arrow type of `kind`.
///
/// # Errors
/// Bug if the constant is not of that type.
pub fn scalar_value(scalar: &Scalar, kind: TypeKind) -> Result<ScalarValue> {
    let mismatch = || Error::bug(format!("the constant {scalar:?} is not of type {kind}"));
    Ok(match (scalar, kind) {
        (Scalar::Null, _) => ScalarValue::try_new_null(&kind.arrow()).map_err(|_| mismatch())?,
        (Scalar::Boolean(value), TypeKind::Boolean) => ScalarValue::Boolean(Some(*value)),
        (Scalar::Integer(value), TypeKind::TinyInt) => {
            ScalarValue::Int8(Some(i8::try_from(*value).map_err(|_| mismatch())?))
        }
        (Scalar::Integer(value), TypeKind::SmallInt) => {
            ScalarValue::Int16(Some(i16::try_from(*value).map_err(|_| mismatch())?))
        }
        (Scalar::Integer(value), TypeKind::Int) => {
            ScalarValue::Int32(Some(i32::try_from(*value).map_err(|_| mismatch())?))
        }
        (Scalar::Integer(value), TypeKind::BigInt) => ScalarValue::Int64(Some(*value)),
        (Scalar::Float(value), TypeKind::Float) => ScalarValue::Float32(Some(*value as f32)),
        (Scalar::Float(value), TypeKind::Double) => ScalarValue::Float64(Some(*value)),
        (Scalar::Decimal(value), TypeKind::Decimal(precision, scale)) => {
            ScalarValue::Decimal128(Some(*value), precision, scale as i8)
        }
        (Scalar::String(value), kind) if kind.is_character() => ScalarValue::Utf8(Some(value.clone())),
        (Scalar::Binary(value), kind) if kind.is_binary() => ScalarValue::Binary(Some(value.clone())),
        (Scalar::Date(value), TypeKind::Date) => ScalarValue::Date32(Some(*value)),
        (Scalar::Time(value), TypeKind::Time(_)) => ScalarValue::Time32Millisecond(Some(*value)),
        (Scalar::Timestamp(value), TypeKind::Timestamp(precision)) => timestamp_value(*value, precision, None),
        (Scalar::Timestamp(value), TypeKind::TimestampLtz(precision)) => {
            timestamp_value(*value, precision, Some("UTC".into()))
        }
        (Scalar::Months(value), TypeKind::IntervalMonths) => ScalarValue::IntervalYearMonth(Some(*value)),
        (Scalar::Millis(value), TypeKind::IntervalMillis) => ScalarValue::DurationMillisecond(Some(*value)),
        _ => return Err(mismatch()),
    })
}

fn timestamp_value(value: i64, precision: u8, zone: Option<Arc<str>>) -> ScalarValue {
    match time_unit(precision) {
        arrow_schema::TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(value), zone),
        arrow_schema::TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(value), zone),
        _ => ScalarValue::TimestampMillisecond(Some(value), zone),
    }
}

/// The value of an expression that depends on no column and no clock; `None` if it does, or if it has no value.
///
/// An expression that fails is left alone: it may stand in a branch that is never taken.
///
/// # Errors
/// As [`lower_expr`].
pub fn fold_constant(expr: &Expr, context: &ExprContext) -> Result<Option<Scalar>> {
    if !is_constant(expr) {
        return Ok(None);
    }
    let lowered = lower_expr(expr, context)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
        .map_err(|error| Error::bug("cannot make a batch of one row").with_source(error))?;
    let value = match lowered.evaluate(&batch) {
        Ok(ColumnarValue::Scalar(value)) => value,
        Ok(ColumnarValue::Array(array)) => match ScalarValue::try_from_array(&array, 0) {
            Ok(value) => value,
            Err(_) => return Ok(None),
        },
        Err(_) => return Ok(None),
    };
    Ok(plan_scalar(value))
}

fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_) => false,
        ExprKind::Literal(_) => true,
        ExprKind::Call(function, args) => !depends_on_clock(*function) && args.iter().all(is_constant),
        ExprKind::Cast(input, _) => is_constant(input),
        ExprKind::Case { branches, otherwise } => {
            is_constant(otherwise) && branches.iter().all(|(when, then)| is_constant(when) && is_constant(then))
        }
    }
}

fn plan_scalar(value: ScalarValue) -> Option<Scalar> {
    if value.is_null() {
        return Some(Scalar::Null);
    }
    Some(match value {
        ScalarValue::Boolean(Some(value)) => Scalar::Boolean(value),
        ScalarValue::Int8(Some(value)) => Scalar::Integer(value.into()),
        ScalarValue::Int16(Some(value)) => Scalar::Integer(value.into()),
        ScalarValue::Int32(Some(value)) => Scalar::Integer(value.into()),
        ScalarValue::Int64(Some(value)) => Scalar::Integer(value),
        ScalarValue::Float32(Some(value)) => Scalar::Float(value.into()),
        ScalarValue::Float64(Some(value)) => Scalar::Float(value),
        ScalarValue::Decimal128(Some(value), _, _) => Scalar::Decimal(value),
        ScalarValue::Utf8(Some(value)) => Scalar::String(value),
        ScalarValue::Binary(Some(value)) => Scalar::Binary(value),
        ScalarValue::Date32(Some(value)) => Scalar::Date(value),
        ScalarValue::Time32Millisecond(Some(value)) => Scalar::Time(value),
        ScalarValue::TimestampMillisecond(Some(value), _)
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::TimestampNanosecond(Some(value), _) => Scalar::Timestamp(value),
        ScalarValue::IntervalYearMonth(Some(value)) => Scalar::Months(value),
        ScalarValue::DurationMillisecond(Some(value)) => Scalar::Millis(value),
        _ => return None,
    })
}
