//! What is seen of a pair: its two deployments and the snapshot between them.

use serde_json::Value;

use super::state::Colour;
use crate::state::{JobState, LifecycleState};

/// What is seen in one look.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The time of the look, in milliseconds since the epoch.
    pub now_ms: i64,
    /// A number that is never given twice, for the name of a snapshot: hexadecimal digits.
    pub fresh_id: String,
    /// The blue deployment.
    pub blue: Option<Child>,
    /// The green deployment.
    pub green: Option<Child>,
    /// The snapshot that is recorded.
    pub savepoint: Savepoint,
}

impl Facts {
    /// One of the deployments.
    pub fn child(&self, colour: Colour) -> Option<&Child> {
        match colour {
            Colour::Blue => self.blue.as_ref(),
            Colour::Green => self.green.as_ref(),
        }
    }
}

/// What is seen of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// What it declares.
    pub spec: Value,
    /// The generation of that.
    pub generation: i64,
    /// The generation that its status speaks of.
    pub observed_generation: Option<i64>,
    /// How it is as a whole.
    pub lifecycle: LifecycleState,
    /// How its job is.
    pub job: Option<JobState>,
    /// What went wrong with it, for a person.
    pub error: Option<String>,
    /// Whether it is being deleted.
    pub is_deleting: bool,
    /// Whether it belongs to the pair; one that happens to have its name is left alone.
    pub is_ours: bool,
}

impl Child {
    /// Whether what it declares now runs, or has done all it was to do.
    pub fn is_ready(&self) -> bool {
        let has_run = matches!(self.job, Some(JobState::Running | JobState::Finished));
        let is_current = self.observed_generation == Some(self.generation);
        has_run && is_current && self.lifecycle == LifecycleState::Stable && !self.is_deleting
    }

    /// Whether a savepoint of its job can be taken.
    pub fn is_running(&self) -> bool {
        let is_up =
            matches!(self.lifecycle, LifecycleState::Stable | LifecycleState::Deployed | LifecycleState::RolledBack);
        is_up && self.job == Some(JobState::Running) && !self.is_deleting
    }

    /// How it is, for a person.
    pub fn condition(&self) -> String {
        let job = self.job.map_or("not started", JobState::as_str);
        let error = self.error.as_ref().filter(|error| !error.is_empty());
        let why = error.map(|error| format!(": {error}")).unwrap_or_default();
        format!("{}, its job is {job}{why}", self.lifecycle.as_str())
    }
}

/// What is seen of the snapshot that the state is handed over with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Savepoint {
    /// Nothing declares it.
    Absent,
    /// It is being deleted.
    Leaving,
    /// It is not taken yet; what went wrong so far is for a person.
    InProgress(Option<String>),
    /// It lies here.
    Completed(String),
    /// It was given up; the reason is for a person.
    Failed(String),
}
