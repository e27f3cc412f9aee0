//! NOT and the tests IS NULL, IS TRUE, IS FALSE and their negations; AND and OR are lazy and live in
//! `lower::expression::connective`.

use std::sync::Arc;

use arrow_arith::boolean;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at};
use crate::functions::fault::internal;
use crate::plan::Function;

/// NOT.
pub fn not(args: &[Argument]) -> Result<ArrayRef> {
    Ok(Arc::new(boolean::not(booleans(at(args, 0)?)?)?))
}

/// IS NULL, IS NOT NULL.
pub fn null_test(function: Function, args: &[Argument]) -> Result<ArrayRef> {
    let array = at(args, 0)?.array();
    let result = match function {
        Function::IsNull => boolean::is_null(array)?,
        _ => boolean::is_not_null(array)?,
    };
    Ok(Arc::new(result))
}

/// IS TRUE, IS NOT TRUE, IS FALSE, IS NOT FALSE: never NULL.
pub fn truth_test(function: Function, args: &[Argument]) -> Result<ArrayRef> {
    let array = booleans(at(args, 0)?)?;
    let result = match function {
        Function::IsTrue => true_rows(array),
        Function::IsNotTrue => !&true_rows(array),
        Function::IsFalse => false_rows(array),
        Function::IsNotFalse => !&false_rows(array),
        _ => return Err(internal(format!("`{function:?}` is no test of a truth value"))),
    };
    Ok(Arc::new(BooleanArray::new(result, None)))
}

/// The rows that are TRUE.
pub fn true_rows(array: &BooleanArray) -> BooleanBuffer {
    match array.nulls() {
        Some(nulls) => array.values() & nulls.inner(),
        None => array.values().clone(),
    }
}

/// The rows that are FALSE.
pub fn false_rows(array: &BooleanArray) -> BooleanBuffer {
    let negated = !array.values();
    match array.nulls() {
        Some(nulls) => &negated & nulls.inner(),
        None => negated,
    }
}

fn booleans(arg: &Argument) -> Result<&BooleanArray> {
    arg.array().as_boolean_opt().ok_or_else(|| internal("a truth value is not BOOLEAN"))
}
