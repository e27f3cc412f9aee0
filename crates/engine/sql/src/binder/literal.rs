//! Literals: their values and types.
//!
//! # Source
//! Calcite `SqlLiteral`, `SqlIntervalQualifier`; Flink 2.3 as observed.

use crate::ast::{Ident, Literal};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, Scalar};
use crate::types::TypeKind;

use super::coercion::{literal, typed_null, units_per_milli};

const MILLIS_PER_SECOND: i64 = 1_000;
const MILLIS_PER_MINUTE: i64 = 60 * MILLIS_PER_SECOND;
const MILLIS_PER_HOUR: i64 = 60 * MILLIS_PER_MINUTE;
/// Milliseconds of a day.
pub(super) const MILLIS_PER_DAY: i64 = 24 * MILLIS_PER_HOUR;
/// The most digits after the point that a number, in a DECIMAL, has.
const MAX_DIGITS: usize = 38;

/// Gives a literal its value and type.
pub(super) fn bind(written: &Literal, span: Span) -> SqlResult<Expr> {
    match written {
        Literal::Null => Ok(typed_null(TypeKind::Null, span)),
        Literal::Boolean(value) => Ok(literal(Scalar::Boolean(*value), TypeKind::Boolean, span)),
        Literal::Integer(digits) => integer(digits, span),
        Literal::Decimal(digits) => decimal(digits, span),
        Literal::Double(text) => double(text, span),
        Literal::String(text) => Ok(string(text, span)),
        Literal::Binary(bytes) => {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            Ok(literal(Scalar::Binary(bytes.clone()), TypeKind::Binary(length), span))
        }
        Literal::Date(text) => {
            let days = parse_date(text).ok_or_else(|| malformed("DATE", text, "yyyy-MM-dd", span))?;
            Ok(literal(Scalar::Date(days), TypeKind::Date, span))
        }
        Literal::Time(text) => {
            let (nanos, digits) = parse_time(text).ok_or_else(|| malformed("TIME", text, "HH:mm:ss[.fff]", span))?;
            let millis = i32::try_from(nanos / 1_000_000).map_err(|_| out_of_range(text, span))?;
            Ok(literal(Scalar::Time(millis), TypeKind::Time(digits.min(3)), span))
        }
        Literal::Timestamp(text) => {
            let (millis, nanos, digits) =
                parse_timestamp(text).ok_or_else(|| malformed("TIMESTAMP", text, "yyyy-MM-dd HH:mm:ss[.fff]", span))?;
            let units = units_per_milli(digits);
            let value = millis.checked_mul(units).and_then(|value| value.checked_add(nanos * units / 1_000_000));
            let value = value.ok_or_else(|| out_of_range(text, span))?;
            Ok(literal(Scalar::Timestamp(value), TypeKind::Timestamp(digits), span))
        }
        Literal::Interval { value, from, to } => interval(value, from, to.as_ref(), span),
    }
}

/// A negative number whose digits stand after the sign: `-2147483648` is an INT although `2147483648` is none.
pub(super) fn bind_negated(written: &Literal, span: Span) -> SqlResult<Option<Expr>> {
    match written {
        Literal::Integer(digits) => integer(&format!("-{digits}"), span).map(Some),
        _ => Ok(None),
    }
}

/// A character string.
pub(super) fn string(text: &str, span: Span) -> Expr {
    // Flink counts what Java calls characters: those beyond 16 bits are two.
    let length = u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
    literal(Scalar::String(text.to_owned()), TypeKind::Char(length), span)
}

fn integer(digits: &str, span: Span) -> SqlResult<Expr> {
    let value: i64 = digits.parse().map_err(|_| out_of_range(digits, span))?;
    let kind = if i32::try_from(value).is_ok() { TypeKind::Int } else { TypeKind::BigInt };
    Ok(literal(Scalar::Integer(value), kind, span))
}

fn decimal(digits: &str, span: Span) -> SqlResult<Expr> {
    let (integral, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.is_empty() {
        return integer(integral, span);
    }
    // Leading zeros count: 0.5 is a DECIMAL(2, 1), .5 is a DECIMAL(1, 1).
    let precision = integral.len() + fraction.len();
    if precision > MAX_DIGITS {
        return Err(out_of_range(digits, span));
    }
    // Flink takes the digits for a number of 64 bits.
    let unscaled: i64 = format!("{integral}{fraction}").parse().map_err(|_| out_of_range(digits, span))?;
    // Both fit: they are at most 38.
    let kind = TypeKind::Decimal(precision as u8, fraction.len() as u8);
    Ok(literal(Scalar::Decimal(unscaled.into()), kind, span))
}

fn double(text: &str, span: Span) -> SqlResult<Expr> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(literal(Scalar::Float(value), TypeKind::Double, span)),
        _ => Err(out_of_range(text, span)),
    }
}

fn out_of_range(text: &str, span: Span) -> SqlError {
    SqlError::invalid(span, format!("literal `{}` is out of range", shortened(text)))
}

fn malformed(kind: &str, text: &str, format: &str, span: Span) -> SqlError {
    let message = format!("cannot parse `{kind} '{}'`", shortened(text));
    SqlError::invalid(span, message).with_hint(format!("write it as {kind} '{format}'"))
}

/// A text as it fits into a message.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 64;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Days since the epoch.
fn parse_date(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() > 4 {
        return None;
    }
    let date = jiff::civil::Date::new(
        i16::try_from(number(year)?).ok().filter(|year| *year > 0)?,
        i8::try_from(number(month)?).ok()?,
        i8::try_from(number(day)?).ok()?,
    );
    let epoch = jiff::civil::date(1970, 1, 1);
    date.ok()?.since(epoch).ok().map(|span| span.get_days())
}

/// Nanoseconds of the day, and how many digits the fraction has (nine at most).
fn parse_time(text: &str) -> Option<(i64, u8)> {
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, digits) = parse_fraction(fraction)?;
    let seconds = (hour * 60 + minute) * 60 + second;
    Some((seconds * 1_000_000_000 + nanos, digits))
}

/// Nanoseconds of a fraction of a second, and how many digits count.
fn parse_fraction(fraction: &str) -> Option<(i64, u8)> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(9)];
    let nanos: i64 = format!("{kept:0<9}").parse().ok()?;
    Some((nanos, kept.len() as u8))
}

/// Milliseconds since the epoch, nanoseconds of the millisecond, and how many digits the fraction has.
fn parse_timestamp(text: &str) -> Option<(i64, i64, u8)> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "0:0:0"));
    let days = i64::from(parse_date(date)?);
    let (nanos, digits) = parse_time(time)?;
    Some((days * MILLIS_PER_DAY + nanos / 1_000_000, nanos % 1_000_000, digits))
}

/// A number without sign.
fn number(text: &str) -> Option<i64> {
    let is_short = !text.is_empty() && text.len() <= 18;
    if is_short && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn interval(value: &str, from: &Ident, to: Option<&Ident>, span: Span) -> SqlResult<Expr> {
    let unit = match to {
        Some(to) => format!("{} TO {}", from.name, to.name),
        None => from.name.clone(),
    };
    let mut negative = false;
    let mut digits = value.trim();
    // One sign may stand before the quotes and one in them.
    for _ in 0..2 {
        if let Some(rest) = digits.strip_prefix('-') {
            negative = !negative;
            digits = rest.trim_start();
        } else if let Some(rest) = digits.strip_prefix('+') {
            digits = rest.trim_start();
        }
    }
    let sign = if negative { -1 } else { 1 };
    let malformed = || {
        let message = format!("cannot parse `INTERVAL '{}' {unit}`", shortened(value));
        SqlError::invalid(span, message)
    };
    match from.name.as_str() {
        "YEAR" | "QUARTER" | "MONTH" => {
            let months = months(digits, &unit).ok_or_else(malformed)?;
            let months = i32::try_from(sign * months).map_err(|_| out_of_range(value, span))?;
            Ok(literal(Scalar::Months(months), TypeKind::IntervalMonths, span))
        }
        _ => {
            let millis = millis(digits, &unit).ok_or_else(malformed)?;
            Ok(literal(Scalar::Millis(sign * millis), TypeKind::IntervalMillis, span))
        }
    }
}

fn months(digits: &str, unit: &str) -> Option<i64> {
    match unit {
        "YEAR TO MONTH" => {
            let (years, months) = digits.split_once('-')?;
            number(years)?.checked_mul(12)?.checked_add(number(months).filter(|months| *months < 12)?)
        }
        "YEAR" => number(digits)?.checked_mul(12),
        "QUARTER" => number(digits)?.checked_mul(3),
        _ => number(digits),
    }
}

/// Fields of an interval from the widest to the narrowest: name, milliseconds, exclusive bound when not the first.
const FIELDS: [(&str, i64, i64); 4] = [
    ("DAY", MILLIS_PER_DAY, i64::MAX),
    ("HOUR", MILLIS_PER_HOUR, 24),
    ("MINUTE", MILLIS_PER_MINUTE, 60),
    ("SECOND", MILLIS_PER_SECOND, 60),
];

fn millis(digits: &str, unit: &str) -> Option<i64> {
    if unit == "WEEK" {
        return number(digits)?.checked_mul(7 * MILLIS_PER_DAY);
    }
    let (from, to) = unit.split_once(" TO ").unwrap_or((unit, unit));
    let index = |name: &str| FIELDS.iter().position(|(field, ..)| *field == name);
    let fields = FIELDS.get(index(from)?..=index(to)?)?;
    let mut total = 0_i64;
    let mut rest = digits;
    for (position, (name, scale, bound)) in fields.iter().enumerate() {
        let is_last = position + 1 == fields.len();
        let separator = if *name == "DAY" { ' ' } else { ':' };
        let field = if is_last {
            rest
        } else {
            let (field, tail) = rest.split_once(separator)?;
            rest = tail;
            field
        };
        let (whole, fraction) =
            if *name == "SECOND" { field.split_once('.').unwrap_or((field, "")) } else { (field, "") };
        let count = number(whole).filter(|count| position == 0 || count < bound)?;
        let (nanos, _) = parse_fraction(fraction)?;
        total = total.checked_add(count.checked_mul(*scale)?)?.checked_add(nanos / 1_000_000)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_validated() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("1970-1-2", Some(1)),
            ("1969-12-31", Some(-1)),
            ("2013-01-01", Some(15_706)),
            ("2020-02-29", Some(18_321)),
            ("2020-02-30", None),
            ("2020-13-01", None),
            ("0000-01-01", None),
            ("10000-01-01", None),
            ("x", None),
            ("2020-01", None),
            ("+2020-01-01", None),
        ] {
            assert_eq!(parse_date(text), expected, "for `{text}`");
        }
        for (text, expected) in [
            ("00:00:00", Some((0, 0))),
            ("1:2:3", Some((3_723_000_000_000, 0))),
            ("12:00:00.123", Some((43_200_123_000_000, 3))),
            ("24:00:00", None),
            ("12:00", None),
            ("12:00:60", None),
        ] {
            assert_eq!(parse_time(text), expected, "for `{text}`");
        }
        assert_eq!(parse_timestamp("1970-01-01 00:00:01.5"), Some((1_500, 0, 1)));
        assert_eq!(parse_timestamp("1970-01-02"), Some((86_400_000, 0, 0)));
        assert_eq!(parse_timestamp("1970-01-01T00:00:00"), None);
        assert_eq!(parse_timestamp("1970-01-01 00:00:00.1234567890"), Some((123, 456_789, 9)));
    }

    #[test]
    fn intervals_are_summed_over_their_fields() {
        for (text, unit, expected) in [
            ("1", "DAY", Some(MILLIS_PER_DAY)),
            ("10", "MINUTE", Some(600_000)),
            ("1.5", "SECOND", Some(1_500)),
            ("1.1234", "SECOND", Some(1_123)),
            ("2", "WEEK", Some(14 * MILLIS_PER_DAY)),
            ("1 02:03:04.567", "DAY TO SECOND", Some(93_784_567)),
            ("1 02", "DAY TO HOUR", Some(26 * MILLIS_PER_HOUR)),
            ("25:00", "HOUR TO MINUTE", Some(25 * MILLIS_PER_HOUR)),
            ("10:20", "MINUTE TO SECOND", Some(620_000)),
            ("10:60", "MINUTE TO SECOND", None),
            ("x", "DAY", None),
            ("", "DAY", None),
            ("1.5", "DAY", None),
            ("99999999999999999", "DAY", None),
        ] {
            assert_eq!(millis(text, unit), expected, "for `{text}` {unit}");
        }
        assert_eq!(months("1-2", "YEAR TO MONTH"), Some(14));
        assert_eq!(months("1-12", "YEAR TO MONTH"), None);
        assert_eq!(months("2", "QUARTER"), Some(6));
    }
}
