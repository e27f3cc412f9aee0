//! A compiled LIKE pattern.
//!
//! A pattern is cut at its `%` into segments that are searched from left to right, so matching never goes back further
//! than the segment at hand. Patterns without `_` compare bytes.

use datafusion_common::Result;
use memchr::memmem::Finder;

use crate::functions::fault::{failure, quoted};

/// A compiled pattern.
///
/// # Source
/// Flink `SqlLikeUtils.sqlToRegexLike`, `LikeCallGen`.
#[derive(Debug, Clone)]
pub struct LikePattern {
    /// What stands between `%`s; empty segments are those of `%%` and of a `%` at an end.
    segments: Vec<Segment>,
    /// Fast ways for patterns of one literal.
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    Everything,
    Equals(Vec<u8>),
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    Contains(Box<Finder<'static>>),
    Segments,
}

#[derive(Debug, Clone)]
struct Segment {
    units: Vec<Unit>,
    /// The bytes if there is no `_`.
    literal: Option<Finder<'static>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Character(char),
    Any,
}

impl LikePattern {
    /// Compiles `pattern`; without `escape`, or with an empty one, every character but `%` and `_` stands for itself.
    ///
    /// # Errors
    /// Execution if the escape is not one character or stands before anything but `%`, `_` and itself.
    pub fn compile(pattern: &str, escape: Option<&str>) -> Result<Self> {
        let escape = match escape {
            None => None,
            Some(text) => {
                let mut characters = text.chars();
                match (characters.next(), characters.next()) {
                    (None, _) => None,
                    (Some(escape), None) if escape != '\0' => Some(escape),
                    _ => return Err(failure(format!("invalid escape character {} of LIKE", quoted(text)))),
                }
            }
        };
        let mut segments = vec![Vec::new()];
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let unit = if Some(character) == escape {
                match characters.next() {
                    Some(next) if next == '%' || next == '_' || Some(next) == escape => Unit::Character(next),
                    _ => return Err(failure(format!("invalid escape sequence in LIKE pattern {}", quoted(pattern)))),
                }
            } else if character == '%' {
                segments.push(Vec::new());
                continue;
            } else if character == '_' {
                Unit::Any
            } else {
                Unit::Character(character)
            };
            if let Some(segment) = segments.last_mut() {
                segment.push(unit);
            }
        }
        let segments: Vec<Segment> = segments.into_iter().map(Segment::new).collect();
        let shape = Shape::of(&segments);
        Ok(Self { segments, shape })
    }

    /// Whether `text` matches as a whole.
    pub fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Everything => true,
            Shape::Equals(literal) => text.as_bytes() == literal.as_slice(),
            Shape::Prefix(literal) => text.as_bytes().starts_with(literal),
            Shape::Suffix(literal) => text.as_bytes().ends_with(literal),
            Shape::Contains(finder) => finder.find(text.as_bytes()).is_some(),
            Shape::Segments => self.matches_segments(text),
        }
    }

    fn matches_segments(&self, text: &str) -> bool {
        let Some((first, others)) = self.segments.split_first() else { return text.is_empty() };
        let Some(mut rest) = first.strip_prefix(text) else { return false };
        let Some((last, middle)) = others.split_last() else { return rest.is_empty() };
        for segment in middle {
            match segment.strip_through(rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        last.is_suffix_of(rest)
    }
}

impl Shape {
    fn of(segments: &[Segment]) -> Self {
        let literals: Option<Vec<&[u8]>> = segments.iter().map(Segment::bytes).collect();
        match literals.as_deref() {
            Some([whole]) => Self::Equals(whole.to_vec()),
            Some([[], [], ..]) if segments.iter().all(|segment| segment.units.is_empty()) => Self::Everything,
            Some([prefix, []]) => Self::Prefix(prefix.to_vec()),
            Some([[], suffix]) => Self::Suffix(suffix.to_vec()),
            Some([[], middle, []]) => Self::Contains(Box::new(Finder::new(middle).into_owned())),
            _ => Self::Segments,
        }
    }
}

impl Segment {
    fn new(units: Vec<Unit>) -> Self {
        let literal: Option<String> = units
            .iter()
            .map(|unit| match unit {
                Unit::Character(character) => Some(*character),
                Unit::Any => None,
            })
            .collect();
        Self { units, literal: literal.map(|literal| Finder::new(&literal).into_owned()) }
    }

    fn bytes(&self) -> Option<&[u8]> {
        self.literal.as_ref().map(Finder::needle)
    }

    /// What follows the segment at the start of `text`.
    fn strip_prefix<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut characters = text.chars();
        for unit in &self.units {
            let character = characters.next()?;
            let fits = match unit {
                Unit::Character(expected) => character == *expected,
                Unit::Any => !ends_line(character),
            };
            if !fits {
                return None;
            }
        }
        Some(characters.as_str())
    }

    /// What follows the first occurrence of the segment in `text`.
    fn strip_through<'t>(&self, text: &'t str) -> Option<&'t str> {
        if let Some(finder) = &self.literal {
            let start = finder.find(text.as_bytes())?;
            return text.get(start + finder.needle().len()..);
        }
        text.char_indices().find_map(|(start, _)| self.strip_prefix(&text[start..]))
    }

    fn is_suffix_of(&self, text: &str) -> bool {
        if let Some(literal) = self.bytes() {
            return text.as_bytes().ends_with(literal);
        }
        let start = match text.char_indices().rev().nth(self.units.len() - 1) {
            Some((start, _)) => start,
            None => return false,
        };
        self.strip_prefix(&text[start..]).is_some()
    }
}

/// The characters that `.` of Java's regular expressions does not match.
fn ends_line(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
