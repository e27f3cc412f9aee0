//! The proleptic Gregorian calendar as integer arithmetic on days since 1970-01-01.

/// Milliseconds of a day.
pub const MILLIS_PER_DAY: i64 = 86_400_000;
/// The Julian day number of 1970-01-01.
const EPOCH_JULIAN: i64 = 2_440_588;

/// A calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Astronomical year.
    pub year: i64,
    /// 1 to 12
    pub month: i64,
    /// 1 to 31
    pub day: i64,
}

/// The date of a day.
///
/// # Source
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
#[inline]
pub fn civil(days: i64) -> Civil {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { year, month, day }
}

/// The day of a date; a month or day outside its range counts on into the next or previous ones.
#[inline]
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + day - 1
}

/// Whether a year has 366 days.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The last day of a month.
pub fn last_day(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The same day some months later, or the last of that month if it has no such day.
pub fn add_months(day: i64, months: i64) -> i64 {
    let date = civil(day);
    let month = date.year * 12 + date.month - 1 + months;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    days(year, month, date.day.min(last_day(year, month)))
}

/// As [`add_months`] for milliseconds since the epoch; the time of day stays.
pub fn add_months_to_millis(millis: i64, months: i64) -> i64 {
    let time = millis.rem_euclid(MILLIS_PER_DAY);
    add_months(millis.div_euclid(MILLIS_PER_DAY), months).wrapping_mul(MILLIS_PER_DAY).wrapping_add(time)
}

/// The whole months from `from` to `to`, truncated towards zero.
pub fn months_between(from: i64, to: i64) -> i64 {
    if to < from {
        return -months_between(to, from);
    }
    let (start, end) = (civil(from), civil(to));
    let months = (end.year - start.year) * 12 + end.month - start.month;
    if add_months(from, months) > to { months - 1 } else { months }
}

/// As [`months_between`] for milliseconds since the epoch.
///
/// # Source
/// Flink `DateTimeUtils.subtractMonths(long, long)`, which compares the times of day only in this direction.
pub fn months_between_millis(from: i64, to: i64) -> i64 {
    let (from_day, to_day) = (from.div_euclid(MILLIS_PER_DAY), to.div_euclid(MILLIS_PER_DAY));
    let months = months_between(from_day, to_day);
    let is_early = to.rem_euclid(MILLIS_PER_DAY) < from.rem_euclid(MILLIS_PER_DAY);
    if add_months(from_day, months) == to_day && is_early { months - 1 } else { months }
}

/// Day of the week, Monday is 1.
#[inline]
pub fn iso_weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7) + 1
}

/// Day of the year, from 1.
pub fn day_of_year(day: i64) -> i64 {
    day - days(civil(day).year, 1, 1) + 1
}

/// Year and number of the ISO 8601 week.
pub fn iso_week(day: i64) -> (i64, i64) {
    // A week belongs to the year of its Thursday.
    let thursday = day - iso_weekday(day) + 4;
    let year = civil(thursday).year;
    (year, (thursday - days(year, 1, 1)) / 7 + 1)
}

/// The periods that FLOOR and CEIL go to with the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Of a thousand years, from 1001 and 2001.
    Millennium,
    /// Of a hundred years, from 1901 and 2001.
    Century,
    /// Of ten years, from 2010.
    Decade,
    /// A year.
    Year,
    /// Three months.
    Quarter,
    /// A month.
    Month,
    /// From Sunday.
    Week,
}

/// The first day of the period of `day`.
///
/// # Source
/// Flink `DateTimeUtils.julianDateFloor`, which takes days before 1582-10-15 as days of the Julian calendar.
pub fn period_start(period: Period, day: i64) -> i64 {
    let Civil { year, month, .. } = historical(day);
    match period {
        Period::Millennium => days(1000 * ((year + 999) / 1000) - 999, 1, 1),
        Period::Century => days(100 * ((year + 99) / 100) - 99, 1, 1),
        Period::Decade => days(10 * (year / 10), 1, 1),
        Period::Year => days(year, 1, 1),
        Period::Quarter => days(year, (month + 2) / 3 * 3 - 2, 1),
        Period::Month => days(year, month, 1),
        Period::Week => week_day(day) - (day + 4).rem_euclid(7),
    }
}

/// The first day of the next period, or `day` itself if a period starts with it (of years, quarters and months).
pub fn period_end(period: Period, day: i64) -> i64 {
    let date = historical(day);
    let Civil { year, month, .. } = date;
    let (after_first_day, after_first_month) = (i64::from(date.day > 1), i64::from(month > 1 || date.day > 1));
    match period {
        Period::Millennium => days(1000 * ((year + 999) / 1000) + 1, 1, 1),
        Period::Century => days(100 * ((year + 99) / 100) + 1, 1, 1),
        Period::Decade => days(10 * (1 + year / 10), 1, 1),
        Period::Year => days(year + after_first_month, 1, 1),
        Period::Quarter => days(year, ((month + 2) / 3 + after_first_month) * 3 - 2, 1),
        Period::Month => days(year, month + after_first_day, 1),
        Period::Week => {
            let passed = (day + 4).rem_euclid(7);
            week_day(day) - if passed > 0 { passed - 7 } else { 0 }
        }
    }
}

fn week_day(day: i64) -> i64 {
    let date = historical(day);
    days(date.year, date.month, date.day)
}

/// The date in the Gregorian calendar from 1582-10-15, in the Julian calendar before.
fn historical(day: i64) -> Civil {
    const GREGORIAN_FROM: i64 = 2_299_161 - EPOCH_JULIAN;
    if day >= GREGORIAN_FROM {
        return civil(day);
    }
    let shifted = day + EPOCH_JULIAN + 32_082;
    let cycle = (4 * shifted + 3).div_euclid(1_461);
    let rest = shifted - (1_461 * cycle).div_euclid(4);
    let month = (5 * rest + 2) / 153;
    Civil {
        year: cycle - 4_800 + month / 10,
        month: month + 3 - 12 * (month / 10),
        day: rest - (153 * month + 2) / 5 + 1,
    }
}
