//! What is accepted and still worth a word: fields that are superseded, options that look misspelled.

use kobel_model::settings::{catalogue, entry};

use super::findings::Findings;
use super::part::Part;

/// Fields of a job that are superseded.
const SUPERSEDED: [&str; 2] = ["savepointTriggerNonce", "checkpointTriggerNonce"];

/// Warns about fields of a deployment.
pub(super) fn deployment(spec: &Part<'_>, findings: &mut Findings) {
    job(spec, findings);
    for component in ["jobManager", "taskManager"] {
        let part = spec.field_or_nothing(component);
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

/// How many characters of a key may differ for it to count as a slip; options that Kobel does not know are no slips.
const SLIP_MAX: usize = 2;
/// How many may be too many or missing: `checkpoint` for `checkpointing`.
const GAP_MAX: usize = 3;

/// How many characters a key has in which so many count.
const LONG_MIN: usize = 20;

/// Warns about a key that is no known option and looks like one; `at` is where it stands.
pub(super) fn option(at: &str, key: &str, findings: &mut Findings) {
    if entry(key).is_some() {
        return;
    }
    let mut known = catalogue().iter().flat_map(|entry| {
        let old = entry.deprecated.iter().map(String::as_str);
        std::iter::once(entry.key.as_str()).chain(old)
    });
    if let Some(meant) = known.find(|meant| is_slip(key, meant)) {
        findings.warn(format!("{at}: is no option that is known; did you mean `{meant}`?"));
    }
}

/// Whether two keys differ in one short stretch only.
fn is_slip(key: &str, meant: &str) -> bool {
    // Most keys are told apart by their length alone; a character has at most four bytes.
    if key.len().abs_diff(meant.len()) > 4 * SLIP_MAX {
        return false;
    }
    let (key, meant): (Vec<char>, Vec<char>) = (key.chars().collect(), meant.chars().collect());
    let prefix = key.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let rest = key.len().min(meant.len()) - prefix;
    let suffix = key.iter().rev().zip(meant.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let longest = key.len().max(meant.len()) - prefix - suffix;
    // Short keys are near to many; in long ones an ending is easily left out.
    let is_gap = prefix + suffix == key.len().min(meant.len()) && suffix > 0 && key.len() >= LONG_MIN;
    longest <= if is_gap { GAP_MAX } else { SLIP_MAX }
}

fn job(spec: &Part<'_>, findings: &mut Findings) {
    let job = spec.field_or_nothing("job");
    for name in SUPERSEDED {
        if job.has(name) {
            findings.warn(format!("{}: is superseded by FlinkStateSnapshot resources", job.at(name)));
        }
    }
}
