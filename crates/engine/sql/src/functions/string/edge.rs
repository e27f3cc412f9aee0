//! What happens at the ends of a string: TRIM takes characters of a set away, LPAD and RPAD fill up to a length.

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use datafusion_common::Result;

use crate::functions::argument::{Argument, TextSink, at};
use crate::functions::call::Call;
use crate::plan::Function;

use super::size::check_size;

/// TRIM of the characters in the first argument from the second.
pub fn trim(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (sets, texts) = (at(args, 0)?.text()?, at(args, 1)?.text()?);
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        let trimmed = sets.get(row).zip(texts.get(row)).map(|(set, text)| {
            let is_taken = |character: char| set.contains(character);
            match function {
                Function::TrimLeading => text.trim_start_matches(is_taken),
                Function::TrimTrailing => text.trim_end_matches(is_taken),
                _ => text.trim_matches(is_taken),
            }
        });
        sink.push_option(trimmed)?;
    }
    Ok(sink.finish())
}

/// LPAD and RPAD: to a length in UTF-16 units, as Java counts; NULL for a negative length or nothing to fill with.
pub fn pad(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let (texts, lengths, fills) = (at(args, 0)?.text()?, at(args, 1)?.primitive::<Int32Type>()?, at(args, 2)?.text()?);
    let mut sink = TextSink::new(call.rows);
    for row in 0..call.rows {
        let (Some(text), Some(length), Some(fill)) = (texts.get(row), lengths.get(row), fills.get(row)) else {
            sink.push_null();
            continue;
        };
        match usize::try_from(length) {
            Ok(length) if !fill.is_empty() => {
                check_size(if function == Function::Lpad { "LPAD" } else { "RPAD" }, length)?;
                sink.push(&padded(function, text, length, fill))?;
            }
            _ => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn padded(function: Function, text: &str, length: usize, fill: &str) -> String {
    if text.is_ascii() && fill.is_ascii() {
        let kept = text.get(..length).unwrap_or(text);
        let filling: String = fill.chars().cycle().take(length - kept.len()).collect();
        return match function {
            Function::Lpad => filling + kept,
            _ => kept.to_owned() + &filling,
        };
    }
    let kept: Vec<u16> = text.encode_utf16().take(length).collect();
    let fill: Vec<u16> = fill.encode_utf16().collect();
    let filling = fill.iter().copied().cycle().take(length - kept.len());
    let units: Vec<u16> = match function {
        Function::Lpad => filling.chain(kept.iter().copied()).collect(),
        _ => kept.iter().copied().chain(filling).collect(),
    };
    // Java's encoder writes a question mark for half of a surrogate pair.
    char::decode_utf16(units).map(|unit| unit.unwrap_or('?')).collect()
}
