//! How soon is looked again at a job manager that does not answer.
//!
//! While it comes up, Kubernetes tells when it is ready, and looking finds out no more than why it is not: each pause is twice
//! as long as nothing has changed. One that is up and cannot be reached is to be found again soon after it can. Whatever is
//! due at a time is looked at then.

use std::time::Duration;

use jiff::Timestamp;
use kobel_lifecycle::decision::Decision;
use kobel_lifecycle::facts::Cluster;
use kobel_lifecycle::options::Options;
use kobel_model::deployment::FlinkConfiguration;
use kobel_model::quantity::parse_duration;
use kobel_resources::status::Condition;

use crate::conditions::SETTLED;

/// The longest pause while a job manager comes up.
const COMING_MAX: Duration = Duration::from_secs(300);
/// The longest pause while one that is up cannot be reached.
const UNREACHED_MAX: Duration = Duration::from_secs(60);
/// The shortest pause that may be asked for.
const ASKED_MIN: Duration = Duration::from_secs(1);
/// What is said while nothing but an answer is awaited.
const AWAITED: [&str; 3] = ["JobStarting", "ClusterStarting", "ClusterUnknown"];
/// The options that say how often is looked; pauses are not longer where they are set.
const INTERVALS: [&str; 2] =
    ["kubernetes.operator.observer.progress-check.interval", "kubernetes.operator.reconcile.interval"];

/// A job manager that does not answer.
pub(crate) struct Silence<'a> {
    /// What is seen of it.
    pub(crate) cluster: &'a Cluster,
    /// What is said of the resource.
    pub(crate) conditions: &'a [Condition],
    /// How the resource is looked after.
    pub(crate) options: &'a Options,
    /// What the resource sets.
    pub(crate) configuration: &'a FlinkConfiguration,
    /// The time.
    pub(crate) now_ms: i64,
}

impl Silence<'_> {
    /// When is looked again at what was decided.
    pub(crate) fn again(&self, decision: &Decision) -> Duration {
        let (wait, again) = (&decision.wait, decision.wait.again);
        if decision.act.is_some() || again.is_zero() || !AWAITED.contains(&wait.reason) {
            return again;
        }
        let record = &decision.record;
        let changes = [record.job.start_ms, record.job.update_ms, record.reconciled_ms, self.unsettled_ms()];
        let Some(last) = changes.iter().flatten().max() else { return again };
        let silent = span(self.now_ms.saturating_sub(*last));
        let (pause, longest) = match self.cluster {
            Cluster::Starting(_) => (silent.saturating_mul(2), COMING_MAX),
            Cluster::Unknown(_) => (silent / 4, UNREACHED_MAX),
            _ => return again,
        };
        let patience = i64::try_from(self.options.readiness_timeout.as_millis()).unwrap_or(i64::MAX);
        let dues = changes.iter().flatten().map(|at| span(at.saturating_add(patience).saturating_sub(self.now_ms)));
        let due = dues.filter(|due| !due.is_zero()).min();
        let bounds = self.asked().into_iter().chain(due).chain([longest]);
        again.max(bounds.fold(pause, Duration::min))
    }

    /// Since when not everything is as it was asked for.
    fn unsettled_ms(&self) -> Option<i64> {
        let said = self.conditions.iter().find(|condition| condition.kind == SETTLED)?;
        let since = said.last_transition_time.as_deref().filter(|_| said.status.as_deref() != Some("True"))?;
        since.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
    }

    /// How often is to be looked at least, if that is said.
    fn asked(&self) -> Option<Duration> {
        let said = INTERVALS.into_iter().filter_map(|key| self.configuration.get(key));
        said.filter_map(|text| parse_duration(text.trim()).ok()).min().map(|asked| asked.max(ASKED_MIN))
    }
}

/// Milliseconds as a span of time; none is shorter than nothing.
fn span(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kobel_lifecycle::decision::{Act, Wait};
    use kobel_lifecycle::facts::Launched;
    use kobel_lifecycle::record::Record;

    use super::*;

    /// When everything began, in milliseconds.
    const BEGUN: i64 = 1_767_225_600_000;

    fn decision(reason: &'static str, again: u64) -> Decision {
        let mut record = Record::default();
        (record.job.start_ms, record.reconciled_ms) = (Some(BEGUN), Some(BEGUN - 500));
        let wait = Wait { reason, message: String::new(), again: Duration::from_secs(again) };
        Decision { record, act: None, events: Vec::new(), wait }
    }

    fn starting() -> Cluster {
        Cluster::Starting(Launched { generation: 1, job_id: None })
    }

    /// When is looked again, in seconds, so many seconds after the beginning.
    fn again(cluster: &Cluster, values: &[(&str, &str)], after: i64, decision: &Decision) -> u64 {
        let values: BTreeMap<String, String> =
            values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let configuration = FlinkConfiguration::new(values);
        let options = Options::read(&configuration);
        let now_ms = BEGUN + after * 1_000;
        let conditions = &[];
        Silence { cluster, conditions, options: &options, configuration: &configuration, now_ms }
            .again(decision)
            .as_secs()
    }

    #[test]
    fn pauses_grow_while_nothing_changes_and_end_when_something_is_due() {
        let decision = decision("JobStarting", 1);
        let mut looks = vec![0];
        while *looks.last().unwrap() < 1_000 {
            let at = *looks.last().unwrap();
            looks.push(at + i64::try_from(again(&starting(), &[], at, &decision)).unwrap());
        }
        // After five minutes it counts as lost, or the change that it carries out as one that does not come up. That is due
        // half a second sooner for what was recorded sooner.
        assert_eq!(looks, [0, 1, 3, 9, 27, 81, 243, 299, 300, 600, 900, 1_200]);
    }

    #[test]
    fn one_that_is_up_and_cannot_be_reached_is_looked_at_every_minute_at_least() {
        let unknown = Cluster::Unknown("no route".to_owned());
        let decision = decision("ClusterUnknown", 5);
        for (after, expected) in [(0, 5), (12, 5), (40, 10), (200, 50), (3_600, 60)] {
            assert_eq!(again(&unknown, &[], after, &decision), expected, "after {after} s");
        }
    }

    #[test]
    fn an_interval_that_is_set_is_kept() {
        let decision = decision("JobStarting", 1);
        for (values, expected) in [
            (&[("kubernetes.operator.observer.progress-check.interval", "20 s")][..], 20),
            (&[("kubernetes.operator.reconcile.interval", "1 min")][..], 60),
            (&[("kubernetes.operator.reconcile.interval", "0 s")][..], 1),
            (&[("kubernetes.operator.observer.progress-check.interval", "soon")][..], 300),
            (&[][..], 300),
        ] {
            assert_eq!(again(&starting(), values, 3_000, &decision), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_done_or_due_at_a_time_is_not_put_off() {
        let mut acting = decision("JobStarting", 1);
        acting.act = Some(Act::Remove);
        for decision in [acting, decision("RecoverDeployment", 1), decision("Settled", 1)] {
            assert_eq!(again(&starting(), &[], 3_000, &decision), 1, "{decision:?}");
        }
        assert_eq!(again(&Cluster::Absent, &[], 3_000, &decision("JobStarting", 1)), 1);
    }

    #[test]
    fn what_became_unsettled_lately_is_looked_at_soon() {
        let condition = |status: &str| Condition {
            kind: SETTLED.to_owned(),
            status: Some(status.to_owned()),
            reason: None,
            message: None,
            last_transition_time: Some("2026-01-01T00:50:00Z".to_owned()),
            observed_generation: None,
        };
        let (configuration, options) = (FlinkConfiguration::default(), Options::default());
        let unknown = Cluster::Unknown("no route".to_owned());
        for (status, expected) in [("False", 5), ("True", 60)] {
            let silence = Silence {
                cluster: &unknown,
                conditions: &[condition(status)],
                options: &options,
                configuration: &configuration,
                now_ms: BEGUN + 3_010_000,
            };
            assert_eq!(silence.again(&decision("ClusterUnknown", 5)).as_secs(), expected, "{status}");
        }
    }
}
