//! The configuration of one start: what the resource sets, without what only an operator reads, with what the start
//! and its place ask for.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkConfigBuilder` (defaults of a job); Apache Flink 1.20,
//! `CheckpointingOptions` and `StateRecoveryOptions` (options that got a new spelling then).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use kobel_model::deployment::{FlinkConfiguration, FlinkVersion, Identity, Job, UpgradeMode};
use kobel_model::settings::redact;

use crate::launch::JobStart;
use crate::place::file_path;

/// The id of the job.
pub(crate) const JOB_ID: &str = "$internal.pipeline.job-id";
/// How parallel the job is.
pub(crate) const PARALLELISM: &str = "parallelism.default";
/// The name of the job.
const NAME: &str = "pipeline.name";
/// The time between two checkpoints.
pub(crate) const CHECKPOINTING_INTERVAL: &str = "execution.checkpointing.interval";
/// The time between two checkpoints of a job that is upgraded from its last one, unless it says so.
const LAST_STATE_INTERVAL: &str = "5 min";
/// Whether checkpoints outlive their job.
pub(crate) const RETENTION: &str = "execution.checkpointing.externalized-checkpoint-retention";
/// They do. Also those of a job without state: it may be asked to hand its state over before it has ended.
pub(crate) const RETAINED: &str = "RETAIN_ON_CANCELLATION";
/// The folder of the application holds its checkpoints here.
const CHECKPOINTS: &str = "checkpoints";
/// The folder of the application holds its savepoints here.
const SAVEPOINTS: &str = "savepoints";
/// What keys begin with that only an operator, or a cluster of Kubernetes, reads.
const FOREIGN: [&str; 2] = ["kubernetes.", "job.autoscaler."];

/// An option that has a newer spelling, which the lines before do not know.
#[derive(Debug, Clone, Copy)]
pub struct Renamed {
    new: &'static str,
    old: &'static [&'static str],
    since: FlinkVersion,
}

/// Where checkpoints go.
pub const CHECKPOINT_DIRECTORY: Renamed = Renamed {
    new: "execution.checkpointing.dir",
    old: &["state.checkpoints.dir", "state.backend.fs.checkpointdir"],
    since: FlinkVersion::V1_20,
};
/// Where savepoints go.
pub const SAVEPOINT_DIRECTORY: Renamed = Renamed {
    new: "execution.checkpointing.savepoint-dir",
    old: &["state.savepoints.dir", "state.backend.fs.savepointdir"],
    since: FlinkVersion::V1_20,
};
/// The snapshot that a job starts from.
pub const RECOVERY_PATH: Renamed =
    Renamed { new: "execution.state-recovery.path", old: &["execution.savepoint.path"], since: FlinkVersion::V1_20 };
/// Whether state that no operator claims is skipped.
pub const IGNORE_UNCLAIMED_STATE: Renamed = Renamed {
    new: "execution.state-recovery.ignore-unclaimed-state",
    old: &["execution.savepoint.ignore-unclaimed-state"],
    since: FlinkVersion::V1_20,
};
/// Who owns the snapshot that a job starts from.
pub const CLAIM_MODE: Renamed = Renamed {
    new: "execution.state-recovery.claim-mode",
    old: &["execution.savepoint-restore-mode"],
    since: FlinkVersion::V1_20,
};

impl Renamed {
    /// An option that has been `new` since a line; `old` are the spellings before, the last of them first.
    pub(crate) const fn new(new: &'static str, old: &'static [&'static str], since: FlinkVersion) -> Self {
        Self { new, old, since }
    }

    /// The spelling that `line` knows.
    pub fn spelling(&self, line: FlinkVersion) -> &'static str {
        let older = self.old.first().copied().filter(|_| line < self.since);
        older.unwrap_or(self.new)
    }

    /// What a resource sets it to, in any of its spellings.
    pub fn declared<'a>(&self, own: &'a FlinkConfiguration) -> Option<&'a str> {
        self.spellings().find_map(|key| own.get(key))
    }

    /// Every spelling, the newest first.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.new).chain(self.old.iter().copied())
    }
}

/// What is configured for one start, by key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    values: BTreeMap<String, String>,
}

impl Configuration {
    /// What a resource sets, without what only an operator reads.
    pub fn of(own: &FlinkConfiguration) -> Self {
        let is_ours = |key: &str| !FOREIGN.iter().any(|prefix| key.starts_with(prefix));
        let kept = own.iter().filter(|(key, _)| is_ours(key));
        Self { values: kept.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() }
    }

    /// Exactly these values, also those that only an operator reads.
    pub(crate) fn whole(values: BTreeMap<String, String>) -> Self {
        Self { values }
    }

    /// Everything, in order of key; secrets are not redacted.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Everything, in order of key; secrets are not redacted.
    pub fn into_values(self) -> BTreeMap<String, String> {
        self.values
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The value of an option in any of its spellings.
    pub fn find(&self, option: &Renamed) -> Option<&str> {
        option.spellings().find_map(|key| self.get(key))
    }

    /// Sets `key` whatever the resource says.
    pub fn force(&mut self, key: &str, value: impl Into<String>) {
        self.values.insert(key.to_owned(), value.into());
    }

    /// Sets `key` unless the resource sets it.
    pub fn default_to(&mut self, key: &str, value: impl Into<String>) {
        self.values.entry(key.to_owned()).or_insert_with(|| value.into());
    }

    /// Takes `key` away.
    pub fn remove(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Takes every key away that begins with `prefix`.
    pub fn remove_below(&mut self, prefix: &str) {
        self.values.retain(|key, _| !key.starts_with(prefix));
    }

    /// Sets an option in the one spelling that `line` knows; without a value the option is not set at all.
    pub fn settle(&mut self, option: &Renamed, line: FlinkVersion, value: Option<String>) {
        for key in option.spellings() {
            self.remove(key);
        }
        if let Some(value) = value {
            self.force(option.spelling(line), value);
        }
    }

    /// Sets an option in the spelling of `line`: what is set in any spelling, else `default`.
    pub(crate) fn settle_or(&mut self, option: &Renamed, line: FlinkVersion, default: impl FnOnce() -> Option<String>) {
        let value = self.find(option).map(str::to_owned).or_else(default);
        self.settle(option, line, value);
    }

    /// Sends snapshots below `folder` unless they go elsewhere.
    pub(crate) fn directories(&mut self, folder: &Path, line: FlinkVersion) {
        self.settle_or(&CHECKPOINT_DIRECTORY, line, || Some(file_path(&folder.join(CHECKPOINTS))));
        self.settle_or(&SAVEPOINT_DIRECTORY, line, || Some(file_path(&folder.join(SAVEPOINTS))));
    }

    /// Says which job it is, and from where it starts.
    pub(crate) fn job(&mut self, job: &Job, of: &Identity, start: &JobStart<'_>, line: FlinkVersion) {
        self.force(JOB_ID, start.job_id);
        self.force(PARALLELISM, job.parallelism.to_string());
        self.default_to(NAME, of.name.clone());
        self.settle(&RECOVERY_PATH, line, start.restore.map(str::to_owned));
        let skips = job.allow_non_restored_state || self.skips_unclaimed_state();
        self.settle(&IGNORE_UNCLAIMED_STATE, line, Some(skips.to_string()));
        self.settle_or(&CLAIM_MODE, line, || None);
    }

    /// Sees to it that there is a checkpoint to go on from where the job is to be upgraded from one.
    pub(crate) fn checkpoints(&mut self, mode: UpgradeMode) {
        if mode == UpgradeMode::LastState {
            self.default_to(CHECKPOINTING_INTERVAL, LAST_STATE_INTERVAL);
        }
    }

    /// Whether state that no operator claims is skipped.
    pub(crate) fn skips_unclaimed_state(&self) -> bool {
        self.find(&IGNORE_UNCLAIMED_STATE).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.values.iter().map(|(key, value)| (key, redact(key, value)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[(&str, &str)]) -> Configuration {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Configuration::of(&FlinkConfiguration::new(values.collect()))
    }

    #[test]
    fn an_option_has_the_one_spelling_that_the_line_knows() {
        let folder = Path::new("/f");
        for (line, key, value, expected) in [
            (FlinkVersion::V1_19, "execution.checkpointing.dir", "s3://b", ("state.checkpoints.dir", "s3://b")),
            (FlinkVersion::V1_20, "state.checkpoints.dir", "s3://b", ("execution.checkpointing.dir", "s3://b")),
            (FlinkVersion::V2_3, "a", "b", ("execution.checkpointing.dir", "file:///f/checkpoints")),
        ] {
            let mut configuration = set(&[(key, value)]);
            configuration.directories(folder, line);
            let found = CHECKPOINT_DIRECTORY.spellings().filter_map(|key| Some((key, configuration.get(key)?)));
            assert_eq!(found.collect::<Vec<_>>(), [expected], "for {line}");
        }
    }

    #[test]
    fn the_snapshot_of_the_start_is_the_only_one() {
        let mut configuration =
            set(&[("execution.savepoint.path", "/old"), ("execution.state-recovery.path", "/older")]);
        configuration.settle(&RECOVERY_PATH, FlinkVersion::V2_3, Some("/new".to_owned()));
        assert_eq!(configuration.values().values().collect::<Vec<_>>(), ["/new"]);
        configuration.settle(&RECOVERY_PATH, FlinkVersion::V2_3, None);
        assert!(configuration.values().is_empty());
    }

    #[test]
    fn what_is_printed_hides_secrets_and_what_is_for_an_operator_is_gone() {
        let configuration = set(&[
            ("s3.secret-key", "hunter2"),
            ("kubernetes.operator.job.restart.failed", "true"),
            ("job.autoscaler.enabled", "true"),
        ]);
        assert_eq!(format!("{configuration:?}"), "{\"s3.secret-key\": \"******\"}");
    }
}
