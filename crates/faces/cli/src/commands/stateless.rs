//! Whether a job that is suspended is known to start without what it has counted so far.
//!
//! Pure: an object in, words out.

use serde_json::Value;

use super::reported::Reported;

/// Whether the job of an object keeps no state when it is stopped, or kept none: a spec that does not say how its state
/// is handed over asks for that.
pub(crate) fn is_stateless(object: &Value) -> bool {
    let is_asked = |spec: &Value| {
        let mode = spec.pointer("/job/upgradeMode").and_then(Value::as_str);
        mode.is_none_or(|mode| mode.eq_ignore_ascii_case("stateless"))
    };
    let Some(spec) = object.get("spec") else { return false };
    // A session cluster has no job that could keep anything.
    let has_job = spec.get("job").is_some_and(|job| !job.is_null());
    has_job && (is_asked(spec) || Reported::of(object).last_spec().is_some_and(|last| is_asked(&last)))
}

/// Why a suspended job starts without state, if it does.
pub(crate) fn loss(object: &Value) -> Option<&'static str> {
    let reported = Reported::of(object);
    // What has never run has nothing to lose.
    reported.job_id()?;
    if is_stateless(object) {
        return Some("its state was not kept, as `job.upgradeMode: stateless` asks");
    }
    reported.restore_path().is_none().then_some("no snapshot of it is known")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_loss_is_told_of_what_has_run_and_left_nothing() {
        let stateless = Some("its state was not kept, as `job.upgradeMode: stateless` asks");
        let saved = json!({"jobId": "0a", "upgradeSavepointPath": "file:///s"});
        for (mode, recorded, job, expected) in [
            (json!("savepoint"), "savepoint", saved.clone(), None),
            (json!("last-state"), "last-state", saved.clone(), None),
            (json!("savepoint"), "last-state", json!({"jobId": "0a"}), Some("no snapshot of it is known")),
            (json!("savepoint"), "savepoint", json!({}), None),
            (json!("stateless"), "stateless", saved.clone(), stateless),
            (json!("savepoint"), "stateless", saved.clone(), stateless),
            (json!("stateless"), "savepoint", saved.clone(), stateless),
            (json!(null), "savepoint", saved.clone(), stateless),
            (json!("stateless"), "stateless", json!({}), None),
        ] {
            let last = json!({"spec": {"job": {"upgradeMode": recorded}}}).to_string();
            let object = json!({
                "spec": {"job": {"upgradeMode": mode}},
                "status": {"jobStatus": job, "reconciliationStatus": {"lastReconciledSpec": last}},
            });
            assert_eq!(loss(&object), expected, "{object}");
        }
        assert!(!is_stateless(&json!({"spec": {}})));
    }
}
