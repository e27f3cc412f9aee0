//! What it takes to bring a deployment of a pair to what is declared.
//!
//! A deployment is compared as it is, not as it was meant to be: what was taken up and given up does not count. The
//! snapshot that it began from is its own and no difference.

use serde_json::Value;

use super::desired::template;
use crate::change::{self, Change};

/// What it takes to bring a deployment to what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Ignore,
    /// It is given what does not matter to its job.
    PatchChild,
    /// Its job is stopped.
    Suspend,
    /// Its job is started again.
    Resume,
    /// The other deployment takes over with its state.
    Transition,
    /// The other deployment takes over from the snapshot that is named.
    SavepointRedeploy,
}

/// What it takes to bring a deployment that declares `spec` to `declared`.
pub fn step(spec: &Value, declared: &Value) -> Step {
    match (is_on(spec), is_on(declared)) {
        (true, false) => return Step::Suspend,
        (false, false) => return Step::Ignore,
        (false, true) => return Step::Resume,
        (true, true) => {}
    }
    match change::diff(spec, &starting_from(declared, origin(spec))).change {
        Change::None => Step::Ignore,
        Change::Ignore => Step::PatchChild,
        Change::Scale | Change::Upgrade => Step::Transition,
        Change::Redeploy => Step::SavepointRedeploy,
    }
}

/// What a deployment that declares `spec` shall declare.
pub fn brought_to(spec: &Value, declared: &Value) -> Value {
    let kept = starting_from(declared, origin(spec));
    // Only who is started from a named snapshot is told its name.
    if change::diff(spec, &kept).change == Change::Redeploy { declared.clone() } else { kept }
}

/// What differs between two specs of a deployment, for a person.
pub fn told(old: &Value, new: &Value) -> String {
    change::diff(old, &starting_from(new, origin(old))).paths.join(", ")
}

/// Whether the spec of a pair asks for something else than `last`, which was taken up before.
pub fn is_new(last: Option<&Value>, spec: &Value) -> bool {
    last.is_none_or(|last| {
        last.get("configuration") != spec.get("configuration")
            || !change::diff(template(last), template(spec)).paths.is_empty()
    })
}

/// Whether the spec of a pair asks to start from a named snapshot, which `last` did not.
pub fn is_redeploy(last: Option<&Value>, spec: &Value) -> bool {
    last.is_some_and(|last| change::diff(template(last), template(spec)).change == Change::Redeploy)
}

/// Whether the job of a deployment shall run; a spec that does not say asks for that.
pub fn is_on(spec: &Value) -> bool {
    let state = spec.pointer("/job/state").and_then(Value::as_str);
    state.is_none_or(|state| !state.eq_ignore_ascii_case("suspended"))
}

/// `spec` with a job that runs.
pub fn on(spec: &Value) -> Value {
    with(spec, "state", Some("running"))
}

/// `spec` with a job that does not run.
pub fn off(spec: &Value) -> Value {
    with(spec, "state", Some("suspended"))
}

/// `spec` with a job that begins from a snapshot, or from nothing.
pub fn starting_from(spec: &Value, snapshot: Option<&str>) -> Value {
    with(spec, "initialSavepointPath", snapshot)
}

/// The snapshot that the job of `spec` begins from.
pub fn origin(spec: &Value) -> Option<&str> {
    spec.pointer("/job/initialSavepointPath").and_then(Value::as_str)
}

fn with(spec: &Value, field: &str, text: Option<&str>) -> Value {
    let mut spec = spec.clone();
    if let Some(job) = spec.get_mut("job").and_then(Value::as_object_mut) {
        match text {
            Some(text) => drop(job.insert(field.to_owned(), Value::from(text))),
            None => drop(job.remove(field)),
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(job: Value) -> Value {
        json!({"flinkVersion": "v2_3", "job": job})
    }

    #[test]
    fn each_difference_takes_its_step() {
        for (old, new, expected) in [
            (json!({"parallelism": 1}), json!({"parallelism": 1, "state": "running"}), Step::Ignore),
            (json!({"parallelism": 1}), json!({"parallelism": 2}), Step::Transition),
            (json!({"parallelism": 1}), json!({"parallelism": 2, "state": "suspended"}), Step::Suspend),
            (json!({"state": "suspended"}), json!({"state": "suspended", "parallelism": 2}), Step::Ignore),
            (json!({"state": "suspended"}), json!({"parallelism": 2}), Step::Resume),
            (json!({"upgradeMode": "savepoint"}), json!({"upgradeMode": "last-state"}), Step::PatchChild),
            (json!({}), json!({"savepointTriggerNonce": 1}), Step::PatchChild),
            (json!({}), json!({"savepointRedeployNonce": 1, "parallelism": 2}), Step::SavepointRedeploy),
            (json!({"initialSavepointPath": "s3://a"}), json!({}), Step::Ignore),
            (json!({}), json!({"initialSavepointPath": "s3://a"}), Step::Ignore),
        ] {
            assert_eq!(step(&spec(old.clone()), &spec(new.clone())), expected, "from {old} to {new}");
        }
    }

    #[test]
    fn a_deployment_keeps_where_it_began_unless_it_is_to_begin_elsewhere() {
        let old = spec(json!({"initialSavepointPath": "s3://own", "savepointRedeployNonce": 1}));
        let change = spec(json!({"initialSavepointPath": "s3://named", "savepointRedeployNonce": 1, "parallelism": 2}));
        assert_eq!(brought_to(&old, &change)["job"]["initialSavepointPath"], "s3://own");
        let redeploy = spec(json!({"initialSavepointPath": "s3://named", "savepointRedeployNonce": 2}));
        assert_eq!(brought_to(&old, &redeploy)["job"]["initialSavepointPath"], "s3://named");
    }

    #[test]
    fn a_change_of_the_keys_of_the_pair_is_news_too() {
        let pair = |grace: &str, parallelism: u32| {
            let template = json!({"spec": {"job": {"parallelism": parallelism}}});
            json!({"configuration": {"grace": grace}, "template": template})
        };
        assert!(is_new(None, &pair("1 s", 1)));
        assert!(!is_new(Some(&pair("1 s", 1)), &pair("1 s", 1)));
        assert!(is_new(Some(&pair("1 s", 1)), &pair("2 s", 1)));
        assert!(is_new(Some(&pair("1 s", 1)), &pair("1 s", 2)));
    }
}
