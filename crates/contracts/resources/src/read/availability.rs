//! Whether another job manager can take over, and how many there are.
//!
//! The switch of EMR, `highAvailabilityEnabled`, counts as on where it is not set but `emrReleaseLabel` or `storageDir`
//! is: EMR documents it as on, and also documents manifests of images without a release that name no directory.
//! Switched on it needs a directory in S3; switched off there is one job manager, unless the configuration switches
//! Flink's own high availability on.

use kobel_model::deployment::HighAvailability;

use super::findings::Findings;
use super::flink_configuration::{Configuration, Switch};
use super::part::Part;
use crate::problem::Problem;

/// The most job managers, and the most task managers that may be asked for.
pub(super) const REPLICAS_MAX: i64 = 32_768;
/// How many job managers EMR starts unless it is told.
const EMR_REPLICAS: u32 = 2;
/// The key of the directory.
const STORAGE_DIR: &str = "high-availability.storageDir";
/// The key of the operator that rolls back.
const ROLLBACK: &str = "kubernetes.operator.deployment.rollback.enabled";
/// The key of the operator that checks health.
const HEALTH_CHECK: &str = "kubernetes.operator.cluster.health-check.enabled";
/// The key of the operator that recovers a lost job manager.
const RECOVERY: &str = "kubernetes.operator.jm-deployment-recovery.enabled";

/// Reads high availability and the number of job managers.
pub(super) fn read(spec: &Part<'_>, configuration: &Configuration, findings: &mut Findings) -> (HighAvailability, u32) {
    let job_manager = spec.field_or_nothing("jobManager");
    let storage_dir = storage_dir(&job_manager, findings);
    let wanted = job_manager.flag("highAvailabilityEnabled");
    let is_managed = wanted.unwrap_or(spec.has("emrReleaseLabel") || storage_dir.is_some());
    let dir = storage_dir.or_else(|| configuration.get(&[STORAGE_DIR]).map(str::to_owned));
    let is_unclear = findings.is_unclear(configuration.path()) || findings.is_unclear(job_manager.path());
    if is_managed && dir.is_none() && !is_unclear {
        let switch = job_manager.at("highAvailabilityEnabled");
        let detail = format!("a directory in S3 for high availability, which is on unless {switch} is `false`");
        findings.add(Problem::required(job_manager.at("storageDir"), detail));
    }
    let is_on = is_managed || is_on_in(configuration);
    let availability = if is_on { HighAvailability::On { storage_dir: dir } } else { HighAvailability::Off };
    let replicas = replicas(&job_manager, findings);
    if let Some(many) = replicas.filter(|replicas| *replicas > 1 && !is_on && !is_unclear) {
        findings.add(Problem::invalid(job_manager.at("replicas"), many, "must be 1 unless high availability is on"));
    }
    if !is_unclear {
        switches(configuration, &availability, findings);
    }
    (availability, replicas.unwrap_or(if is_managed { EMR_REPLICAS } else { 1 }))
}

/// Whether the configuration switches Flink's own high availability on.
fn is_on_in(configuration: &Configuration) -> bool {
    let kind = configuration.get(&["high-availability.type", "high-availability"]);
    kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("none"))
}

/// Reads the directory in S3.
fn storage_dir(job_manager: &Part<'_>, findings: &mut Findings) -> Option<String> {
    let text = job_manager.text("storageDir")?;
    if !is_s3(text) {
        let allowed = "must be a directory in S3, such as `s3://bucket/ha` (schemes: `s3`, `s3a`, `s3p`)";
        findings.add(Problem::invalid(job_manager.at("storageDir"), text, allowed));
    }
    Some(text.to_owned())
}

/// Whether `text` is the address of something in S3.
pub(super) fn is_s3(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let bucket = rest.split('/').next().unwrap_or_default();
    let is_plain = !text.contains(char::is_whitespace) && !text.contains(char::is_control);
    matches!(scheme, "s3" | "s3a" | "s3p") && !bucket.is_empty() && is_plain
}

/// Reads the number of job managers.
fn replicas(job_manager: &Part<'_>, findings: &mut Findings) -> Option<u32> {
    let replicas = job_manager.integer("replicas")?;
    if !(1..=REPLICAS_MAX).contains(&replicas) {
        let detail = format!("must be from 1 to {REPLICAS_MAX}");
        findings.add(Problem::invalid(job_manager.at("replicas"), replicas, detail));
        return None;
    }
    u32::try_from(replicas).ok()
}

/// Checks the switches of the operator that need something else to be on.
fn switches(configuration: &Configuration, availability: &HighAvailability, findings: &mut Findings) {
    if configuration.is_on(ROLLBACK, Switch::Off) && !availability.is_on() {
        let detail = "needs high availability: set `high-availability.type`, or set this to `false`";
        findings.add(Problem::invalid(configuration.at(ROLLBACK), "true", detail));
    }
    if configuration.is_on(HEALTH_CHECK, Switch::Off) && !configuration.is_on(RECOVERY, Switch::On) {
        let detail = format!("needs `{RECOVERY}` to be `true`");
        findings.add(Problem::invalid(configuration.at(HEALTH_CHECK), "true", detail));
    }
}
