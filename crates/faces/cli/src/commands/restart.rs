//! `kobel restart`: stops and starts a job or a session cluster, as its upgrade mode says, with the spec as it is.

use kobel_model::{Error, Result};
use serde_json::{Value, json};

use super::change::{Order, Plan, is_suspended};
use super::client::complete;
use super::reported::Reported;
use super::settling::Goal;
use super::target::Target;
use super::wanted::Wanted;
use crate::args::lifecycle::RestartArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Restarts something and reports what goes wrong.
pub(crate) fn run(arguments: &RestartArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let typed = arguments.target.typed();
    let order = Order {
        wanted: Wanted::new("restart", &typed),
        wait: &arguments.wait,
        api: &arguments.api,
        outcome: if arguments.withdraw { "goes on as before; the restart is withdrawn" } else { "restarted" },
        asked: if arguments.withdraw { "withdrawal of the restart asked for" } else { "restart asked for" },
        already: "is restarted already",
    };
    let what: fn(&Target, &str) -> Result<Plan> = if arguments.withdraw { withdrawal } else { plan };
    complete(&terminal, order.carry_out(what, &terminal))
}

/// Asks for the number again that was carried out last.
fn withdrawal(target: &Target, words: &str) -> Result<Plan> {
    let declared = target.object.pointer("/spec/restartNonce").filter(|nonce| !nonce.is_null());
    let last = Reported::of(&target.object).last_spec();
    let recorded = last.as_ref().map(|last| last.get("restartNonce").filter(|nonce| !nonce.is_null()));
    let Some(before) = recorded.filter(|before| *before != declared) else {
        return Err(Error::invalid(format!("`{}` has no restart that could be withdrawn", target.name()))
            .with_hint(format!("`kobel explain {words}` tells what it waits for")));
    };
    if is_being_stopped(&target.object) {
        return Err(Error::invalid(format!("`{}` is being restarted already, from a savepoint", target.name()))
            .with_hint(format!("`kobel explain {words}` tells how far it is")));
    }
    let goal = if is_suspended(target) { Goal::Suspended } else { Goal::Running };
    Ok(Plan { goal, patch: json!({"spec": {"restartNonce": before}}) })
}

/// Whether the job is being stopped with a savepoint, which nothing withdraws.
fn is_being_stopped(object: &Value) -> bool {
    let text = |field| {
        let value = object.pointer("/status/jobStatus/savepointInfo").and_then(|info| info.get(field));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    !text("triggerId").is_empty() && text("triggerType") == "UPGRADE"
}

fn plan(target: &Target, words: &str) -> Result<Plan> {
    if is_suspended(target) {
        return Err(Error::invalid(format!("`{}` is suspended, so there is nothing to restart", target.name()))
            .with_hint(format!("`kobel resume {words}` starts it")));
    }
    let nonce = next_nonce(target.object.pointer("/spec/restartNonce"));
    Ok(Plan { goal: Goal::Running, patch: json!({"spec": {"restartNonce": nonce}}) })
}

/// Another number than before. Two who restart at the same time ask for the same number, and so for one restart.
fn next_nonce(before: Option<&Value>) -> i64 {
    before.and_then(Value::as_i64).and_then(|nonce| nonce.checked_add(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_suspended_is_resumed_and_not_restarted() {
        let object = json!({"metadata": {"name": "a"}, "spec": {"job": {"state": "suspended"}}});
        let error = plan(&Target::deployment(object), "a -n team").map(drop).unwrap_err();
        assert_eq!(error.hint(), Some("`kobel resume a -n team` starts it"));
    }

    #[test]
    fn a_restart_is_withdrawn_by_the_number_of_before() {
        for (declared, recorded, expected) in [
            (json!(2), json!({"restartNonce": 1}), Some(json!(1))),
            (json!(1), json!({}), Some(json!(null))),
            (json!(1), json!({"restartNonce": 1}), None),
            (json!(null), json!({}), None),
        ] {
            let last = json!({"spec": recorded}).to_string();
            let object = json!({
                "metadata": {"name": "a"}, "spec": {"restartNonce": declared, "job": {}},
                "status": {"reconciliationStatus": {"lastReconciledSpec": last}},
            });
            let patch = withdrawal(&Target::deployment(object), "a")
                .ok()
                .map(|plan| plan.patch["spec"]["restartNonce"].clone());
            assert_eq!(patch, expected, "{declared} {recorded}");
        }
        let last = json!({"spec": {}}).to_string();
        let object = json!({
            "metadata": {"name": "a"}, "spec": {"restartNonce": 1, "job": {}},
            "status": {
                "jobStatus": {"savepointInfo": {"triggerId": "0a", "triggerType": "UPGRADE"}},
                "reconciliationStatus": {"lastReconciledSpec": last},
            },
        });
        let error = withdrawal(&Target::deployment(object), "a").map(drop).unwrap_err();
        assert!(error.to_string().contains("is being restarted already"), "{error}");
        // What never started has nothing to go back to.
        assert!(withdrawal(&Target::deployment(json!({"spec": {"restartNonce": 1}})), "a").is_err());
    }

    #[test]
    fn a_nonce_is_never_that_of_before() {
        for (before, expected) in
            [(None, 1), (Some(json!(null)), 1), (Some(json!(7)), 8), (Some(json!(-1)), 0), (Some(json!(i64::MAX)), 1)]
        {
            assert_eq!(next_nonce(before.as_ref()), expected, "{before:?}");
        }
    }
}
