//! Lengths and parts of strings, in code points: CHAR_LENGTH, ASCII, SUBSTRING, LEFT, RIGHT, SPLIT_INDEX.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, TextSink, at, collect_primitive};
use crate::functions::call::Call;
use crate::plan::Function;

/// CHAR_LENGTH; ASCII, which is the first byte as a signed number.
pub fn measure(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let texts = at(args, 0)?.text()?;
    let result = collect_primitive::<Int32Type>(call.rows, |row| {
        Ok(texts.get(row).map(|text| match function {
            Function::CharLength => i32::try_from(length(text)).unwrap_or(i32::MAX),
            _ => text.as_bytes().first().map_or(0, |byte| i32::from(byte.cast_signed())),
        }))
    })?;
    Ok(Arc::new(result))
}

/// The number of code points.
fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The byte at which the code point number `index` (from 0) starts, or the end.
pub(super) fn byte_offset(text: &str, index: usize) -> usize {
    if text.is_ascii() {
        return index.min(text.len());
    }
    text.char_indices().nth(index).map_or(text.len(), |(offset, _)| offset)
}

/// SUBSTRING(text, start [, length]): 0 starts as 1 does, a negative start counts from the end.
pub fn substring(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (texts, starts) = (at(args, 0)?.text()?, at(args, 1)?.primitive::<Int32Type>()?);
    let lengths = args.get(2).map(Argument::primitive::<Int32Type>).transpose()?;
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        let length = match &lengths {
            None => Some(i32::MAX),
            Some(lengths) => lengths.get(row),
        };
        let part = match (texts.get(row), starts.get(row), length) {
            (Some(text), Some(start), Some(length)) => part(text, start, length),
            _ => None,
        };
        sink.push_option(part)?;
    }
    Ok(sink.finish())
}

/// # Source
/// Flink `BinaryStringDataUtil.substringSQL`.
fn part(text: &str, position: i32, wanted: i32) -> Option<&str> {
    let wanted = usize::try_from(wanted).ok()?;
    let start = match usize::try_from(position) {
        Ok(position) => position.saturating_sub(1),
        Err(_) => match length(text).checked_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)) {
            Some(start) => start,
            None => return Some(""),
        },
    };
    let from = byte_offset(text, start);
    let rest = text.get(from..)?;
    rest.get(..byte_offset(rest, wanted))
}

/// LEFT(text, n) and RIGHT(text, n): empty for n ≤ 0.
pub fn end(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (texts, lengths) = (at(args, 0)?.text()?, at(args, 1)?.primitive::<Int32Type>()?);
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        let part = texts.get(row).zip(lengths.get(row)).map(|(text, wanted)| {
            let wanted = usize::try_from(wanted).unwrap_or(0);
            match function {
                Function::Left => &text[..byte_offset(text, wanted)],
                _ => &text[byte_offset(text, length(text).saturating_sub(wanted))..],
            }
        });
        sink.push_option(part)?;
    }
    Ok(sink.finish())
}

/// SPLIT_INDEX(text, separator, index from 0): NULL outside; the separator is a string or a character's number.
pub fn split_index(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (texts, indexes) = (at(args, 0)?.text()?, at(args, 2)?.primitive::<Int32Type>()?);
    let separator = at(args, 1)?;
    let mut sink = TextSink::new(call.rows);
    if separator.array().data_type() == &DataType::Int32 {
        let codes = separator.primitive::<Int32Type>()?;
        for row in 0..call.rows {
            let code = codes.get(row).and_then(|code| u8::try_from(code).ok()).filter(|code| *code > 0);
            let token = match (texts.get(row), code, indexes.get(row)) {
                (Some(text), Some(code), Some(index)) => token(text, char::from(code).encode_utf8(&mut [0; 4]), index),
                _ => None,
            };
            sink.push_option(token)?;
        }
        return Ok(sink.finish());
    }
    let separators = separator.text()?;
    for row in 0..call.rows {
        let token = match (texts.get(row), separators.get(row), indexes.get(row)) {
            (Some(text), Some(separator), Some(index)) => token(text, separator, index),
            _ => None,
        };
        sink.push_option(token)?;
    }
    Ok(sink.finish())
}

/// An empty text has no tokens; an empty separator splits at white space.
fn token<'t>(text: &'t str, separator: &str, index: i32) -> Option<&'t str> {
    let index = usize::try_from(index).ok()?;
    if text.is_empty() {
        None
    } else if separator.is_empty() {
        text.split(char::is_whitespace).nth(index)
    } else {
        text.split(separator).nth(index)
    }
}
