//! An error as a person reads it: the message, its causes, what to do.

use std::error::Error as _;

use kobel_model::{Error, ErrorKind};

use crate::panics;

/// Of a longer line the beginning and the end are shown: a name or a value may be as long as a script.
const LINE_START: usize = 1_000;
const LINE_END: usize = 200;

/// The lines of an error, without a line end.
///
/// # Shape
/// ```text
/// error: cannot start source `flights`
///   caused by: cannot open `flights.csv`
///   caused by: No such file or directory (os error 2)
///   hint: …
/// ```
pub(crate) fn text(error: &Error) -> String {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str("\n  caused by: ");
        // Further lines of a cause stand under its first.
        text.push_str(&error.to_string().replace('\n', "\n  "));
        cause = error.source();
    }
    if error.kind() == ErrorKind::Bug
        && let Some(place) = panics::first_place()
    {
        text.push_str("\n  at: ");
        text.push_str(&place);
    }
    match error.hint() {
        Some(hint) => text.push_str(&format!("\n  hint: {hint}")),
        None if error.kind() == ErrorKind::Bug => {
            text.push_str("\n  hint: this is a bug of Kobel; please report it with this message");
        }
        None => {}
    }
    text
}

/// The same lines, the longest of them cut in the middle.
pub(crate) fn shortened(text: &str) -> String {
    let mut short = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            short.push('\n');
        }
        let start = line.char_indices().nth(LINE_START);
        let end = line.char_indices().nth_back(LINE_END - 1);
        match start.zip(end) {
            Some(((start, _), (end, _))) if start < end => {
                short.push_str(line.get(..start).unwrap_or_default());
                short.push('…');
                short.push_str(line.get(end..).unwrap_or_default());
            }
            _ => short.push_str(line),
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_causes_and_its_hint() {
        let io = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = Error::io("cannot open `a.csv`", io).with_hint("name a file").context("cannot start `t`");
        let expected = "error: cannot start `t`\n  caused by: cannot open `a.csv`\n  caused by: no such file\n  \
                        hint: name a file";
        assert_eq!(text(&error), expected);
    }

    #[test]
    fn long_lines_are_cut_in_the_middle() {
        let long = format!("column `{}` does not exist", "ä".repeat(1_000_000));
        let short = shortened(&format!("{long}\n --> a.sql:1:8"));
        assert_eq!(short.chars().count(), LINE_START + 1 + LINE_END + "\n --> a.sql:1:8".len());
        assert!(short.starts_with("column `ää") && short.contains("ä…ä"), "{short}");
        assert!(short.ends_with("ää` does not exist\n --> a.sql:1:8"), "{short}");
        for kept in ["", "a\nb\n", &"ä".repeat(LINE_START + LINE_END)] {
            assert_eq!(shortened(kept), kept);
        }
    }

    #[test]
    fn a_bug_asks_to_be_reported() {
        assert!(text(&Error::bug("internal error: x")).ends_with("please report it with this message"));
    }
}
