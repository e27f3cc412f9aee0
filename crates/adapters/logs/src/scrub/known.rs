//! Values that are known to be secret, found however a text spells them: plain, percent-encoded, escaped.

use std::ops::Range;

/// One secret value.
pub struct Secret {
    /// Not empty.
    text: String,
}

impl Secret {
    /// Keeps a value that is not empty.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// The value.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds the places of `text` where the value stands.
    pub fn mark(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let step = self.text.chars().next().map_or(1, char::len_utf8);
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(&self.text)) {
            let start = from + at;
            found.push(start..start + self.text.len());
            // A place may begin inside another one.
            from = start + step;
        }
        if text.contains(['%', '+']) {
            self.mark_spelled(text, percent_length, found);
        }
        if text.contains('\\') {
            self.mark_spelled(text, escaped_length, found);
        }
    }

    /// Adds the places where `length_at` says that the value begins.
    fn mark_spelled(&self, text: &str, length_at: fn(&str, &str) -> Option<usize>, found: &mut Vec<Range<usize>>) {
        let places = text.char_indices().filter_map(|(start, _)| {
            let length = length_at(text.get(start..)?, &self.text)?;
            Some(start..start + length)
        });
        found.extend(places);
    }
}

/// How many bytes of `text` spell `secret` in a URL, where any byte may be a percent sign and two digits.
fn percent_length(text: &str, secret: &str) -> Option<usize> {
    let text = text.as_bytes();
    let mut length = 0;
    for expected in secret.bytes() {
        length += match text.get(length..)? {
            [b'%', high, low, ..] if hex(*high, *low) == Some(expected) => 3,
            [b'+', ..] if expected == b' ' => 1,
            [byte, ..] if *byte == expected => 1,
            _ => return None,
        };
    }
    Some(length)
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

/// How many bytes of `text` spell `secret` between quotes, where any character may be a backslash and a code.
fn escaped_length(text: &str, secret: &str) -> Option<usize> {
    let mut length = 0;
    for expected in secret.chars() {
        let (found, step) = character(text.get(length..)?)?;
        if found != expected {
            return None;
        }
        length += step;
    }
    Some(length)
}

/// The first character of `text` between quotes, and how many bytes spell it: JSON's, Rust's and Java's codes.
fn character(text: &str) -> Option<(char, usize)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return Some((first, first.len_utf8()));
    }
    let found = match chars.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '0' => '\0',
        code @ ('"' | '\'' | '\\' | '/') => code,
        'u' => return numbered(text),
        _ => return None,
    };
    Some((found, 2))
}

/// A character by its number: `\u{e9}`, `\u00e9`, or two units of UTF-16.
fn numbered(text: &str) -> Option<(char, usize)> {
    if let Some(rest) = text.strip_prefix("\\u{") {
        let end = rest.find('}')?;
        let code = u32::from_str_radix(rest.get(..end)?, 16).ok()?;
        return Some((char::from_u32(code)?, end + 4));
    }
    let high = unit(text)?;
    if let Some(found) = char::from_u32(u32::from(high)) {
        return Some((found, 6));
    }
    let low = unit(text.get(6..)?)?;
    let found = char::decode_utf16([high, low]).next()?.ok()?;
    Some((found, 12))
}

fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}
