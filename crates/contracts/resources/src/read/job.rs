//! The job: its program, how parallel it is, and what becomes of its state.

use kobel_model::deployment::{Job, JobState, Nonces, UpgradeMode};

use super::artifact::{self, Reach};
use super::findings::Findings;
use super::flink_configuration::{CHECKPOINT_DIR, Configuration, SAVEPOINT_DIR};
use super::origin::Origin;
use super::part::Part;
use crate::problem::Problem;

/// The highest parallelism that Flink knows.
pub(super) const PARALLELISM_MAX: i64 = 32_768;
/// The key of periodic savepoints.
const PERIODIC_SAVEPOINTS: &str = "kubernetes.operator.periodic.savepoint.interval";
/// The key of the age after which a checkpoint is too old to go on from.
const CHECKPOINT_AGE: &str = "kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age";

/// What a job is read against.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// What is configured.
    pub(super) configuration: &'a Configuration,
    /// For which operator it was written.
    pub(super) origin: Origin,
    /// What its address may be.
    pub(super) reach: Reach,
    /// Whether all of the configuration is known: that of a session cluster which is not there yet is not.
    pub(super) is_whole: bool,
    /// The parallelism that the task managers give, if their number is set.
    pub(super) given: Option<u32>,
}

/// Reads a job.
pub(super) fn read(job: &Part<'_>, around: &Surroundings<'_>, findings: &mut Findings) -> Job {
    let artifact = artifact::read(job, &around.reach, findings);
    let entry_class = words(job, "entryClass", findings);
    if !job.has("jarURI") && entry_class.is_none() {
        let detail = format!("the address of a `.jar`, `.py` or `.sql`, unless {} is set", job.at("entryClass"));
        findings.add(Problem::required(job.at("jarURI"), detail));
    }
    let upgrade_mode = upgrade_mode(job);
    if around.is_whole && !findings.is_unclear(around.configuration.path()) {
        directories(job, upgrade_mode, around.configuration, findings);
    }
    Job {
        artifact,
        entry_class,
        args: job.items("args").iter().filter_map(Part::scalar).collect(),
        parallelism: parallelism(job, around, findings),
        state: if job.text("state") == Some("suspended") { JobState::Suspended } else { JobState::Running },
        upgrade_mode,
        allow_non_restored_state: job.flag("allowNonRestoredState").unwrap_or_default(),
        initial_savepoint_path: words(job, "initialSavepointPath", findings),
        nonces: nonces(job),
    }
}

fn nonces(job: &Part<'_>) -> Nonces {
    Nonces {
        savepoint_trigger: job.integer("savepointTriggerNonce"),
        checkpoint_trigger: job.integer("checkpointTriggerNonce"),
        savepoint_redeploy: job.integer("savepointRedeployNonce"),
        autoscaler_reset: job.integer("autoscalerResetNonce"),
    }
}

/// Reads a text that must not be blank if it is there.
pub(super) fn words(part: &Part<'_>, name: &str, findings: &mut Findings) -> Option<String> {
    let text = part.text(name)?;
    if text.trim().is_empty() || text.contains(char::is_control) {
        findings.add(Problem::invalid(part.at(name), text, "must be text on one line that is not blank"));
    }
    Some(text.to_owned())
}

fn upgrade_mode(job: &Part<'_>) -> UpgradeMode {
    let all = [UpgradeMode::Savepoint, UpgradeMode::LastState];
    let named = all.into_iter().find(|mode| job.text("upgradeMode") == Some(mode.as_str()));
    named.unwrap_or(UpgradeMode::Stateless)
}

/// Reads the parallelism.
fn parallelism(job: &Part<'_>, around: &Surroundings<'_>, findings: &mut Findings) -> u32 {
    let at = job.at("parallelism");
    let least = i64::from(around.given.is_none());
    let set = job.integer("parallelism");
    if let Some(number) = set.filter(|number| !(least..=PARALLELISM_MAX).contains(number)) {
        findings.add(Problem::invalid(at, number, format!("must be from {least} to {PARALLELISM_MAX}")));
        return 1;
    }
    if let Some(given) = around.given {
        return given;
    }
    if let Some(number) = set.and_then(|number| u32::try_from(number).ok()) {
        return number;
    }
    if around.origin == Origin::Apache {
        let detail = format!("a number from 1 to {PARALLELISM_MAX}, unless `taskManager.replicas` is set");
        findings.add(Problem::required(at, detail));
    }
    around.configuration.get(&["parallelism.default"]).and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Checks that there is a directory for every snapshot that will be taken.
fn directories(job: &Part<'_>, mode: UpgradeMode, configuration: &Configuration, findings: &mut Findings) {
    if mode != UpgradeMode::Stateless && configuration.get(&CHECKPOINT_DIR).is_none() {
        let detail = format!("needs a directory for checkpoints in {}", configuration.at(CHECKPOINT_DIR[0]));
        findings.add(Problem::invalid(job.at("upgradeMode"), mode.as_str(), detail));
    }
    if configuration.get(&SAVEPOINT_DIR).is_some() {
        return;
    }
    let detail = format!("needs a directory for savepoints in {}", configuration.at(SAVEPOINT_DIR[0]));
    if mode == UpgradeMode::Savepoint {
        findings.add(Problem::invalid(job.at("upgradeMode"), mode.as_str(), detail.clone()));
    }
    if let Some(nonce) = job.integer("savepointTriggerNonce") {
        findings.add(Problem::invalid(job.at("savepointTriggerNonce"), nonce, detail.clone()));
    }
    for key in [PERIODIC_SAVEPOINTS, CHECKPOINT_AGE] {
        if let Some(value) = configuration.get(&[key]) {
            findings.add(Problem::invalid(configuration.at(key), value, detail.clone()));
        }
    }
}
