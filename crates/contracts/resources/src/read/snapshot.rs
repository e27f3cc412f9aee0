//! A snapshot: a savepoint or a checkpoint, of a job of the same namespace.
//!
//! A reference never carries a namespace, so a job of somebody else is no different from one that does not exist.

use kobel_model::deployment::{JobReference, ReferencedKind, SavepointFormat, SnapshotKind, StateSnapshot};

use super::context::Context;
use super::findings::Findings;
use super::job::words;
use super::names;
use super::part::Part;
use crate::problem::Problem;

/// How often a snapshot may be tried again at most.
const BACKOFF_MAX: i64 = 1_000_000;

/// Reads a snapshot.
pub(super) fn read(root: &Part<'_>, context: &Context<'_>, findings: &mut Findings) -> StateSnapshot {
    let spec = root.field_or_nothing("spec");
    let kind = kind(&spec, findings);
    let exists = matches!(kind, SnapshotKind::Savepoint { already_exists: true, .. });
    let job = reference(&spec, findings);
    match &job {
        None if !exists && !findings.is_unclear(&spec.at("jobReference")) => {
            let detail = "the kind (`FlinkDeployment` or `FlinkSessionJob`) and the name of what declares the job";
            findings.add(Problem::required(spec.at("jobReference"), detail));
        }
        Some(job) if !exists && is_pending(root) => target(&spec, job, context, findings),
        _ => {}
    }
    StateSnapshot { identity: names::identity(root), job, kind, backoff_limit: backoff(&spec, findings) }
}

/// Reads what is taken: exactly one of the two.
fn kind(spec: &Part<'_>, findings: &mut Findings) -> SnapshotKind {
    let savepoint = spec.field("savepoint");
    let is_unclear = findings.is_unclear(&spec.at("savepoint")) || findings.is_unclear(&spec.at("checkpoint"));
    match (&savepoint, spec.has("checkpoint")) {
        (Some(_), true) => {
            let detail = format!("must not stand beside {}: exactly one of the two", spec.at("savepoint"));
            findings.add(Problem::forbidden(spec.at("checkpoint"), detail));
        }
        (None, false) if !is_unclear => {
            let detail = format!("exactly one of this and {}", spec.at("checkpoint"));
            findings.add(Problem::required(spec.at("savepoint"), detail));
        }
        _ => {}
    }
    let Some(part) = savepoint else {
        return SnapshotKind::Checkpoint;
    };
    let path = words(&part, "path", findings);
    let already_exists = part.flag("alreadyExists").unwrap_or_default();
    if already_exists && path.is_none() {
        findings.add(Problem::required(part.at("path"), "where the savepoint lies that exists already"));
    }
    SnapshotKind::Savepoint {
        path,
        format: match part.text("formatType") {
            Some("NATIVE") => SavepointFormat::Native,
            Some("UNKNOWN") => SavepointFormat::Unknown,
            _ => SavepointFormat::Canonical,
        },
        dispose_on_delete: part.flag("disposeOnDelete").unwrap_or(true),
        already_exists,
    }
}

/// Reads the reference to the job, if it is whole.
fn reference(spec: &Part<'_>, findings: &mut Findings) -> Option<JobReference> {
    let part = spec.field("jobReference")?;
    let all = [ReferencedKind::FlinkDeployment, ReferencedKind::FlinkSessionJob];
    let kind = all.into_iter().find(|kind| part.text("kind") == Some(kind.as_str()));
    if kind.is_none() {
        findings.add(Problem::required(part.at("kind"), "`FlinkDeployment` or `FlinkSessionJob`"));
    }
    let name = part.text("name").filter(|name| !name.is_empty());
    if name.is_none() {
        findings.add(Problem::required(part.at("name"), "the name of what declares the job"));
    }
    let (kind, name) = (kind.unwrap_or(ReferencedKind::FlinkDeployment), name.unwrap_or_default().to_owned());
    Some(JobReference { kind, name })
}

/// Whether nothing was done yet, so that the job must be there.
fn is_pending(root: &Part<'_>) -> bool {
    let state = root.field_or_nothing("status").text("state");
    state.is_none_or(|state| state.is_empty() || state == "TRIGGER_PENDING")
}

/// Checks that the job is declared.
fn target(spec: &Part<'_>, job: &JobReference, context: &Context<'_>, findings: &mut Findings) {
    let at = spec.field_or_nothing("jobReference").at("name");
    if !job.name.is_empty() && (context.find)(job.kind.as_str(), &job.name).is_none() {
        let detail = format!("must name a {} of this namespace", job.kind.as_str());
        findings.add(Problem::invalid(at, job.name.clone(), detail));
    }
}

/// Reads how often it is tried again; -1 is for ever.
fn backoff(spec: &Part<'_>, findings: &mut Findings) -> Option<u32> {
    let limit = spec.integer("backoffLimit").unwrap_or(-1);
    if !(-1..=BACKOFF_MAX).contains(&limit) {
        let detail = format!("must be -1, which is for ever, or from 0 to {BACKOFF_MAX}");
        findings.add(Problem::invalid(spec.at("backoffLimit"), limit, detail));
    }
    u32::try_from(limit).ok()
}
