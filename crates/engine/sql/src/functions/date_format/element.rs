//! The elements of a pattern, and the wall clock time that it prints and reads.

use crate::functions::temporal::civil::{Civil, MILLIS_PER_DAY, civil};

/// Which Java class takes the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `java.time.format.DateTimeFormatter` for printing: DATE_FORMAT.
    Formatter,
    /// The same for reading: TO_TIMESTAMP. It reads exactly as many digits as the pattern says. A pattern that Java
    /// refuses reads nothing; for the other dialects it is an error.
    Parser,
    /// `java.text.SimpleDateFormat`: FROM_UNIXTIME, UNIX_TIMESTAMP, TO_DATE; reads any number of digits, and values
    /// beyond the calendar count on.
    Simple,
}

/// A piece of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Element {
    Literal(String),
    Part(Part),
    /// `[…]`: left out when it does not fit.
    Optional(Vec<Element>),
    /// A malformed pattern, which reads nothing.
    Malformed,
}

/// A run of one letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) field: Field,
    /// How often the letter stands there.
    pub(super) count: usize,
    /// Digits of the numbers that follow without anything between.
    pub(super) reserved: usize,
}

/// What a letter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    /// Year of the era.
    Year,
    /// Astronomical year.
    ProlepticYear,
    Quarter,
    Month,
    Day,
    DayOfYear,
    /// Name of the day of the week.
    Weekday,
    /// Monday is 1.
    WeekdayNumber,
    HalfDay,
    /// 0 to 23
    Hour,
    /// 1 to 24
    ClockHour,
    /// 0 to 11
    HalfDayHour,
    /// 1 to 12
    HalfDayClockHour,
    Minute,
    Second,
    /// Leading digits of the fraction of the second.
    Fraction,
    /// Milliseconds as a number.
    Milli,
    /// Nanosecond of the second.
    Nano,
    MilliOfDay,
    /// Sunday is 1.
    LocalWeekday,
    /// Number of the week from Sunday, the first being that of the 1st of January.
    LocalWeek,
    /// The year to which that week belongs.
    LocalWeekYear,
}

/// How many fields there are.
pub(super) const FIELDS: usize = Field::LocalWeekYear as usize + 1;

/// Names of the months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Names of the days of the week.
pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// The length of short names of months and days.
pub(super) const SHORT: usize = 3;

/// A wall clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// Milliseconds since 1970-01-01 00:00.
    pub millis: i64,
    /// Nanoseconds within the millisecond.
    pub nanos: i64,
}

impl Wall {
    /// Days since 1970-01-01.
    pub(super) fn day(self) -> i64 {
        self.millis.div_euclid(MILLIS_PER_DAY)
    }

    /// Milliseconds of the day.
    pub(super) fn time(self) -> i64 {
        self.millis.rem_euclid(MILLIS_PER_DAY)
    }

    /// Year, month and day.
    pub(super) fn date(self) -> Civil {
        civil(self.day())
    }
}

impl Part {
    /// Whether it is a number.
    pub(super) fn is_number(self) -> bool {
        match self.field {
            Field::Era | Field::Weekday | Field::HalfDay => false,
            Field::Month | Field::Quarter => self.count < SHORT,
            _ => true,
        }
    }

    /// Whether it reads exactly `count` digits, in [`Dialect::Formatter`].
    pub(super) fn is_fixed(self) -> bool {
        match self.field {
            Field::Fraction => true,
            Field::Year | Field::ProlepticYear => self.count == 2,
            Field::DayOfYear => self.count == 3,
            Field::Nano | Field::MilliOfDay => false,
            _ => self.is_number() && self.count == 2,
        }
    }
}
