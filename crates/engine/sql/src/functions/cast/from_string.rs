//! Casts from character strings, and the readers of dates, times and timestamps that functions share with them.
//!
//! Text that is no value is an error for CAST and NULL for TRY_CAST.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use datafusion_common::Result;

use crate::functions::argument::{Argument, collect_binary, collect_boolean, collect_primitive};
use crate::functions::call::Call;
use crate::functions::date_format::Wall;
use crate::functions::decimal::{self, PRECISION_MAX, Shape};
use crate::functions::fault::internal;
use crate::functions::temporal::civil::{MILLIS_PER_DAY, days, last_day};
use crate::functions::temporal::ticks::{from_instants, of_wall, ticks_per_ms};
use crate::functions::temporal::zone::{Overlap, zone_of};
use crate::plan::CastMode;
use crate::types::{TypeKind, time_unit};

use super::outcome::{fitted, settled};
use super::temporal::cut;

/// A cast from a character type.
pub fn evaluate(call: &Call<'_>, arg: &Argument, mode: CastMode) -> Result<ArrayRef> {
    let to = call.returns.kind;
    let reading = Reading { call, arg, mode };
    match to {
        TypeKind::Boolean => {
            let texts = arg.text()?;
            collect_boolean(call.rows, |row| match texts.get(row) {
                Some(text) => settled(parse_boolean(text), mode, text, to),
                None => Ok(None),
            })
        }
        TypeKind::TinyInt => reading.column::<Int8Type>(|text| i8::try_from(parse_integer(text)?).ok()),
        TypeKind::SmallInt => reading.column::<Int16Type>(|text| i16::try_from(parse_integer(text)?).ok()),
        TypeKind::Int => reading.column::<Int32Type>(|text| i32::try_from(parse_integer(text)?).ok()),
        TypeKind::BigInt => reading.column::<Int64Type>(parse_integer),
        TypeKind::Float => reading.column::<Float32Type>(|text| match hexadecimal(text) {
            Some(value) => Some(value as f32),
            None => float_literal(text)?.parse().ok(),
        }),
        TypeKind::Double => reading.column::<Float64Type>(|text| match hexadecimal(text) {
            Some(value) => Some(value),
            None => float_literal(text)?.parse().ok(),
        }),
        TypeKind::Decimal(..) => {
            let (shape, texts) = (Shape::of(to)?, arg.text()?);
            let result = decimal::collect(shape, call.rows, |row| match texts.get(row) {
                Some(text) => settled(parse_decimal(text, shape), mode, text, to),
                None => Ok(None),
            })?;
            Ok(Arc::new(result))
        }
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            let texts = arg.text()?;
            collect_binary(call.rows, |row| match texts.get(row) {
                Some(text) => Ok(Some(fitted(text.as_bytes().to_vec(), to)?)),
                None => Ok(None),
            })
        }
        TypeKind::Date => reading.column::<Date32Type>(parse_date),
        TypeKind::Time(precision) => reading
            .column::<Time32MillisecondType>(|text| i32::try_from(cut(parse_time(text)?.into(), precision, 3)).ok()),
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => {
            let (zone, per_ms) = (zone_of(to, call), ticks_per_ms(time_unit(precision)));
            let result: PrimitiveArray<Int64Type> = reading.values(|text| {
                let wall = parse_timestamp(text)?;
                let millis = if zone.is_utc() { wall.millis } else { zone.instant_of(wall.millis, Overlap::Earlier) };
                of_wall(Wall { millis, nanos: wall.nanos }, precision, per_ms)
            })?;
            from_instants(to, result, per_ms)
        }
        other => Err(internal(format!("there is no cast from character strings to {other}"))),
    }
}

struct Reading<'a> {
    call: &'a Call<'a>,
    arg: &'a Argument,
    mode: CastMode,
}

impl Reading<'_> {
    fn values<T: ArrowPrimitiveType>(&self, parse: impl Fn(&str) -> Option<T::Native>) -> Result<PrimitiveArray<T>> {
        let texts = self.arg.text()?;
        collect_primitive::<T>(self.call.rows, |row| match texts.get(row) {
            Some(text) => settled(parse(text), self.mode, text, self.call.returns.kind),
            None => Ok(None),
        })
    }

    fn column<T: ArrowPrimitiveType>(&self, parse: impl Fn(&str) -> Option<T::Native>) -> Result<ArrayRef> {
        Ok(Arc::new(self.values::<T>(parse)?))
    }
}

fn parse_boolean(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["t", "true", "y", "yes", "1"];
    const FALSE: [&str; 5] = ["f", "false", "n", "no", "0"];
    let is_one_of = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(TRUE) {
        Some(true)
    } else if is_one_of(FALSE) {
        Some(false)
    } else {
        None
    }
}

/// An integer between blanks; digits after a point are cut but must be digits.
fn parse_integer(text: &str) -> Option<i64> {
    let text = text.trim_matches(' ');
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return None;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value = 0_i64;
    for byte in whole.bytes() {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        // The smallest BIGINT has no positive counterpart, so the digits are summed below zero.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// The part of a text that Rust reads as Java reads the text, `None` if Java does not read it.
fn float_literal(text: &str) -> Option<&str> {
    let text = text.trim_matches(|character: char| character <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return Some(text);
    }
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    number.bytes().all(is_number).then_some(number)
}

/// Java's hexadecimal floats, `0x1.8p3`, with as many digits as a double holds exactly.
fn hexadecimal(text: &str) -> Option<f64> {
    let text = text.trim_matches(|character: char| character <= ' ');
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"))?;
    let digits = digits.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(digits);
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > 13 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mantissa = i64::from_str_radix(&digits, 16).ok()?;
    let shift = parse_exponent(exponent)? - 4 * i64::try_from(fraction.len()).ok()?;
    let value = mantissa as f64 * 2_f64.powi(i32::try_from(shift.clamp(-1_000, 1_000)).ok()?);
    Some(if negative { -value } else { value })
}

/// A number with or without exponent, rounded half up; `None` if it is none or has too many digits.
///
/// # Source
/// Flink `BinaryStringDataUtil.toDecimal`, which reads short texts for short decimals with code of its own.
fn parse_decimal(text: &str, shape: Shape) -> Option<i128> {
    const COMPACT: u8 = 18;
    if shape.precision <= COMPACT && text.len() <= usize::from(COMPACT) {
        return parse_short_decimal(text, shape);
    }
    parse_long_decimal(text, shape)
}

/// As Flink's `toDecimalFromBytes`: the character that ends a number may be any if it is the last one of the text, so
/// that `x` is zero and `1.5a` is 1.5.
fn parse_short_decimal(text: &str, shape: Shape) -> Option<i128> {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\n' | b'\t');
    let bytes = text.as_bytes();
    let start = bytes.iter().position(|byte| !is_blank(*byte))?;
    let mut rest = bytes.get(start..)?;
    let negative = rest.first() == Some(&b'-');
    if negative || rest.first() == Some(&b'+') {
        rest = rest.get(1..)?;
        if rest.is_empty() {
            return None;
        }
    }
    let (mut digits, mut length, mut places, mut has_point, mut last) = (0_i128, 0_i32, 0_i32, false, 0);
    while let Some((byte, after)) = rest.split_first() {
        (last, rest) = (*byte, after);
        if byte.is_ascii_digit() {
            digits = digits * 10 + i128::from(byte - b'0');
            length += 1;
            places += i32::from(has_point);
        } else if *byte == b'.' && !has_point {
            has_point = true;
        } else if *byte == b'.' {
            return None;
        } else {
            break;
        }
    }
    let mut exponent = 0_i32;
    if matches!(last, b'e' | b'E') && !rest.is_empty() {
        let is_negative = rest.first() == Some(&b'-');
        if is_negative || rest.first() == Some(&b'+') {
            rest = rest.get(1..).filter(|rest| !rest.is_empty())?;
        }
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if !byte.is_ascii_digit() {
                break;
            }
            exponent = if exponent < 40 { exponent * 10 + i32::from(byte - b'0') } else { exponent };
        }
        exponent = if is_negative { -exponent } else { exponent };
    }
    if !rest.iter().all(|byte| is_blank(*byte)) {
        return None;
    }
    // Leading zeros count as digits here.
    if length + exponent - places + i32::from(shape.scale) > i32::from(shape.precision) {
        return None;
    }
    shape.round_scientific(if negative { -digits } else { digits }, exponent - places)
}

fn parse_long_decimal(text: &str, shape: Shape) -> Option<i128> {
    let text = text.trim_matches([' ', '\n', '\t']);
    let (negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let places = i64::try_from(fraction.len()).ok()?;
    let shift = exponent - places + i64::from(shape.scale);
    let limit = usize::from(PRECISION_MAX);
    let magnitude = if shift >= 0 {
        let zeros = usize::try_from(shift).ok().filter(|zeros| *zeros <= limit)?;
        if digits.len() + zeros > limit {
            return None;
        }
        digits.parse::<i128>().ok()? * decimal::power(u8::try_from(zeros).ok()?)
    } else {
        let dropped = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
        match digits.len().checked_sub(dropped) {
            // The first digit that is dropped decides.
            Some(kept) if kept <= limit => {
                let rounded_up = digits.as_bytes().get(kept).is_some_and(|digit| *digit >= b'5');
                let kept = digits.get(..kept).filter(|kept| !kept.is_empty()).unwrap_or("0");
                kept.parse::<i128>().ok()? + i128::from(rounded_up)
            }
            Some(_) => return None,
            None => 0,
        }
    };
    shape.fit(if negative { -magnitude } else { magnitude })
}

/// An exponent, held at the limits beyond which it makes no difference.
fn parse_exponent(text: &str) -> Option<i64> {
    const LIMIT: i64 = 1_000_000_000;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i64>().unwrap_or(LIMIT).min(LIMIT);
    Some(if text.starts_with('-') { -value } else { value })
}

/// A DATE from `y[-m[-d]]` with blanks around the numbers; a blank after the first character ends it.
///
/// # Source
/// Flink `DateTimeUtils.parseDate(String)`.
pub fn parse_date(text: &str) -> Option<i32> {
    let text = match text.find(' ') {
        Some(blank) if blank > 0 => text.get(..blank)?,
        _ => text,
    };
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?)?;
    let month = parts.next().map_or(Some(1), number)?;
    let day = parts.next().map_or(Some(1), number)?;
    if year > 9999 || !(1..=12).contains(&month) || !(1..=last_day(year, month)).contains(&day) {
        return None;
    }
    i32::try_from(days(year, month, day)).ok()
}

/// Digits, perhaps between blanks.
fn number(text: &str) -> Option<i64> {
    let digits = text.trim_matches(|character: char| character <= ' ');
    let is_number = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// A TIME from `h[:m[:s[.fraction]]][±h[:m]]` in milliseconds, with blanks around the numbers; the offset is added.
///
/// # Source
/// Flink `DateTimeUtils.parseTime`.
pub fn parse_time(text: &str) -> Option<i32> {
    let (clock, offset) = match text.find('-').or_else(|| text.find('+')) {
        Some(sign) => (text.get(..sign)?, text.get(sign..)?),
        None => (text, ""),
    };
    let mut offset_ms = 0;
    if !offset.is_empty() {
        let (hour, minute) = match offset.get(1..)?.split_once(':') {
            Some((hour, minute)) => (number(hour)?, number(minute)?),
            None => (number(offset.get(1..)?)?, 0),
        };
        offset_ms = (hour * 60 + minute) * 60_000 * if offset.starts_with('-') { -1 } else { 1 };
    }
    let mut parts = clock.splitn(3, ':');
    let hour = number(parts.next()?)?;
    let minute = parts.next().map_or(Some(0), number)?;
    let (second, milli) = match parts.next() {
        None => (0, 0),
        Some(second) => match second.split_once('.') {
            Some((second, fraction)) => (number(second)?, milliseconds(fraction)),
            None => (number(second)?, 0),
        },
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    i32::try_from(((hour * 60 + minute) * 60 + second) * 1_000 + milli + offset_ms).ok()
}

/// Three digits of a fraction, rounded by the fourth; what is no digit counts as zero.
fn milliseconds(fraction: &str) -> i64 {
    let fraction = fraction.trim_matches(|character: char| character <= ' ').as_bytes();
    let digit = |index: usize| fraction.get(index).filter(|byte| byte.is_ascii_digit()).map_or(0, |byte| byte - b'0');
    let rounded_up = fraction.get(3).is_some_and(|byte| *byte >= b'5');
    i64::from(digit(0)) * 100 + i64::from(digit(1)) * 10 + i64::from(digit(2)) + i64::from(rounded_up)
}

/// A TIMESTAMP from `yyyy-[m]m-[d]d[ [h]h:[m]m:[s]s[.fraction]]`, the whole text.
///
/// A day that the month does not have becomes its last, 24:00:00 the next midnight.
///
/// # Source
/// Flink `DateTimeUtils.DEFAULT_TIMESTAMP_FORMATTER`.
pub fn parse_timestamp(text: &str) -> Option<Wall> {
    let (year, rest) = leading_year(text)?;
    let (month, rest) = two_digits(rest.strip_prefix('-')?)?;
    let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
    if year < 1 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let day = days(year, month, day.min(last_day(year, month)));
    let (millis, nanos) = if rest.is_empty() { (0, 0) } else { clock(rest.strip_prefix(' ')?)? };
    Some(Wall { millis: day.checked_mul(MILLIS_PER_DAY)?.checked_add(millis)?, nanos })
}

/// Four digits, or more after a plus.
fn leading_year(text: &str) -> Option<(i64, &str)> {
    let (has_plus, text) = match text.strip_prefix('+') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(4..=9).contains(&run) || has_plus != (run > 4) {
        return None;
    }
    let (digits, rest) = text.split_at_checked(run)?;
    Some((digits.parse().ok()?, rest))
}

/// One or two digits; the formatter also takes the same number a second time.
fn two_digits(text: &str) -> Option<(i64, &str)> {
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(run.min(2))?;
    let value = digits.parse().ok()?;
    if run > 2
        && let Some((again, after)) = rest.split_at_checked(run - 2)
        && again.parse::<i64>() == Ok(value)
    {
        return Some((value, after));
    }
    Some((value, rest))
}

fn clock(text: &str) -> Option<(i64, i64)> {
    let (hour, rest) = two_digits(text)?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = two_digits(rest.strip_prefix(':')?)?;
    let digits = if rest.is_empty() { "" } else { rest.strip_prefix('.')? };
    if digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{digits:0<9}").parse::<i64>().ok()?;
    let is_end_of_day = hour == 24 && minute == 0 && second == 0 && nanos == 0;
    if minute > 59 || second > 59 || (hour > 23 && !is_end_of_day) {
        return None;
    }
    Some((((hour * 60 + minute) * 60 + second) * 1_000 + nanos / 1_000_000, nanos % 1_000_000))
}
