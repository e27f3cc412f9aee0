//! `kobel restart`: stops and starts a job or a session cluster, as its upgrade mode says, with the spec as it is.

use kobel_model::{Error, Result};
use serde_json::{Value, json};

use super::change::{Order, Plan, is_suspended};
use super::client::complete;
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
        outcome: "restarted",
        asked: "restart asked for",
        already: "is restarted already",
    };
    complete(&terminal, order.carry_out(plan, &terminal))
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
    use kobel_kubernetes::kinds::Served;

    use super::*;

    #[test]
    fn what_is_suspended_is_resumed_and_not_restarted() {
        let served = Served {
            group: "flink.apache.org".to_owned(),
            version: "v1beta1".to_owned(),
            plural: "flinkdeployments".to_owned(),
            singular: "flinkdeployment".to_owned(),
            kind: "FlinkDeployment".to_owned(),
            short_names: Vec::new(),
            is_namespaced: true,
            verbs: Vec::new(),
        };
        let object = json!({"metadata": {"name": "a"}, "spec": {"job": {"state": "suspended"}}});
        let error = plan(&Target { served, object }, "a -n team").map(drop).unwrap_err();
        assert_eq!(error.hint(), Some("`kobel resume a -n team` starts it"));
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
