//! Paths with placeholders: which pattern a path matches.
//!
//! # Invariants
//! The path is decoded once, as a whole, before it is split, so no value of a placeholder holds a slash. A pattern that
//! names a segment wins over one that has a placeholder there.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The methods that anything answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Looks.
    Get,
    /// Begins something.
    Post,
    /// Sets something.
    Put,
    /// Changes something.
    Patch,
    /// Takes something away.
    Delete,
}

impl Verb {
    /// The verb with this name.
    pub(crate) fn of(method: &str) -> Option<Self> {
        match method {
            "GET" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// A segment of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment {
    Fixed(&'static str),
    Placeholder(&'static str),
}

struct Entry<T> {
    verb: Verb,
    segments: Vec<Segment>,
    target: T,
}

/// Patterns and what they lead to, by their number of segments.
pub(crate) struct Patterns<T> {
    by_length: Vec<Vec<Entry<T>>>,
}

/// What a path matched, and the values of the placeholders.
pub(crate) type Match<T> = (T, Vec<(&'static str, String)>);

impl<T: Copy> Patterns<T> {
    /// The patterns; of equal ones the first counts.
    pub(crate) fn new(patterns: impl IntoIterator<Item = (Verb, &'static str, T)>) -> Self {
        let mut by_length: Vec<Vec<Entry<T>>> = Vec::new();
        for (verb, pattern, target) in patterns {
            let segments: Vec<_> = pattern.trim_matches('/').split('/').map(segment).collect();
            if by_length.len() <= segments.len() {
                by_length.resize_with(segments.len() + 1, Vec::new);
            }
            if let Some(entries) = by_length.get_mut(segments.len()) {
                entries.push(Entry { verb, segments, target });
            }
        }
        for entries in &mut by_length {
            // A stable sort: named segments come first, from the left.
            entries.sort_by_key(|entry| entry.segments.iter().map(is_placeholder).collect::<Vec<_>>());
        }
        Self { by_length }
    }

    /// What a decoded path leads to, with and without the version in front.
    pub(crate) fn find(&self, verb: Verb, path: &str) -> Option<Match<T>> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let segments = match segments.as_slice() {
            ["v1", rest @ ..] => rest,
            all => all,
        };
        let entries = self.by_length.get(segments.len())?;
        let entry = entries.iter().find(|entry| entry.verb == verb && entry.matches(segments))?;
        let values = entry.segments.iter().zip(segments).filter_map(|(pattern, value)| match pattern {
            Segment::Placeholder(name) => Some((*name, (*value).to_owned())),
            Segment::Fixed(_) => None,
        });
        Some((entry.target, values.collect()))
    }
}

impl<T> Entry<T> {
    fn matches(&self, segments: &[&str]) -> bool {
        self.segments.iter().zip(segments).all(|(pattern, value)| match pattern {
            Segment::Fixed(name) => name == value,
            Segment::Placeholder(_) => !value.is_empty(),
        })
    }
}

fn segment(text: &'static str) -> Segment {
    text.strip_prefix(':').map_or(Segment::Fixed(text), Segment::Placeholder)
}

fn is_placeholder(segment: &Segment) -> bool {
    matches!(segment, Segment::Placeholder(_))
}

/// Decodes a path once; bytes that are no UTF-8 become replacement characters, and so match nothing.
pub(crate) fn decode(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Verb, decode};

    fn patterns() -> Patterns<u8> {
        Patterns::new([
            (Verb::Get, "/jobs/:jobid", 1),
            (Verb::Get, "/jobs/overview", 2),
            (Verb::Patch, "/jobs/:jobid", 3),
            (Verb::Get, "/jobs/:jobid/checkpoints/:triggerid", 4),
            (Verb::Get, "/jobs/:jobid/checkpoints/config", 5),
            (Verb::Get, "/logs/:name", 6),
        ])
    }

    #[test]
    fn named_segments_win_and_methods_are_kept_apart() {
        let patterns = patterns();
        for (verb, path, expected) in [
            (Verb::Get, "/jobs/overview", Some(2)),
            (Verb::Get, "/jobs/overview/", Some(2)),
            (Verb::Get, "//jobs/overview", Some(2)),
            (Verb::Get, "/v1/jobs/overview", Some(2)),
            (Verb::Get, "/jobs/abc", Some(1)),
            (Verb::Patch, "/jobs/overview", Some(3)),
            (Verb::Get, "/jobs/abc/checkpoints/config", Some(5)),
            (Verb::Get, "/v1/jobs/overview/checkpoints/x", Some(4)),
            (Verb::Get, "/v1/v1/jobs/overview", None),
            (Verb::Get, "/v2/jobs/overview", None),
            (Verb::Get, "/Jobs/overview", None),
            (Verb::Post, "/jobs/overview", None),
            (Verb::Get, "/jobs", None),
            (Verb::Get, "/jobs//checkpoints/config", None),
            (Verb::Get, "/", None),
            (Verb::Get, "", None),
            (Verb::Get, "/v1", None),
        ] {
            assert_eq!(patterns.find(verb, path).map(|(target, _)| target), expected, "for {verb:?} {path}");
        }
    }

    #[test]
    fn placeholders_have_the_names_of_their_own_pattern() {
        let (_, values) = patterns().find(Verb::Get, "/jobs/abc/checkpoints/17").unwrap();
        assert_eq!(values, [("jobid", "abc".to_owned()), ("triggerid", "17".to_owned())]);
    }

    #[test]
    fn a_path_is_decoded_once_and_a_hidden_slash_is_a_slash() {
        assert_eq!(decode("/over%76iew"), "/overview");
        assert_eq!(decode("/a%252Fb"), "/a%2Fb");
        assert_eq!(decode("/%zz"), "/%zz");
        let patterns = patterns();
        assert!(patterns.find(Verb::Get, &decode("/logs/..%2f..%2fetc%2fpasswd")).is_none());
        let (_, values) = patterns.find(Verb::Get, &decode("/logs/..%252fpasswd")).unwrap();
        assert_eq!(values, [("name", "..%2fpasswd".to_owned())]);
    }
}
