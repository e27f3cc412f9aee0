//! How a change is withdrawn that was asked for and is not carried out.
//!
//! Pure: an object in, words out. What was asked for stays in the spec, whatever became of the command that asked.

use serde_json::Value;

use super::reported::Reported;

/// The fields that commands change by themselves.
const BY_COMMAND: [&str; 3] = ["/restartNonce", "/job/parallelism", "/job/state"];

/// What is done to withdraw what an object asks for and does not have yet; `words` are those by which commands are told
/// of it.
pub(crate) fn withdrawal(object: &Value, words: &str) -> String {
    let commands = commands(object, words).unwrap_or_default();
    if commands.is_empty() {
        return "undo it in the manifest and `kobel apply -f FILE`".to_owned();
    }
    commands.join(" and ")
}

/// The commands that undo it, if commands do.
fn commands(object: &Value, words: &str) -> Option<Vec<String>> {
    let last = Reported::of(object).last_spec()?;
    let declared = object.get("spec")?;
    if without_commands(declared) != without_commands(&last) {
        return None;
    }
    let differs = |path: &str| declared.pointer(path) != last.pointer(path);
    let mut commands = Vec::new();
    if differs("/restartNonce") {
        commands.push(format!("`kobel restart {words} --withdraw`"));
    }
    if differs("/job/parallelism") {
        let before = last.pointer("/job/parallelism").and_then(Value::as_u64)?;
        commands.push(format!("`kobel rescale {words} {before}`"));
    }
    // In the midst of a change it is recorded as suspended, whatever was asked for.
    let rests = object.pointer("/status/lifecycleState").and_then(Value::as_str) == Some("SUSPENDED");
    if rests && is_suspended(&last) && !is_suspended(declared) {
        commands.push(format!("`kobel suspend {words}`"));
    }
    Some(commands)
}

/// A spec without the fields that commands change, and without how the state is handed over, which is recorded as it
/// was done and not as it was asked for.
fn without_commands(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for path in BY_COMMAND.into_iter().chain(["/job/upgradeMode"]) {
        if let Some((parent, field)) = path.rsplit_once('/')
            && let Some(fields) = spec.pointer_mut(parent).and_then(Value::as_object_mut)
        {
            fields.remove(field);
        }
    }
    spec
}

fn is_suspended(spec: &Value) -> bool {
    let state = spec.pointer("/job/state").and_then(Value::as_str);
    state.is_some_and(|state| state.eq_ignore_ascii_case("suspended"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_change_is_withdrawn_by_its_own_command() {
        let manifest = "undo it in the manifest and `kobel apply -f FILE`";
        let last = json!({"image": "a", "job": {"parallelism": 2, "state": "running", "upgradeMode": "last-state"}});
        let rest = json!({"image": "a", "job": {"parallelism": 2, "state": "suspended", "upgradeMode": "savepoint"}});
        for (declared, last, expected) in [
            (
                json!({"image": "a", "restartNonce": 1, "job": {"parallelism": 2, "upgradeMode": "savepoint"}}),
                &last,
                "`kobel restart orders -n team --withdraw`",
            ),
            (
                json!({"image": "a", "job": {"parallelism": 3, "upgradeMode": "savepoint"}}),
                &last,
                "`kobel rescale orders -n team 2`",
            ),
            (
                json!({"image": "a", "job": {"parallelism": 2, "state": "running"}}),
                &rest,
                "`kobel suspend orders -n team`",
            ),
            (
                json!({"image": "a", "restartNonce": 1, "job": {"parallelism": 3, "upgradeMode": "savepoint"}}),
                &last,
                "`kobel restart orders -n team --withdraw` and `kobel rescale orders -n team 2`",
            ),
            (json!({"image": "b", "restartNonce": 1, "job": {"parallelism": 2}}), &last, manifest),
            (json!({"image": "a", "job": {"parallelism": 2}}), &last, manifest),
        ] {
            let recorded = json!({"spec": last}).to_string();
            let status = json!({
                "lifecycleState": "SUSPENDED", "reconciliationStatus": {"lastReconciledSpec": recorded},
            });
            let mut object = json!({"spec": declared, "status": status});
            assert_eq!(withdrawal(&object, "orders -n team"), expected, "{object}");
            object["status"]["lifecycleState"] = json!("UPGRADING");
            assert!(!withdrawal(&object, "orders -n team").contains("suspend"), "{object}");
        }
        assert_eq!(withdrawal(&json!({"spec": {"restartNonce": 1}}), "orders"), manifest);
    }
}
