//! Where logs go, as the loop sees it.

use kobel_model::Result;

/// How far the agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Flink runs.
    Running,
    /// The pod ends, and Flink may still write.
    Ending,
    /// Nothing more is written: what is here goes out now.
    Last,
}

/// What came of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing was new.
    Nothing,
    /// All that was new was read.
    Some,
    /// Something was read, and there is more.
    More,
}

/// Where logs go.
pub(crate) trait Destination {
    /// Reads what is new, and ships what is due. It may be called again after an error, and goes on from there.
    ///
    /// # Errors
    /// Those of the files and of the service.
    fn turn(&mut self, phase: Phase) -> Result<Progress>;
}
