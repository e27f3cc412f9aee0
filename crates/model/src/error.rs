//! The one error of the public surface: a closed, prescriptive kind, a message for the person, a hint, a cause.
//!
//! `Display` speaks for its own layer only; whoever reports walks [`std::error::Error::source`]. Nothing here knows
//! where an error is shown; the exit code follows from the kind and from nothing else.

use std::error::Error as StdError;
use std::fmt;

/// What the receiver of an [`Error`] should do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The user's input is wrong: edit it.
    Invalid,
    /// The input is legal Flink but this engine cannot do it exactly: use the other engine or rewrite.
    Unsupported,
    /// Permission is missing: grant it.
    Denied,
    /// Something that was named does not exist: create it or correct the name.
    Missing,
    /// Somebody else changed it: read again and retry.
    Conflict,
    /// A part is away or full: retry later.
    Unavailable,
    /// Stored bytes are damaged: restore from an older snapshot.
    Corrupt,
    /// An invariant of ours is broken: report it.
    Bug,
}

impl ErrorKind {
    /// The process exit code for this kind (documented in `docs/reference/exit-codes.md`).
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Invalid | Self::Unsupported | Self::Denied | Self::Missing | Self::Corrupt => 1,
            Self::Conflict | Self::Unavailable => 3,
            Self::Bug => 70,
        }
    }
}

/// An error for a person: what failed, on what, why, and what to do.
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Result with the shared [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of `kind`; `message` is a lower-case fragment without a final stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// Shorthand for [`ErrorKind::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Shorthand for [`ErrorKind::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Shorthand for [`ErrorKind::Corrupt`].
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// Shorthand for [`ErrorKind::Bug`].
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// Classifies an I/O error; `message` says what was attempted on what.
    pub fn io(message: impl Into<String>, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::NotADirectory | Io::IsADirectory => ErrorKind::Invalid,
            Io::NotFound => ErrorKind::Missing,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Denied,
            Io::InvalidData | Io::UnexpectedEof => ErrorKind::Corrupt,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, message).with_source(source)
    }

    /// Adds advice, shown on a line of its own.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Wraps this error as the cause of a new message; kind and hint carry over.
    pub fn context(self, message: impl Into<String>) -> Self {
        let (kind, hint) = (self.kind, self.hint.clone());
        Self { kind, message: message.into(), hint, source: Some(Box::new(self)) }
    }

    /// What the receiver should do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Advice to show, if there is any.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, chain(self))?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Joins an error and its causes with `: `, outermost first.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_prints_every_layer_once() {
        let io = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = Error::io("cannot open `a.csv`", io).context("cannot start source `t`");
        assert_eq!(chain(&error), "cannot start source `t`: cannot open `a.csv`: no such file");
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert_eq!(error.kind().exit_code(), 1);
    }
}
