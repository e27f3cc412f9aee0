//! Where a string stands in another: POSITION, LOCATE, INSTR, STARTSWITH, ENDSWITH.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use datafusion_common::Result;
use memchr::memmem;

use crate::functions::argument::{Argument, at, collect_boolean, collect_primitive};
use crate::functions::call::Call;
use crate::plan::Function;

use super::slice::byte_offset;

/// POSITION(needle, text), LOCATE(needle, text [, from]), INSTR(text, needle): from 1, 0 if it is absent.
pub fn position(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (first, second) = (at(args, 0)?.text()?, at(args, 1)?.text()?);
    let (texts, needles) = if function == Function::Instr { (first, second) } else { (second, first) };
    let from = args.get(2).map(Argument::primitive::<Int32Type>).transpose()?;
    let result = collect_primitive::<Int32Type>(call.rows, |row| {
        let (Some(text), Some(needle)) = (texts.get(row), needles.get(row)) else { return Ok(None) };
        let from = match &from {
            None => 1,
            Some(from) => match from.get(row) {
                Some(from) => from,
                None => return Ok(None),
            },
        };
        Ok(Some(found(text, needle, from)))
    })?;
    Ok(Arc::new(result))
}

/// The position of the first `needle` at or after the position `from`; an empty needle is at 1 always.
fn found(text: &str, needle: &str, from: i32) -> i32 {
    if needle.is_empty() {
        return 1;
    }
    let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
    let start = byte_offset(text, skipped);
    let Some(offset) = memmem::find(&text.as_bytes()[start..], needle.as_bytes()) else { return 0 };
    let before = text[start..start + offset].chars().count();
    i32::try_from(skipped + before + 1).unwrap_or(i32::MAX)
}

/// STARTSWITH, ENDSWITH.
pub fn borders(function: Function, args: &[Argument], rows: usize) -> Result<ArrayRef> {
    let (texts, borders) = (at(args, 0)?.text()?, at(args, 1)?.text()?);
    collect_boolean(rows, |row| {
        Ok(texts.get(row).zip(borders.get(row)).map(|(text, border)| match function {
            Function::StartsWith => text.starts_with(border),
            _ => text.ends_with(border),
        }))
    })
}
