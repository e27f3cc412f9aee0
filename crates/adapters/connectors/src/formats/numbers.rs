//! Numbers as text, in the forms that Java reads and prints.

use std::fmt::Write;
use std::str::FromStr;

/// Digits of the largest DECIMAL.
const DIGITS_MAX: usize = 38;

/// Drops what `String.trim` drops: blanks and control characters at both ends.
pub(crate) fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// Reads a whole number as `Integer.parseInt` and its like do after trimming.
pub(crate) fn integer<T: FromStr>(text: &str) -> Option<T> {
    java_trim(text).parse().ok()
}

/// Reads a number as `Double.parseDouble` does, except for hexadecimal ones.
pub(crate) fn float<T: FromStr>(text: &str) -> Option<T> {
    let text = java_trim(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return text.parse().ok();
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text).parse().ok()
}

/// Reads a boolean as `Boolean.parseBoolean` does after trimming: what is not `true` is false.
pub(crate) fn boolean(text: &str) -> bool {
    java_trim(text).eq_ignore_ascii_case("true")
}

/// A decimal number as written: the value is `digits · 10^exponent`.
struct Written<'a> {
    is_negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Written<'a> {
    /// Reads what the constructor of `BigDecimal` reads.
    fn read(text: &'a str) -> Option<Self> {
        let is_negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            None => (unsigned, 0),
            // The type of Java's exponent bounds what is accepted.
            Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = !(whole.is_empty() && fraction.is_empty())
            && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        is_number.then_some(Self { is_negative, whole: whole.as_bytes(), fraction: fraction.as_bytes(), exponent })
    }

    /// Digits without zeros in front, and the exponent of ten that goes with them.
    fn significant(&self) -> (impl Iterator<Item = u8> + Clone + use<'a>, usize, i64) {
        let digits = self.whole.iter().chain(self.fraction).copied();
        let zeros = digits.clone().take_while(|digit| *digit == b'0').count();
        let count = self.whole.len() + self.fraction.len() - zeros;
        let exponent = self.exponent - i64::try_from(self.fraction.len()).unwrap_or(i64::MAX / 2);
        (digits.skip(zeros), count, exponent)
    }
}

/// A DECIMAL that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decimal {
    /// Its unscaled value.
    Unscaled(i128),
    /// It has more digits before the point than the type, which Flink makes NULL.
    Overflow,
}

/// Reads a DECIMAL as `DecimalData.fromBigDecimal` does: rounded half up to `scale`.
pub(crate) fn decimal(text: &str, precision: u8, scale: u8) -> Option<Decimal> {
    let written = Written::read(text)?;
    let (digits, count, exponent) = written.significant();
    if count == 0 {
        return Some(Decimal::Unscaled(0));
    }
    // Of the digits, so many stand before the point of the unscaled value; less than 0: zeros follow the point.
    let shift = exponent.saturating_add(i64::from(scale));
    let kept = shift.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
    if kept > i64::from(precision) {
        return Some(Decimal::Overflow);
    }
    let Ok(kept) = usize::try_from(kept) else { return Some(Decimal::Unscaled(0)) };
    let kept = kept.min(DIGITS_MAX);
    let mut unscaled = digits.clone().take(kept).fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    for _ in count..kept {
        unscaled *= 10;
    }
    if digits.clone().nth(kept).is_some_and(|digit| digit >= b'5') {
        unscaled += 1;
    }
    if unscaled >= 10_i128.pow(u32::from(precision)) {
        return Some(Decimal::Overflow);
    }
    Some(Decimal::Unscaled(if written.is_negative { -unscaled } else { unscaled }))
}

/// How a DECIMAL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecimalForm {
    /// `BigDecimal.toString`: with an exponent if the number is very small.
    Java,
    /// `stripTrailingZeros().toString()`: 100000.00 is `1E+5`.
    Stripped,
    /// `toPlainString`.
    Plain,
}

/// Writes a DECIMAL.
pub(crate) fn write_decimal(out: &mut String, unscaled: i128, scale: u8, form: DecimalForm) {
    let mut magnitude = unscaled.unsigned_abs();
    let mut scale = i32::from(scale);
    if form == DecimalForm::Stripped {
        if magnitude == 0 {
            scale = 0;
        }
        while magnitude != 0 && magnitude.is_multiple_of(10) {
            magnitude /= 10;
            scale -= 1;
        }
    }
    if unscaled < 0 {
        out.push('-');
    }
    let digits = magnitude.to_string();
    let length = i32::try_from(digits.len()).unwrap_or(0);
    let exponent = length - 1 - scale;
    let is_plain = form == DecimalForm::Plain || (scale >= 0 && exponent >= -6);
    if is_plain { write_plain(out, &digits, scale) } else { write_scientific(out, &digits, exponent) }
}

/// Digits with a point before the last `scale` ones; the scale is not negative.
fn write_plain(out: &mut String, digits: &str, scale: i32) {
    let scale = usize::try_from(scale).unwrap_or(0);
    if scale == 0 {
        out.push_str(digits);
        return;
    }
    match digits.len().checked_sub(scale).filter(|point| *point > 0).and_then(|point| digits.split_at_checked(point)) {
        Some((whole, fraction)) => {
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        None => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', scale - digits.len()));
            out.push_str(digits);
        }
    }
}

fn write_scientific(out: &mut String, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    out.push_str(first);
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    if exponent != 0 {
        // Writing to a string cannot fail.
        let _ = write!(out, "E{exponent:+}");
    }
}

#[cfg(test)]
mod tests;
