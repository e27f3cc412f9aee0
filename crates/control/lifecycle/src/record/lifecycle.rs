//! The state of a resource as a whole, which follows from everything else that is recorded of it.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `ResourceLifecycleState`, in its order, with one addition: a job that is
//! being stopped with a savepoint for a change is being upgraded, although the change was not begun.

use super::{Record, Trigger};
use crate::state::{JobManagerState, JobState, LifecycleState, ReconciliationState};

/// What an error says if nothing goes on without a person.
const NEEDS_HELP: [&str; 3] = [
    "Manual restore required.",
    "HA metadata is not available",
    "It is possible that the job has finished or terminally failed, or the configmaps have been deleted.",
];

impl Record {
    /// The state of the resource as a whole; deletion is recorded and never taken back.
    pub fn lifecycle(&self) -> LifecycleState {
        if matches!(self.lifecycle, LifecycleState::Deleting | LifecycleState::Deleted) {
            return self.lifecycle;
        }
        let error = self.error.as_deref().unwrap_or_default();
        let Some(last) = &self.last else {
            return if error.is_empty() { LifecycleState::Created } else { LifecycleState::Failed };
        };
        match self.reconciliation {
            ReconciliationState::Upgrading => return LifecycleState::Upgrading,
            ReconciliationState::RollingBack => return LifecycleState::RollingBack,
            ReconciliationState::Deployed | ReconciliationState::RolledBack => {}
        }
        let pending = self.job.savepoints.pending.as_ref();
        let is_stopping = pending.is_some_and(|pending| pending.trigger == Trigger::Upgrade);
        let is_suspended = last.pointer("/job/state").is_some_and(|state| state == "suspended");
        let is_missing = matches!(self.job_manager, JobManagerState::Missing | JobManagerState::Error);
        if is_suspended {
            LifecycleState::Suspended
        } else if is_stopping {
            LifecycleState::Upgrading
        } else if self.job.state == Some(JobState::Failed)
            || (is_missing && NEEDS_HELP.iter().any(|text| error.contains(text)))
        {
            LifecycleState::Failed
        } else if self.reconciliation == ReconciliationState::RolledBack {
            LifecycleState::RolledBack
        } else if self.stable.as_ref() == Some(last) {
            LifecycleState::Stable
        } else {
            LifecycleState::Deployed
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::Pending;

    /// A record whose change was carried out and has run.
    fn stable() -> Record {
        let spec = json!({"job": {"state": "running", "parallelism": 2}});
        Record {
            job_manager: JobManagerState::Ready,
            reconciliation: ReconciliationState::Deployed,
            last: Some(spec.clone()),
            stable: Some(spec),
            ..Record::default()
        }
    }

    fn pending(trigger: Trigger) -> Option<Pending> {
        Some(Pending { trigger_id: "0a".repeat(16), since_ms: 1, trigger, directory: None })
    }

    fn suspended() -> Option<serde_json::Value> {
        Some(json!({"job": {"state": "suspended"}}))
    }

    fn check(name: &str, change: impl Fn(&mut Record), expected: LifecycleState) {
        let mut record = stable();
        change(&mut record);
        assert_eq!(record.lifecycle(), expected, "{name}");
    }

    #[test]
    fn each_condition_leads_to_its_state() {
        use LifecycleState::*;
        type Case = (&'static str, fn(&mut Record), LifecycleState);
        let cases: [Case; 16] = [
            ("nothing to say", |_| (), Stable),
            ("deleting", |record| record.lifecycle = Deleting, Deleting),
            ("deleted", |record| record.lifecycle = Deleted, Deleted),
            ("nothing deployed", |record| record.last = None, Created),
            (
                "nothing deployed, with an error",
                |record| (record.last, record.error) = (None, Some("no such image".to_owned())),
                Failed,
            ),
            (
                "nothing deployed, with an empty error",
                |record| (record.last, record.error) = (None, Some(String::new())),
                Created,
            ),
            ("upgrading", |record| record.reconciliation = ReconciliationState::Upgrading, Upgrading),
            ("rolling back", |record| record.reconciliation = ReconciliationState::RollingBack, RollingBack),
            ("rolled back", |record| record.reconciliation = ReconciliationState::RolledBack, RolledBack),
            ("stopping for a change", |record| record.job.savepoints.pending = pending(Trigger::Upgrade), Upgrading),
            ("a savepoint by hand", |record| record.job.savepoints.pending = pending(Trigger::Manual), Stable),
            ("suspended", |record| record.last = suspended(), Suspended),
            ("failed", |record| record.job.state = Some(JobState::Failed), Failed),
            ("never proven", |record| record.stable = None, Deployed),
            ("proven another", |record| record.stable = suspended(), Deployed),
            ("ended", |record| record.job.state = Some(JobState::Finished), Stable),
        ];
        for (name, change, expected) in cases {
            check(name, change, expected);
        }
    }

    #[test]
    fn the_first_condition_that_holds_decides() {
        use LifecycleState::*;
        let all = [
            ("deleting", Deleting),
            ("nothing deployed", Failed),
            ("rolling back", RollingBack),
            ("suspended", Suspended),
            ("stopping", Upgrading),
            ("failed", Failed),
            ("rolled back", RolledBack),
        ];
        for (place, (name, expected)) in all.iter().enumerate() {
            let mut record = stable();
            // The later conditions come first, so that an earlier one may overwrite a field they share.
            for (later, _) in all.iter().skip(place).rev() {
                match *later {
                    "deleting" => record.lifecycle = Deleting,
                    "nothing deployed" => (record.last, record.error) = (None, Some("why".to_owned())),
                    "rolling back" => record.reconciliation = ReconciliationState::RollingBack,
                    "stopping" => record.job.savepoints.pending = pending(Trigger::Upgrade),
                    "suspended" => record.last = suspended(),
                    "failed" => record.job.state = Some(JobState::Failed),
                    _ => record.reconciliation = ReconciliationState::RolledBack,
                }
            }
            assert_eq!(record.lifecycle(), *expected, "{name}");
        }
    }

    #[test]
    fn who_needs_help_without_a_job_manager_has_failed() {
        for text in NEEDS_HELP {
            for (job_manager, expected) in [
                (JobManagerState::Missing, LifecycleState::Failed),
                (JobManagerState::Error, LifecycleState::Failed),
                (JobManagerState::Ready, LifecycleState::Stable),
                (JobManagerState::Deploying, LifecycleState::Stable),
            ] {
                let help = |record: &mut Record| {
                    record.job_manager = job_manager;
                    record.error = Some(format!("upgrade failed. {text} See the log."));
                };
                check(text, help, expected);
            }
        }
        let other = |record: &mut Record| {
            record.job_manager = JobManagerState::Missing;
            record.error = Some("connection refused".to_owned());
        };
        check("another error", other, LifecycleState::Stable);
    }
}
