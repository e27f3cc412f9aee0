//! Date and time patterns of Java: `yyyy-MM-dd HH:mm:ss` and the like, for printing and for reading.
//!
//! Java has two classes that take such patterns and differ in detail; Flink uses both, see [`Dialect`]. Letters that
//! neither prints here are an error when the pattern is compiled, never wrong output. Texts are English.

mod compile;
mod lenient;
mod print;
mod strict;

use datafusion_common::Result;

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

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct DateFormat {
    dialect: Dialect,
    elements: Vec<Element>,
}

#[derive(Debug, Clone)]
enum Element {
    Literal(String),
    Part(Part),
    /// `[…]`: left out when it does not fit.
    Optional(Vec<Element>),
    /// A malformed pattern, which reads nothing.
    Malformed,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    field: Field,
    /// How often the letter stands there.
    count: usize,
    /// Digits of the numbers that follow without anything between.
    reserved: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
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

const FIELDS: usize = Field::LocalWeekYear as usize + 1;

const MONTHS: [&str; 12] = [
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
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// The length of short names of months and days.
const SHORT: usize = 3;

/// A wall clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// Milliseconds since 1970-01-01 00:00.
    pub millis: i64,
    /// Nanoseconds within the millisecond.
    pub nanos: i64,
}

impl Wall {
    fn day(self) -> i64 {
        self.millis.div_euclid(MILLIS_PER_DAY)
    }

    fn time(self) -> i64 {
        self.millis.rem_euclid(MILLIS_PER_DAY)
    }

    fn date(self) -> Civil {
        civil(self.day())
    }
}

impl DateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Execution if it has a letter, or a letter so often, that is not supported, or is not balanced.
    pub fn compile(pattern: &str, dialect: Dialect) -> Result<Self> {
        Ok(Self { dialect, elements: compile::compile(pattern, dialect)? })
    }

    /// Whether Java refuses the pattern.
    pub fn is_malformed(&self) -> bool {
        matches!(self.elements.as_slice(), [Element::Malformed])
    }

    /// Appends a time.
    pub fn print(&self, wall: Wall, out: &mut String) {
        print::print(&self.elements, self.dialect, wall, out);
    }

    /// Reads a time; `None` if `text` does not fit the pattern.
    pub fn parse(&self, text: &str) -> Option<Wall> {
        match self.dialect {
            Dialect::Formatter | Dialect::Parser => strict::parse(&self.elements, text),
            Dialect::Simple => lenient::parse(&self.elements, text),
        }
    }
}

impl Part {
    fn is_number(self) -> bool {
        match self.field {
            Field::Era | Field::Weekday | Field::HalfDay => false,
            Field::Month | Field::Quarter => self.count < SHORT,
            _ => true,
        }
    }

    /// Whether it reads exactly `count` digits, in [`Dialect::Formatter`].
    fn is_fixed(self) -> bool {
        match self.field {
            Field::Fraction => true,
            Field::Year | Field::ProlepticYear => self.count == 2,
            Field::DayOfYear => self.count == 3,
            Field::Nano | Field::MilliOfDay => false,
            _ => self.is_number() && self.count == 2,
        }
    }
}
