//! Comparisons, BETWEEN and IN: both sides get one type, NULL gets that of the other side.
//!
//! # Source
//! Calcite `StandardConvertletTable` (`=` and `<>` take the least restrictive type, `<` compares values as they are);
//! Flink 2.3 as observed.

use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, Function};
use crate::types::{SqlType, TypeKind};

use super::budget::Budget;
use super::coercion::{Approximate, any_nullable, call, cast, common_type, is_common_type_lossless, unify};

/// Compares two values.
pub(super) fn compare(function: Function, left: Expr, right: Expr, span: Span) -> SqlResult<Expr> {
    let (left, right) = with_types(left, right);
    let kind = compared_as(function, left.ty.kind, right.ty.kind, span)?;
    let args = match kind {
        Some(kind) => vec![cast(left, kind), cast(right, kind)],
        None => vec![left, right],
    };
    let is_total = matches!(function, Function::IsDistinctFrom | Function::IsNotDistinctFrom);
    let nullable = !is_total && any_nullable(&args);
    Ok(call(function, args, SqlType { kind: TypeKind::Boolean, nullable }, span))
}

/// `value BETWEEN low AND high`
pub(super) fn between(budget: &Budget, [value, low, high]: [Expr; 3], span: Span) -> SqlResult<Expr> {
    let above = compare(Function::GreaterOrEqual, budget.copy(&value)?, low, span)?;
    let args = vec![above, compare(Function::LessOrEqual, value, high, span)?];
    let ty = SqlType { kind: TypeKind::Boolean, nullable: any_nullable(&args) };
    Ok(call(Function::And, args, ty, span))
}

/// `value BETWEEN SYMMETRIC low AND high`
pub(super) fn between_symmetric(budget: &Budget, [value, low, high]: [Expr; 3], span: Span) -> SqlResult<Expr> {
    let swapped = [budget.copy(&value)?, budget.copy(&high)?, budget.copy(&low)?];
    let args = vec![between(budget, [value, low, high], span)?, between(budget, swapped, span)?];
    let ty = SqlType { kind: TypeKind::Boolean, nullable: any_nullable(&args) };
    Ok(call(Function::Or, args, ty, span))
}

/// `value IN (items)`: an item of another type is converted to that of the value, even if digits are lost.
pub(super) fn is_in(value: Expr, items: Vec<Expr>, span: Span) -> SqlResult<Expr> {
    let kind = value.ty.kind;
    let mut args = vec![value];
    for item in items {
        compared_in_list(kind, &item)?;
        let is_same_root = std::mem::discriminant(&kind) == std::mem::discriminant(&item.ty.kind);
        let stays = is_same_root || kind.is_character() && item.ty.kind.is_character();
        args.push(if stays { item } else { cast(item, kind) });
    }
    if !kind.is_character() {
        args = unify(args, Approximate::First, "`IN`")?.1;
    }
    let ty = SqlType { kind: TypeKind::Boolean, nullable: any_nullable(&args) };
    Ok(call(Function::In, args, ty, span))
}

fn compared_in_list(kind: TypeKind, item: &Expr) -> SqlResult<()> {
    let other = item.ty.kind;
    let is_convertible = kind.is_character() && other.is_numeric() || kind.is_numeric() && other.is_character();
    if other == TypeKind::Null || is_convertible {
        return Ok(());
    }
    compared_as(Function::Equal, kind, other, item.span).map(|_| ())
}

/// Gives an untyped NULL the type of the other side.
fn with_types(left: Expr, right: Expr) -> (Expr, Expr) {
    match (left.ty.kind, right.ty.kind) {
        (TypeKind::Null, TypeKind::Null) => (cast(left, TypeKind::Boolean), cast(right, TypeKind::Boolean)),
        (TypeKind::Null, other) => (cast(left, other), right),
        (other, TypeKind::Null) => (left, cast(right, other)),
        _ => (left, right),
    }
}

/// The type in which two values are compared; `None` if they can be compared as they are.
fn compared_as(function: Function, left: TypeKind, right: TypeKind, span: Span) -> SqlResult<Option<TypeKind>> {
    let is_moment = |kind: TypeKind| matches!(kind, TypeKind::Date | TypeKind::Time(_)) || kind.is_timestamp();
    if left == right || left.is_character() && right.is_character() || left.is_binary() && right.is_binary() {
        return Ok(None);
    }
    if left.is_character() && is_moment(right) {
        return Ok(Some(right));
    }
    if is_moment(left) && right.is_character() {
        return Ok(Some(left));
    }
    if left.is_timestamp() && right.is_timestamp() && common_type(left, right, Approximate::First).is_none() {
        let error = SqlError::unsupported(span, format!("comparing `{left}` with `{right}`"));
        return Err(error.with_hint("cast one of them to the type of the other"));
    }
    let is_equality =
        !matches!(function, Function::Less | Function::LessOrEqual | Function::Greater | Function::GreaterOrEqual);
    // Flink refuses `=` of texts and numbers, but takes these for something.
    let is_odd = |text: TypeKind, other: TypeKind| {
        text.is_character() && (other == TypeKind::Boolean || !is_equality && other.is_numeric())
    };
    if is_odd(left, right) || is_odd(right, left) {
        let error = SqlError::unsupported(span, format!("comparing `{left}` with `{right}`"));
        return Err(error.with_hint("cast one of them to the type of the other"));
    }
    let approximate = if is_equality { Approximate::First } else { Approximate::Double };
    match common_type(left, right, approximate) {
        Some(_) if !is_common_type_lossless(left, right) => {
            let error = SqlError::unsupported(span, format!("comparing `{left}` with `{right}`"));
            Err(error.with_hint("cast one of them to fewer digits, so that 38 digits hold both"))
        }
        Some(kind) => Ok(Some(kind)),
        None => {
            let error = SqlError::invalid(span, format!("cannot compare `{left}` with `{right}`"));
            Err(error.with_hint("cast one of them to the type of the other"))
        }
    }
}
