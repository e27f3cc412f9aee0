//! What the status of an object reports, word by word, whoever wrote it; what it does not say is absent.
//!
//! Nothing is concluded here.

use serde_json::Value;

/// The reason of a change that cannot be carried out, so that what was carried out last stays.
pub(crate) const REFUSED: &str = "ChangeRefused";
/// The condition that tells whether everything is as it was asked for.
pub(crate) const SETTLED: &str = "Settled";
/// The condition that tells whether every field has an effect.
pub(crate) const HONOURED: &str = "Honoured";
/// The condition that tells whether the job runs.
pub(crate) const RUNNING: &str = "Running";

/// An object as its status tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported<'a> {
    object: &'a Value,
}

/// One condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition<'a> {
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    /// When its status became what it is, empty if nobody says so.
    pub(crate) since: &'a str,
    /// For which generation it was written, if it says so.
    pub(crate) generation: Option<i64>,
}

impl<'a> Reported<'a> {
    /// Looks at an object.
    pub(crate) fn of(object: &'a Value) -> Self {
        Self { object }
    }

    /// The generation of what is declared.
    pub(crate) fn generation(self) -> i64 {
        self.object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
    }

    /// The generation that was last acted on.
    pub(crate) fn observed(self) -> Option<i64> {
        self.object.pointer("/status/observedGeneration").and_then(Value::as_i64)
    }

    /// Since when the object is there.
    pub(crate) fn created(self) -> Option<&'a str> {
        self.text("/metadata/creationTimestamp")
    }

    /// Since when the object is being deleted.
    pub(crate) fn leaving_since(self) -> Option<&'a str> {
        self.text("/metadata/deletionTimestamp")
    }

    /// The state of the object as a whole: `STABLE`.
    pub(crate) fn lifecycle(self) -> Option<&'a str> {
        self.text("/status/lifecycleState")
    }

    /// The state of the job: `RUNNING`.
    pub(crate) fn job_state(self) -> Option<&'a str> {
        self.text("/status/jobStatus/state")
    }

    /// When the job started, in milliseconds since 1970.
    pub(crate) fn started(self) -> Option<&'a str> {
        self.text("/status/jobStatus/startTime")
    }

    /// The identifier of the job.
    pub(crate) fn job_id(self) -> Option<&'a str> {
        self.text("/status/jobStatus/jobId")
    }

    /// Where the job starts from when it starts again.
    pub(crate) fn restore_path(self) -> Option<&'a str> {
        self.text("/status/jobStatus/upgradeSavepointPath")
    }

    /// The spec that was carried out last.
    pub(crate) fn last_spec(self) -> Option<Value> {
        let recorded = self.text("/status/reconciliationStatus/lastReconciledSpec")?;
        serde_json::from_str::<Value>(recorded).ok()?.get_mut("spec").map(Value::take)
    }

    /// How far the job manager is up: `READY`.
    pub(crate) fn job_manager(self) -> Option<&'a str> {
        self.text("/status/jobManagerDeploymentStatus")
    }

    /// A fact about the cluster.
    pub(crate) fn fact(self, name: &str) -> Option<&'a str> {
        let fact = self.object.pointer("/status/clusterInfo")?.get(name)?.as_str()?;
        Some(fact).filter(|fact| !fact.is_empty())
    }

    /// The last error in words.
    pub(crate) fn error(self) -> Option<String> {
        let text = self.text("/status/error")?;
        let Ok(Value::Object(error)) = serde_json::from_str::<Value>(text) else { return Some(text.to_owned()) };
        let mut words: Vec<&str> = error.get("message").and_then(Value::as_str).into_iter().collect();
        let causes = error.get("throwableList").and_then(Value::as_array).into_iter().flatten();
        for cause in causes.filter_map(|cause| cause.get("message")?.as_str()) {
            // A cause is often quoted by what it caused.
            if !words.iter().any(|known| known.contains(cause)) {
                words.push(cause);
            }
        }
        Some(if words.is_empty() { text.to_owned() } else { words.join(": ") })
    }

    /// A condition.
    pub(crate) fn condition(self, kind: &str) -> Option<Condition<'a>> {
        let conditions = self.object.pointer("/status/conditions")?.as_array()?;
        let found = conditions.iter().find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))?;
        let text = |field: &str| found.get(field).and_then(Value::as_str).unwrap_or_default();
        Some(Condition {
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
            since: text("lastTransitionTime"),
            generation: found.get("observedGeneration").and_then(Value::as_i64),
        })
    }

    fn text(self, path: &str) -> Option<&'a str> {
        self.object.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_told_in_words() {
        let wrapped = r#"{"type":"ReconciliationException","message":"cannot start: no room","throwableList":[
            {"message":"no room"},{"message":"disk full"},{"type":"Nameless"}]}"#;
        for (error, expected) in [
            (json!(wrapped), Some("cannot start: no room: disk full")),
            (json!(r#"{"type":"X"}"#), Some(r#"{"type":"X"}"#)),
            (json!("plain words"), Some("plain words")),
            (json!(""), None),
            (json!(null), None),
        ] {
            let object = json!({"status": {"error": error}});
            assert_eq!(Reported::of(&object).error().as_deref(), expected);
        }
    }

    #[test]
    fn the_last_spec_is_read_from_its_record() {
        for (recorded, expected) in [
            (json!(r#"{"spec":{"restartNonce":1},"resource_metadata":{}}"#), Some(json!({"restartNonce": 1}))),
            (json!("no record"), None),
            (json!(null), None),
        ] {
            let object = json!({"status": {"reconciliationStatus": {"lastReconciledSpec": recorded}}});
            assert_eq!(Reported::of(&object).last_spec(), expected);
        }
    }

    #[test]
    fn what_is_not_said_is_absent() {
        for object in [json!({}), json!({"metadata": {}, "status": {}}), json!(null)] {
            let reported = Reported::of(&object);
            assert_eq!((reported.generation(), reported.observed(), reported.lifecycle()), (0, None, None));
            assert_eq!((reported.condition(SETTLED), reported.fact("rest-url"), reported.error()), (None, None, None));
        }
    }

    #[test]
    fn a_condition_is_found_by_its_type() {
        let object = json!({"status": {"conditions": [
            {"type": "Running", "status": "True"},
            {"type": "Settled", "status": "False", "reason": "Savepoint", "message": "waits", "observedGeneration": 3,
             "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ]}});
        let since = "2026-01-01T00:00:00Z";
        let expected = Condition { status: "False", reason: "Savepoint", message: "waits", since, generation: Some(3) };
        assert_eq!(Reported::of(&object).condition(SETTLED), Some(expected));
        assert_eq!(Reported::of(&object).condition(HONOURED), None);
    }
}
