//! Text from outside, made harmless for a terminal and kept on its line.

use std::fmt::Write;

/// Appends `text` with control characters escaped as Rust and Java escape them: `\n`, `\t`, `\u001b`.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    if !text.chars().any(is_control) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_control(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// As [`push_escaped`], with line feeds kept.
pub(crate) fn push_escaped_lines(out: &mut String, text: &str) {
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        push_escaped(out, line);
    }
}

/// Control characters, and those that turn the direction of a line around.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_letters_are_not() {
        for (text, expected) in [
            ("plain", "plain"),
            ("größer 東京", "größer 東京"),
            ("a\tb\r\n", "a\\tb\\r\\n"),
            ("\x1b[31mred", "\\u001b[31mred"),
            ("\u{202e}evil", "\\u202eevil"),
        ] {
            let mut out = String::new();
            push_escaped(&mut out, text);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn lines_are_kept_where_they_are_wanted() {
        let mut out = String::new();
        push_escaped_lines(&mut out, "a\n\tb\n");
        assert_eq!(out, "a\n\\tb\n");
    }
}
