//! Keys of the operators that are no options of Flink: what their values may be.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, dynamic configuration; Amazon EMR on EKS, keys of decommissioning, combined
//! restarts and local recovery.

use kobel_model::quantity::{DURATION_FORMS, parse_duration};
use kobel_model::resource_quantity::{MEMORY_AMOUNT_FORMS, parse_memory_amount};

/// What the value of a key may be.
#[derive(Debug, Clone, Copy)]
enum Form {
    Switch,
    Duration,
    /// A duration, or an expression of Quartz.
    Period,
    /// A whole number of at least 1.
    Count,
    Memory,
    OneOf(&'static [&'static str]),
}

/// What every key of the Apache operator begins with.
const PREFIX: &str = "kubernetes.operator.";

/// Keys of the Apache operator, without their prefix.
const OPERATOR: [(&str, Form); 31] = [
    ("checkpoint.trigger.grace-period", Form::Duration),
    ("checkpoint.type", Form::OneOf(&["FULL", "INCREMENTAL"])),
    ("cluster.health-check.enabled", Form::Switch),
    ("cluster.health-check.checkpoint-progress.enabled", Form::Switch),
    ("cluster.health-check.checkpoint-progress.window", Form::Duration),
    ("cluster.health-check.restarts.threshold", Form::Count),
    ("cluster.health-check.restarts.window", Form::Duration),
    ("deployment.readiness.timeout", Form::Duration),
    ("deployment.rollback.enabled", Form::Switch),
    ("jm-deployment-recovery.enabled", Form::Switch),
    ("jm-deployment.shutdown-ttl", Form::Duration),
    ("jm-deployment.startup.probe.enabled", Form::Switch),
    ("job.drain-on-savepoint-deletion", Form::Switch),
    ("job.restart.failed", Form::Switch),
    ("job.savepoint-on-deletion", Form::Switch),
    ("job.upgrade.ignore-pending-savepoint", Form::Switch),
    ("job.upgrade.inplace-scaling.enabled", Form::Switch),
    ("job.upgrade.last-state-fallback.enabled", Form::Switch),
    ("job.upgrade.last-state.job-cancel.enabled", Form::Switch),
    ("job.upgrade.last-state.max.allowed.checkpoint.age", Form::Duration),
    ("periodic.checkpoint.interval", Form::Period),
    ("periodic.savepoint.interval", Form::Period),
    ("pod-template.merge-arrays-by-name", Form::Switch),
    ("savepoint.cleanup.enabled", Form::Switch),
    ("savepoint.dispose-on-delete", Form::Switch),
    ("savepoint.format.type", Form::OneOf(&["CANONICAL", "NATIVE"])),
    ("savepoint.history.max.age", Form::Duration),
    ("savepoint.history.max.count", Form::Count),
    ("savepoint.trigger.grace-period", Form::Duration),
    ("session.deletion.block-on-session-jobs", Form::Switch),
    ("snapshot.resource.enabled", Form::Switch),
];

/// Keys of EMR.
const EMR: [(&str, Form); 7] = [
    ("aws.glue.enabled", Form::Switch),
    ("cluster.taskmanager.graceful-decommission.enabled", Form::Switch),
    ("hudi.enabled", Form::Switch),
    ("jobmanager.adaptive-scheduler.combined-restart.enabled", Form::Switch),
    ("jobmanager.adaptive-scheduler.combined-restart.window-interval", Form::Duration),
    ("kubernetes.taskmanager.local-recovery.persistentVolumeClaim.sizeLimit", Form::Memory),
    ("task.local-recovery.ebs.enable", Form::Switch),
];

/// What is allowed, if `value` is not; `None` if it is, or if the key is none of these.
pub(super) fn refusal(key: &str, value: &str) -> Option<String> {
    let of_operator = key.strip_prefix(PREFIX).and_then(|key| find(&OPERATOR, key));
    let form = of_operator.or_else(|| find(&EMR, key))?;
    (!form.accepts(value)).then(|| form.allowed())
}

fn find(table: &[(&str, Form)], key: &str) -> Option<Form> {
    table.iter().find(|(known, _)| *known == key).map(|(_, form)| *form)
}

impl Form {
    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Switch => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
            Self::Duration => parse_duration(value).is_ok(),
            Self::Period => value.is_empty() || parse_duration(value).is_ok() || is_quartz(value),
            Self::Count => value.parse::<i32>().is_ok_and(|count| count >= 1),
            Self::Memory => parse_memory_amount(value).is_ok(),
            Self::OneOf(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value)),
        }
    }

    fn allowed(self) -> String {
        match self {
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Duration => format!("a duration ({DURATION_FORMS})"),
            Self::Period => format!("a duration ({DURATION_FORMS}) or a Quartz cron expression of 6 or 7 fields"),
            Self::Count => format!("a whole number from 1 to {}", i32::MAX),
            Self::Memory => MEMORY_AMOUNT_FORMS.to_owned(),
            Self::OneOf(words) => format!("one of `{}`", words.join("`, `")),
        }
    }
}

/// Whether `value` has the shape of a Quartz expression: seconds to day of week, and perhaps a year.
pub(super) fn is_quartz(value: &str) -> bool {
    let is_field = |field: &str| {
        field
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?' | b'/' | b'-' | b',' | b'#'))
    };
    let fields: Vec<&str> = value.split_whitespace().collect();
    (6..=7).contains(&fields.len()) && fields.iter().all(|field| is_field(field))
}
