//! Whether a job that is suspended is known to start without what it has counted so far.
//!
//! Pure: an object in, words out.

use serde_json::Value;

use super::reported::Reported;

/// Whether the job of an object keeps no state when it is stopped.
pub(crate) fn keeps_nothing(object: &Value) -> bool {
    object.get("spec").is_some_and(asks_for_none)
}

/// Whether a spec asks for no state to be kept: one that does not say how it is handed over does. A session cluster has no
/// job that could keep anything.
fn asks_for_none(spec: &Value) -> bool {
    let Some(job) = spec.get("job").filter(|job| !job.is_null()) else { return false };
    let mode = job.get("upgradeMode").and_then(Value::as_str);
    mode.is_none_or(|mode| mode.eq_ignore_ascii_case("stateless"))
}

/// Why a suspended job starts without state, if it does.
pub(crate) fn loss(object: &Value) -> Option<&'static str> {
    let reported = Reported::of(object);
    // What has never run has nothing to lose.
    reported.job_id()?;
    // How it was handed over is recorded when a job is stopped; until then the record tells how the job was started.
    if keeps_nothing(object) || reported.last_spec().as_ref().is_some_and(asks_for_none) {
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
        assert!(!keeps_nothing(&json!({"spec": {}})));
    }

    #[test]
    fn a_job_that_was_started_without_state_keeps_it_if_that_is_asked_for() {
        let last = json!({"spec": {"job": {"upgradeMode": "stateless"}}}).to_string();
        for (mode, expected) in [("savepoint", false), ("last-state", false), ("stateless", true)] {
            let object = json!({
                "spec": {"job": {"upgradeMode": mode}},
                "status": {"jobStatus": {"jobId": "0a"}, "reconciliationStatus": {"lastReconciledSpec": last}},
            });
            assert_eq!(keeps_nothing(&object), expected, "{mode}");
        }
    }
}
