//! Dates and times as text, in the forms that Flink's formats read and write.
//!
//! The calendar is the proleptic Gregorian one of `java.time`. Which form is read where, and how leniently, follows
//! Flink class by class: see [`Style`].

use kobel_sql::functions::temporal::civil;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Whose rules text is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Format csv: `java.sql.Date.valueOf`, `LocalTime.parse`, `SQL_TIMESTAMP_FORMAT` after trimming.
    Csv,
    /// Format json with `SQL` timestamps.
    JsonSql,
    /// Format json with `ISO-8601` timestamps.
    JsonIso,
}

/// A point of the time line, in UTC or as wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Since the epoch.
    pub seconds: i64,
    /// Of the second.
    pub nanos: u32,
}

impl Moment {
    /// From ticks since the epoch.
    pub fn of(ticks: i64, per_second: i64) -> Self {
        let nanos = ticks.rem_euclid(per_second) * (1_000_000_000 / per_second);
        Self { seconds: ticks.div_euclid(per_second), nanos: u32::try_from(nanos).unwrap_or(0) }
    }

    /// Ticks since the epoch, finer parts cut off; `None` if they do not fit.
    pub fn ticks(self, per_second: i64) -> Option<i64> {
        let part = i64::from(self.nanos) / (1_000_000_000 / per_second);
        // Before the epoch the product alone may be out of range although the sum is not.
        let ticks = i128::from(self.seconds) * i128::from(per_second) + i128::from(part);
        i64::try_from(ticks).ok()
    }
}

/// What a day behind the end of its month means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolver {
    /// An error.
    Strict,
    /// The last day of the month, up to the 31st; and 24:00 is the next midnight.
    Smart,
}

/// Whether seconds may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seconds {
    Required,
    Optional,
}

/// Reads a DATE as days since the epoch.
pub(crate) fn date(text: &str, style: Style) -> Option<i32> {
    let mut text = Reader { rest: text.as_bytes() };
    let days = match style {
        Style::Csv => text.sql_date()?,
        Style::JsonSql | Style::JsonIso => text.iso_date(Resolver::Strict)?,
    };
    text.end()?;
    i32::try_from(days).ok()
}

/// Reads a TIME as milliseconds of the day; csv cuts it to `precision` digits, json does not.
pub(crate) fn time(text: &str, style: Style, precision: u8) -> Option<i32> {
    let mut text = Reader { rest: text.as_bytes() };
    let (seconds, nanos) = match style {
        Style::Csv => text.clock(Seconds::Optional)?,
        Style::JsonSql | Style::JsonIso => text.clock(Seconds::Required)?,
    };
    text.end()?;
    let seconds = match (seconds, style) {
        (DAY, Style::Csv) => return None,
        (DAY, _) => 0,
        (seconds, _) => seconds,
    };
    let digits = if style == Style::Csv { precision.min(3) } else { 3 };
    let unit = 10_u32.pow(9 - u32::from(digits));
    i32::try_from(seconds * 1_000 + i64::from(nanos / unit * unit / 1_000_000)).ok()
}

/// Reads a TIMESTAMP.
pub(crate) fn timestamp(text: &str, style: Style) -> Option<Moment> {
    let mut text = Reader { rest: trimmed(text, style).as_bytes() };
    let moment = match style {
        Style::Csv | Style::JsonSql => text.date_time(b' ', Resolver::Smart, Seconds::Required)?,
        Style::JsonIso => text.date_time(b'T', Resolver::Strict, Seconds::Optional)?,
    };
    text.end()?;
    Some(moment)
}

/// Reads a TIMESTAMP_LTZ, which is written in UTC with a `Z`.
pub(crate) fn instant(text: &str, style: Style) -> Option<Moment> {
    let mut text = Reader { rest: trimmed(text, style).as_bytes() };
    let moment = match style {
        Style::Csv | Style::JsonSql => text.date_time(b' ', Resolver::Smart, Seconds::Required)?,
        Style::JsonIso => text.date_time(b'T', Resolver::Smart, Seconds::Optional)?,
    };
    text.byte(b'Z')?;
    text.end()?;
    Some(moment)
}

fn trimmed(text: &str, style: Style) -> &str {
    match style {
        Style::Csv => super::numbers::java_trim(text),
        Style::JsonSql | Style::JsonIso => text,
    }
}

/// Text that is eaten from the front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == expected).then(|| self.rest = rest)
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = number(digits)?;
        self.rest = rest;
        Some(number)
    }

    /// As many digits as there are, which must be `least` to `most`.
    fn run(&mut self, least: usize, most: usize) -> Option<&[u8]> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(least..=most).contains(&count) {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(digits)
    }

    /// `yyyy-[m]m-[d]d`; a day behind the end of the month runs into the next one.
    fn sql_date(&mut self) -> Option<i64> {
        let year = number(self.run(4, 4)?)?;
        self.byte(b'-')?;
        let month = number(self.run(1, 2)?)?;
        self.byte(b'-')?;
        let day = number(self.run(1, 2)?)?;
        let is_date = year >= 1 && (1..=12).contains(&month) && (1..=31).contains(&day);
        is_date.then(|| civil::days(i64::from(year), i64::from(month), i64::from(day)))
    }

    /// `[+-]yyyy-mm-dd`; years of more than four digits need a sign.
    fn iso_date(&mut self, resolver: Resolver) -> Option<i64> {
        let year = match self.rest.first()? {
            b'+' => {
                self.byte(b'+')?;
                long(self.run(5, 9)?)?
            }
            b'-' => {
                self.byte(b'-')?;
                -long(self.run(4, 9)?)?
            }
            _ => long(self.run(4, 4)?)?,
        };
        self.byte(b'-')?;
        let month = self.digits(2)?;
        self.byte(b'-')?;
        let day = self.digits(2)?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let (month, day) = (i64::from(month), i64::from(day));
        let last = civil::last_day(year, month);
        match resolver {
            Resolver::Strict if day > last => None,
            Resolver::Strict | Resolver::Smart => Some(civil::days(year, month, day.min(last))),
        }
    }

    /// `hh:mm[:ss[.fraction]]` as seconds of the day and nanoseconds; 24:00:00 is a whole day.
    fn clock(&mut self, seconds: Seconds) -> Option<(i64, u32)> {
        let hour = self.digits(2)?;
        self.byte(b':')?;
        let minute = self.digits(2)?;
        let (second, nanos) = if seconds == Seconds::Required || self.rest.first() == Some(&b':') {
            self.byte(b':')?;
            (self.digits(2)?, self.fraction()?)
        } else {
            (0, 0)
        };
        let is_midnight = hour == 24 && minute == 0 && second == 0 && nanos == 0;
        let is_time = is_midnight || (hour <= 23 && minute <= 59 && second <= 59);
        is_time.then(|| (i64::from(hour * 3_600 + minute * 60 + second), nanos))
    }

    /// `.` and up to nine digits, or nothing.
    fn fraction(&mut self) -> Option<u32> {
        if self.rest.first() != Some(&b'.') {
            return Some(0);
        }
        self.byte(b'.')?;
        let digits = self.run(0, 9)?;
        let missing = u32::try_from(9 - digits.len()).ok()?;
        Some(number(digits)? * 10_u32.pow(missing))
    }

    fn date_time(&mut self, separator: u8, resolver: Resolver, seconds: Seconds) -> Option<Moment> {
        let days = self.iso_date(resolver)?;
        self.byte(separator)?;
        let (seconds, nanos) = self.clock(seconds)?;
        if seconds == DAY && resolver == Resolver::Strict {
            return None;
        }
        Some(Moment { seconds: days * DAY + seconds, nanos })
    }
}

/// Up to nine digits; no digits are zero.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

fn long(digits: &[u8]) -> Option<i64> {
    number(digits).map(i64::from)
}

/// How the fraction of a second is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fraction {
    /// Without zeros at the end: `DateTimeFormatter`.
    Trimmed,
    /// With 3, 6 or 9 digits: `toString` of `java.time`.
    Thousands,
}

/// Writes `yyyy-mm-dd`.
pub(crate) fn write_date(out: &mut String, days: i64) {
    let civil::Civil { year, month, day } = civil::civil(days);
    if year < 0 {
        out.push('-');
    } else if year > 9_999 {
        out.push('+');
    }
    push_padded(out, year.unsigned_abs(), 4);
    out.push('-');
    push_padded(out, month.unsigned_abs(), 2);
    out.push('-');
    push_padded(out, day.unsigned_abs(), 2);
}

/// Writes a TIME as `hh:mm:ss[.fraction]`.
pub(crate) fn write_time(out: &mut String, millis: i32) {
    let moment = Moment::of(i64::from(millis), 1_000);
    write_clock(out, moment, Fraction::Trimmed);
}

/// Writes a TIME as `LocalTime.toString` does.
pub(crate) fn write_java_time(out: &mut String, millis: i32) {
    write_java_clock(out, Moment::of(i64::from(millis), 1_000));
}

/// Writes a date, a separator and a time with seconds.
pub(crate) fn write_timestamp(out: &mut String, moment: Moment, separator: char, fraction: Fraction) {
    write_date(out, moment.seconds.div_euclid(DAY));
    out.push(separator);
    write_clock(out, moment, fraction);
}

/// Writes a TIMESTAMP as `LocalDateTime.toString` does.
pub(crate) fn write_java_timestamp(out: &mut String, moment: Moment) {
    write_date(out, moment.seconds.div_euclid(DAY));
    out.push('T');
    write_java_clock(out, moment);
}

/// Java leaves out seconds that are zero.
fn write_java_clock(out: &mut String, moment: Moment) {
    if moment.nanos == 0 && moment.seconds.rem_euclid(60) == 0 {
        write_minutes(out, moment);
    } else {
        write_clock(out, moment, Fraction::Thousands);
    }
}

fn write_minutes(out: &mut String, moment: Moment) {
    let minutes = moment.seconds.rem_euclid(DAY).unsigned_abs() / 60;
    push_padded(out, minutes / 60, 2);
    out.push(':');
    push_padded(out, minutes % 60, 2);
}

fn write_clock(out: &mut String, moment: Moment, fraction: Fraction) {
    write_minutes(out, moment);
    out.push(':');
    push_padded(out, moment.seconds.rem_euclid(60).unsigned_abs(), 2);
    if moment.nanos == 0 {
        return;
    }
    out.push('.');
    match fraction {
        Fraction::Trimmed => {
            push_padded(out, u64::from(moment.nanos), 9);
            out.truncate(out.trim_end_matches('0').len());
        }
        Fraction::Thousands if moment.nanos.is_multiple_of(1_000_000) => {
            push_padded(out, u64::from(moment.nanos / 1_000_000), 3);
        }
        Fraction::Thousands if moment.nanos.is_multiple_of(1_000) => {
            push_padded(out, u64::from(moment.nanos / 1_000), 6)
        }
        Fraction::Thousands => push_padded(out, u64::from(moment.nanos), 9),
    }
}

/// Writes a number with zeros in front up to `width`.
fn push_padded(out: &mut String, value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        if rest == 0 && used >= width {
            break;
        }
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
    }
    out.extend(digits.iter().skip(digits.len() - used).map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests;
