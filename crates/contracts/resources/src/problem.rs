//! What is wrong with a manifest: the place, the value that stands there, what is allowed.
//!
//! A problem prints as Kubernetes prints one (`field.Error` of apimachinery), so that `kubectl` shows ours and the API
//! server's own alike. Validation collects problems; it never stops at the first.

use std::fmt;

use serde_json::Value;

/// The longest rendering of a value in a message, in characters; what is longer is cut.
const SHOWN_VALUE_MAX: usize = 120;

/// What kind of rule a value breaks; the words are Kubernetes'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The value has the right type and is not allowed.
    Invalid,
    /// The value has the wrong type.
    TypeInvalid,
    /// A value must stand here and does not.
    Required,
    /// The value is none of a closed list.
    NotSupported,
    /// No value may stand here, or this change may not be made.
    Forbidden,
    /// The text is longer than allowed.
    TooLong,
    /// The list has more entries than allowed.
    TooMany,
    /// The entry stands twice in a list that is a set.
    Duplicate,
}

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where, from the root of the object: `spec.job.parallelism`, `spec.flinkConfiguration[parallelism.default]`.
    pub path: String,
    /// Which kind of rule is broken.
    pub kind: ProblemKind,
    /// What stands there; absent if nothing does, or if it must not be shown.
    pub value: Option<Value>,
    /// What is allowed: a lower-case fragment.
    pub detail: String,
}

impl Problem {
    /// Makes a problem with a value that stands at `path`.
    pub fn new(kind: ProblemKind, path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), kind, value: Some(value.into()), detail: detail.into() }
    }

    /// Makes a problem of kind [`ProblemKind::Invalid`].
    pub fn invalid(path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Invalid, path, value, detail)
    }

    /// Makes a problem of kind [`ProblemKind::Required`]; `detail` says what must stand there, or is empty.
    pub fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), kind: ProblemKind::Required, value: None, detail: detail.into() }
    }

    /// Makes a problem of kind [`ProblemKind::Forbidden`]; the value is not shown.
    pub fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), kind: ProblemKind::Forbidden, value: None, detail: detail.into() }
    }

    /// Makes a problem of kind [`ProblemKind::NotSupported`]; `allowed` is the closed list.
    pub fn not_supported(path: impl Into<String>, value: impl Into<Value>, allowed: &[&str]) -> Self {
        let listed: Vec<String> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
        Self::new(ProblemKind::NotSupported, path, value, format!("supported values: {}", listed.join(", ")))
    }

    /// The part of the message after the path, as a cause in a Kubernetes `Status` carries it.
    pub fn message(&self) -> String {
        let label = self.kind.label();
        let mut text = match &self.value {
            Some(value) if self.kind.shows_value() => format!("{label}: {}", shown(value)),
            _ => label.to_owned(),
        };
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl ProblemKind {
    /// The words that begin the message.
    fn label(self) -> &'static str {
        match self {
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::Required => "Required value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Duplicate => "Duplicate value",
        }
    }

    /// Whether the message shows the value.
    fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::Forbidden | Self::TooLong)
    }

    /// The `reason` of a cause in a Kubernetes `Status`.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::Required => "FieldValueRequired",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Duplicate => "FieldValueDuplicate",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message())
    }
}

/// What of the path of a problem comes after `key`, if it begins with it: `.c` of `a.b.c` after `a.b`. Keys may hold points
/// themselves, and may stand in brackets; only the object tells which one is meant.
pub fn after<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    if key.is_empty() {
        return None;
    }
    let in_brackets = || path.strip_prefix('[')?.strip_prefix(key)?.strip_prefix(']');
    let rest = path.strip_prefix(key).or_else(in_brackets)?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

/// Renders a value on one line: text in quotes, everything as JSON, cut when long.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_VALUE_MAX {
        return text;
    }
    let mut cut: String = text.chars().take(SHOWN_VALUE_MAX).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_prints_as_kubernetes_prints_one() {
        for (problem, expected) in [
            (
                Problem::invalid("spec.job.parallelism", 0, "must be at least 1"),
                "spec.job.parallelism: Invalid value: 0: must be at least 1",
            ),
            (Problem::required("spec.job", ""), "spec.job: Required value"),
            (Problem::required("spec.job", "a session job has one"), "spec.job: Required value: a session job has one"),
            (
                Problem::not_supported("spec.mode", "x", &["native", "standalone"]),
                "spec.mode: Unsupported value: \"x\": supported values: \"native\", \"standalone\"",
            ),
            (Problem::forbidden("spec.mode", "cannot change"), "spec.mode: Forbidden: cannot change"),
        ] {
            assert_eq!(problem.to_string(), expected);
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        let problem = Problem::invalid("a", "é".repeat(1000), "x");
        assert!(problem.to_string().chars().count() < 200);
    }
}
