//! From a pattern to its elements.

use datafusion_common::Result;

use crate::functions::fault::{failure, quoted};

use super::element::{Dialect, Element, Field, Part};

/// How deep optional sections may nest.
const NESTING_MAX: usize = 16;

/// How often a letter may stand in a row, which bounds the width of a number.
const COUNT_MAX: usize = 64;

/// Why a pattern is refused.
enum Refusal {
    /// Java refuses it too.
    Malformed(String),
    /// Java takes it.
    Unsupported(String),
}

/// The elements of a pattern.
pub(super) fn compile(pattern: &str, dialect: Dialect) -> Result<Vec<Element>> {
    let mut compiler = Compiler { pattern, dialect, open: vec![Vec::new()] };
    match (compiler.run(), dialect) {
        (Ok(()), _) => {}
        (Err(Refusal::Malformed(_)), Dialect::Parser) => return Ok(vec![Element::Malformed]),
        (Err(Refusal::Malformed(reason) | Refusal::Unsupported(reason)), _) => {
            return Err(failure(format!("date pattern {}: {reason}", quoted(pattern))));
        }
    }
    let mut open = compiler.open;
    // An optional section may end with the pattern.
    while open.len() > 1 {
        if let (Some(section), Some(outer)) = (open.pop(), open.last_mut()) {
            outer.push(Element::Optional(section));
        }
    }
    let mut elements = open.pop().unwrap_or_default();
    reserve(&mut elements, dialect);
    Ok(elements)
}

struct Compiler<'p> {
    pattern: &'p str,
    dialect: Dialect,
    /// The sections that are open, the outermost first.
    open: Vec<Vec<Element>>,
}

impl Compiler<'_> {
    fn run(&mut self) -> Result<(), Refusal> {
        let has_sections = self.dialect != Dialect::Simple;
        let mut characters = self.pattern.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\'' => {
                    let mut text = String::new();
                    loop {
                        match characters.next() {
                            Some('\'') if !text.is_empty() && characters.next_if_eq(&'\'').is_some() => text.push('\''),
                            Some('\'') => break,
                            Some(character) => text.push(character),
                            None => return Err(Refusal::Malformed("a quote is not closed".to_owned())),
                        }
                    }
                    // Two quotes with nothing between are a quote.
                    self.push(Element::Literal(if text.is_empty() { "'".to_owned() } else { text }));
                }
                '[' if has_sections && self.open.len() > NESTING_MAX => {
                    return Err(Refusal::Unsupported(format!("sections nest deeper than {NESTING_MAX}")));
                }
                '[' if has_sections => self.open.push(Vec::new()),
                ']' if has_sections => {
                    let section = if self.open.len() > 1 { self.open.pop() } else { None };
                    let section = section.ok_or_else(|| Refusal::Malformed("`]` has no `[`".to_owned()))?;
                    self.push(Element::Optional(section));
                }
                '{' | '}' | '#' if has_sections => {
                    return Err(Refusal::Malformed("`{`, `}` and `#` must be quoted".to_owned()));
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

    fn field(&self, letter: char, count: usize) -> Result<Field, Refusal> {
        let letters = || quoted(&letter.to_string().repeat(count));
        let field = match self.dialect {
            Dialect::Formatter => local_field(letter).or_else(|| formatter_field(letter)),
            Dialect::Parser => formatter_field(letter),
            Dialect::Simple => simple_field(letter),
        };
        let is_known = match self.dialect {
            Dialect::Simple => "GyYMLwWDdFEuaHkKhmsSzZX".contains(letter),
            _ => "GuyYQqMLwWdDFEecaBhHkKmsSAnNVvzOXxZpg".contains(letter),
        };
        let Some(field) = field else {
            let reason = format!("{} is not supported", letters());
            return Err(if is_known { Refusal::Unsupported(reason) } else { Refusal::Malformed(reason) });
        };
        if count > COUNT_MAX {
            return Err(Refusal::Unsupported(format!("more than {COUNT_MAX} times `{letter}` is not supported")));
        }
        if self.dialect != Dialect::Simple && count > count_max(field) {
            let reason = format!("{} is not supported", letters());
            // Other forms of the names of months, days, quarters and eras exist.
            let has_forms = matches!(field, Field::Era | Field::Quarter | Field::Month | Field::Weekday) && count <= 5;
            return Err(if has_forms { Refusal::Unsupported(reason) } else { Refusal::Malformed(reason) });
        }
        Ok(field)
    }
}

/// Letters whose meaning depends on the country, which is the United States; they are only printed.
fn local_field(letter: char) -> Option<Field> {
    match letter {
        'e' => Some(Field::LocalWeekday),
        'w' => Some(Field::LocalWeek),
        'Y' => Some(Field::LocalWeekYear),
        _ => None,
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

/// The most letters that a number or name is written with.
fn count_max(field: Field) -> usize {
    match field {
        Field::HalfDay => 1,
        Field::Day | Field::Hour | Field::ClockHour | Field::HalfDayHour => 2,
        Field::HalfDayClockHour | Field::Minute | Field::Second => 2,
        Field::LocalWeekday | Field::LocalWeek => 2,
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

/// Tells each number how many digits belong to the numbers right after it.
fn reserve(elements: &mut [Element], dialect: Dialect) {
    let mut following = 0;
    for element in elements.iter_mut().rev() {
        match element {
            Element::Part(part) if part.is_number() => {
                part.reserved = following;
                let counts = match dialect {
                    Dialect::Formatter | Dialect::Parser => part.is_fixed(),
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
