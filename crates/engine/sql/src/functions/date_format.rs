//! Date and time patterns of Java: `yyyy-MM-dd HH:mm:ss` and the like, for printing and for reading.
//!
//! Java has two classes that take such patterns and differ in detail; Flink uses both, see [`Dialect`]. Letters that
//! neither prints here are an error when the pattern is compiled, never wrong output. Texts are English.

mod lenient;
mod print;
mod strict;

use datafusion_common::Result;

use crate::functions::temporal::civil::{Civil, MILLIS_PER_DAY, civil};
use crate::functions::{failure, quoted};

/// Which Java class takes the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `java.time.format.DateTimeFormatter`: DATE_FORMAT, TO_TIMESTAMP; reads exactly as many digits as the pattern says.
    Formatter,
    /// `java.text.SimpleDateFormat`: FROM_UNIXTIME, UNIX_TIMESTAMP, TO_DATE; reads any number of digits, and values beyond
    /// the calendar count on.
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
}

const FIELDS: usize = Field::MilliOfDay as usize + 1;

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
        let mut compiler = Compiler { pattern, dialect, open: vec![Vec::new()] };
        compiler.run()?;
        let Compiler { mut open, .. } = compiler;
        // An optional section may end with the pattern.
        while let Some(section) = open.pop() {
            match open.last_mut() {
                Some(outer) => outer.push(Element::Optional(section)),
                None => {
                    let mut elements = section;
                    reserve(&mut elements, dialect);
                    return Ok(Self { dialect, elements });
                }
            }
        }
        Ok(Self { dialect, elements: Vec::new() })
    }

    /// Appends a time.
    pub fn print(&self, wall: Wall, out: &mut String) {
        print::print(&self.elements, self.dialect, wall, out);
    }

    /// Reads a time; `None` if `text` does not fit the pattern.
    pub fn parse(&self, text: &str) -> Option<Wall> {
        match self.dialect {
            Dialect::Formatter => strict::parse(&self.elements, text),
            Dialect::Simple => lenient::parse(&self.elements, text),
        }
    }
}

struct Compiler<'p> {
    pattern: &'p str,
    dialect: Dialect,
    /// The sections that are open, the outermost first.
    open: Vec<Vec<Element>>,
}

impl Compiler<'_> {
    fn run(&mut self) -> Result<()> {
        let mut characters = self.pattern.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\'' => {
                    let mut text = String::new();
                    loop {
                        match characters.next() {
                            Some('\'') if characters.peek() == Some(&'\'') && !text.is_empty() => {
                                characters.next();
                                text.push('\'');
                            }
                            Some('\'') => break,
                            Some(character) => text.push(character),
                            None => return Err(self.malformed("a quote is not closed")),
                        }
                    }
                    // Two quotes with nothing between are a quote.
                    self.push(Element::Literal(if text.is_empty() { "'".to_owned() } else { text }));
                }
                '[' if self.dialect == Dialect::Formatter => self.open.push(Vec::new()),
                ']' if self.dialect == Dialect::Formatter => {
                    let section = if self.open.len() > 1 { self.open.pop() } else { None };
                    let Some(section) = section else { return Err(self.malformed("`]` has no `[`")) };
                    self.push(Element::Optional(section));
                }
                '{' | '}' | '#' if self.dialect == Dialect::Formatter => {
                    return Err(self.malformed("`{`, `}` and `#` must be quoted"));
                }
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while characters.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    let field = self.field(letter, count)?;
                    self.push(Element::Part(Part { field, count, reserved: 0 }));
                }
                character => self.push(Element::Literal(character.to_string())),
            }
        }
        Ok(())
    }

    fn push(&mut self, element: Element) {
        if let Some(section) = self.open.last_mut() {
            section.push(element);
        }
    }

    fn field(&self, letter: char, count: usize) -> Result<Field> {
        let field = match self.dialect {
            Dialect::Formatter => formatter_field(letter).filter(|field| count <= formatter_count_max(*field)),
            Dialect::Simple => simple_field(letter),
        };
        field.ok_or_else(|| self.malformed(&format!("{} is not supported", quoted(&letter.to_string().repeat(count)))))
    }

    fn malformed(&self, reason: &str) -> datafusion_common::DataFusionError {
        failure(format!("date pattern {}: {reason}", quoted(self.pattern)))
    }
}

fn formatter_field(letter: char) -> Option<Field> {
    Some(match letter {
        'G' => Field::Era,
        'y' => Field::Year,
        'u' => Field::ProlepticYear,
        'Q' | 'q' => Field::Quarter,
        'M' | 'L' => Field::Month,
        'd' => Field::Day,
        'D' => Field::DayOfYear,
        'E' => Field::Weekday,
        'a' => Field::HalfDay,
        'H' => Field::Hour,
        'k' => Field::ClockHour,
        'K' => Field::HalfDayHour,
        'h' => Field::HalfDayClockHour,
        'm' => Field::Minute,
        's' => Field::Second,
        'S' => Field::Fraction,
        'n' => Field::Nano,
        'A' => Field::MilliOfDay,
        _ => return None,
    })
}

fn formatter_count_max(field: Field) -> usize {
    match field {
        Field::HalfDay => 1,
        Field::Day | Field::Hour | Field::ClockHour | Field::HalfDayHour => 2,
        Field::HalfDayClockHour | Field::Minute | Field::Second => 2,
        Field::Era | Field::DayOfYear | Field::Quarter => 3,
        Field::Month | Field::Weekday => 4,
        Field::Fraction => 9,
        _ => 19,
    }
}

fn simple_field(letter: char) -> Option<Field> {
    Some(match letter {
        'G' => Field::Era,
        'y' => Field::Year,
        'M' | 'L' => Field::Month,
        'd' => Field::Day,
        'D' => Field::DayOfYear,
        'E' => Field::Weekday,
        'u' => Field::WeekdayNumber,
        'a' => Field::HalfDay,
        'H' => Field::Hour,
        'k' => Field::ClockHour,
        'K' => Field::HalfDayHour,
        'h' => Field::HalfDayClockHour,
        'm' => Field::Minute,
        's' => Field::Second,
        'S' => Field::Milli,
        _ => return None,
    })
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

/// Tells each number how many digits belong to the numbers right after it.
fn reserve(elements: &mut [Element], dialect: Dialect) {
    let mut following = 0;
    for element in elements.iter_mut().rev() {
        match element {
            Element::Part(part) if part.is_number() => {
                part.reserved = following;
                let counts = match dialect {
                    Dialect::Formatter => part.is_fixed(),
                    Dialect::Simple => true,
                };
                following = if counts { following + part.count } else { 0 };
            }
            Element::Optional(section) => {
                reserve(section, dialect);
                following = 0;
            }
            _ => following = 0,
        }
    }
}
