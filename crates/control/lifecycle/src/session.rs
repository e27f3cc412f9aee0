//! Decides about session clusters: deployments without a job.
//!
//! A change ends the cluster and starts it anew; its session jobs are brought back by their own resources. Nothing is
//! started while a cluster is seen or cannot be seen. A deletion that is blocked says by whom, and how to get out.

use std::time::Duration;

use crate::change::{self, Change};
use crate::decision::{Act, Decision, Event, EventKind, Start, Wait};
use crate::desired::Desired;
use crate::facts::{Cluster, Facts, Launched};
use crate::record::Record;
use crate::state::{JobManagerState, LifecycleState, ReconciliationState};
use crate::wording::moment;

/// How soon is looked again while the cluster starts or ends.
const SOON: Duration = Duration::from_secs(1);

/// The shortest time between two starts, in milliseconds.
const PAUSE: i64 = 10_000;

/// Decides about a session cluster.
pub fn decide(desired: &Desired<'_>, record: &Record, facts: &Facts) -> Decision {
    let mut round = Round { desired, facts, before: record, record: record.clone(), events: Vec::new() };
    let (act, wait) = if desired.is_deleting { round.delete() } else { round.reconcile() };
    round.record.lifecycle = round.record.lifecycle();
    Decision { record: round.record, act, events: round.events, wait }
}

/// What is done and what is awaited.
type Verdict = (Option<Act>, Wait);

struct Round<'a> {
    desired: &'a Desired<'a>,
    facts: &'a Facts,
    before: &'a Record,
    record: Record,
    events: Vec<Event>,
}

impl Round<'_> {
    fn reconcile(&mut self) -> Verdict {
        if let Cluster::Unknown(why) = &self.facts.cluster {
            return self
                .wait("ClusterUnknown", format!("the cluster cannot be seen: {why}; nothing is done until it can"));
        }
        if self.record.last.is_none() {
            self.record.last = Some(self.desired.spec.clone());
            self.record.is_first = true;
            self.begin();
        }
        if self.record.reconciliation == ReconciliationState::Upgrading && !self.arrive() {
            return self.clear().unwrap_or_else(|| self.start());
        }
        self.observe();
        let change = self.record.last.as_ref().map(|last| change::diff(last, self.desired.spec));
        if let Some(diff) = change.filter(|diff| diff.change > Change::Ignore) {
            let message = format!("change(s) detected ({}), starting reconciliation", diff.paths.join(", "));
            self.tell(EventKind::Normal, "SpecChanged", message);
            self.record.last = Some(self.desired.spec.clone());
            self.begin();
            return self.clear().unwrap_or_else(|| self.start());
        }
        self.record.observed_generation = Some(self.desired.generation);
        self.keep()
    }

    /// Records that what is declared is to be carried out.
    fn begin(&mut self) {
        self.record.reconciliation = ReconciliationState::Upgrading;
        self.record.reconciled_ms = Some(self.facts.now_ms);
        self.record.job_manager = JobManagerState::Missing;
        self.record.error = None;
    }

    /// Takes a recorded start that is seen for carried out. Says whether it was seen. Until one is recorded, the generation
    /// is that of what runs before the change.
    fn arrive(&mut self) -> bool {
        let is_recorded = self.record.observed_generation == Some(self.desired.generation);
        let is_ours = self
            .launched()
            .is_some_and(|launched| is_recorded && Some(launched.generation) == self.record.observed_generation);
        if is_ours {
            self.record.reconciliation = ReconciliationState::Deployed;
            self.record.is_first = false;
            self.record.error = None;
        }
        is_ours
    }

    fn observe(&mut self) {
        self.record.job_manager = match &self.facts.cluster {
            Cluster::Ready(_) => JobManagerState::Ready,
            Cluster::Starting(_) => JobManagerState::Deploying,
            Cluster::Failed(..) => JobManagerState::Error,
            Cluster::Absent | Cluster::Ending | Cluster::Completed(_) | Cluster::Unknown(_) => JobManagerState::Missing,
        };
        match &self.facts.cluster {
            Cluster::Ready(_) => {
                self.record.stable.clone_from(&self.record.last);
                self.record.error = None;
            }
            Cluster::Failed(_, why) => self.fail("Error", why.clone()),
            Cluster::Absent | Cluster::Starting(_) | Cluster::Ending | Cluster::Completed(_) | Cluster::Unknown(_) => {}
        }
    }

    /// Brings a lost cluster back.
    fn keep(&mut self) -> Verdict {
        let why = match &self.facts.cluster {
            Cluster::Ready(_) => {
                let again = self.desired.options.reconcile_interval;
                return (None, Wait { reason: "Settled", message: "the session cluster is ready".to_owned(), again });
            }
            Cluster::Starting(_) => {
                let message =
                    format!("waits until the session cluster answers, since {}", moment(self.record.reconciled_ms));
                return self.wait("ClusterStarting", message);
            }
            Cluster::Failed(_, why) => why.clone(),
            Cluster::Completed(_) => "its job manager has ended by itself".to_owned(),
            Cluster::Absent => "no process of it is there".to_owned(),
            Cluster::Ending | Cluster::Unknown(_) => {
                return self.wait("ClusterEnding", "waits until every process of the cluster has ended".to_owned());
            }
        };
        if !self.desired.options.recover_job_manager {
            let message = format!(
                "the session cluster is lost: {why}; it is left so, as \
                 `kubernetes.operator.jm-deployment-recovery.enabled: false` asks; change `restartNonce` to start it"
            );
            return self.wait("JobManagerMissing", message);
        }
        let due = self.record.reconciled_ms.unwrap_or_default().saturating_add(PAUSE);
        if due > self.facts.now_ms {
            let left = due - self.facts.now_ms;
            let message = format!("starts the session cluster again at {}: {why}", moment(Some(due)));
            let again = Duration::from_millis(left.min(PAUSE).unsigned_abs());
            return (None, Wait { reason: "RecoverDeployment", message, again });
        }
        if let Some(verdict) = self.clear() {
            return verdict;
        }
        self.tell(EventKind::Warning, "RecoverDeployment", format!("starts the session cluster again: {why}"));
        self.record.reconciliation = ReconciliationState::Upgrading;
        self.start()
    }

    /// Removes what is there, or waits for it to be gone; absent if nothing is there.
    fn clear(&self) -> Option<Verdict> {
        let (act, message) = match &self.facts.cluster {
            Cluster::Absent => return None,
            Cluster::Ending => (None, "waits until every process of the cluster has ended".to_owned()),
            Cluster::Unknown(why) => {
                let message = format!("the cluster cannot be seen: {why}; nothing is done until it can");
                return Some(self.wait("ClusterUnknown", message));
            }
            Cluster::Starting(_) | Cluster::Ready(_) | Cluster::Failed(..) | Cluster::Completed(_) => {
                (Some(Act::Remove), "removes what is left of the cluster".to_owned())
            }
        };
        Some((act, Wait { reason: "ClusterEnding", message, again: SOON }))
    }

    fn start(&mut self) -> Verdict {
        let generation = self.desired.generation;
        let is_recorded = self.before.reconciliation == ReconciliationState::Upgrading
            && self.record.observed_generation == Some(generation);
        if !is_recorded {
            self.tell(EventKind::Normal, "Submit", "starting the session cluster".to_owned());
        }
        self.record.last = Some(self.desired.spec.clone());
        self.record.reconciled_ms = Some(self.facts.now_ms);
        self.record.job_manager = JobManagerState::Deploying;
        self.record.observed_generation = Some(generation);
        let start = Start { generation, job_id: None, spec: self.desired.spec.clone(), restore: None };
        let message = "starts the session cluster, and waits until it is seen".to_owned();
        (Some(Act::Start(Box::new(start))), Wait { reason: "ClusterStarting", message, again: SOON })
    }

    fn delete(&mut self) -> Verdict {
        if self.before.lifecycle != LifecycleState::Deleting {
            self.tell(EventKind::Normal, "Cleanup", "the resource is being deleted".to_owned());
        }
        self.record.lifecycle = LifecycleState::Deleting;
        if let Some(message) = self.blocked() {
            self.fail("CleanupFailed", message.clone());
            return self.wait("CleanupBlocked", message);
        }
        self.clear().unwrap_or_else(|| {
            let message = "nothing of the resource is left".to_owned();
            (Some(Act::Release), Wait { reason: "Deleted", message, again: Duration::ZERO })
        })
    }

    /// Who keeps the cluster from being deleted, and how to get out.
    fn blocked(&self) -> Option<String> {
        let options = self.desired.options;
        let dependents = &self.facts.dependents;
        if options.block_on_session_jobs && !dependents.session_jobs.is_empty() {
            return Some(format!(
                "session jobs `{}` still name the cluster; delete them, or set \
                 `kubernetes.operator.session.deletion.block-on-session-jobs: false`",
                dependents.session_jobs.join("`, `")
            ));
        }
        let asks_for_jobs = options.block_on_session_jobs && options.block_on_unmanaged_jobs;
        if asks_for_jobs && !dependents.unmanaged_jobs.is_empty() {
            return Some(format!(
                "jobs `{}` still run in the cluster; cancel them, or set \
                 `kubernetes.operator.session.deletion.block-on-unmanaged-jobs: false`",
                dependents.unmanaged_jobs.join("`, `")
            ));
        }
        None
    }

    fn launched(&self) -> Option<&Launched> {
        match &self.facts.cluster {
            Cluster::Starting(launched)
            | Cluster::Ready(launched)
            | Cluster::Failed(launched, _)
            | Cluster::Completed(launched) => Some(launched),
            Cluster::Absent | Cluster::Ending | Cluster::Unknown(_) => None,
        }
    }

    fn wait(&self, reason: &'static str, message: String) -> Verdict {
        let is_slow = matches!(reason, "JobManagerMissing" | "CleanupBlocked" | "ClusterUnknown");
        let again = if is_slow { self.desired.options.reconcile_interval } else { SOON };
        (None, Wait { reason, message, again })
    }

    fn tell(&mut self, kind: EventKind, reason: &'static str, message: String) {
        self.events.push(Event { kind, reason, message });
    }

    fn fail(&mut self, reason: &'static str, message: String) {
        if self.record.error.as_ref() != Some(&message) {
            self.tell(EventKind::Warning, reason, message.clone());
            self.record.error = Some(message);
        }
    }
}

#[cfg(test)]
mod tests;
