//! An error as a person reads it: the message, its causes, what to do.

use std::error::Error as _;

use kobel_model::{Error, ErrorKind};

use crate::panics;

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
    fn a_bug_asks_to_be_reported() {
        assert!(text(&Error::bug("internal error: x")).ends_with("please report it with this message"));
    }
}
