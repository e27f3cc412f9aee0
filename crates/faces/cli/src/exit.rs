//! How a command ends, as the exit code that `docs/reference/exit-codes.md` documents.

use kobel_model::ErrorKind;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked to do; a job that was stopped with a savepoint counts.
    Done,
    /// It found differences, which is what it was asked to look for.
    Different,
    /// It failed with an error of this kind.
    Failed(ErrorKind),
    /// The command line is wrong.
    Usage,
    /// The person ended it at once.
    Canceled,
}

impl Exit {
    /// The exit code of the process.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            // As `diff` tells it.
            Self::Different => 1,
            Self::Failed(kind) => kind.exit_code(),
            Self::Usage => 2,
            // 128 and the number of SIGINT, as shells report it.
            Self::Canceled => 130,
        }
    }
}
