//! The two fields of a recorded spec that tell what is deployed and how the state is handed over.

use kobel_model::deployment::UpgradeMode;
use serde_json::Value;

/// The numbers that ask for a snapshot of the job while it runs.
const TRIGGER_NONCES: [&str; 2] = ["savepointTriggerNonce", "checkpointTriggerNonce"];

/// Whether the job of `spec` is one that runs; a spec that does not say asks for that.
pub fn is_running(spec: &Value) -> bool {
    text(spec, "/job/state").is_none_or(|state| !state.eq_ignore_ascii_case("suspended"))
}

/// How the state is handed over; a spec that does not say hands over nothing.
pub fn mode(spec: &Value) -> UpgradeMode {
    match text(spec, "/job/upgradeMode") {
        Some("savepoint") => UpgradeMode::Savepoint,
        Some("last-state") => UpgradeMode::LastState,
        _ => UpgradeMode::Stateless,
    }
}

/// `spec` with a job that runs.
pub fn running(spec: &Value) -> Value {
    with(spec, "state", Value::from("running"))
}

/// `spec` with a job that does not run.
pub fn stopped(spec: &Value) -> Value {
    with(spec, "state", Value::from("suspended"))
}

/// `spec` with a job that does not run and whose state is handed over by `mode`.
pub fn handed_over(spec: &Value, mode: UpgradeMode) -> Value {
    with(&stopped(spec), "upgradeMode", Value::from(mode.as_str()))
}

/// `spec` as [`handed_over`] makes it, as what follows `last`. Snapshots that `last` does not know to have been asked
/// for are still to be taken once the job runs.
pub fn succeeding(spec: &Value, mode: UpgradeMode, last: Option<&Value>) -> Value {
    let mut next = handed_over(spec, mode);
    if let (Some(last), Some(job)) = (last, next.get_mut("job").and_then(Value::as_object_mut)) {
        for field in TRIGGER_NONCES {
            match last.get("job").and_then(|job| job.get(field)) {
                Some(nonce) => job.insert(field.to_owned(), nonce.clone()),
                None => job.remove(field),
            };
        }
    }
    next
}

/// `spec` with a number that asks for something once.
pub fn with_nonce(spec: &Value, field: &str, nonce: i64) -> Value {
    with(spec, field, Value::from(nonce))
}

/// The number that asks for something once.
pub fn nonce(spec: &Value, field: &str) -> Option<i64> {
    spec.get("job")?.get(field)?.as_i64()
}

/// Whether two specs ask for different lines of Flink.
pub fn has_other_version(one: &Value, other: &Value) -> bool {
    ["/flinkVersion", "/emrReleaseLabel"].iter().any(|field| text(one, field) != text(other, field))
}

fn text<'a>(spec: &'a Value, pointer: &str) -> Option<&'a str> {
    spec.pointer(pointer).and_then(Value::as_str)
}

fn with(spec: &Value, field: &str, value: Value) -> Value {
    let mut spec = spec.clone();
    if let Some(job) = spec.get_mut("job").and_then(Value::as_object_mut) {
        job.insert(field.to_owned(), value);
    }
    spec
}
