//! CAST and TRY_CAST with Flink's rules, one file per family of targets and sources.
//!
//! Which casts exist is decided when an expression is lowered, by [`is_supported`]; a kernel is only asked for those.

pub mod from_string;
pub mod java_double;
pub mod numeric;
pub mod outcome;
pub mod temporal;
pub mod to_string;

use std::sync::Arc;

use arrow_array::{ArrayRef, new_null_array};
use datafusion_common::Result;

use crate::functions::argument::{Argument, collect_binary};
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::plan::CastMode;
use crate::types::TypeKind;

use self::outcome::fitted;

/// Whether there is a cast.
///
/// # Source
/// Flink `CastRuleProvider`.
pub fn is_supported(from: TypeKind, to: TypeKind) -> bool {
    if from == TypeKind::Null || from == to {
        return true;
    }
    let is_time_point = |kind: TypeKind| matches!(kind, TypeKind::Date | TypeKind::Time(_)) || kind.is_timestamp();
    match (from, to) {
        (_, TypeKind::Null) => false,
        (_, TypeKind::Char(_) | TypeKind::Varchar(_)) => true,
        (from, to) if from.is_character() => {
            to == TypeKind::Boolean || to.is_numeric() || to.is_binary() || is_time_point(to)
        }
        (from, to) if from.is_binary() => to.is_binary(),
        (TypeKind::Boolean, to) => to.is_numeric(),
        (from, TypeKind::Boolean) => from.is_numeric(),
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (from, to) if from.is_interval() => to.is_integer(),
        (from, to) if to.is_interval() => from.is_integer(),
        (TypeKind::Date, TypeKind::Time(_)) | (TypeKind::Time(_), TypeKind::Date) => false,
        (from, to) => is_time_point(from) && is_time_point(to),
    }
}

/// Whether a cast is cheap and gives every row a value.
pub fn is_total(from: TypeKind, to: TypeKind) -> bool {
    let is_primitive = |kind: TypeKind| kind.is_integer() || kind.is_approximate();
    is_primitive(from) && is_primitive(to)
}

/// Casts the values of `arg`, which has the type `call.types[0]`, to `call.returns`.
pub fn evaluate(call: &Call<'_>, arg: &Argument, mode: CastMode) -> Result<ArrayRef> {
    let from = call.types.first().map(|ty| ty.kind).ok_or_else(|| internal("a cast has no argument"))?;
    let to = call.returns.kind;
    if from == TypeKind::Null {
        return Ok(new_null_array(&to.arrow(), call.rows));
    }
    if to.is_character() {
        return to_string::evaluate(call, arg, from);
    }
    if from == to {
        return Ok(Arc::clone(arg.array()));
    }
    if from.is_character() {
        return from_string::evaluate(call, arg, mode);
    }
    if from.is_binary() {
        return binary(call, arg);
    }
    if from.is_numeric() || from == TypeKind::Boolean || from.is_interval() {
        return numeric::evaluate(call, arg, from, mode);
    }
    temporal::evaluate(call, arg, from)
}

fn binary(call: &Call<'_>, arg: &Argument) -> Result<ArrayRef> {
    let values = arg.binary()?;
    collect_binary(call.rows, |row| match values.get(row) {
        Some(bytes) => Ok(Some(fitted(bytes.to_vec(), call.returns.kind)?)),
        None => Ok(None),
    })
}
