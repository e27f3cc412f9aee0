//! Places where secrets stand: behind keys that name them, before the host of a URL, behind `Authorization:`.
//!
//! Which keys those are is said by Flink; see [`is_secret`].

use std::ops::Range;

use kobel_model::settings::is_secret;

/// The header whose value holds credentials; a key may have words before it.
const AUTHORIZATION: &str = "authorization";
/// Keys whose values are lists with blanks in them, so that they end with the line.
const LISTS: [&str; 3] = ["http-headers", "auth-params", "jaas.config"];
/// Schemes of a header behind which one word follows.
const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// What may stand between a value and the next key.
const SEPARATORS: [char; 6] = [',', ';', '&', ')', '}', ']'];
/// How many values of one text are looked for; with more of them all of the rest is hidden, so that nobody can make
/// a text that takes the square of its length.
const VALUES_MAX: usize = 128;

/// Adds the places of `text` where a secret seems to stand.
pub fn mark(text: &str, found: &mut Vec<Range<usize>>) {
    if contains(text, AUTHORIZATION) || is_secret(text) {
        mark_values(text, found);
    }
    if text.contains('@') && text.contains("://") {
        mark_passwords(text, found);
    }
}

/// Adds the values of keys that name secrets.
fn mark_values(text: &str, found: &mut Vec<Range<usize>>) {
    let mut count = 0;
    for (at, _) in text.match_indices(['=', ':']) {
        let key = text.get(..at).map_or("", key_before);
        if !is_header(key) && !is_secret(key) {
            continue;
        }
        count += 1;
        if count > VALUES_MAX {
            found.push(at + 1..text.len());
            return;
        }
        found.extend(value_after(text, at, key).filter(|range| !range.is_empty()));
    }
}

/// Adds the passwords in URLs.
fn mark_passwords(text: &str, found: &mut Vec<Range<usize>>) {
    let is_gap = |c: char| c.is_whitespace() || is_quote(c);
    let mut start = 0;
    for piece in text.split_inclusive(is_gap) {
        let run = piece.trim_end_matches(is_gap);
        let last_at = run.rfind('@');
        for (place, sign) in run.match_indices("://") {
            if let Some(password) = password_after(run, place + sign.len(), last_at) {
                found.push(start + password.start..start + password.end);
            }
        }
        start += piece.len();
    }
}

/// Whether a key is the header of credentials.
fn is_header(key: &str) -> bool {
    let start = key.len().checked_sub(AUTHORIZATION.len());
    start.and_then(|start| key.get(start..)).is_some_and(|word| word.eq_ignore_ascii_case(AUTHORIZATION))
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn is_key(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// The key at the end of `text`, without its quotes and brackets.
fn key_before(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t']);
    let text = text.strip_suffix(']').unwrap_or(text);
    let text = text.strip_suffix(is_quote).unwrap_or(text).trim_end_matches('\\');
    let before = text.trim_end_matches(is_key);
    text.get(before.len()..).unwrap_or_default()
}

/// Where the value lies whose key ends before the sign at `at`.
fn value_after(text: &str, at: usize, key: &str) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    // `a::b` is a path.
    if rest.starts_with("::") {
        return None;
    }
    let rest = rest.get(1..)?.trim_start_matches(['=', '>', ' ', '\t']);
    let rest = rest.strip_prefix("Some(").unwrap_or(rest);
    let bare = rest.trim_start_matches('\\');
    let (mut start, depth) = (text.len() - rest.len(), rest.len() - bare.len());
    let length = match bare.chars().next()? {
        quote if is_quote(quote) => {
            start += depth + 1;
            quoted_length(bare.get(1..)?, quote, depth)
        }
        open @ ('{' | '[' | '(') if depth == 0 => bracketed_length(bare, open),
        _ => {
            let words = without_scheme(rest, key);
            start += rest.len() - words.len();
            let has_unknown_scheme = is_header(key) && words.len() == rest.len();
            if has_unknown_scheme || LISTS.iter().any(|list| contains(key, list)) {
                words.find(['\n', '\r']).unwrap_or(words.len())
            } else {
                word_length(words)
            }
        }
    };
    Some(start..start + length)
}

/// The length of a value up to its closing quote; `depth` backslashes stand before each of the two quotes.
fn quoted_length(text: &str, quote: char, depth: usize) -> usize {
    let mut backslashes = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        if c == quote {
            // SQL writes a quote inside of a value as two.
            if quote == '\'' && chars.next_if(|(_, next)| *next == '\'').is_some() {
                backslashes = 0;
                continue;
            }
            // With more of them the quote is one inside of the value; with fewer it closes what is around the value.
            if backslashes < depth || backslashes % (2 * (depth + 1)) == depth {
                return at - backslashes.min(depth);
            }
        }
        backslashes = 0;
    }
    text.len()
}

/// The length of a value up to the bracket that closes the first one.
fn bracketed_length(text: &str, open: char) -> usize {
    let close = match open {
        '{' => '}',
        '[' => ']',
        _ => ')',
    };
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + close.len_utf8();
            }
        }
    }
    text.len()
}

/// What follows the scheme of a header, or all of `text`.
fn without_scheme<'a>(text: &'a str, key: &str) -> &'a str {
    if !is_header(key) {
        return text;
    }
    let is_scheme = |scheme: &&str| text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    let scheme = SCHEMES.iter().copied().find(is_scheme);
    scheme.and_then(|scheme| text.get(scheme.len()..)).map_or(text, str::trim_start)
}

/// The length of a value without quotes: a word, and not what follows it in a list or a query.
fn word_length(text: &str) -> usize {
    let mut before = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            return at;
        }
        if is_quote(c) {
            // The backslashes belong to the quote.
            return text.get(..at).map_or(at, |word| word.trim_end_matches('\\').len());
        }
        // What holds for the first of several signs holds for all.
        let is_first = SEPARATORS.contains(&c) && before.is_none_or(|before| !SEPARATORS.contains(&before));
        if is_first && text.get(at..).is_some_and(ends_value) {
            return at;
        }
        before = Some(c);
    }
    text.len()
}

/// Whether the signs that `text` begins with end a value, rather than being part of it.
fn ends_value(text: &str) -> bool {
    let after = text.trim_start_matches(SEPARATORS);
    let behind_word = after.trim_start_matches(is_key);
    let is_next_key = behind_word.len() < after.len() && behind_word.starts_with(['=', ':']);
    is_next_key || after.chars().next().is_none_or(|c| c.is_whitespace() || is_quote(c) || c == '\\')
}

/// Where the password lies in a URL whose `scheme://` ends at `from`; `last_at` is the last `@` of `run`.
fn password_after(run: &str, from: usize, last_at: Option<usize>) -> Option<Range<usize>> {
    let rest = run.get(from..)?;
    let authority = rest.get(..rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
    let start = from + authority.find(':')? + 1;
    let end = match authority.rfind('@') {
        Some(at) => from + at,
        // Behind a host stands a port; a password may hold a slash that nobody encoded.
        None if authority.starts_with('[') || is_port(run.get(start..from + authority.len())?) => return None,
        None => last_at?,
    };
    (start < end).then_some(start..end)
}

fn is_port(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}
