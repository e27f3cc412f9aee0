//! SQL errors: a place in the text, a message, and what to do; rendered with the line and a caret.

use std::fmt;

use kobel_model::{Error, ErrorKind};

/// A half-open byte range of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end`, in bytes.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// An error at a place of a SQL script.
#[derive(Debug, Clone)]
pub struct SqlError {
    /// [`ErrorKind::Invalid`] for wrong SQL, [`ErrorKind::Unsupported`] for SQL that this engine refuses.
    pub kind: ErrorKind,
    /// Lower-case fragment that names the construct.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do.
    pub hint: Option<String>,
}

/// Result with a [`SqlError`].
pub type SqlResult<T> = Result<T, SqlError>;

impl SqlError {
    /// Wrong SQL at `span`.
    pub fn invalid(span: Span, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Invalid, message: message.into(), span, hint: None }
    }

    /// Legal Flink SQL that the native engine does not run; `construct` names it, e.g. `` `JOIN` ``.
    pub fn unsupported(span: Span, construct: impl fmt::Display) -> Self {
        Self {
            kind: ErrorKind::Unsupported,
            message: format!("{construct} is not supported by the native engine"),
            span,
            hint: Some("run this script with Apache Flink, or rewrite it without the construct".into()),
        }
    }

    /// Adds advice.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean …?" if one of `candidates` is near `wrong`.
    pub fn with_suggestion<'a>(self, wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match kobel_model::nearest(wrong, candidates) {
            Some(name) if name != wrong => self.with_hint(format!("did you mean `{name}`?")),
            _ => self,
        }
    }

    /// Line and column of the error, both from 1; columns count characters.
    pub fn position(&self, script: &str) -> (usize, usize) {
        let start = (self.span.start as usize).min(script.len());
        let start = (0..=start).rev().find(|at| script.is_char_boundary(*at)).unwrap_or(0);
        let before = &script[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The error for a person: message with place, the line of the script, and a caret under the place.
    ///
    /// # Shape
    /// ```text
    /// table `flihgts` does not exist
    ///   --> delays.sql:12:6
    ///    |
    /// 12 | FROM flihgts
    ///    |      ^^^^^^^
    /// ```
    pub fn render(&self, name: &str, script: &str) -> Error {
        let (line, column) = self.position(script);
        let text = without_secrets(&script.lines().nth(line - 1).unwrap_or("").replace('\t', " "));
        let (shown, caret_column) = excerpt(&text, column);
        let width = line.to_string().len();
        let length = (self.span.end.saturating_sub(self.span.start) as usize)
            .clamp(1, shown.chars().count().saturating_sub(caret_column - 1).max(1));
        let message = format!(
            "{}\n{:width$}--> {name}:{line}:{column}\n{:width$} |\n{line} | {shown}\n{:width$} | {}{}",
            self.message,
            "",
            "",
            "",
            " ".repeat(caret_column - 1),
            "^".repeat(length),
        );
        let error = Error::new(self.kind, message);
        match &self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The line with the values of secret options (`'password' = '…'`) as asterisks, as many as there were characters.
fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut is_secret = false;
    for (index, part) in text.split('\'').enumerate() {
        // Every second part stands between quotes; a value follows its key behind nothing but `=`.
        let is_quoted = index % 2 == 1;
        if index > 0 {
            shown.push('\'');
        }
        if is_quoted && is_secret {
            part.chars().for_each(|_| shown.push('*'));
            continue;
        }
        shown.push_str(part);
        is_secret = match is_quoted {
            true => kobel_model::settings::is_secret(part),
            // Nothing between two quotes is a quote inside of a value.
            false => is_secret && matches!(part.trim(), "=" | ""),
        };
    }
    shown
}

/// Cuts a long line to 120 characters around `column`; answers the text and the column in it.
fn excerpt(text: &str, column: usize) -> (String, usize) {
    const WIDTH: usize = 120;
    if text.chars().count() <= WIDTH {
        return (text.to_owned(), column);
    }
    let from = column.saturating_sub(WIDTH / 2);
    (text.chars().skip(from).take(WIDTH).collect(), (column - from).max(1))
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SqlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_line_shows_no_secret_and_keeps_its_columns() {
        let script = "CREATE TABLE t (a INT) WITH ('password' = 'hun''ter2', 'pth' = 'a');";
        let error = SqlError::invalid(Span::new(56, 61), "unknown option `pth`").render("s.sql", script);
        let text = error.to_string();
        assert!(text.contains("('password' = '***''****', 'pth' = 'a');"), "{text}");
    }

    #[test]
    fn nobody_is_asked_whether_they_meant_what_they_wrote() {
        let error = SqlError::invalid(Span::default(), "no").with_suggestion("END", ["END", "INSERT"]);
        assert_eq!(error.hint, None);
    }
}
