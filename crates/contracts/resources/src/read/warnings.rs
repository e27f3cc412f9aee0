//! What is accepted and still worth a word: fields that are superseded, fields that nobody documents.

use super::findings::Findings;
use super::part::Part;

/// Fields of a job that are superseded.
const SUPERSEDED: [&str; 2] = ["savepointTriggerNonce", "checkpointTriggerNonce"];

/// Warns about fields of a deployment.
pub(super) fn deployment(spec: &Part<'_>, findings: &mut Findings) {
    job(spec, findings);
    for component in ["jobManager", "taskManager"] {
        let part = spec.field_or_nothing(component);
        if part.has("nodeSelector") {
            findings.warn(format!(
                "{}: is read by no operator; put it into {}",
                part.at("nodeSelector"),
                part.field_or_nothing("podTemplate").field_or_nothing("spec").at("nodeSelector")
            ));
        }
        if part.has("resource") && part.has("resources") {
            findings.warn(format!("{}: {} wins over it", part.at("resource"), part.at("resources")));
        }
    }
    let role = spec.has("executionRoleArn");
    let release = spec.has("emrReleaseLabel");
    let job_manager = spec.field_or_nothing("jobManager");
    if role && !release && !job_manager.has("storageDir") && !job_manager.has("highAvailabilityEnabled") {
        let (dir, label) = (job_manager.at("storageDir"), spec.at("emrReleaseLabel"));
        findings.warn(format!("{dir}: high availability is off without it and without {label}"));
    }
}

/// Warns about fields of a session job.
pub(super) fn session_job(spec: &Part<'_>, findings: &mut Findings) {
    job(spec, findings);
}

fn job(spec: &Part<'_>, findings: &mut Findings) {
    let job = spec.field_or_nothing("job");
    for name in SUPERSEDED {
        if job.has(name) {
            findings.warn(format!("{}: is superseded by FlinkStateSnapshot resources", job.at(name)));
        }
    }
}
