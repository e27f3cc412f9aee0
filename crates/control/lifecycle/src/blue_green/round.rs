//! A look at a pair under way, and what every state does alike.

use std::time::Duration;

use super::decision::{Act, Decision};
use super::desired::Desired;
use super::diff;
use super::facts::{Child, Facts};
use super::state::{Colour, Record, State};
use crate::decision::{Event, EventKind, Wait};
use crate::state::{JobState, LifecycleState};
use crate::wording::milliseconds;

/// The ways on if there is no state to hand over.
pub(super) const WAYS_OUT: &str = "name a snapshot in `spec.template.spec.job.initialSavepointPath` and change \
     `spec.template.spec.job.savepointRedeployNonce`, or set `spec.template.spec.job.upgradeMode: stateless` to start \
     without state";

/// What is done and what is awaited.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) act: Option<Act>,
    pub(super) wait: Wait,
}

impl Verdict {
    /// Does nothing and waits.
    pub(super) fn wait(reason: &'static str, message: String, again: Duration) -> Self {
        Self { act: None, wait: Wait { reason, message, again } }
    }

    /// Does `act` first.
    pub(super) fn with(mut self, act: Act) -> Self {
        self.act = Some(act);
        self
    }
}

/// A look under way.
pub(super) struct Round<'a> {
    pub(super) desired: &'a Desired<'a>,
    pub(super) facts: &'a Facts,
    pub(super) record: Record,
    events: Vec<Event>,
}

impl<'a> Round<'a> {
    /// Begins a look.
    pub(super) fn new(desired: &'a Desired<'a>, record: &Record, facts: &'a Facts) -> Self {
        Self { desired, facts, record: record.clone(), events: Vec::new() }
    }

    /// Ends the look.
    pub(super) fn decide(self, verdict: Verdict) -> Decision {
        Decision { record: self.record, act: verdict.act, events: self.events, wait: verdict.wait }
    }

    /// What keeps everything else from being done.
    pub(super) fn obstacle(&mut self) -> Option<Verdict> {
        if self.desired.is_deleting {
            let message = "its deployments belong to it, and are deleted with it".to_owned();
            return Some(Verdict::wait("Deleting", message, Duration::ZERO));
        }
        let taken = Colour::ALL.into_iter().find(|colour| self.facts.child(*colour).is_some_and(|of| !of.is_ours))?;
        let name = self.name(taken);
        if self.facts.child(taken).is_some_and(|child| child.is_deleting) {
            let message = format!("waits until the FlinkDeployment `{name}` of an earlier resource is gone");
            return Some(Verdict::wait("NameTaken", message, self.interval()));
        }
        let message = format!(
            "there is a FlinkDeployment `{name}` that does not belong to this resource; delete it, or give this \
             resource another name"
        );
        self.fail("NameTaken", message.clone());
        Some(Verdict::wait("NameTaken", message, self.interval()))
    }

    /// A deployment that is there to stay.
    pub(super) fn live(&self, colour: Colour) -> Option<&'a Child> {
        self.facts.child(colour).filter(|child| !child.is_deleting)
    }

    /// The name of a deployment.
    pub(super) fn name(&self, colour: Colour) -> String {
        colour.name_in(self.desired.name)
    }

    /// Whether the job shall run.
    pub(super) fn shall_run(&self) -> bool {
        diff::is_on(self.desired.template())
    }

    /// Whether what is declared was not taken up yet.
    pub(super) fn is_new(&self) -> bool {
        diff::is_new(self.record.last.as_ref(), self.desired.spec)
    }

    /// How often is looked at what is under way.
    pub(super) fn interval(&self) -> Duration {
        self.desired.options.interval
    }

    /// When something that may take so long has taken too long.
    pub(super) fn deadline(&self, patience: Duration) -> i64 {
        self.facts.now_ms.saturating_add(milliseconds(patience))
    }

    /// How soon is looked again at what is over at `at_ms`.
    pub(super) fn until(&self, at_ms: i64) -> Duration {
        let left = at_ms.saturating_sub(self.facts.now_ms);
        Duration::from_millis(u64::try_from(left).unwrap_or_default()).min(self.interval())
    }

    /// Takes up what is declared.
    pub(super) fn take_up(&mut self, state: State, patience: Duration) {
        self.record.state = state;
        self.record.last = Some(self.desired.spec.clone());
        self.record.reconciled_ms = Some(self.facts.now_ms);
        self.record.abort_ms = Some(self.deadline(patience));
        self.record.ready_ms = None;
        self.record.error = None;
    }

    /// Begins to prove a deployment.
    pub(super) fn prove(&mut self, colour: Colour) {
        self.take_up(State::Transitioning(colour), self.desired.options.abort_grace);
        self.record.job = Some(JobState::Reconciling);
    }

    /// Gives up what was taken up; `colour` goes on serving.
    pub(super) fn give_up(&mut self, colour: Colour, reason: &'static str, why: &str) -> Verdict {
        self.record.state = State::Active(colour);
        self.record.abort_ms = Some(self.record.abort_ms.unwrap_or(self.facts.now_ms));
        self.record.ready_ms = None;
        self.record.job = Some(JobState::Failing);
        let message = format!("{why}; `{}` goes on serving, change the spec to try again", self.name(colour));
        self.fail(reason, message.clone());
        Verdict::wait(reason, message, self.interval())
    }

    /// Says how the deployment that serves is.
    pub(super) fn observe(&mut self, colour: Colour, child: &Child) {
        let is_asleep = child.lifecycle == LifecycleState::Suspended;
        let state = child.job.unwrap_or(JobState::Reconciling);
        self.record.job = Some(if is_asleep { JobState::Suspended } else { state });
        let has_failed = matches!(state, JobState::Failing | JobState::Failed) && !is_asleep;
        let is_in_trouble = has_failed || child.error.as_ref().is_some_and(|error| !error.is_empty());
        self.record.error = is_in_trouble.then(|| format!("`{}` is {}", self.name(colour), child.condition()));
    }

    /// Says what went wrong, and tells it if that is news.
    pub(super) fn fail(&mut self, reason: &'static str, message: String) {
        if self.record.error.as_ref() != Some(&message) {
            self.events.push(Event { kind: EventKind::Warning, reason, message: message.clone() });
            self.record.error = Some(message);
        }
    }

    /// Tells good news.
    pub(super) fn tell(&mut self, reason: &'static str, message: String) {
        self.events.push(Event { kind: EventKind::Normal, reason, message });
    }
}
