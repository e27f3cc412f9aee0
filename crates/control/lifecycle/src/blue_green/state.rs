//! Which deployment of a pair serves, what is under way, and what is written down of it.

use serde_json::Value;

use crate::state::JobState;

/// One deployment of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colour {
    /// The one that is made first.
    Blue,
    /// The other.
    Green,
}

impl Colour {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// The spelling of names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// The spelling of labels.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Blue => "BLUE",
            Self::Green => "GREEN",
        }
    }

    /// The name of this deployment of the pair `pair`.
    pub fn name_in(self, pair: &str) -> String {
        format!("{pair}-{}", self.as_str())
    }
}

/// Which deployment serves, and what is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing was made yet.
    Initializing,
    /// This one serves.
    Active(Colour),
    /// This one serves, and a savepoint of it is taken for the other.
    Savepointing(Colour),
    /// This one is being proven.
    Transitioning(Colour),
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Initializing,
        Self::Active(Colour::Blue),
        Self::Active(Colour::Green),
        Self::Savepointing(Colour::Blue),
        Self::Savepointing(Colour::Green),
        Self::Transitioning(Colour::Blue),
        Self::Transitioning(Colour::Green),
    ];

    /// The spelling of a status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "INITIALIZING_BLUE",
            Self::Active(Colour::Blue) => "ACTIVE_BLUE",
            Self::Active(Colour::Green) => "ACTIVE_GREEN",
            Self::Savepointing(Colour::Blue) => "SAVEPOINTING_BLUE",
            Self::Savepointing(Colour::Green) => "SAVEPOINTING_GREEN",
            Self::Transitioning(Colour::Blue) => "TRANSITIONING_TO_BLUE",
            Self::Transitioning(Colour::Green) => "TRANSITIONING_TO_GREEN",
        }
    }

    /// Reads the spelling of a status.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What was written down of a pair. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Which deployment serves, and what is under way.
    pub state: State,
    /// How the job is, as one word.
    pub job: Option<JobState>,
    /// The spec that was taken up last; it need not have been proven.
    pub last: Option<Value>,
    /// When it was taken up.
    pub reconciled_ms: Option<i64>,
    /// When what is under way is given up. Where nothing is under way: when the spec that was taken up last was.
    pub abort_ms: Option<i64>,
    /// Since when the deployment that is being proven runs.
    pub ready_ms: Option<i64>,
    /// The name of the snapshot that the state is handed over with.
    pub savepoint: Option<String>,
    /// What went wrong, for a person.
    pub error: Option<String>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            state: State::Initializing,
            job: None,
            last: None,
            reconciled_ms: None,
            abort_ms: None,
            ready_ms: None,
            savepoint: None,
            error: None,
        }
    }
}
