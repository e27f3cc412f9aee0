//! Versions of Flink, EMR release labels and the line of Flink that a label brings, the mode of a deployment.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15 (`FlinkVersion`); the release notes of Amazon EMR on EKS 6.13.0 to 7.13.0.

use std::fmt;

/// Declares the versions, in ascending order, with their spelling and their numbers.
macro_rules! versions {
    ($($variant:ident = $text:literal, $major:literal, $minor:literal, $doc:literal;)*) => {
        /// A line of Flink, in ascending order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FlinkVersion { $(#[doc = $doc] $variant,)* }

        impl FlinkVersion {
            /// Every version that a manifest may spell, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The spelling of a manifest: `v1_20`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The number before and the number after the point.
            pub const fn numbers(self) -> (u32, u32) {
                match self { $(Self::$variant => ($major, $minor),)* }
            }
        }
    };
}

versions! {
    V1_13 = "v1_13", 1, 13, "Flink 1.13.";
    V1_14 = "v1_14", 1, 14, "Flink 1.14.";
    V1_15 = "v1_15", 1, 15, "Flink 1.15.";
    V1_16 = "v1_16", 1, 16, "Flink 1.16.";
    V1_17 = "v1_17", 1, 17, "Flink 1.17.";
    V1_18 = "v1_18", 1, 18, "Flink 1.18.";
    V1_19 = "v1_19", 1, 19, "Flink 1.19.";
    V1_20 = "v1_20", 1, 20, "Flink 1.20.";
    V2_0 = "v2_0", 2, 0, "Flink 2.0.";
    V2_1 = "v2_1", 2, 1, "Flink 2.1.";
    V2_2 = "v2_2", 2, 2, "Flink 2.2.";
    V2_3 = "v2_3", 2, 3, "Flink 2.3.";
    V2_4 = "v2_4", 2, 4, "Flink 2.4.";
}

impl FlinkVersion {
    /// The oldest version that may be deployed.
    pub const OLDEST_SUPPORTED: Self = Self::V1_15;
    /// The newest version that Apache has released; a manifest may name the one after it.
    pub const NEWEST_RELEASED: Self = Self::V2_3;
    /// The newest version that is deprecated.
    pub const NEWEST_DEPRECATED: Self = Self::V1_18;

    /// Reads `v1_20`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| version.as_str() == text)
    }
}

impl fmt::Display for FlinkVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.numbers();
        write!(f, "{major}.{minor}")
    }
}

/// Who starts the task managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Flink itself asks for them.
    Native,
    /// They are deployed beside the job manager.
    Standalone,
}

impl Mode {
    /// The spelling of a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Standalone => "standalone",
        }
    }
}

/// A release of EMR, as a manifest names it: `emr-7.12.0-flink-latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseLabel {
    text: String,
    version: (u32, u32, u32),
}

impl ReleaseLabel {
    /// Reads `emr-X.Y.Z-flink-latest` or `emr-X.Y.Z-flink-YYYYMMDD`.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, image) = text.strip_prefix("emr-")?.split_once("-flink-")?;
        let is_date = image.len() == 8 && image.bytes().all(|byte| byte.is_ascii_digit());
        if image != "latest" && !is_date {
            return None;
        }
        let mut numbers = version.split('.').map(number);
        let version = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then(|| Self { text: text.to_owned(), version })
    }

    /// The label as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The numbers of the EMR release.
    pub fn version(&self) -> (u32, u32, u32) {
        self.version
    }

    /// The line of Flink that the release brings, where it is documented.
    pub fn flink_line(&self) -> Option<FlinkVersion> {
        match self.version {
            (6, 13..=15, _) => Some(FlinkVersion::V1_17),
            (7, 0..=3, _) => Some(FlinkVersion::V1_18),
            (7, 6..=13, _) => Some(FlinkVersion::V1_20),
            _ => None,
        }
    }
}

/// Reads a whole number of a version, without sign or leading zero.
pub fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_read_back() {
        assert!(FlinkVersion::ALL.is_sorted());
        for version in FlinkVersion::ALL {
            let (major, minor) = version.numbers();
            assert_eq!(version.as_str(), format!("v{major}_{minor}"));
            assert_eq!(FlinkVersion::parse(version.as_str()), Some(*version));
        }
        assert!(FlinkVersion::V2_0 > FlinkVersion::V1_20);
        assert!(FlinkVersion::NEWEST_RELEASED > FlinkVersion::NEWEST_DEPRECATED);
        assert_eq!(FlinkVersion::parse("1.20"), None);
        assert_eq!(FlinkVersion::V1_20.to_string(), "1.20");
    }

    #[test]
    fn release_labels_bring_a_line_of_flink() {
        for (text, line) in [
            ("emr-6.13.0-flink-latest", Some(FlinkVersion::V1_17)),
            ("emr-7.1.0-flink-20240321", Some(FlinkVersion::V1_18)),
            ("emr-7.12.0-flink-latest", Some(FlinkVersion::V1_20)),
            ("emr-7.4.0-flink-latest", None),
            ("emr-6.12.0-flink-latest", None),
        ] {
            assert_eq!(ReleaseLabel::parse(text).unwrap().flink_line(), line, "for `{text}`");
        }
        for text in [
            "emr-7.12.0",
            "7.12.0-flink-latest",
            "emr-7.12-flink-latest",
            "emr-7.12.0-flink-2024",
            "emr-7.12.0-flink-",
            "emr-07.12.0-flink-latest",
            "emr-7.12.0.1-flink-latest",
            "emr-7.12.0-spark-latest",
            "emr-7..0-flink-latest",
        ] {
            assert_eq!(ReleaseLabel::parse(text), None, "for `{text}`");
        }
    }
}
