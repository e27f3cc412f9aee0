//! Splits bytes into records and fields, as Jackson's `CsvDecoder` does.
//!
//! Most lines have neither quotes nor escapes: they are split by searching for the delimiter, without copying. The
//! others are walked byte by byte; only fields that change when they are unescaped are copied.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2};

use super::Dialect;
use crate::formats::{Fault, Tail};

/// What was found at the front of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Split {
    /// The record goes on behind the bytes.
    Incomplete,
    /// A record of this many bytes; its fields can be read.
    Record(Extent),
    /// A comment or an empty line.
    Skipped(Extent),
    /// A record that breaks the syntax, up to the next line.
    Broken(Extent, Fault),
}

/// The size of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// With the line end.
    pub bytes: usize,
    /// Without the line end.
    pub text: usize,
    /// Line ends in it.
    pub lines: u64,
}

/// Where a field's text is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Input(Range<usize>),
    Copy(Range<usize>),
}

/// Splits records; keeps the places of the last record's first fields and counts all of them, so that a row of
/// nothing but delimiters takes no more memory than its bytes.
pub(crate) struct Splitter {
    dialect: Dialect,
    /// How many fields of a record can be asked for.
    kept_max: usize,
    fields: usize,
    places: Vec<Place>,
    copied: Vec<u8>,
}

/// Why a walk stopped early.
enum Stop {
    Incomplete,
    Broken(usize, String),
}

impl Splitter {
    /// A splitter for a dialect that keeps the first `kept_max` fields of a record.
    pub fn new(dialect: Dialect, kept_max: usize) -> Self {
        Self { dialect, kept_max, fields: 0, places: Vec::new(), copied: Vec::new() }
    }

    /// Number of fields of the last record.
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// The bytes of a field of the last record, which was found in `input`; `None` if there is no such field or it was
    /// not kept.
    pub fn field<'a>(&'a self, index: usize, input: &'a [u8]) -> Option<&'a [u8]> {
        match self.places.get(index)? {
            Place::Input(range) => input.get(range.clone()),
            Place::Copy(range) => self.copied.get(range.clone()),
        }
    }

    /// Splits the first record of `input`, which is not empty.
    pub fn split(&mut self, input: &[u8], tail: Tail) -> Split {
        self.forget();
        if self.dialect.has_comments
            && let Some(split) = skip_comment(input, tail)
        {
            return split;
        }
        if let Some(split) = self.split_plain(input, tail) {
            return split;
        }
        match self.walk(input, tail) {
            Ok(extent) => Split::Record(extent),
            Err(Stop::Incomplete) => Split::Incomplete,
            Err(Stop::Broken(at, message)) => match line_end(input, at, tail) {
                None => Split::Incomplete,
                Some((text, bytes)) => Split::Broken(extent(input, text, bytes), Fault::of_record(message)),
            },
        }
    }

    /// Forgets the last record.
    fn forget(&mut self) {
        self.fields = 0;
        self.places.clear();
        self.copied.clear();
    }

    fn keep(&mut self, place: Place) {
        self.fields += 1;
        if self.places.len() < self.kept_max {
            self.places.push(place);
        }
    }

    /// Splits a line without quotes and escapes; `None` if it has some.
    fn split_plain(&mut self, input: &[u8], tail: Tail) -> Option<Split> {
        let found = line_end(input, 0, tail);
        let line = input.get(..found.map_or(input.len(), |(text, _)| text))?;
        let is_special = match (self.dialect.quote, self.dialect.escape) {
            (None, None) => false,
            (Some(one), None) | (None, Some(one)) => memchr(one, line).is_some(),
            (Some(quote), Some(escape)) => memchr2(quote, escape, line).is_some(),
        };
        if is_special {
            return None;
        }
        let Some((text, bytes)) = found else { return Some(Split::Incomplete) };
        let mut start = 0;
        for end in memchr_iter(self.dialect.delimiter, line) {
            self.push_input(line, start..end);
            start = end + 1;
        }
        self.push_input(line, start..text);
        Some(Split::Record(Extent { bytes, text, lines: 1 }))
    }

    fn push_input(&mut self, input: &[u8], range: Range<usize>) {
        let range = if self.dialect.is_trimmed { trimmed(input, range) } else { range };
        self.keep(Place::Input(range));
    }

    /// Splits a record field by field.
    fn walk(&mut self, input: &[u8], tail: Tail) -> Result<Extent, Stop> {
        let mut at = 0;
        loop {
            let start = if self.dialect.is_trimmed { self.skip_blanks(input, at) } else { at };
            let is_quoted = self.dialect.quote.is_some() && input.get(start).copied() == self.dialect.quote;
            at = if is_quoted { self.quoted(input, start + 1, tail)? } else { self.unquoted(input, start, tail)? };
            match input.get(at) {
                Some(byte) if *byte == self.dialect.delimiter => at += 1,
                _ => {
                    let (text, bytes) = line_end(input, at, tail).ok_or(Stop::Incomplete)?;
                    return Ok(extent(input, text, bytes));
                }
            }
        }
    }

    fn skip_blanks(&self, input: &[u8], from: usize) -> usize {
        from + input.iter().skip(from).take_while(|byte| **byte <= b' ' && !self.ends_field(**byte)).count()
    }

    fn ends_field(&self, byte: u8) -> bool {
        byte == self.dialect.delimiter || byte == b'\n' || byte == b'\r'
    }

    /// A field without quotes; answers the place of what ends it.
    fn unquoted(&mut self, input: &[u8], start: usize, tail: Tail) -> Result<usize, Stop> {
        let copy = self.copied.len();
        let mut from = start;
        let mut at = start;
        while let Some(byte) = input.get(at).copied() {
            if self.ends_field(byte) {
                break;
            }
            if self.dialect.escape == Some(byte) {
                self.copy(input, from..at);
                at = self.unescape(input, at, tail)?;
                from = at;
            } else {
                at += 1;
            }
        }
        if at == input.len() && tail == Tail::More {
            return Err(Stop::Incomplete);
        }
        if from == start {
            self.push_input(input, start..at);
        } else {
            self.copy(input, from..at);
            let range = copy..self.copied.len();
            let range = if self.dialect.is_trimmed { trimmed(&self.copied, range) } else { range };
            self.keep(Place::Copy(range));
        }
        Ok(at)
    }

    /// A field in quotes, from behind the opening one; answers the place of what ends the field.
    fn quoted(&mut self, input: &[u8], start: usize, tail: Tail) -> Result<usize, Stop> {
        let copy = self.copied.len();
        let (mut from, mut at) = (start, start);
        loop {
            let Some(found) = self.next_special(input, at) else {
                return Err(match tail {
                    Tail::More => Stop::Incomplete,
                    Tail::End => Stop::Broken(input.len(), "the closing quote is missing".to_owned()),
                });
            };
            if self.dialect.quote != input.get(found).copied() {
                self.copy(input, from..found);
                at = self.unescape(input, found, tail)?;
                from = at;
                continue;
            }
            match input.get(found + 1) {
                None if tail == Tail::More => return Err(Stop::Incomplete),
                Some(next) if self.dialect.quote == Some(*next) => {
                    // A doubled quote is one quote.
                    self.copy(input, from..found + 1);
                    at = found + 2;
                    from = at;
                }
                _ => {
                    self.push_quoted(input, copy, start, from..found);
                    return self.behind_quote(input, found + 1, tail);
                }
            }
        }
    }

    /// The next quote or escape character.
    fn next_special(&self, input: &[u8], from: usize) -> Option<usize> {
        let rest = input.get(from..)?;
        let found = match (self.dialect.quote, self.dialect.escape) {
            (Some(quote), Some(escape)) => memchr2(quote, escape, rest),
            (Some(quote), None) => memchr(quote, rest),
            (None, _) => None,
        };
        found.map(|offset| from + offset)
    }

    fn push_quoted(&mut self, input: &[u8], copy: usize, start: usize, last: Range<usize>) {
        if last.start == start {
            self.keep(Place::Input(last));
        } else {
            self.copy(input, last);
            self.keep(Place::Copy(copy..self.copied.len()));
        }
    }

    /// Only blanks may stand between a closing quote and the end of the field.
    fn behind_quote(&self, input: &[u8], from: usize, tail: Tail) -> Result<usize, Stop> {
        let at = self.skip_blanks(input, from);
        match input.get(at) {
            None if tail == Tail::More => Err(Stop::Incomplete),
            Some(byte) if !self.ends_field(*byte) => {
                let rest: Vec<u8> = input.iter().skip(at).take(4).copied().collect();
                let found: String = String::from_utf8_lossy(&rest).chars().take(1).collect();
                let expected = char::from(self.dialect.delimiter);
                Err(Stop::Broken(at, format!("`{found}` follows a closing quote: expected `{expected}` or a line end")))
            }
            _ => Ok(at),
        }
    }

    fn copy(&mut self, input: &[u8], range: Range<usize>) {
        self.copied.extend_from_slice(input.get(range).unwrap_or_default());
    }

    /// Copies what an escape sequence means; answers the place behind it.
    fn unescape(&mut self, input: &[u8], at: usize, tail: Tail) -> Result<usize, Stop> {
        let Some(next) = input.get(at + 1).copied() else {
            return Err(match tail {
                Tail::More => Stop::Incomplete,
                Tail::End => Stop::Broken(at, "nothing follows the escape character".to_owned()),
            });
        };
        self.copied.push(match next {
            b'0' => 0,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            other => other,
        });
        Ok(at + 2)
    }
}

/// Skips a comment or blank line; `None` if the line is neither.
fn skip_comment(input: &[u8], tail: Tail) -> Option<Split> {
    let blanks = input.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match input.get(blanks) {
        Some(b'#' | b'\n' | b'\r') => {}
        Some(_) => return None,
        None if tail == Tail::More => return Some(Split::Incomplete),
        None => {}
    }
    Some(match line_end(input, blanks, tail) {
        None => Split::Incomplete,
        Some((text, bytes)) => Split::Skipped(extent(input, text, bytes)),
    })
}

/// The end of the line that `from` is in: without and with its line end. `None` if it is behind the input.
fn line_end(input: &[u8], from: usize, tail: Tail) -> Option<(usize, usize)> {
    let found = input.get(from..).and_then(|rest| memchr2(b'\n', b'\r', rest)).map(|offset| from + offset);
    match found {
        None => (tail == Tail::End).then_some((input.len(), input.len())),
        Some(at) if input.get(at) == Some(&b'\n') => Some((at, at + 1)),
        Some(at) => match input.get(at + 1) {
            Some(b'\n') => Some((at, at + 2)),
            // Whether a line feed follows is not known yet.
            None if tail == Tail::More => None,
            _ => Some((at, at + 1)),
        },
    }
}

fn extent(input: &[u8], text: usize, bytes: usize) -> Extent {
    let inner = input.get(..text).unwrap_or_default();
    Extent { bytes, text, lines: 1 + memchr_iter(b'\n', inner).count() as u64 }
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let Some(field) = bytes.get(range.clone()) else { return range };
    let front = field.iter().take_while(|byte| **byte <= b' ').count();
    let back = field.iter().skip(front).rev().take_while(|byte| **byte <= b' ').count();
    range.start + front..range.end - back
}

#[cfg(test)]
mod tests;
