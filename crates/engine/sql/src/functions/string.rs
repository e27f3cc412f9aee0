//! Functions of character strings; lengths and positions count code points, positions start at 1.
//!
//! No function makes a value larger than [`size::TEXT_BYTES_MAX`]: a small row must not be able to exhaust the memory.

pub mod edge;
pub mod search;
pub mod size;
pub mod slice;

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type};
use datafusion_common::Result;

use crate::functions::argument::{Argument, Reader, TextSink, at};
use crate::functions::call::Call;
use crate::functions::fault::internal;
use crate::plan::Function;

use self::size::check_size;

/// A function of strings.
pub fn evaluate(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    use Function as F;
    match function {
        F::Concat => concat(call, args),
        F::ConcatWs => concat_ws(call, args),
        F::Upper => rewritten(call, args, upper),
        F::Lower => rewritten(call, args, lower),
        F::Initcap => rewritten(call, args, initcap),
        F::Reverse => rewritten(call, args, |text, out| out.extend(text.chars().rev())),
        F::Repeat => repeat(call, args),
        F::Replace => replace(call, args),
        F::Chr => chr(call, args),
        F::TrimBoth | F::TrimLeading | F::TrimTrailing => edge::trim(function, call, args),
        F::Lpad | F::Rpad => edge::pad(function, call, args),
        F::CharLength | F::Ascii => slice::measure(function, call, args),
        F::Substring => slice::substring(call, args),
        F::Left | F::Right => slice::end(function, call, args),
        F::SplitIndex => slice::split_index(call, args),
        F::Position | F::Locate | F::Instr => search::position(function, call, args),
        F::StartsWith | F::EndsWith => search::borders(function, args, call.rows),
        _ => Err(internal(format!("`{function:?}` is no function of strings"))),
    }
}

/// Rewrites each value of the only argument.
fn rewritten(call: &Call<'_>, args: &[Argument], rewrite: impl Fn(&str, &mut String)) -> Result<ArrayRef> {
    let texts = at(args, 0)?.text()?;
    let mut sink = TextSink::new(call.rows);
    let mut scratch = String::new();
    for row in 0..call.rows {
        match texts.get(row) {
            Some(text) => {
                scratch.clear();
                rewrite(text, &mut scratch);
                sink.push(&scratch)?;
            }
            None => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn upper(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_uppercase();
    } else {
        out.push_str(&text.to_uppercase());
    }
}

fn lower(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
    } else {
        out.push_str(&text.to_lowercase());
    }
}

/// Words are runs of ASCII letters and digits; other letters stay as they are and end a word.
fn initcap(text: &str, out: &mut String) {
    let mut starts = true;
    for character in text.chars() {
        out.push(if starts { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() });
        starts = !character.is_ascii_alphanumeric();
    }
}

fn concat(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let texts = args.iter().map(Argument::text).collect::<Result<Vec<Reader<_>>>>()?;
    let mut sink = TextSink::new(call.rows);
    let mut scratch = String::new();
    for row in 0..call.rows {
        scratch.clear();
        let complete = texts.iter().all(|text| match text.get(row) {
            Some(text) => {
                scratch.push_str(text);
                true
            }
            None => false,
        });
        sink.push_option(complete.then_some(scratch.as_str()))?;
    }
    Ok(sink.finish())
}

fn concat_ws(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let separators = at(args, 0)?.text()?;
    let texts = args.iter().skip(1).map(Argument::text).collect::<Result<Vec<Reader<_>>>>()?;
    let mut sink = TextSink::new(call.rows);
    let mut scratch = String::new();
    for row in 0..call.rows {
        let Some(separator) = separators.get(row) else {
            sink.push_null();
            continue;
        };
        scratch.clear();
        for (index, text) in texts.iter().filter_map(|text| text.get(row)).enumerate() {
            if index > 0 {
                scratch.push_str(separator);
            }
            scratch.push_str(text);
        }
        sink.push(&scratch)?;
    }
    Ok(sink.finish())
}

fn repeat(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (texts, counts) = (at(args, 0)?.text()?, at(args, 1)?.primitive::<Int32Type>()?);
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        match texts.get(row).zip(counts.get(row)) {
            Some((text, count)) => {
                let count = usize::try_from(count).unwrap_or(0);
                check_size("REPEAT", text.len().saturating_mul(count))?;
                sink.push(&text.repeat(count))?;
            }
            None => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn replace(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (texts, from, to) = (at(args, 0)?.text()?, at(args, 1)?.text()?, at(args, 2)?.text()?);
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        match (texts.get(row), from.get(row), to.get(row)) {
            (Some(text), Some(from), Some(to)) => {
                if to.len() > from.len() {
                    let added = text.matches(from).count().saturating_mul(to.len());
                    check_size("REPLACE", text.len().saturating_add(added))?;
                }
                sink.push(&text.replace(from, to))?;
            }
            _ => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn chr(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let codes = at(args, 0)?.primitive::<Int64Type>()?;
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        match codes.get(row) {
            Some(code) if code < 0 => sink.push("")?,
            Some(code) => {
                let [low, ..] = code.to_le_bytes();
                sink.push(char::from(low).encode_utf8(&mut [0; 4]))?;
            }
            None => sink.push_null(),
        }
    }
    Ok(sink.finish())
}
