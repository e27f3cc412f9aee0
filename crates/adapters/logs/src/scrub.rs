//! Takes secrets out of a text: values that are known to be secret, and whatever stands where secrets stand.
//!
//! The known values are certain to be found; the patterns are a net below them, and rather hide too much than too
//! little. A text without secrets is given back as it is, without a copy.

mod known;
mod patterns;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use known::Secret;

/// What is shown in place of a secret.
const HIDDEN: &str = "******";
/// The shortest secret that is looked for: a shorter one stands in too many words by chance.
const SECRET_BYTES_MIN: usize = 4;

/// Replaces secrets in texts that people will read; shared by all threads of a process.
#[derive(Default)]
pub struct Scrubber {
    known: RwLock<Vec<Secret>>,
}

impl Scrubber {
    /// Makes a scrubber that knows no values and finds secrets by pattern only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a value known, so that it is replaced wherever it stands, also percent-encoded or escaped.
    ///
    /// White space around the value is not part of it. Values of fewer than 4 bytes are ignored: replaced, they would
    /// leave holes in every other word of a text.
    pub fn add(&self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SECRET_BYTES_MIN || secret.chars().all(|c| c == '*') {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().all(|other| other.text() != secret) {
            known.push(Secret::new(secret));
        }
    }

    /// The text with `******` in place of every secret.
    ///
    /// Hidden are the known values; the values of keys that Flink holds for sensitive, in `key=value`, `key: value`,
    /// `"key":"value"` and `'key' = 'value'`; passwords in URLs; credentials behind `Authorization:`. The text is one
    /// for people: a document in JSON may lose its form.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut found = Vec::new();
        for secret in self.known.read().unwrap_or_else(PoisonError::into_inner).iter() {
            secret.mark(text, &mut found);
        }
        patterns::mark(text, &mut found);
        if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(hide(text, found)) }
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

/// Replaces the ranges, of which those that overlap or touch count as one.
fn hide(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in merged {
        shown.push_str(text.get(end..range.start).unwrap_or_default());
        shown.push_str(HIDDEN);
        end = range.end;
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests;
