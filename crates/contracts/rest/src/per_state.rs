//! One number for each state of a job or a task.
//!
//! Invariant: every state stands in it exactly once, so an answer never lacks a state.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ordered::OrderedMap;
use crate::states::{ApplicationState, ExecutionState, JobStatus};

/// A set of states that an answer lists in full.
pub trait State: Copy + PartialEq + fmt::Debug + Serialize + DeserializeOwned + 'static {
    /// Every state, in the order in which the answers print them.
    const PRINTED: &'static [Self];
}

impl State for ExecutionState {
    const PRINTED: &'static [Self] = &[
        Self::Initializing,
        Self::Running,
        Self::Reconciling,
        Self::Scheduled,
        Self::Finished,
        Self::Canceled,
        Self::Canceling,
        Self::Failed,
        Self::Created,
        Self::Deploying,
    ];
}

impl State for JobStatus {
    const PRINTED: &'static [Self] = &[
        Self::Suspended,
        Self::Running,
        Self::Created,
        Self::Failing,
        Self::Finished,
        Self::Failed,
        Self::Cancelling,
        Self::Canceled,
        Self::Restarting,
        Self::Reconciling,
        Self::Initializing,
    ];
}

impl State for ApplicationState {
    const PRINTED: &'static [Self] =
        &[Self::Running, Self::Created, Self::Failing, Self::Finished, Self::Failed, Self::Canceled, Self::Canceling];
}

/// A count or a point in time (milliseconds) for each state; zero stands for none.
#[derive(Debug, Clone, PartialEq)]
pub struct PerState<S>(OrderedMap<S, i64>);

impl<S: State> PerState<S> {
    /// Returns zero for each state.
    pub fn zero() -> Self {
        Self(S::PRINTED.iter().map(|state| (*state, 0)).collect())
    }

    /// Counts how often each state comes.
    pub fn count(states: impl IntoIterator<Item = S>) -> Self {
        let mut counts = Self::zero();
        for state in states {
            counts.set(state, counts.get(state) + 1);
        }
        counts
    }

    /// Returns the number of a state.
    pub fn get(&self, state: S) -> i64 {
        self.0.get(&state).copied().unwrap_or(0)
    }

    /// Sets the number of a state.
    pub fn set(&mut self, state: S, value: i64) {
        self.0.insert(state, value);
    }

    /// Returns the sum over all states.
    pub fn total(&self) -> i64 {
        self.0.iter().map(|(_, value)| value).sum()
    }
}

impl<S: State> Default for PerState<S> {
    fn default() -> Self {
        Self::zero()
    }
}

impl<S: State> Serialize for PerState<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, S: State> Deserialize<'de> for PerState<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::zero();
        for (state, value) in OrderedMap::<S, i64>::deserialize(deserializer)? {
            all.set(state, value);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::{PerState, State};
    use crate::round_trip::{printed_back, refusal};
    use crate::states::{ApplicationState, ExecutionState, JobStatus};

    #[test]
    fn every_state_is_printed_though_only_one_was_given() {
        let counts: PerState<ExecutionState> = serde_json::from_str(r#"{"RUNNING":2}"#).unwrap();
        let json = r#"{"INITIALIZING":0,"RUNNING":2,"RECONCILING":0,"SCHEDULED":0,"FINISHED":0,"CANCELED":0,
            "CANCELING":0,"FAILED":0,"CREATED":0,"DEPLOYING":0}"#;
        assert_eq!(counts, printed_back(json));
        assert_eq!(counts.total(), 2);
    }

    #[test]
    fn no_state_is_missing_from_what_is_printed() {
        fn missing<S: State>(all: &[S]) -> usize {
            all.iter().filter(|state| !S::PRINTED.contains(state)).count() + S::PRINTED.len() - all.len()
        }
        assert_eq!(missing(ExecutionState::ALL), 0);
        assert_eq!(missing(JobStatus::ALL), 0);
        assert_eq!(missing(ApplicationState::ALL), 0);
    }

    #[test]
    fn states_are_counted() {
        let counts = PerState::count([ExecutionState::Running, ExecutionState::Failed, ExecutionState::Running]);
        assert_eq!((counts.get(ExecutionState::Running), counts.get(ExecutionState::Failed)), (2, 1));
        assert_eq!(counts.get(ExecutionState::Created), 0);
    }

    #[test]
    fn a_state_that_does_not_exist_is_refused() {
        assert!(refusal::<PerState<JobStatus>>(r#"{"CANCELING":1}"#).contains("`CANCELING` is not a job status"));
    }
}
