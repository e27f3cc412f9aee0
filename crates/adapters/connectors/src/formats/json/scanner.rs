//! A JSON scanner over one line: values as ranges of the line, without a tree, without recursion.
//!
//! It accepts what Jackson accepts with Flink's settings: RFC 8259 and raw control characters in strings. Nesting is
//! counted, not recursed into, so depth costs no stack.

use std::ops::Range;

use kobel_sql::functions::cast::java_double::push_f64;
use memchr::memchr2;

use super::encoder::{Surrogates, write_string};

/// The limit of Jackson's `StreamReadConstraints`.
const NESTING_MAX: usize = 1_000;

/// Why a line is no JSON: a lower-case fragment.
pub(crate) type Broken = String;

/// A string: in the line as it is, or unescaped into the caller's buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Plain(Range<usize>),
    Unescaped,
}

/// A value, or the start of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    /// A number without fraction and exponent.
    Integer(Range<usize>),
    /// A number with one of them.
    Fraction(Range<usize>),
    Text(Text),
    /// An object or array whose opening bracket is next.
    Container,
}

/// Reads a line from the front.
pub(crate) struct Scanner<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a line.
    pub fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    /// The text of a range that this scanner gave out.
    pub fn text(&self, range: &Range<usize>) -> &'a str {
        self.line.get(range.clone()).unwrap_or_default()
    }

    /// Skips white space and answers the next byte.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.line.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes `byte` if it is next.
    pub fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    /// Takes `byte`.
    pub fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected(&format!("`{}`", char::from(byte)))) }
    }

    /// A complaint about what is next.
    pub fn unexpected(&mut self, expected: &str) -> Broken {
        self.peek();
        match self.line.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => format!("broken JSON: `{found}` at byte {}, expected {expected}", self.at + 1),
            None => format!("broken JSON: the line ends, expected {expected}"),
        }
    }

    /// Takes a value; of an object or array nothing is taken.
    pub fn value(&mut self, buffer: &mut String) -> Result<Value, Broken> {
        match self.peek() {
            Some(b'"') => self.string(buffer).map(Value::Text),
            Some(b'{' | b'[') => Ok(Value::Container),
            Some(b't') => self.word("true", Value::Boolean(true)),
            Some(b'f') => self.word("false", Value::Boolean(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Broken> {
        let rest = self.line.get(self.at..).unwrap_or_default();
        let is_longer = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        match rest.strip_prefix(word) {
            Some(behind) if !is_longer(behind) => {
                self.at += word.len();
                Ok(value)
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn number(&mut self) -> Result<Value, Broken> {
        let start = self.at;
        self.skip_byte(b'-');
        let is_zero = self.next_is(b'0');
        let digits = self.skip_digits();
        if digits == 0 {
            return Err(self.unexpected("a digit"));
        }
        if is_zero && digits > 1 {
            return Err(format!("broken JSON: the number at byte {} starts with a zero", start + 1));
        }
        let mut is_integer = true;
        if self.skip_byte(b'.') {
            is_integer = false;
            if self.skip_digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        if self.skip_byte(b'e') || self.skip_byte(b'E') {
            is_integer = false;
            let _ = self.skip_byte(b'+') || self.skip_byte(b'-');
            if self.skip_digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        match self.line.as_bytes().get(self.at) {
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b'}' | b']') => {}
            Some(_) => return Err(self.unexpected("the end of the number")),
        }
        let range = start..self.at;
        Ok(if is_integer { Value::Integer(range) } else { Value::Fraction(range) })
    }

    fn next_is(&self, byte: u8) -> bool {
        self.line.as_bytes().get(self.at) == Some(&byte)
    }

    /// Takes a byte if it is next, white space not skipped.
    fn skip_byte(&mut self, byte: u8) -> bool {
        let is_next = self.next_is(byte);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    fn skip_digits(&mut self) -> usize {
        let rest = self.line.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Takes a string whose opening quote is next.
    pub fn string(&mut self, buffer: &mut String) -> Result<Text, Broken> {
        if !self.take(b'"') {
            return Err(self.unexpected("`\"`"));
        }
        let start = self.at;
        let end = self.plain_end()?;
        if self.next_is(b'"') {
            self.at += 1;
            return Ok(Text::Plain(start..end));
        }
        buffer.clear();
        let mut from = start;
        loop {
            let end = self.plain_end()?;
            buffer.push_str(self.line.get(from..end).unwrap_or_default());
            self.at += 1;
            if self.line.as_bytes().get(end) == Some(&b'"') {
                return Ok(Text::Unescaped);
            }
            self.escape(buffer)?;
            from = self.at;
        }
    }

    /// Moves to the next quote or backslash and answers its place.
    fn plain_end(&mut self) -> Result<usize, Broken> {
        let rest = self.line.as_bytes().get(self.at..).unwrap_or_default();
        match memchr2(b'"', b'\\', rest) {
            Some(offset) => {
                self.at += offset;
                Ok(self.at)
            }
            None => {
                self.at = self.line.len();
                Err("broken JSON: a string has no closing quote".to_owned())
            }
        }
    }

    /// Takes an escape sequence from behind its backslash.
    fn escape(&mut self, buffer: &mut String) -> Result<(), Broken> {
        let byte = self.line.as_bytes().get(self.at).copied();
        let meant = match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex()?;
                let meant = self.surrogate(unit)?;
                buffer.push(meant);
                return Ok(());
            }
            _ => return Err(self.unexpected("an escape sequence such as `\\n` or `\\u0041`")),
        };
        self.at += 1;
        buffer.push(meant);
        Ok(())
    }

    /// Joins two surrogates; a lone one becomes `?`, as when Java encodes it.
    fn surrogate(&mut self, unit: u16) -> Result<char, Broken> {
        let low_follows = (0xd800..0xdc00).contains(&unit)
            && self.line.as_bytes().get(self.at..).unwrap_or_default().starts_with(b"\\u");
        if low_follows {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if let Some(Ok(joined)) = char::decode_utf16([unit, low]).next() {
                return Ok(joined);
            }
            self.at = before;
        }
        Ok(char::from_u32(u32::from(unit)).unwrap_or('?'))
    }

    fn hex(&mut self) -> Result<u16, Broken> {
        let digits = self.line.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => Err(self.unexpected("four hexadecimal digits")),
        }
    }

    /// Takes an object or array and writes it without white space to `out`, if there is one.
    pub fn container(&mut self, mut out: Option<&mut String>) -> Result<(), Broken> {
        let mut closers: Vec<u8> = Vec::new();
        let mut buffer = String::new();
        loop {
            // Here a value is next, or the end of an empty container.
            let opener = self.peek();
            if let Some(closer) = opener.and_then(closer) {
                self.at += 1;
                push(&mut out, char::from(if closer == b'}' { b'{' } else { b'[' }));
                // The object of the row is a level too.
                if closers.len() + 1 >= NESTING_MAX {
                    return Err(format!("the JSON is nested deeper than {NESTING_MAX} levels"));
                }
                closers.push(closer);
                if !self.take(closer) {
                    self.key(closer, &mut buffer, &mut out)?;
                    continue;
                }
                closers.pop();
                push(&mut out, char::from(closer));
            } else {
                let value = self.value(&mut buffer)?;
                self.write(&value, &buffer, &mut out);
            }
            if !self.close(&mut closers, &mut buffer, &mut out)? {
                return Ok(());
            }
        }
    }

    /// Takes what follows a value: closing brackets, then a comma. Answers whether another value follows.
    fn close(
        &mut self,
        closers: &mut Vec<u8>,
        buffer: &mut String,
        out: &mut Option<&mut String>,
    ) -> Result<bool, Broken> {
        while let Some(closer) = closers.last().copied() {
            if self.take(b',') {
                push(out, ',');
                self.key(closer, buffer, out)?;
                return Ok(true);
            }
            self.expect(closer)?;
            push(out, char::from(closer));
            closers.pop();
        }
        Ok(false)
    }

    /// Takes a key and its colon, if the container is an object.
    fn key(&mut self, closer: u8, buffer: &mut String, out: &mut Option<&mut String>) -> Result<(), Broken> {
        if closer == b'}' {
            let key = self.string(buffer)?;
            self.expect(b':')?;
            self.write(&Value::Text(key), buffer, out);
            push(out, ':');
        }
        Ok(())
    }

    /// Writes a value as Jackson's tree would: numbers with a fraction as doubles.
    fn write(&self, value: &Value, buffer: &str, out: &mut Option<&mut String>) {
        let Some(out) = out else { return };
        match value {
            Value::Null => out.push_str("null"),
            Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Integer(range) => match self.text(range) {
                "-0" => out.push('0'),
                digits => out.push_str(digits),
            },
            Value::Fraction(range) => push_f64(out, self.text(range).parse().unwrap_or(f64::NAN)),
            Value::Text(Text::Plain(range)) => write_string(out, self.text(range), Surrogates::Raw),
            Value::Text(Text::Unescaped) => write_string(out, buffer, Surrogates::Raw),
            Value::Container => {}
        }
    }
}

fn closer(opener: u8) -> Option<u8> {
    match opener {
        b'{' => Some(b'}'),
        b'[' => Some(b']'),
        _ => None,
    }
}

fn push(out: &mut Option<&mut String>, c: char) {
    if let Some(out) = out {
        out.push(c);
    }
}
