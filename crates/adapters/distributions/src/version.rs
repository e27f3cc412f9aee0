//! Versions of Flink: one release, `2.3.0`, and what may be asked for, a release or the newest of a line, `2.3`.

use std::fmt;

use kobel_model::deployment::FlinkVersion;
use kobel_model::deployment::version::number;
use kobel_model::{Error, Result};

/// One release of Flink, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The line that it belongs to.
    pub line: FlinkVersion,
    /// The number after the second point.
    pub patch: u32,
}

impl Release {
    /// Reads `2.3.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let wanted = Wanted::read(text)?;
        wanted.patch.map(|patch| Self { line: wanted.line, patch })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.line, self.patch)
    }
}

/// What is asked for: one release, or the newest of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The line.
    pub line: FlinkVersion,
    /// The number after the second point, absent if the newest is meant.
    pub patch: Option<u32>,
}

impl Wanted {
    /// Reads `2.3`, `2.3.0` or, as manifests spell it, `v2_3`.
    ///
    /// # Errors
    /// Invalid if it is no version, Unsupported if the version is too old.
    pub fn parse(text: &str) -> Result<Self> {
        let wanted = match FlinkVersion::parse(text) {
            Some(line) => Some(Self { line, patch: None }),
            None => Self::read(text),
        };
        let Some(wanted) = wanted else {
            let hint = format!(
                "a version is a line, such as `2.3`, whose newest release is meant, or a release, `2.3.0`; lines go from \
                 {} to {}",
                FlinkVersion::OLDEST_SUPPORTED,
                FlinkVersion::NEWEST_RELEASED
            );
            let message = format!("`{text}` is no version of Flink that is known here");
            return Err(Error::invalid(message).with_hint(hint));
        };
        let oldest = FlinkVersion::OLDEST_SUPPORTED;
        if wanted.line < oldest {
            return Err(Error::unsupported(format!("Flink `{text}` is too old: the oldest that can run is {oldest}")));
        }
        Ok(wanted)
    }

    /// The release, if one is named.
    pub fn release(self) -> Option<Release> {
        self.patch.map(|patch| Release { line: self.line, patch })
    }

    /// Whether the release is one that is meant.
    pub fn is_met_by(self, release: Release) -> bool {
        release.line == self.line && self.patch.is_none_or(|patch| patch == release.patch)
    }

    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(number);
        let line = (numbers.next()??, numbers.next()??);
        let patch = match numbers.next() {
            Some(patch) => Some(patch?),
            None => None,
        };
        if numbers.next().is_some() {
            return None;
        }
        let line = FlinkVersion::ALL.iter().copied().find(|version| version.numbers() == line)?;
        Some(Self { line, patch })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.release() {
            Some(release) => release.fmt(f),
            None => self.line.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_release_and_the_spelling_of_manifests_are_read() {
        for (text, expected) in [
            ("2.3", Some((FlinkVersion::V2_3, None))),
            ("2.3.0", Some((FlinkVersion::V2_3, Some(0)))),
            ("v1_20", Some((FlinkVersion::V1_20, None))),
            ("1.20.15", Some((FlinkVersion::V1_20, Some(15)))),
            ("1.14", None),
            ("2", None),
            ("2.03", None),
            ("2.3.0.1", None),
            ("2.3-rc1", None),
            ("../2.3", None),
            ("9.9", None),
            ("", None),
        ] {
            let wanted = Wanted::parse(text).ok();
            assert_eq!(wanted.map(|wanted| (wanted.line, wanted.patch)), expected, "{text}");
        }
    }

    #[test]
    fn releases_are_ordered_by_number_and_not_by_letter() {
        let release = |text| Release::parse(text).unwrap();
        assert!(release("1.20.2") < release("1.20.10"));
        assert!(release("1.20.5") < release("2.0.0"));
        assert!(Release::parse("2.3").is_none());
        assert_eq!(release("1.20.5").to_string(), "1.20.5");
    }

    #[test]
    fn a_line_is_met_by_each_of_its_releases() {
        let release = Release::parse("1.20.5").unwrap();
        for (text, is_met) in [("1.20", true), ("1.20.5", true), ("1.20.4", false), ("1.19", false)] {
            assert_eq!(Wanted::parse(text).unwrap().is_met_by(release), is_met, "{text}");
        }
    }
}
