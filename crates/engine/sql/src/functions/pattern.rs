//! LIKE: `%` is any string, `_` any one character that does not end a line, an escape character takes them literally.
//!
//! A literal pattern is compiled once, others when they change from row to row.

pub mod like;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at, collect_boolean};
use crate::functions::call::Call;
use crate::functions::prepared::Prepared;

use self::like::LikePattern;

/// LIKE over the arguments text, pattern and perhaps escape.
pub fn evaluate(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let text = at(args, 0)?.text()?;
    if let (Prepared::Like(pattern), Some(array)) = (call.prepared, text.column()) {
        let values = BooleanBuffer::collect_bool(array.len(), |row| pattern.matches(array.value(row)));
        return Ok(Arc::new(BooleanArray::new(values, array.nulls().cloned())));
    }
    let pattern = at(args, 1)?.text()?;
    let escape = args.get(2).map(Argument::text).transpose()?;
    let mut compiled: Option<((&str, Option<&str>), LikePattern)> = None;
    collect_boolean(call.rows, |row| {
        let (Some(text), Some(pattern)) = (text.get(row), pattern.get(row)) else { return Ok(None) };
        let escape = match &escape {
            None => None,
            Some(escape) => match escape.get(row) {
                Some(escape) => Some(escape),
                None => return Ok(None),
            },
        };
        let key = (pattern, escape);
        if let Some((last, compiled)) = &compiled
            && *last == key
        {
            return Ok(Some(compiled.matches(text)));
        }
        let made = LikePattern::compile(pattern, escape)?;
        let result = made.matches(text);
        compiled = Some((key, made));
        Ok(Some(result))
    })
}
