//! Reading as `DateTimeFormatter` does: exact widths, the whole text, no value beyond the calendar.
//!
//! A day that the month does not have becomes its last (`2020-02-31` is the 29th), 24:00 is midnight of the next day,
//! and what the pattern does not have is 1970-01-01 00:00:00: this is the formatter's "smart" resolution and Flink's
//! defaults.

use crate::functions::temporal::civil::{MILLIS_PER_DAY, days, is_leap, iso_weekday, last_day};

use super::element::{Element, FIELDS, Field, MONTHS, Part, SHORT, WEEKDAYS, Wall};

/// The longest number of a letter that gives no width.
const NUMBER_MAX: usize = 19;

#[derive(Debug, Clone, Default)]
struct Fields {
    values: [Option<i64>; FIELDS],
}

impl Fields {
    fn get(&self, field: Field) -> Option<i64> {
        self.values[field as usize]
    }

    /// Sets a field; a second value must be the same.
    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let slot = &mut self.values[field as usize];
        match slot {
            Some(known) => (*known == value).then_some(()),
            None => {
                *slot = Some(value);
                Some(())
            }
        }
    }
}

/// Reads a time; `None` if `text` does not fit.
pub(super) fn parse(elements: &[Element], text: &str) -> Option<Wall> {
    let mut fields = Fields::default();
    let rest = read(elements, text, &mut fields)?;
    if rest.is_empty() { resolve(&fields) } else { None }
}

fn read<'t>(elements: &[Element], text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let mut rest = text;
    for element in elements {
        rest = match element {
            Element::Literal(literal) => rest.strip_prefix(literal.as_str())?,
            Element::Part(part) => read_part(*part, rest, fields)?,
            Element::Malformed => return None,
            Element::Optional(section) => {
                let mut tried = fields.clone();
                match read(section, rest, &mut tried) {
                    Some(after) => {
                        *fields = tried;
                        after
                    }
                    None => rest,
                }
            }
        };
    }
    Some(rest)
}

fn read_part<'t>(part: Part, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    if !part.is_number() {
        return read_text(part, text, fields);
    }
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    match part.field {
        Field::Fraction => {
            let (digits, rest) = split(text, part.count, run)?;
            let scale = 10_i64.checked_pow(u32::try_from(9 - part.count).ok()?)?;
            fields.set(Field::Nano, digits.parse::<i64>().ok()? * scale)?;
            Some(rest)
        }
        Field::Year | Field::ProlepticYear if part.count == 2 => {
            let (digits, rest) = split(text, 2, run)?;
            fields.set(part.field, 2000 + digits.parse::<i64>().ok()?)?;
            Some(rest)
        }
        Field::Year | Field::ProlepticYear if part.count >= 4 => read_year(part, text, fields),
        field => {
            let width = if part.is_fixed() { part.count } else { open_width(part, run) };
            let (digits, rest) = split(text, width, run)?;
            fields.set(field, digits.parse().ok()?)?;
            Some(rest)
        }
    }
}

/// The digits of a number of any width, without those that belong to the numbers after it.
fn open_width(part: Part, run: usize) -> usize {
    run.min(NUMBER_MAX + part.reserved).saturating_sub(part.reserved).max(part.count)
}

/// A year has at least as many digits as letters; it has more if, and only if, a plus stands before it.
fn read_year<'t>(part: Part, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let (has_plus, text) = match text.strip_prefix('+') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    let width = open_width(part, run);
    if has_plus != (width > part.count) {
        return None;
    }
    let (digits, rest) = split(text, width, run)?;
    fields.set(part.field, digits.parse().ok()?)?;
    Some(rest)
}

fn split(text: &str, width: usize, run: usize) -> Option<(&str, &str)> {
    if width == 0 || run < width {
        return None;
    }
    text.split_at_checked(width)
}

fn read_text<'t>(part: Part, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let choices: &[&str] = match part.field {
        Field::Month => &MONTHS,
        Field::Weekday => &WEEKDAYS,
        Field::HalfDay => &["AM", "PM"],
        Field::Era => &["BC", "AD"],
        _ => &["Q1", "Q2", "Q3", "Q4"],
    };
    let has_short = matches!(part.field, Field::Month | Field::Weekday) && part.count <= SHORT;
    for (index, name) in choices.iter().copied().enumerate() {
        let name = if has_short { name.get(..SHORT)? } else { name };
        if let Some(rest) = text.strip_prefix(name) {
            let index = i64::try_from(index).ok()?;
            let value = if matches!(part.field, Field::HalfDay | Field::Era) { index } else { index + 1 };
            fields.set(part.field, value)?;
            return Some(rest);
        }
    }
    None
}

fn resolve(fields: &Fields) -> Option<Wall> {
    let (nanos, next_day) = time(fields)?;
    let day = date(fields)? + i64::from(next_day);
    if let Some(weekday) = fields.get(Field::Weekday)
        && weekday != iso_weekday(day - i64::from(next_day))
    {
        return None;
    }
    let millis = day.checked_mul(MILLIS_PER_DAY)?.checked_add(nanos / 1_000_000)?;
    Some(Wall { millis, nanos: nanos % 1_000_000 })
}

fn date(fields: &Fields) -> Option<i64> {
    let year = match (fields.get(Field::ProlepticYear), fields.get(Field::Year)) {
        (Some(year), _) => year,
        (None, Some(year)) if year < 1 => return None,
        (None, Some(year)) if fields.get(Field::Era) == Some(0) => 1 - year,
        (None, Some(year)) => year,
        (None, None) => 1970,
    };
    if let Some(day) = fields.get(Field::DayOfYear) {
        let length = if is_leap(year) { 366 } else { 365 };
        return (1..=length).contains(&day).then(|| days(year, 1, day));
    }
    let month = fields.get(Field::Month).unwrap_or(1);
    let day = fields.get(Field::Day).unwrap_or(1);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 999_999_999 {
        return None;
    }
    Some(days(year, month, day.min(last_day(year, month))))
}

/// Nanoseconds of the day, and whether it is the midnight at the end of the day.
fn time(fields: &Fields) -> Option<(i64, bool)> {
    if let Some(millis) = fields.get(Field::MilliOfDay) {
        return (0..MILLIS_PER_DAY).contains(&millis).then_some((millis * 1_000_000, false));
    }
    let in_range = |field: Field, low: i64, high: i64| match fields.get(field) {
        Some(value) => (low..=high).contains(&value).then_some(Some(value)),
        None => Some(None),
    };
    let half_day = fields.get(Field::HalfDay);
    let half_hour = in_range(Field::HalfDayClockHour, 1, 12)?.map(|hour| hour % 12);
    let half_hour = half_hour.or(in_range(Field::HalfDayHour, 0, 11)?);
    let hour = in_range(Field::Hour, 0, 24)?.or(in_range(Field::ClockHour, 1, 24)?.map(|hour| hour % 24));
    // An hour of a half day means nothing without the half.
    let hour = hour.or_else(|| Some(half_day? * 12 + half_hour?)).unwrap_or(0);
    let minute = in_range(Field::Minute, 0, 59)?.unwrap_or(0);
    let second = in_range(Field::Second, 0, 59)?.unwrap_or(0);
    let nano = in_range(Field::Nano, 0, 999_999_999)?.unwrap_or(0);
    if hour == 24 {
        return (minute == 0 && second == 0 && nano == 0).then_some((0, true));
    }
    Some((((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nano, false))
}
