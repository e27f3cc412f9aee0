//! Printing of times.

use std::fmt::Write;

use crate::functions::temporal::civil::{civil, day_of_year, iso_weekday};

use super::element::{Dialect, Element, Field, MONTHS, Part, SHORT, WEEKDAYS, Wall};

/// Appends `wall`; optional sections are always printed, since every field of a time is known.
pub(super) fn print(elements: &[Element], dialect: Dialect, wall: Wall, out: &mut String) {
    for element in elements {
        match element {
            Element::Literal(text) => out.push_str(text),
            Element::Optional(section) => print(section, dialect, wall, out),
            Element::Malformed => {}
            Element::Part(part) => match part.field {
                Field::Year | Field::ProlepticYear | Field::LocalWeekYear => year(*part, dialect, wall, out),
                Field::Fraction => fraction(part.count, wall, out),
                _ if part.is_number() => number(number_of(part.field, wall), part.count, out),
                _ => text(*part, wall, out),
            },
        }
    }
}

fn number(value: i64, width: usize, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value:0width$}");
}

fn number_of(field: Field, wall: Wall) -> i64 {
    let time = wall.time();
    let hour = time / 3_600_000;
    match field {
        Field::Quarter => (wall.date().month + 2) / 3,
        Field::Month => wall.date().month,
        Field::Day => wall.date().day,
        Field::DayOfYear => day_of_year(wall.day()),
        Field::WeekdayNumber => iso_weekday(wall.day()),
        Field::Hour => hour,
        Field::ClockHour => (hour + 23) % 24 + 1,
        Field::HalfDayHour => hour % 12,
        Field::HalfDayClockHour => (hour + 11) % 12 + 1,
        Field::Minute => time / 60_000 % 60,
        Field::Second => time / 1_000 % 60,
        Field::Milli => time % 1_000,
        Field::Nano => time % 1_000 * 1_000_000 + wall.nanos,
        Field::MilliOfDay => time,
        Field::LocalWeekday => iso_weekday(wall.day()) % 7 + 1,
        Field::LocalWeek => (day_of_year(saturday(wall)) - 1) / 7 + 1,
        // These are no plain numbers.
        Field::Year | Field::ProlepticYear | Field::LocalWeekYear | Field::Fraction => 0,
        Field::Era | Field::Weekday | Field::HalfDay => 0,
    }
}

/// The last day of the week, which is of the same year as the week.
fn saturday(wall: Wall) -> i64 {
    wall.day() + 6 - iso_weekday(wall.day()) % 7
}

/// Two letters are the last two digits; more than four digits are marked with a plus by the formatter.
fn year(part: Part, dialect: Dialect, wall: Wall, out: &mut String) {
    let proleptic = match part.field {
        Field::LocalWeekYear => civil(saturday(wall)).year,
        _ => wall.date().year,
    };
    let year = if part.field == Field::Year && proleptic <= 0 { 1 - proleptic } else { proleptic };
    if part.count == 2 {
        return number(year.rem_euclid(100), 2, out);
    }
    let digits = year.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1);
    if dialect != Dialect::Simple && part.count >= 4 && digits > part.count && year > 0 {
        out.push('+');
    }
    if year < 0 {
        out.push('-');
    }
    let width = part.count;
    let _ = write!(out, "{:0width$}", year.unsigned_abs());
}

fn fraction(count: usize, wall: Wall, out: &mut String) {
    let digits = format!("{:09}", number_of(Field::Nano, wall));
    out.push_str(digits.get(..count).unwrap_or(&digits));
}

fn text(part: Part, wall: Wall, out: &mut String) {
    let named = |names: &[&'static str], index: i64| {
        let name = usize::try_from(index - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or("");
        if part.count > SHORT { name } else { name.get(..SHORT).unwrap_or(name) }
    };
    match part.field {
        Field::Month => out.push_str(named(&MONTHS, wall.date().month)),
        Field::Weekday => out.push_str(named(&WEEKDAYS, iso_weekday(wall.day()))),
        Field::HalfDay => out.push_str(if wall.time() < 43_200_000 { "AM" } else { "PM" }),
        Field::Era => out.push_str(if wall.date().year > 0 { "AD" } else { "BC" }),
        _ => {
            let _ = write!(out, "Q{}", number_of(part.field, wall));
        }
    }
}
