//! The job of a deployment or of a session: its program, and how it is started and replaced.

use super::artifact::Artifact;

/// Whether a job shall run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It runs.
    Running,
    /// It is stopped and can go on.
    Suspended,
}

/// What becomes of the state when a job is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpgradeMode {
    /// A savepoint is taken, and the new job starts from it.
    Savepoint,
    /// The new job starts from the last checkpoint.
    LastState,
    /// The new job starts without state.
    Stateless,
}

impl UpgradeMode {
    /// The spelling of a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Savepoint => "savepoint",
            Self::LastState => "last-state",
            Self::Stateless => "stateless",
        }
    }
}

/// Numbers whose change asks for something once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Nonces {
    /// A change asks for a savepoint.
    pub savepoint_trigger: Option<i64>,
    /// A change asks for a checkpoint.
    pub checkpoint_trigger: Option<i64>,
    /// A change asks to start anew from the initial savepoint.
    pub savepoint_redeploy: Option<i64>,
    /// A change makes the autoscaler forget.
    pub autoscaler_reset: Option<i64>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Job {
    /// The program; absent if the entry class lies on the class path already.
    pub artifact: Option<Artifact>,
    /// The class that is called.
    pub entry_class: Option<String>,
    /// What the program is given.
    pub args: Vec<String>,
    /// How many parallel subtasks an operator has; at least 1.
    pub parallelism: u32,
    /// Whether it shall run.
    pub state: JobState,
    /// What becomes of the state when it is replaced.
    pub upgrade_mode: UpgradeMode,
    /// Whether state that no operator claims is skipped.
    pub allow_non_restored_state: bool,
    /// The snapshot from which it starts the first time.
    pub initial_savepoint_path: Option<String>,
    /// Numbers whose change asks for something.
    pub nonces: Nonces,
}
