//! `+ - * / %` and unary minus: numbers, and dates and times with intervals.
//!
//! DECIMAL operands keep their precision and scale, the result has that of the operation; every other number is cast to
//! the type of the result first.
//!
//! # Source
//! Flink 2.3 `ScalarOperatorGens`, `FlinkTypeSystem`.

use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, ExprKind, Function, Scalar};
use crate::types::{SqlType, TypeKind};

use super::coercion::{
    Approximate, DecimalOperation, any_nullable, call, cast, common_type, decimal_result, exact_digits,
};
use super::literal::MILLIS_PER_DAY;

/// The operator of a function, for messages.
fn symbol(function: Function) -> &'static str {
    match function {
        Function::Add => "+",
        Function::Subtract => "-",
        Function::Multiply => "*",
        Function::Divide => "/",
        _ => "%",
    }
}

/// Applies an arithmetic operator.
pub(super) fn apply(function: Function, left: Expr, right: Expr, span: Span) -> SqlResult<Expr> {
    let (left_kind, right_kind) = (left.ty.kind, right.ty.kind);
    if left_kind.is_numeric() && right_kind.is_numeric() {
        return numbers(function, left, right, span);
    }
    match function {
        Function::Add if is_moment(left_kind) && right_kind.is_interval() => shift(function, left, right, span),
        Function::Add if left_kind.is_interval() && is_moment(right_kind) => shift(function, right, left, span),
        Function::Subtract if is_moment(left_kind) && right_kind.is_interval() => shift(function, left, right, span),
        Function::Subtract if is_moment(left_kind) && is_moment(right_kind) => {
            Err(refused(function, left_kind, right_kind, span).with_hint("use TIMESTAMPDIFF(unit, from, to)"))
        }
        _ if left_kind.is_interval() || right_kind.is_interval() => intervals(function, &left, &right, span),
        _ => Err(refused(function, left_kind, right_kind, span)),
    }
}

/// `-x`
pub(super) fn negate(operand: Expr, span: Span) -> SqlResult<Expr> {
    let kind = operand.ty.kind;
    let negated = match &operand.kind {
        ExprKind::Literal(Scalar::Decimal(value)) => Some(Scalar::Decimal(-value)),
        // A literal has no negative zero.
        ExprKind::Literal(Scalar::Float(value)) => Some(Scalar::Float(0.0 - value)),
        ExprKind::Literal(Scalar::Months(value)) => value.checked_neg().map(Scalar::Months),
        ExprKind::Literal(Scalar::Millis(value)) => value.checked_neg().map(Scalar::Millis),
        _ => None,
    };
    if let Some(scalar) = negated {
        return Ok(Expr { kind: ExprKind::Literal(scalar), ty: operand.ty, span });
    }
    if kind.is_numeric() {
        let ty = operand.ty;
        return Ok(call(Function::Negate, vec![operand], ty, span));
    }
    if kind.is_interval() {
        return Err(SqlError::unsupported(span, "unary `-` of an interval that is not a literal"));
    }
    Err(SqlError::invalid(span, format!("cannot apply unary `-` to `{kind}`")))
}

/// An operator, or MOD, on two numbers.
pub(super) fn numbers(function: Function, left: Expr, right: Expr, span: Span) -> SqlResult<Expr> {
    let (left_kind, right_kind) = (left.ty.kind, right.ty.kind);
    let nullable = left.ty.nullable || right.ty.nullable;
    let is_approximate = left_kind.is_approximate() || right_kind.is_approximate();
    if function == Function::Modulo && is_approximate {
        return Err(refused(function, left_kind, right_kind, span).with_hint("`%` and MOD take exact numbers"));
    }
    let is_integer = left_kind.is_integer() && right_kind.is_integer();
    if !(is_approximate || is_integer)
        && let (Some(left_digits), Some(right_digits)) = (exact_digits(left_kind), exact_digits(right_kind))
    {
        let is_whole = left_digits.1 == 0 && right_digits.1 == 0;
        let kind = match function {
            Function::Modulo if is_whole && right_kind.is_integer() => {
                // Flink takes the low 64 bits of the dividend.
                let args = vec![cast(left, TypeKind::BigInt), cast(right, TypeKind::BigInt)];
                let ty = SqlType { kind: TypeKind::BigInt, nullable };
                return Ok(cast(call(function, args, ty, span), right_kind));
            }
            Function::Modulo if is_whole => right_kind,
            _ => decimal_result(decimal_operation(function), left_digits, right_digits),
        };
        let args = vec![as_decimal(left, left_digits), as_decimal(right, right_digits)];
        return Ok(call(function, args, SqlType { kind, nullable }, span));
    }
    let Some(kind) = common_type(left_kind, right_kind, Approximate::First) else {
        return Err(refused(function, left_kind, right_kind, span));
    };
    let ty = SqlType { kind, nullable };
    let result = call(function, vec![cast(left, kind), cast(right, kind)], ty, span);
    // The remainder has the type of the divisor, whose values hold it.
    Ok(if function == Function::Modulo { cast(result, right_kind) } else { result })
}

fn as_decimal(expr: Expr, (precision, scale): (u8, u8)) -> Expr {
    cast(expr, TypeKind::Decimal(precision, scale))
}

fn decimal_operation(function: Function) -> DecimalOperation {
    match function {
        Function::Multiply => DecimalOperation::Multiply,
        Function::Divide => DecimalOperation::Divide,
        Function::Modulo => DecimalOperation::Modulo,
        _ => DecimalOperation::Add,
    }
}

/// Whether an interval can be added to it.
fn is_moment(kind: TypeKind) -> bool {
    matches!(kind, TypeKind::Date | TypeKind::Time(_)) || kind.is_timestamp()
}

/// Moves a date or time by an interval; the type stays.
pub(super) fn shift(function: Function, moment: Expr, interval: Expr, span: Span) -> SqlResult<Expr> {
    let function = if function == Function::Subtract { Function::SubtractInterval } else { Function::AddInterval };
    let interval = match moment.ty.kind {
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) if precision > 3 => {
            let construct = format!("interval arithmetic on `{}`", moment.ty.kind);
            return Err(SqlError::unsupported(span, construct).with_hint("cast it to precision 3"));
        }
        TypeKind::Time(_) if interval.ty.kind == TypeKind::IntervalMonths => {
            let message = format!("cannot add `{}` to `{}`", interval.ty.kind, moment.ty.kind);
            return Err(SqlError::invalid(span, message));
        }
        TypeKind::Date => whole_days(interval),
        _ => interval,
    };
    let args = vec![moment, interval];
    let ty = SqlType { kind: args[0].ty.kind, nullable: any_nullable(&args) };
    Ok(call(function, args, ty, span))
}

/// The part of an interval that moves a DATE: what is less than a day does not.
fn whole_days(interval: Expr) -> Expr {
    match interval.kind {
        ExprKind::Literal(Scalar::Millis(millis)) => {
            let days = millis / MILLIS_PER_DAY * MILLIS_PER_DAY;
            Expr { kind: ExprKind::Literal(Scalar::Millis(days)), ..interval }
        }
        _ => interval,
    }
}

/// `+ - *` on interval literals; there is no kernel for others.
fn intervals(function: Function, left: &Expr, right: &Expr, span: Span) -> SqlResult<Expr> {
    let (left_kind, right_kind) = (left.ty.kind, right.ty.kind);
    let is_sum = matches!(function, Function::Add | Function::Subtract) && left_kind == right_kind;
    let is_product = function == Function::Multiply && (left_kind.is_numeric() || right_kind.is_numeric());
    if !is_sum && !is_product {
        return Err(refused(function, left_kind, right_kind, span));
    }
    let (ExprKind::Literal(left), ExprKind::Literal(right)) = (&left.kind, &right.kind) else {
        return Err(SqlError::unsupported(
            span,
            format!("`{}` of an interval that is not a literal", symbol(function)),
        ));
    };
    let months = |value: i64| i32::try_from(value).ok().map(Scalar::Months);
    let scalar = match (left, right) {
        (Scalar::Months(left), Scalar::Months(right)) => {
            whole(function, i64::from(*left), i64::from(*right)).and_then(months)
        }
        (Scalar::Months(left), Scalar::Integer(right)) | (Scalar::Integer(right), Scalar::Months(left)) => {
            whole(function, i64::from(*left), *right).and_then(months)
        }
        (Scalar::Millis(left), Scalar::Millis(right))
        | (Scalar::Millis(left), Scalar::Integer(right))
        | (Scalar::Integer(right), Scalar::Millis(left)) => whole(function, *left, *right).map(Scalar::Millis),
        _ => return Err(SqlError::unsupported(span, "an interval times a number that is not an integer literal")),
    };
    let kind = if left_kind.is_interval() { left_kind } else { right_kind };
    match scalar {
        Some(scalar) => Ok(super::coercion::literal(scalar, kind, span)),
        None => Err(SqlError::invalid(span, "the interval is out of range")),
    }
}

fn whole(function: Function, left: i64, right: i64) -> Option<i64> {
    match function {
        Function::Add => left.checked_add(right),
        Function::Subtract => left.checked_sub(right),
        _ => left.checked_mul(right),
    }
}

fn refused(function: Function, left: TypeKind, right: TypeKind, span: Span) -> SqlError {
    SqlError::invalid(span, format!("cannot apply `{}` to `{left}` and `{right}`", symbol(function)))
}
