//! Reading as `SimpleDateFormat` does: numbers of any width, values beyond the calendar count on, what follows is
//! ignored.

use crate::functions::temporal::civil::{MILLIS_PER_DAY, days};

use super::element::{Element, Field, MONTHS, Part, SHORT, WEEKDAYS, Wall};

/// The fields as they are read; they start at 1970-01-01 00:00:00.
struct Reading {
    year: i64,
    month: i64,
    day: i64,
    /// Set by the day of the year, which then counts instead of month and day.
    day_of_year: Option<i64>,
    hour: i64,
    /// Set by AM or PM.
    half_day: Option<i64>,
    half_day_hour: Option<i64>,
    minute: i64,
    second: i64,
    milli: i64,
    before_christ: bool,
}

/// Reads a time; `None` if `text` does not fit.
pub(super) fn parse(elements: &[Element], text: &str) -> Option<Wall> {
    let mut reading = Reading {
        year: 1970,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        half_day: None,
        half_day_hour: None,
        minute: 0,
        second: 0,
        milli: 0,
        before_christ: false,
    };
    let mut rest = text;
    for element in elements {
        rest = match element {
            Element::Literal(literal) => rest.strip_prefix(literal.as_str())?,
            Element::Part(part) => reading.read(*part, rest.trim_start_matches([' ', '\t']))?,
            Element::Optional(_) | Element::Malformed => return None,
        };
    }
    reading.resolve()
}

impl Reading {
    fn read<'t>(&mut self, part: Part, text: &'t str) -> Option<&'t str> {
        if !part.is_number() {
            return self.read_text(part, text);
        }
        let run = text.bytes().take_while(u8::is_ascii_digit).count();
        // A number right before another one has as many digits as letters.
        let width = if part.reserved > 0 { part.count } else { run };
        if width == 0 || run < width {
            return None;
        }
        let (digits, rest) = text.split_at_checked(width)?;
        let value = digits.parse::<i64>().ok()?;
        match part.field {
            Field::Year if part.count <= 2 && width == 2 => self.year = two_digits(value),
            Field::Year => self.year = value,
            Field::Month => self.month = value,
            Field::Day => self.day = value,
            Field::DayOfYear => self.day_of_year = Some(value),
            Field::Hour => self.hour = value,
            Field::ClockHour => self.hour = if value == 24 { 0 } else { value },
            Field::HalfDayHour => self.half_day_hour = Some(value),
            Field::HalfDayClockHour => self.half_day_hour = Some(if value == 12 { 0 } else { value }),
            Field::Minute => self.minute = value,
            Field::Second => self.second = value,
            Field::Milli => self.milli = value,
            // The day of the week does not say which day it is.
            _ => {}
        }
        Some(rest)
    }

    fn read_text<'t>(&mut self, part: Part, text: &'t str) -> Option<&'t str> {
        match part.field {
            Field::Month => {
                let (index, rest) = named(&MONTHS, text)?;
                self.month = index + 1;
                Some(rest)
            }
            Field::Weekday => named(&WEEKDAYS, text).map(|(_, rest)| rest),
            Field::HalfDay => {
                let (index, rest) = named(&["AM", "PM"], text)?;
                self.half_day = Some(index);
                Some(rest)
            }
            _ => {
                let (index, rest) = named(&["BC", "AD"], text)?;
                self.before_christ = index == 0;
                Some(rest)
            }
        }
    }

    fn resolve(&self) -> Option<Wall> {
        let year = if self.before_christ { 1 - self.year } else { self.year };
        // Numbers have up to 18 digits; a calendar of a billion years holds all that print.
        let limit = 1_000_000_000;
        let parts = [year, self.month, self.day, self.day_of_year.unwrap_or(1), self.hour, self.minute];
        if parts.iter().any(|part| part.abs() > limit) || self.second.abs() > limit || self.milli.abs() > limit {
            return None;
        }
        let day = match self.day_of_year {
            Some(day) => days(year, 1, day),
            None => days(year, self.month, self.day),
        };
        let hour = match (self.half_day_hour, self.half_day) {
            (None, None) => self.hour,
            (None, Some(half)) => half * 12,
            (Some(hour), half) => half.unwrap_or(0) * 12 + hour,
        };
        let time = ((hour * 60 + self.minute) * 60 + self.second) * 1_000 + self.milli;
        Some(Wall { millis: day.checked_mul(MILLIS_PER_DAY)?.checked_add(time)?, nanos: 0 })
    }
}

/// A year of two digits is the one from 80 years ago to 20 years ahead; the century is fixed so that reading depends on
/// no clock.
fn two_digits(year: i64) -> i64 {
    if year < 50 { 2000 + year } else { 1900 + year }
}

/// The name at the start of `text`, long or short, in any case.
fn named<'t>(names: &[&str], text: &'t str) -> Option<(i64, &'t str)> {
    let matching = |length: Option<usize>| {
        names.iter().enumerate().find_map(|(index, name)| {
            let name = name.get(..length.unwrap_or(name.len()))?;
            let (start, rest) = text.split_at_checked(name.len())?;
            start.eq_ignore_ascii_case(name).then(|| i64::try_from(index).ok().map(|index| (index, rest)))?
        })
    };
    matching(None).or_else(|| matching(Some(SHORT)))
}
