//! Quartz cron expressions: second, minute, hour, day of month, month, day of week, and perhaps a year.
//!
//! An expression that is read matches some time; one that never can is refused.
//!
//! # Source
//! Quartz 2.4, `CronExpression`. One thing is wider: `*` in both fields of days means every day, where Quartz wants one
//! of them to be `?`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::Offset;
use kobel_model::{Error, Result};

/// A Quartz cron expression; its times are those of UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    seconds: BTreeSet<i16>,
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: Days,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// Which days match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    Any,
    OfMonth(Vec<MonthDay>),
    OfWeek(Vec<WeekDay>),
}

/// A day of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MonthDay {
    On(i16),
    /// So many days before the last.
    FromLast(i16),
    /// The working day next to a day, in the same month.
    WorkingDayNear(i16),
    /// The working day next to the day that lies so many days before the last.
    WorkingDayFromLast(i16),
}

/// A day of a week; Sunday is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WeekDay {
    On(i16),
    Nth {
        day: i16,
        nth: i16,
    },
    /// The last one of the month.
    LastOfMonth(i16),
}

/// What a field may hold.
struct Field {
    name: &'static str,
    least: i16,
    greatest: i16,
    /// Words that stand for the least value and those after it.
    words: &'static [&'static str],
    /// Whether a range may go on from the greatest value at the least.
    is_round: bool,
}

const SECONDS: Field = Field { name: "seconds", least: 0, greatest: 59, words: &[], is_round: true };
const MINUTES: Field = Field { name: "minutes", least: 0, greatest: 59, words: &[], is_round: true };
const HOURS: Field = Field { name: "hours", least: 0, greatest: 23, words: &[], is_round: true };
const MONTH_DAYS: Field = Field { name: "days of the month", least: 1, greatest: 31, words: &[], is_round: true };
const MONTHS: Field = Field {
    name: "months",
    least: 1,
    greatest: 12,
    words: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    is_round: true,
};
const WEEK_DAYS: Field = Field {
    name: "days of the week",
    least: 1,
    greatest: 7,
    words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    is_round: true,
};
const YEARS: Field = Field { name: "years", least: 1970, greatest: 2099, words: &[], is_round: false };

impl Cron {
    /// Reads an expression of six or seven fields, in any case.
    ///
    /// # Errors
    /// `Invalid` if a field has another form or is out of bounds, or no time matches.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_uppercase();
        let fields: Vec<&str> = text.split_whitespace().collect();
        let ([second, minute, hour, month_day, month, week_day], year) = match *fields.as_slice() {
            [a, b, c, d, e, f] => ([a, b, c, d, e, f], "*"),
            [a, b, c, d, e, f, year] => ([a, b, c, d, e, f], year),
            _ => {
                let count = fields.len();
                return Err(Error::invalid(format!("`{text}` has {count} fields: a cron expression has 6 or 7")));
            }
        };
        let expression = Self {
            seconds: SECONDS.values(second)?,
            minutes: MINUTES.values(minute)?,
            hours: HOURS.values(hour)?,
            days: Days::read(month_day, week_day)?,
            months: MONTHS.values(month)?,
            years: YEARS.values(year)?,
        };
        if expression.next_after(0).is_none() {
            return Err(Error::invalid(format!(
                "cron expression `{text}` matches no time: no such month has such a day"
            )));
        }
        Ok(expression)
    }

    /// The first whole second after `last_ms` that matches, in milliseconds since the epoch.
    pub(super) fn next_after(&self, last_ms: i64) -> Option<i64> {
        let from = Timestamp::from_second(last_ms.max(0).div_euclid(1000) + 1).ok()?;
        let from = Offset::UTC.to_datetime(from);
        let first = from.date();
        self.dates(first).find_map(|date| {
            let earliest = if date == first { from.time() } else { Time::midnight() };
            let time = self.time_from(earliest)?;
            Offset::UTC.to_timestamp(date.to_datetime(time)).ok().map(Timestamp::as_millisecond)
        })
    }

    /// The days that match, from `first` on.
    fn dates(&self, first: Date) -> impl Iterator<Item = Date> + '_ {
        let months =
            self.years.range(first.year()..).flat_map(move |year| self.months.iter().map(move |month| (*year, *month)));
        let all = months.flat_map(|(year, month)| (1..=31).filter_map(move |day| date_of(year, month, day)));
        all.filter(move |date| *date >= first && self.days.hold(*date))
    }

    /// The first time of a day that matches, from `earliest` on.
    fn time_from(&self, earliest: Time) -> Option<Time> {
        let (hour, minute) = (i16::from(earliest.hour()), i16::from(earliest.minute()));
        for h in self.hours.range(hour..) {
            let is_first_hour = *h == hour;
            for m in self.minutes.range(if is_first_hour { minute } else { 0 }..) {
                let is_first_minute = is_first_hour && *m == minute;
                let second = if is_first_minute { i16::from(earliest.second()) } else { 0 };
                if let Some(s) = self.seconds.range(second..).next() {
                    return Time::new(narrow(*h)?, narrow(*m)?, narrow(*s)?, 0).ok();
                }
            }
        }
        None
    }
}

impl Field {
    /// Reads a list of values, ranges and steps.
    fn values(&self, written: &str) -> Result<BTreeSet<i16>> {
        let parts: Option<Vec<Vec<i16>>> = written.split(',').map(|part| self.part(part)).collect();
        parts.map(|parts| parts.into_iter().flatten().collect()).ok_or_else(|| self.fault(written))
    }

    /// Reads `*`, `5`, `5-10`, each perhaps with `/2`; `5/2` goes on to the greatest value.
    fn part(&self, part: &str) -> Option<Vec<i16>> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step).filter(|step| (1..=self.greatest).contains(step))?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if range == "*" || (range.is_empty() && step.is_some()) => (self.least, self.greatest),
            None => {
                let from = self.value(range)?;
                (from, if step.is_some() { self.greatest } else { from })
            }
        };
        if to < from && !self.is_round {
            return None;
        }
        let width = self.greatest - self.least + 1;
        let length = (to - from).rem_euclid(width);
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        Some((0..=length).step_by(step).map(|place| self.least + (from - self.least + place) % width).collect())
    }

    /// Reads a number or a word.
    fn value(&self, text: &str) -> Option<i16> {
        let of_word = || (self.least..).zip(self.words).find(|(_, word)| **word == text).map(|(value, _)| value);
        number(text).or_else(of_word).filter(|value| (self.least..=self.greatest).contains(value))
    }

    fn fault(&self, written: &str) -> Error {
        let Self { name, least, greatest, .. } = self;
        Error::invalid(format!(
            "the {name} of a cron expression cannot be `{written}`: expected `*`, or values from {least} to {greatest} \
             with `,`, `-` and `/`"
        ))
    }
}

impl Days {
    /// Reads both fields of days, of which at most one says something.
    fn read(month_day: &str, week_day: &str) -> Result<Self> {
        let is_open = |field: &str| field == "*" || field == "?";
        match (is_open(month_day), is_open(week_day)) {
            (true, true) => Ok(Self::Any),
            (false, true) => list(month_day, month_days).map(Self::OfMonth).ok_or_else(|| MONTH_DAYS.fault(month_day)),
            (true, false) => list(week_day, week_days).map(Self::OfWeek).ok_or_else(|| WEEK_DAYS.fault(week_day)),
            (false, false) => Err(Error::invalid(format!(
                "a cron expression cannot have both days of the month `{month_day}` and days of the week `{week_day}`: \
                 one of the two must be `?`"
            ))),
        }
    }

    fn hold(&self, date: Date) -> bool {
        match self {
            Self::Any => true,
            Self::OfMonth(days) => days.iter().any(|day| day.is(date)),
            Self::OfWeek(days) => days.iter().any(|day| day.is(date)),
        }
    }
}

impl MonthDay {
    fn is(self, date: Date) -> bool {
        let (day, last) = (i16::from(date.day()), i16::from(date.days_in_month()));
        match self {
            Self::On(on) => day == on,
            Self::FromLast(before) => day == last - before,
            Self::WorkingDayNear(near) => working_day_near(date, near) == Some(day),
            Self::WorkingDayFromLast(before) => working_day_near(date, last - before) == Some(day),
        }
    }
}

impl WeekDay {
    fn is(self, date: Date) -> bool {
        let (day, last) = (i16::from(date.day()), i16::from(date.days_in_month()));
        let of_week = i16::from(date.weekday().to_sunday_one_offset());
        match self {
            Self::On(on) => of_week == on,
            Self::Nth { day: on, nth } => of_week == on && (day - 1) / 7 + 1 == nth,
            Self::LastOfMonth(on) => of_week == on && day + 7 > last,
        }
    }
}

/// Reads every part of a list.
fn list<T>(written: &str, read: impl Fn(&str) -> Option<Vec<T>>) -> Option<Vec<T>> {
    let parts: Option<Vec<Vec<T>>> = written.split(',').map(read).collect();
    parts.map(|parts| parts.into_iter().flatten().collect())
}

/// Reads days of a month: values, `L`, `L-3`, `15W`, `LW`, `L-3W`.
fn month_days(part: &str) -> Option<Vec<MonthDay>> {
    let (day, is_working) = part.strip_suffix('W').map_or((part, false), |day| (day, true));
    if let Some(rest) = day.strip_prefix('L') {
        let before = if rest.is_empty() { 0 } else { number(rest.strip_prefix('-')?)? };
        let before = Some(before).filter(|before| *before < MONTH_DAYS.greatest)?;
        return Some(vec![if is_working { MonthDay::WorkingDayFromLast(before) } else { MonthDay::FromLast(before) }]);
    }
    if is_working {
        return MONTH_DAYS.value(day).map(|day| vec![MonthDay::WorkingDayNear(day)]);
    }
    MONTH_DAYS.part(part).map(|days| days.into_iter().map(MonthDay::On).collect())
}

/// Reads days of a week: values, `L` for Saturday, `6L` for the last Friday, `6#3` for the third.
fn week_days(part: &str) -> Option<Vec<WeekDay>> {
    if part == "L" {
        return Some(vec![WeekDay::On(WEEK_DAYS.greatest)]);
    }
    if let Some((day, nth)) = part.split_once('#') {
        let nth = number(nth).filter(|nth| (1..=5).contains(nth))?;
        return WEEK_DAYS.value(day).map(|day| vec![WeekDay::Nth { day, nth }]);
    }
    if let Some(day) = part.strip_suffix('L') {
        return WEEK_DAYS.value(day).map(|day| vec![WeekDay::LastOfMonth(day)]);
    }
    WEEK_DAYS.part(part).map(|days| days.into_iter().map(WeekDay::On).collect())
}

/// The working day next to day `near` in the month of `date`; a month without that day has none.
fn working_day_near(date: Date, near: i16) -> Option<i16> {
    let last = i16::from(date.days_in_month());
    Some(match date_of(date.year(), i16::from(date.month()), near)?.weekday() {
        Weekday::Saturday if near == 1 => near + 2,
        Weekday::Saturday => near - 1,
        Weekday::Sunday if near == last => near - 2,
        Weekday::Sunday => near + 1,
        _ => near,
    })
}

fn date_of(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, narrow(month)?, narrow(day)?).ok()
}

fn narrow(value: i16) -> Option<i8> {
    i8::try_from(value).ok()
}

/// Reads digits and nothing else.
fn number(text: &str) -> Option<i16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
