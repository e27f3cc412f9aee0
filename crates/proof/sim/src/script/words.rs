//! The words of a command, each with its column, and the values that they stand for.

/// Something wrong with a command: the column, from 1, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) column: usize,
    pub(super) message: String,
}

/// A word with the column at which it begins, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) column: usize,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    /// What is wrong with this word.
    pub(super) fn fault(self, message: impl Into<String>) -> Fault {
        Fault { column: self.column, message: message.into() }
    }

    /// The word without the quotes around it.
    pub(super) fn unquoted(self) -> &'a str {
        unquote(self.text)
    }
}

/// The words of a line, one after the other. A word ends at white space outside of double quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Words<'a> {
    /// The words of `line`, which begins at this column.
    pub(super) fn of(line: &'a str, column: usize) -> Self {
        Self { rest: line, column }
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        self.skip_space();
        let mut is_quoted = false;
        let end = self.rest.char_indices().find(|(_, letter)| {
            is_quoted ^= *letter == '"';
            letter.is_whitespace() && !is_quoted
        });
        let (text, rest) = self.rest.split_at(end.map_or(self.rest.len(), |(at, _)| at));
        let word = Word { column: self.column, text };
        self.column += text.chars().count();
        self.rest = rest;
        (!text.is_empty()).then_some(word)
    }

    /// The next word, which must be there.
    pub(super) fn need(&mut self, what: &str) -> Result<Word<'a>, Fault> {
        let column = self.column;
        self.next().ok_or_else(|| Fault { column, message: format!("expected {what}") })
    }

    /// Everything that is left, as one word.
    pub(super) fn remainder(&mut self, what: &str) -> Result<Word<'a>, Fault> {
        self.skip_space();
        let word = Word { column: self.column, text: self.rest.trim_end() };
        self.column += self.rest.chars().count();
        self.rest = "";
        if word.text.is_empty() { Err(word.fault(format!("expected {what}"))) } else { Ok(word) }
    }

    /// Whether nothing is left.
    pub(super) fn end(mut self) -> Result<(), Fault> {
        match self.next() {
            Some(word) => Err(word.fault(format!("`{}` is one word too many", word.text))),
            None => Ok(()),
        }
    }

    fn skip_space(&mut self) {
        let trimmed = self.rest.trim_start();
        self.column += self.rest.chars().count() - trimmed.chars().count();
        self.rest = trimmed;
    }
}

/// `text` without the double quotes around it.
pub(super) fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text)
}

/// Splits at the first `at` outside of double quotes.
pub(super) fn split_outside_quotes(text: &str, at: char) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let found = text.char_indices().find(|(_, letter)| {
        is_quoted ^= *letter == '"';
        *letter == at && !is_quoted
    });
    let (place, letter) = found?;
    Some((text.get(..place)?, text.get(place + letter.len_utf8()..)?))
}

/// A path such as `spec.job.parallelism`; a part that contains a dot stands in double quotes.
pub(super) fn path(text: &str) -> Vec<String> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((part, more)) = split_outside_quotes(rest, '.') {
        parts.push(unquote(part).to_owned());
        rest = more;
    }
    parts.push(unquote(rest).to_owned());
    parts
}

/// Reads a span of time in milliseconds: `250ms`, `12s`, `3m`, `1h`.
pub(super) fn span(word: Word<'_>) -> Result<i64, Fault> {
    let fault =
        || word.fault(format!("`{}` is no span of time; expected one such as `250ms`, `12s` or `3m`", word.text));
    let digits = word.text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.text.len());
    let (number, unit) = word.text.split_at(digits);
    let number: i64 = number.parse().map_err(|_| fault())?;
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(fault()),
    };
    number.checked_mul(scale).ok_or_else(fault)
}

/// Reads a number.
pub(super) fn number<T: std::str::FromStr>(word: Word<'_>) -> Result<T, Fault> {
    word.text.parse().map_err(|_| word.fault(format!("`{}` is no number that fits here", word.text)))
}

/// Reads one of several words.
pub(super) fn one_of<T: Copy>(word: Word<'_>, all: &[(&'static str, T)]) -> Result<T, Fault> {
    let found = all.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        word.fault(format!("`{}` is not known here; expected one of `{}`", word.text, names.join("`, `")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_columns_and_quotes_hold_them_together() {
        let mut words = Words::of("fault lost  at \"host start default/orders\"", 3);
        let found: Vec<(usize, &str)> =
            std::iter::from_fn(|| words.next()).map(|word| (word.column, word.unquoted())).collect();
        assert_eq!(found, [(3, "fault"), (9, "lost"), (15, "at"), (18, "host start default/orders")]);
        assert_eq!(words.need("a name").unwrap_err().column, 45);
    }

    #[test]
    fn a_path_keeps_quoted_dots() {
        assert_eq!(path("spec.flinkConfiguration.\"a.b\""), ["spec", "flinkConfiguration", "a.b"]);
        assert_eq!(split_outside_quotes("a.\"x=y\"=3", '='), Some(("a.\"x=y\"", "3")));
    }

    #[test]
    fn spans_are_read_and_others_refused() {
        let read = |text| span(Word { column: 1, text });
        assert_eq!(["250ms", "12s", "3m", "1h"].map(|text| read(text).unwrap()), [250, 12_000, 180_000, 3_600_000]);
        for text in ["12", "s", "-1s", "1.5s", "1d", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
