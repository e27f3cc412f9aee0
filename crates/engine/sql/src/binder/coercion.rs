//! Types that several expressions have in common, decimal arithmetic, and the conversions that the binder inserts.
//!
//! Conversions between CHAR and VARCHAR that cannot change a value only change the type of the expression; every other
//! one becomes a cast, or a new literal.
//!
//! # Source
//! Flink 2.3 `LogicalTypeMerging`, `LogicalTypeCasts`; Calcite `SqlTypeFactoryImpl.leastRestrictive`.

use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{CastMode, Expr, ExprKind, Scalar};
use crate::types::{SqlType, TypeKind};

/// The most digits that a DECIMAL has.
const MAX_PRECISION: i32 = 38;
/// How many digits after the point an adjusted DECIMAL keeps at least, if it has them.
const MIN_ADJUSTED_SCALE: i32 = 6;

/// How FLOAT and DOUBLE meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approximate {
    /// The first one wins: CASE, UNION, VALUES, arithmetic, `=` (Calcite's rule).
    First,
    /// DOUBLE wins: COALESCE, GREATEST, LEAST, `<` (Flink's rule).
    Double,
}

/// The precision and scale with which DECIMAL arithmetic takes an exact number.
pub(super) fn exact_digits(kind: TypeKind) -> Option<(u8, u8)> {
    match kind {
        TypeKind::TinyInt => Some((3, 0)),
        TypeKind::SmallInt => Some((5, 0)),
        TypeKind::Int => Some((10, 0)),
        TypeKind::BigInt => Some((19, 0)),
        TypeKind::Decimal(precision, scale) => Some((precision, scale)),
        _ => None,
    }
}

/// The narrowest type that takes the values of both, if there is one.
pub(super) fn common_type(left: TypeKind, right: TypeKind, approximate: Approximate) -> Option<TypeKind> {
    use TypeKind as T;
    Some(match (left, right) {
        _ if left == right => left,
        (T::Null, other) | (other, T::Null) => other,
        (T::Char(a) | T::Varchar(a), T::Char(b) | T::Varchar(b)) => T::Varchar(a.max(b)),
        (T::Binary(a) | T::Varbinary(a), T::Binary(b) | T::Varbinary(b)) => T::Varbinary(a.max(b)),
        (T::Time(a), T::Time(b)) => T::Time(a.max(b)),
        (T::Timestamp(a), T::Timestamp(b)) => T::Timestamp(a.max(b)),
        (T::TimestampLtz(a), T::TimestampLtz(b)) => T::TimestampLtz(a.max(b)),
        (T::Float | T::Double, T::Float | T::Double) => match approximate {
            Approximate::First => left,
            Approximate::Double => T::Double,
        },
        (T::Float | T::Double, T::Decimal(..)) | (T::Decimal(..), T::Float | T::Double) => T::Double,
        (inexact @ (T::Float | T::Double), exact) | (exact, inexact @ (T::Float | T::Double)) => {
            exact_digits(exact)?;
            inexact
        }
        _ => common_exact(left, right)?,
    })
}

fn common_exact(left: TypeKind, right: TypeKind) -> Option<TypeKind> {
    let (left_digits, right_digits) = (exact_digits(left)?, exact_digits(right)?);
    if left.is_integer() && right.is_integer() {
        return Some(if left_digits >= right_digits { left } else { right });
    }
    let (integral, scale) = common_digits(left_digits, right_digits);
    let integral = integral.min(MAX_PRECISION);
    let scale = scale.min(MAX_PRECISION - integral);
    Some(decimal(integral + scale, scale))
}

/// Digits before and after the point that hold both.
fn common_digits(left: (u8, u8), right: (u8, u8)) -> (i32, i32) {
    let integral = |(precision, scale): (u8, u8)| i32::from(precision) - i32::from(scale);
    (integral(left).max(integral(right)), i32::from(left.1.max(right.1)))
}

/// Whether the common type of two exact numbers holds every digit of both.
pub(super) fn is_common_type_lossless(left: TypeKind, right: TypeKind) -> bool {
    match (exact_digits(left), exact_digits(right)) {
        (Some(left), Some(right)) => {
            let (integral, scale) = common_digits(left, right);
            integral + scale <= MAX_PRECISION
        }
        _ => true,
    }
}

/// An operation that gives a DECIMAL of its own precision and scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecimalOperation {
    Add,
    Multiply,
    Divide,
    Modulo,
}

/// The type of a DECIMAL operation.
pub(super) fn decimal_result(operation: DecimalOperation, left: (u8, u8), right: (u8, u8)) -> TypeKind {
    let (p1, s1) = (i32::from(left.0), i32::from(left.1));
    let (p2, s2) = (i32::from(right.0), i32::from(right.1));
    let (precision, scale) = match operation {
        DecimalOperation::Add => {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        DecimalOperation::Multiply => (p1 + p2 + 1, s1 + s2),
        DecimalOperation::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        }
        DecimalOperation::Modulo => {
            let scale = s1.max(s2);
            ((p1 - s1).min(p2 - s2) + scale, scale)
        }
    };
    if precision <= MAX_PRECISION {
        return decimal(precision, scale);
    }
    let scale = (MAX_PRECISION - (precision - scale)).max(scale.min(MIN_ADJUSTED_SCALE));
    decimal(MAX_PRECISION, scale)
}

/// The type of ROUND and TRUNCATE of a DECIMAL to `digits` after the point.
pub(super) fn decimal_rounded(precision: u8, scale: u8, digits: i64) -> TypeKind {
    let (precision, scale) = (i32::from(precision), i32::from(scale));
    match i32::try_from(digits) {
        Ok(digits) if (0..scale).contains(&digits) => decimal(1 + precision - scale + digits, digits),
        _ if digits >= 0 => decimal(precision, scale),
        _ => decimal((1 + precision - scale).min(MAX_PRECISION), 0),
    }
}

fn decimal(precision: i32, scale: i32) -> TypeKind {
    let precision = precision.clamp(1, MAX_PRECISION);
    TypeKind::Decimal(precision as u8, scale.clamp(0, precision) as u8)
}

/// Converts every expression to the type that all have in common.
///
/// # Errors
/// Invalid at the first expression that does not go with those before it; `what` names the place, e.g. `` `CASE` ``.
pub(super) fn unify(exprs: Vec<Expr>, approximate: Approximate, what: &str) -> SqlResult<(TypeKind, Vec<Expr>)> {
    let mut common = TypeKind::Null;
    for expr in &exprs {
        common = match common_type(common, expr.ty.kind, approximate) {
            Some(kind) => kind,
            None => return Err(no_common_type(expr.span, what, common, expr.ty.kind)),
        };
    }
    let exprs = exprs.into_iter().map(|expr| cast(expr, common)).collect();
    Ok((common, exprs))
}

fn no_common_type(span: Span, what: &str, left: TypeKind, right: TypeKind) -> SqlError {
    let is_date = |kind: TypeKind| kind == TypeKind::Date || kind.is_timestamp();
    let error = if is_date(left) && is_date(right) {
        SqlError::unsupported(span, format!("{what} that mixes `{left}` and `{right}`"))
    } else {
        SqlError::invalid(span, format!("{what} mixes values of type `{left}` and `{right}`"))
    };
    error.with_hint("write a CAST on one of them")
}

/// Refuses an untyped NULL.
pub(super) fn require_typed(expr: Expr) -> SqlResult<Expr> {
    if expr.ty.kind == TypeKind::Null {
        return Err(SqlError::invalid(expr.span, "illegal use of `NULL`: nothing here gives it a type")
            .with_hint("give it a type: CAST(NULL AS INT)"));
    }
    Ok(expr)
}

/// An expression of type `kind`; what does not convert is an error at run time.
pub(super) fn cast(expr: Expr, kind: TypeKind) -> Expr {
    if expr.ty.kind == kind {
        return expr;
    }
    let ty = SqlType { kind, nullable: expr.ty.nullable };
    if let ExprKind::Literal(scalar) = &expr.kind
        && let Some(scalar) = convert_literal(scalar, expr.ty.kind, kind)
    {
        return Expr { kind: ExprKind::Literal(scalar), ty, span: expr.span };
    }
    // The type of a cast is its meaning, so that it cannot be changed afterwards.
    if is_widening(expr.ty.kind, kind) && !matches!(expr.kind, ExprKind::Cast(..)) {
        return Expr { ty, ..expr };
    }
    let span = expr.span;
    Expr { kind: ExprKind::Cast(Box::new(expr), CastMode::Strict), ty, span }
}

/// Whether every value of `from` is the same value of `to`.
fn is_widening(from: TypeKind, to: TypeKind) -> bool {
    match (from, to) {
        (TypeKind::Char(a) | TypeKind::Varchar(a), TypeKind::Varchar(b))
        | (TypeKind::Binary(a) | TypeKind::Varbinary(a), TypeKind::Varbinary(b)) => a <= b,
        _ => false,
    }
}

/// A literal as a literal of another type, where that is simple and what a cast would give.
fn convert_literal(scalar: &Scalar, from: TypeKind, to: TypeKind) -> Option<Scalar> {
    match (scalar, to) {
        (Scalar::Null, _) => Some(Scalar::Null),
        (Scalar::Integer(value), TypeKind::TinyInt) => i8::try_from(*value).ok().map(|_| scalar.clone()),
        (Scalar::Integer(value), TypeKind::SmallInt) => i16::try_from(*value).ok().map(|_| scalar.clone()),
        (Scalar::Integer(value), TypeKind::Int) => i32::try_from(*value).ok().map(|_| scalar.clone()),
        (Scalar::Integer(_), TypeKind::BigInt) => Some(scalar.clone()),
        (Scalar::Integer(value), TypeKind::Float) => Some(Scalar::Float(f64::from(*value as f32))),
        (Scalar::Integer(value), TypeKind::Double) => Some(Scalar::Float(*value as f64)),
        (Scalar::Integer(value), TypeKind::Decimal(precision, scale)) => {
            rescaled(i128::from(*value), 0, precision, scale).map(Scalar::Decimal)
        }
        (Scalar::Decimal(value), TypeKind::Decimal(precision, scale)) => {
            let (_, from_scale) = exact_digits(from)?;
            rescaled(*value, from_scale, precision, scale).map(Scalar::Decimal)
        }
        (Scalar::Timestamp(value), TypeKind::Timestamp(to)) => match from {
            TypeKind::Timestamp(from) if from <= to => {
                value.checked_mul(units_per_milli(to) / units_per_milli(from)).map(Scalar::Timestamp)
            }
            _ => None,
        },
        (Scalar::Time(_), TypeKind::Time(to)) if matches!(from, TypeKind::Time(from) if from <= to) => {
            Some(scalar.clone())
        }
        _ => None,
    }
}

/// How many Arrow units of a timestamp of this precision a millisecond has.
pub(super) fn units_per_milli(precision: u8) -> i64 {
    match precision {
        0..=3 => 1,
        4..=6 => 1_000,
        _ => 1_000_000,
    }
}

fn rescaled(unscaled: i128, from: u8, precision: u8, scale: u8) -> Option<i128> {
    let factor = 10_i128.checked_pow(u32::from(scale.checked_sub(from)?))?;
    let value = unscaled.checked_mul(factor)?;
    (value.unsigned_abs() < 10_u128.checked_pow(u32::from(precision))?).then_some(value)
}

/// Whether INSERT converts `from` to `to` without being told.
///
/// # Source
/// Flink 2.3 `LogicalTypeCasts.supportsImplicitCast`.
pub(super) fn is_implicit(from: TypeKind, to: TypeKind) -> bool {
    use TypeKind as T;
    match (from, to) {
        _ if from == to => true,
        (T::Null, _) => true,
        (T::Char(_), T::Char(_)) | (T::Char(_) | T::Varchar(_), T::Varchar(_)) => true,
        (T::Binary(_), T::Binary(_)) | (T::Binary(_) | T::Varbinary(_), T::Varbinary(_)) => true,
        (from, T::Decimal(..)) => from.is_numeric(),
        (T::TinyInt, T::SmallInt | T::Int | T::BigInt) | (T::SmallInt, T::Int | T::BigInt) => true,
        (T::Int, T::BigInt) | (T::Float, T::Double) => true,
        (from, T::Float | T::Double) => from.is_integer() || matches!(from, T::Decimal(..)),
        (T::Timestamp(_), T::Date | T::Time(_)) | (T::Time(_), T::Time(_)) => true,
        (from, T::Timestamp(_) | T::TimestampLtz(_)) => from.is_timestamp(),
        _ => false,
    }
}

/// Whether any of the expressions can be NULL.
pub(super) fn any_nullable(exprs: &[Expr]) -> bool {
    exprs.iter().any(|expr| expr.ty.nullable)
}

/// The types of the expressions, for messages: `INT, STRING`.
pub(super) fn type_list(exprs: &[Expr]) -> String {
    exprs.iter().map(|expr| expr.ty.kind.to_string()).collect::<Vec<_>>().join(", ")
}

/// An expression that is NULL, of a type.
pub(super) fn typed_null(kind: TypeKind, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(Scalar::Null), ty: kind.nullable(), span }
}

/// A constant.
pub(super) fn literal(scalar: Scalar, kind: TypeKind, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(scalar), ty: kind.not_null(), span }
}

/// A call.
pub(super) fn call(function: crate::plan::Function, args: Vec<Expr>, ty: SqlType, span: Span) -> Expr {
    Expr { kind: ExprKind::Call(function, args), ty, span }
}
