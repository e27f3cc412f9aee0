//! A slip in YAML in plain words: what is wrong, where it really is, and what to do.
//!
//! The parser tells where it could not go on, in the words of its grammar. The lines around that place tell what a
//! person most likely did. A line that may hold a secret is not shown.

use kobel_model::settings::is_secret;

/// How many lines after the place of the parser a tab is looked for: it may have taken some for one value.
const TAB_LINES: usize = 3;
/// How much of a line is shown, in characters.
const SHOWN_MAX: usize = 100;
/// What to look at if nothing better is known.
const ADVICE: &str = "see that fields of one level are indented alike, with spaces, that each is `name: value` with a \
                      blank after the colon, and that quotes and brackets are closed";

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    /// The line of the document, from 1.
    pub(super) line: usize,
    /// The character of the line, from 1.
    pub(super) column: usize,
    /// What is wrong.
    pub(super) reason: String,
    /// What to do.
    pub(super) hint: String,
}

/// Puts what the parser says of a place into plain words.
pub(super) fn explain(document: &str, message: &str, line: usize, column: usize) -> Slip {
    let slip = |reason: &str, hint: &str| Slip { line, column, reason: reason.to_owned(), hint: hint.to_owned() };
    if let Some(tab) = tab(document, line) {
        return tab;
    }
    let text = text_of(document, line);
    if message.contains("duplicate mapping key") {
        let name = message.split('`').nth(1).unwrap_or_default();
        return slip(&format!("duplicate field `{name}`: it stands twice in one object"), "keep one of the two");
    }
    if message.contains("unclosed quote") {
        return slip(
            "a quote is opened here and closed nowhere",
            "close it with the same quote at the end of the value",
        );
    }
    if message.contains("unknown escape") {
        let hint = "write a backslash twice, or put the value in single quotes, where it is a backslash";
        return slip("in double quotes a backslash begins an escape, and this one is unknown", hint);
    }
    if message.contains("unexpected character") {
        return slip("a value cannot begin with this character", "put the whole value in quotes");
    }
    if message.contains("unknown value") {
        let hint = "put the value in quotes if it begins with `*`, or give the value that is meant an anchor with `&`";
        return slip("`*` refers to a value with an anchor, and there is none of this name", hint);
    }
    if message.contains("trailing content") {
        let hint = "put quotes around all of the value, or a comma between two values";
        return slip("something follows the closing quote of a value", hint);
    }
    if is_open(document, line, column) {
        let hint = "close `[` with `]` and `{` with `}`, and put commas between what is inside";
        return slip("a bracket before this place is not closed", hint);
    }
    if message.contains("simple key expected") || is_wordy(text) {
        return colon(document, line, column);
    }
    if message.contains("mapping values are not allowed") {
        return misplaced(document, line, column);
    }
    if message.contains("did not find expected key") || message.contains("block sequence") {
        return indentation(document, line, column);
    }
    slip(message, ADVICE)
}

/// The line of a slip with a mark below its column; nothing if the line may hold a secret.
pub(super) fn excerpt(document: &str, slip: &Slip, number: usize) -> Option<String> {
    if is_hidden(document, slip.line) {
        return None;
    }
    let skipped = slip.column.saturating_sub(SHOWN_MAX / 2);
    let text = text_of(document, slip.line).chars().skip(skipped).take(SHOWN_MAX);
    let shown: String = text
        .map(|letter| {
            if letter == '\t' {
                '→'
            } else if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect();
    let number = number.to_string();
    let margin = " ".repeat(number.len());
    let mark = " ".repeat(slip.column.saturating_sub(1 + skipped));
    Some(format!("\n{margin} |\n{number} | {}\n{margin} | {mark}^", shown.trim_end()))
}

/// A tab in the indentation, at the place of the parser or soon after it.
fn tab(document: &str, line: usize) -> Option<Slip> {
    let near = document.lines().enumerate().skip(line.saturating_sub(1)).take(TAB_LINES);
    let mut tabs = near.filter_map(|(index, text)| {
        let spaces = text.len() - text.trim_start().len();
        Some((index, text.get(..spaces)?.chars().position(|letter| letter == '\t')?))
    });
    let (index, column) = tabs.next()?;
    Some(Slip {
        line: index + 1,
        column: column + 1,
        reason: "a tab indents this line, and YAML allows only spaces there".to_owned(),
        hint: "replace the tab by as many spaces as the lines of the same level have".to_owned(),
    })
}

/// A field whose colon is missing, or the blank after it.
fn colon(document: &str, line: usize, column: usize) -> Slip {
    let text = text_of(document, line);
    if is_hidden(document, line) {
        // Its words may be a secret.
        let reason = "a colon with a blank after it is missing in this line, or before it".to_owned();
        return Slip { line, column, reason, hint: ADVICE.to_owned() };
    }
    if text.trim().starts_with("-- ") {
        let reason = "`--` begins a comment in SQL, and none in YAML".to_owned();
        let hint = "write `#`; a script of SQL is no manifest, but is named in `job.jarURI` of one".to_owned();
        return Slip { line, column, reason, hint };
    }
    let bare = text.trim().trim_start_matches("- ");
    let joined = bare.split_once(':').filter(|(name, value)| is_name(name) && !value.starts_with('/'));
    let (reason, hint) = match (joined, bare.split_once(' ')) {
        (Some((name, _)), _) => {
            (format!("there is no blank after the colon of `{name}`"), format!("write `{name}: VALUE`"))
        }
        (None, Some((name, _))) if is_name(name) => {
            (format!("there is no colon after `{name}`"), format!("write `{name}: VALUE`"))
        }
        (None, None) if is_name(bare) => (format!("there is no colon after `{bare}`"), format!("write `{bare}:`")),
        _ => ("this line is no field: a colon with a blank after it is missing".to_owned(), ADVICE.to_owned()),
    };
    Slip { line, column, reason, hint }
}

/// A field where only a value may stand.
fn misplaced(document: &str, line: usize, column: usize) -> Slip {
    let text = text_of(document, line);
    let before: String = text.chars().take(column.saturating_sub(1)).collect();
    if before.contains(": ") {
        return Slip {
            line,
            column,
            reason: "a colon with a blank after it is inside of the value".to_owned(),
            hint: "put the whole value in quotes".to_owned(),
        };
    }
    let previous = previous(document, line);
    match previous {
        Some((number, previous)) if is_wordy(previous) => colon(document, number, indent_of(previous) + 1),
        _ => Slip {
            line,
            column: indent_of(text) + 1,
            reason: "this line is indented further than the one before, which has a value already".to_owned(),
            hint: "indent it with as many spaces as the other fields of its level".to_owned(),
        },
    }
}

/// A line whose indentation is that of no level.
fn indentation(document: &str, line: usize, column: usize) -> Slip {
    let text = text_of(document, line);
    let (reason, hint) = if text.trim_start().starts_with('-') {
        ("an entry of a list stands among fields", "take the dash away, or indent it below the field that is the list")
    } else {
        (
            "this line is indented like none of the levels before it",
            "indent it with as many spaces as the other fields of its level",
        )
    };
    let column = if text.trim().is_empty() { column } else { indent_of(text) + 1 };
    Slip { line, column, reason: reason.to_owned(), hint: hint.to_owned() }
}

/// Whether a bracket that was opened outside of quotes is still open at a place.
fn is_open(document: &str, line: usize, column: usize) -> bool {
    let (mut open, mut quote) = (0_usize, None);
    for (index, text) in document.lines().enumerate().take(line) {
        let end = if index + 1 == line { column.saturating_sub(1) } else { usize::MAX };
        let mut last = ' ';
        for letter in text.chars().take(end) {
            match (quote, letter) {
                (Some(begun), letter) if begun == letter => quote = None,
                (Some(_), _) => {}
                (None, '#') if last == ' ' => break,
                (None, '"' | '\'') if " [{,:".contains(last) => quote = Some(letter),
                // Inside of a word a bracket is a letter like any other.
                (None, '[' | '{') if open > 0 || last == ' ' => open += 1,
                (None, ']' | '}') => open = open.saturating_sub(1),
                (None, _) => {}
            }
            last = letter;
        }
    }
    open > 0
}

/// Whether a line is text without a colon, though it is no entry of a list.
fn is_wordy(text: &str) -> bool {
    let bare = text.trim();
    !bare.is_empty()
        && !bare.starts_with(['-', '#', '{', '[', '"', '\''])
        && !bare.contains(": ")
        && !bare.ends_with(':')
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
}

/// The last line before one that is neither blank nor a comment.
fn previous(document: &str, line: usize) -> Option<(usize, &str)> {
    let before: Vec<&str> = document.lines().take(line.saturating_sub(1)).collect();
    let found =
        before.iter().enumerate().rev().find(|(_, text)| !text.trim().is_empty() && !text.trim().starts_with('#'));
    found.map(|(index, text)| (index + 1, *text))
}

/// Whether a line belongs to a Secret, or to a field with the name of a secret.
fn is_hidden(document: &str, line: usize) -> bool {
    if document.lines().any(|text| text.contains("kind") && text.contains("Secret")) {
        return true;
    }
    let mut level = usize::MAX;
    let before: Vec<&str> = document.lines().take(line).collect();
    before.iter().rev().filter(|text| !text.trim().is_empty()).any(|text| {
        let is_above = indent_of(text) < level;
        level = level.min(indent_of(text));
        is_above && is_secret(text)
    })
}

fn text_of(document: &str, line: usize) -> &str {
    document.lines().nth(line.saturating_sub(1)).unwrap_or_default()
}

fn indent_of(text: &str) -> usize {
    text.chars().take_while(|letter| letter.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::excerpt;

    /// A manifest of which one line is replaced.
    fn broken(line: &str) -> String {
        let sound =
            "apiVersion: v1\nkind: Thing\nmetadata:\n  name: a\nspec:\n  job:\n    uri: x\nLINE\n    state: y\n";
        sound.replace("LINE", line)
    }

    #[test]
    fn a_slip_is_told_in_plain_words_with_what_to_do() {
        for (line, place, reason, hint) in [
            ("\tcount: 1", "8:1", "a tab indents this line", "replace the tab"),
            ("    count 1", "8:", "no colon after `count`", "`count: VALUE`"),
            ("-- count", "8:", "a comment in SQL", "write `#`"),
            ("    count:1", "8:", "no blank after the colon of `count`", "`count: VALUE`"),
            ("   count: 1", "8:4", "indented like none", "as many spaces"),
            ("      count: 1", "8:7", "indented further", "as many spaces"),
            ("    - count: 1", "8:", "among fields", "take the dash away"),
            ("    count: \"1", "8:12", "a quote is opened", "close it"),
            ("    count: 1: x", "8:", "inside of the value", "in quotes"),
            ("    count: @x", "8:12", "cannot begin with", "in quotes"),
            ("    count: [1, 2", "9:", "a bracket before", "close `[`"),
            ("    count: {a: 1", "9:", "a bracket before", "close `[`"),
            ("    count: *x", "8:", "refers to", "in quotes"),
            ("    count: \"\\q\"", "8:", "backslash", "twice"),
            ("    count: \"a\" b", "8:", "follows the closing quote", "all of the value"),
            ("    count: 1\n    count: 2", "9:", "duplicate field `count`", "keep one"),
        ] {
            let (_, problems) = parse("a.yaml", &broken(line));
            let [problem] = &problems[..] else { panic!("{line}: {problems:?}") };
            let message = problem.to_string();
            assert!(message.starts_with(&format!("a.yaml:{place}")), "{line}: {message}");
            assert!(message.contains(reason) && message.ends_with('^'), "{line}: {message}");
            assert!(problem.hint().is_some_and(|found| found.contains(hint)), "{line}: {problem:?}");
        }
    }

    #[test]
    fn a_field_without_a_colon_is_told_where_it_is() {
        let text = "apiVersion: v1\nkind: Thing\nmetadata:\n  name: a\nspec\n  job: 1\n";
        let (_, problems) = parse("a.yaml", text);
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        let expected = "a.yaml:5:1: document 1: there is no colon after `spec`\n  |\n5 | spec\n  | ^";
        assert_eq!((problem.to_string().as_str(), problem.hint()), (expected, Some("write `spec:`")));
    }

    #[test]
    fn a_mark_is_below_its_column_and_long_lines_are_cut() {
        let slip = |column| super::Slip { line: 1, column, reason: String::new(), hint: String::new() };
        assert_eq!(excerpt("a: b", &slip(4), 12).as_deref(), Some("\n   |\n12 | a: b\n   |    ^"));
        let long = excerpt(&"x".repeat(10_000), &slip(5_000), 1).unwrap();
        assert!(long.lines().all(|line| line.chars().count() <= super::SHOWN_MAX + 4), "{long}");
    }

    #[test]
    fn a_line_that_may_hold_a_secret_is_not_shown() {
        for text in [
            "kind: Secret\nstringData:\n  key: \"hunter2\n",
            "kind: Thing\nspec:\n  password: \"hunter2\n",
            "kind: Thing\nspec:\n  password:\n    - \"hunter2\n",
            "kind: Thing\nspec:\n  s3.secret-key hunter2\n  a: b\n",
            "kind: Secret\nstringData:\n  key: x\n  hunter2\n  a: b\n",
            "kind: Thing\npassword:\n    hunter2\n    a: b\n",
        ] {
            let (_, problems) = parse("a.yaml", text);
            let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
    }
}
