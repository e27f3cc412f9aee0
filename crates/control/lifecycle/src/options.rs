//! Options of the operator that a resource sets in its Flink configuration, typed.
//!
//! Values were checked when they were declared; one that cannot be read takes its default all the same.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, dynamic configuration, with its older spellings. Two defaults are our own:
//! a resource is looked at every 15 s, and snapshots are not written as resources of their own.

use std::time::Duration;

use kobel_model::deployment::{FlinkConfiguration, SavepointFormat};
use kobel_model::quantity::parse_duration;
use kobel_model::settings::Settings;
use kobel_model::settings::options::{
    CHECKPOINTING_INTERVAL, CHECKPOINTING_MIN_PAUSE, CHECKPOINTING_TIMEOUT, TOLERABLE_FAILED_CHECKPOINTS,
};

use crate::schedule::Schedule;

/// How often checkpoints are taken while a source is behind; zero is never.
const INTERVAL_DURING_BACKLOG: &str = "execution.checkpointing.interval-during-backlog";
/// What every key of the operator begins with.
const PREFIX: &str = "kubernetes.operator.";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many restarts within their window a healthy job may have.
const RESTARTS_MAX: i64 = 64;
/// A job that may fail no checkpoint in a row has time for this many before it counts as stalled.
const CHECKPOINTS_AT_LEAST: u32 = 2;
/// A shorter interval would look without end.
const RECONCILE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// When a job that runs counts as unhealthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The time in which restarts are counted.
    pub restarts_window: Duration,
    /// How many restarts in it are not too many.
    pub restarts_threshold: i64,
    /// The time in which a checkpoint must have been completed; absent if that is not asked for.
    pub checkpoint_window: Option<Duration>,
}

/// How a resource is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How often a settled resource is looked at.
    pub reconcile_interval: Duration,
    /// How savepoints are written.
    pub savepoint_format: SavepointFormat,
    /// Whether sources end and timers fire before a job is stopped with a savepoint.
    pub drain_on_stop: bool,
    /// Whether a savepoint is taken before a job is deleted.
    pub savepoint_on_deletion: bool,
    /// Whether a job that failed for good is started again.
    pub restart_failed: bool,
    /// When a job is started again although it runs; absent if it is not judged.
    pub health_check: Option<HealthCheck>,
    /// Whether a lost job manager is started again.
    pub recover_job_manager: bool,
    /// Whether a change that does not come up is undone.
    pub is_rollback_on: bool,
    /// How long a change may take to come up before it is undone.
    pub readiness_timeout: Duration,
    /// Whether a job that cannot take a savepoint is replaced from its last checkpoint.
    pub last_state_fallback: bool,
    /// How old the checkpoint may be that a job is replaced from; absent for any age.
    pub checkpoint_age_max: Option<Duration>,
    /// How long the job manager of an ended job stays.
    pub shutdown_ttl: Duration,
    /// Whether a change does not wait for a savepoint in progress.
    pub ignore_pending_savepoint: bool,
    /// Whether session jobs keep their session cluster from being deleted.
    pub block_on_session_jobs: bool,
    /// Whether other jobs keep their session cluster from being deleted, too.
    pub block_on_unmanaged_jobs: bool,
    /// When savepoints are taken.
    pub periodic_savepoint: Option<Schedule>,
    /// When checkpoints are asked for.
    pub periodic_checkpoint: Option<Schedule>,
    /// How many savepoints are kept.
    pub savepoint_history_max_count: usize,
    /// How long savepoints are kept.
    pub savepoint_history_max_age: Duration,
    /// Whether old savepoints are deleted.
    pub is_cleanup_on: bool,
    /// How long a snapshot that failed is tried again.
    pub trigger_grace: Duration,
    /// How long a checkpoint or savepoint may take.
    pub checkpointing_timeout: Duration,
    /// Whether snapshots are written as resources of their own.
    pub snapshot_resources: bool,
    /// Whether such a snapshot's files are deleted with its resource.
    pub dispose_on_delete: bool,
}

impl Options {
    /// Reads what a resource sets; what it does not set takes its default.
    pub fn read(configuration: &FlinkConfiguration) -> Self {
        let keys = Keys { configuration };
        let reconcile = keys.duration("reconcile.interval").or_else(|| keys.duration("reconciler.reschedule.interval"));
        let grace = keys
            .duration("savepoint.trigger.grace-period")
            .or_else(|| keys.duration("observer.savepoint.trigger.grace-period"));
        Self {
            reconcile_interval: reconcile.unwrap_or(MINUTE / 4).max(RECONCILE_INTERVAL_MIN),
            savepoint_format: keys.savepoint_format(),
            drain_on_stop: keys.is_on("job.drain-on-savepoint-deletion"),
            savepoint_on_deletion: keys.is_on("job.savepoint-on-deletion"),
            restart_failed: keys.is_on("job.restart.failed"),
            health_check: keys.is_on("cluster.health-check.enabled").then(|| keys.health_check()),
            recover_job_manager: !keys.is_off("jm-deployment-recovery.enabled"),
            is_rollback_on: keys.is_on("deployment.rollback.enabled"),
            readiness_timeout: keys.duration("deployment.readiness.timeout").unwrap_or(5 * MINUTE),
            last_state_fallback: !keys.is_off("job.upgrade.last-state-fallback.enabled"),
            checkpoint_age_max: keys.duration("job.upgrade.last-state.max.allowed.checkpoint.age"),
            shutdown_ttl: keys.duration("jm-deployment.shutdown-ttl").unwrap_or(DAY),
            ignore_pending_savepoint: keys.is_on("job.upgrade.ignore-pending-savepoint"),
            block_on_session_jobs: !keys.is_off("session.deletion.block-on-session-jobs"),
            block_on_unmanaged_jobs: !keys.is_off("session.deletion.block-on-unmanaged-jobs"),
            periodic_savepoint: keys.schedule("periodic.savepoint.interval"),
            periodic_checkpoint: keys.schedule("periodic.checkpoint.interval"),
            savepoint_history_max_count: keys.count("savepoint.history.max.count").unwrap_or(10),
            savepoint_history_max_age: keys.duration("savepoint.history.max.age").unwrap_or(DAY),
            is_cleanup_on: !keys.is_off("savepoint.cleanup.enabled"),
            trigger_grace: grace.unwrap_or(MINUTE),
            checkpointing_timeout: settings(configuration).get(&CHECKPOINTING_TIMEOUT),
            snapshot_resources: keys.is_on("snapshot.resource.enabled"),
            dispose_on_delete: keys.is_on("savepoint.dispose-on-delete"),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::read(&FlinkConfiguration::default())
    }
}

/// The keys of the operator in a configuration, named without their prefix.
struct Keys<'a> {
    configuration: &'a FlinkConfiguration,
}

impl<'a> Keys<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.configuration.get(&format!("{PREFIX}{key}")).map(str::trim)
    }

    /// Whether a switch that is off by default is on.
    fn is_on(&self, key: &str) -> bool {
        self.text(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether a switch that is on by default is off.
    fn is_off(&self, key: &str) -> bool {
        self.text(key).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    }

    fn duration(&self, key: &str) -> Option<Duration> {
        self.text(key).and_then(|value| parse_duration(value).ok())
    }

    fn count(&self, key: &str) -> Option<usize> {
        self.text(key).and_then(|value| value.parse().ok()).filter(|count| *count >= 1)
    }

    /// A schedule; an interval of zero is none.
    fn schedule(&self, key: &str) -> Option<Schedule> {
        let schedule = self.text(key).and_then(|value| Schedule::parse(value).ok())?;
        (schedule != Schedule::Every(Duration::ZERO)).then_some(schedule)
    }

    fn health_check(&self) -> HealthCheck {
        let threshold =
            self.text("cluster.health-check.restarts.threshold").and_then(|value| value.parse::<i64>().ok());
        HealthCheck {
            restarts_window: self.duration("cluster.health-check.restarts.window").unwrap_or(2 * MINUTE),
            restarts_threshold: threshold.filter(|threshold| *threshold >= 0).unwrap_or(RESTARTS_MAX),
            checkpoint_window: self.checkpoint_window(),
        }
    }

    /// The time in which a checkpoint must have been completed: what was said, but never less than as many checkpoints
    /// may take as may fail. A job without checkpoints is only asked for some if a time was said.
    fn checkpoint_window(&self) -> Option<Duration> {
        let said = self.duration("cluster.health-check.checkpoint-progress.window");
        let settings = settings(self.configuration);
        let interval = settings.get(&CHECKPOINTING_INTERVAL);
        if self.is_off("cluster.health-check.checkpoint-progress.enabled") || (said.is_none() && interval.is_none()) {
            return None;
        }
        // While a backlog is worked off there may be none at all.
        if said.is_none() && self.configuration.get(INTERVAL_DURING_BACKLOG).is_some() {
            return None;
        }
        let between = interval.unwrap_or_default().max(settings.get(&CHECKPOINTING_MIN_PAUSE));
        let longest = settings.get(&CHECKPOINTING_TIMEOUT).max(between);
        let tolerated = settings.get(&TOLERABLE_FAILED_CHECKPOINTS).saturating_add(CHECKPOINTS_AT_LEAST);
        Some(said.unwrap_or_default().max(longest.saturating_mul(tolerated)))
    }

    fn savepoint_format(&self) -> SavepointFormat {
        match self.text("savepoint.format.type") {
            Some(value) if value.eq_ignore_ascii_case("NATIVE") => SavepointFormat::Native,
            _ => SavepointFormat::Canonical,
        }
    }
}

/// What is said of checkpoints, within the bounds of the catalogue.
fn settings(configuration: &FlinkConfiguration) -> Settings {
    let mut settings = Settings::new();
    for key in [
        CHECKPOINTING_INTERVAL.key(),
        CHECKPOINTING_MIN_PAUSE.key(),
        CHECKPOINTING_TIMEOUT.key(),
        TOLERABLE_FAILED_CHECKPOINTS.key(),
    ] {
        if let Some(value) = configuration.get(key) {
            // A value that is refused leaves the default in place.
            let _ = settings.set(key, value);
        }
    }
    settings
}

#[cfg(test)]
mod tests;
