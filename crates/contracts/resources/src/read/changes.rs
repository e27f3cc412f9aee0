//! What may not change once it is declared.
//!
//! The measure is the spec that was deployed last, as the status records it, or else the spec that is stored.

use kobel_model::deployment::{FlinkVersion, Mode, UpgradeMode};
use serde_json::Value;

use super::context::Context;
use super::findings::Findings;
use super::part::Part;
use crate::problem::Problem;

/// Checks what changed of a deployment.
pub(super) fn deployment(spec: &Part<'_>, context: &Context<'_>, findings: &mut Findings) {
    let Some(previous) = context.previous.map(deployed) else {
        return;
    };
    let before = Part::new(&previous, spec.path());
    application(spec, &before, findings);
    mode(spec, &before, findings);
    if context.previous.is_some_and(|object| is_news(spec, object)) {
        version(spec, &before, findings);
    }
    if let Some(job) = spec.field("job") {
        redeploy(&job, &before.field_or_nothing("job"), findings);
    }
}

/// Checks what changed of a session job.
pub(super) fn session_job(spec: &Part<'_>, context: &Context<'_>, findings: &mut Findings) {
    let Some(previous) = context.previous.map(deployed) else {
        return;
    };
    let before = Part::new(&previous, spec.path());
    let names = (spec.text("deploymentName"), before.text("deploymentName"));
    if let (Some(now), Some(then)) = names
        && now != then
    {
        let detail = format!("cannot change: must stay `{then}`");
        findings.add(Problem::invalid(spec.at("deploymentName"), now, detail));
    }
    if let Some(job) = spec.field("job") {
        redeploy(&job, &before.field_or_nothing("job"), findings);
    }
}

/// The spec that was deployed last.
fn deployed(object: &Value) -> Value {
    let recorded = object.pointer("/status/reconciliationStatus/lastReconciledSpec").and_then(Value::as_str);
    let recorded = recorded.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let spec = recorded.as_ref().and_then(|record| record.get("spec")).or_else(|| object.get("spec"));
    spec.cloned().unwrap_or_default()
}

/// A session cluster stays one, and so does a cluster with a job.
fn application(spec: &Part<'_>, before: &Part<'_>, findings: &mut Findings) {
    let is_known = before.value().is_object() && !findings.is_unclear(&spec.at("job"));
    match (before.has("job"), spec.has("job")) {
        (true, false) if is_known => {
            findings.add(Problem::required(spec.at("job"), "a job cannot be taken away: it would become a session"));
        }
        (false, true) if is_known => {
            findings.add(Problem::forbidden(spec.at("job"), "a session cluster cannot become one with a job"));
        }
        _ => {}
    }
}

fn mode(spec: &Part<'_>, before: &Part<'_>, findings: &mut Findings) {
    let native = Mode::Native.as_str();
    let (now, then) = (spec.text("mode").unwrap_or(native), before.text("mode").unwrap_or(native));
    if now != then && before.value().is_object() {
        findings.add(Problem::invalid(spec.at("mode"), now, format!("cannot change: must stay `{then}`")));
    }
}

/// Whether another version is asked for than is stored, of a deployment about which nothing is under way. What was let in
/// is carried out.
fn is_news(spec: &Part<'_>, object: &Value) -> bool {
    let said = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let is_under_way = matches!(said("/status/reconciliationStatus/state"), Some("UPGRADING" | "ROLLING_BACK"));
    !is_under_way && spec.text("flinkVersion") != said("/spec/flinkVersion")
}

/// A job that waits with its last state must go on with the version that wrote it.
fn version(spec: &Part<'_>, before: &Part<'_>, findings: &mut Findings) {
    let parsed = |part: &Part<'_>| part.text("flinkVersion").and_then(FlinkVersion::parse);
    let (Some(now), Some(then)) = (parsed(spec), parsed(before)) else {
        return;
    };
    let (job, job_before) = (spec.field_or_nothing("job"), before.field_or_nothing("job"));
    let is_stateless = job.text("upgradeMode").is_none_or(|mode| mode == UpgradeMode::Stateless.as_str());
    let waits = job_before.text("state") == Some("suspended");
    let keeps = job_before.text("upgradeMode") == Some(UpgradeMode::LastState.as_str());
    if now != then && waits && keeps && !is_stateless {
        let detail = format!(
            "must stay `{}` while the job is suspended with its last state, unless {} is `stateless`",
            then.as_str(),
            job.at("upgradeMode")
        );
        findings.add(Problem::invalid(spec.at("flinkVersion"), now.as_str(), detail));
    }
}

/// Starting anew needs something to start from.
fn redeploy(job: &Part<'_>, before: &Part<'_>, findings: &mut Findings) {
    let Some(nonce) = job.integer("savepointRedeployNonce") else {
        return;
    };
    let is_changed = before.integer("savepointRedeployNonce") != Some(nonce);
    let has_path = job.text("initialSavepointPath").is_some_and(|path| !path.trim().is_empty());
    if is_changed && !has_path && !findings.is_unclear(&job.at("initialSavepointPath")) {
        let detail = "the savepoint from which the changed `savepointRedeployNonce` starts the job";
        findings.add(Problem::required(job.at("initialSavepointPath"), detail));
    }
}
