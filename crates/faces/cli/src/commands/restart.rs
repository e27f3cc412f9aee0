//! `kobel restart`: stops and starts a job or a session cluster, as its upgrade mode says, with the spec as it is.

use kobel_model::{Error, Result};
use serde_json::{Value, json};

use super::change::{Order, Plan, is_suspended};
use super::client::complete;
use super::settling::Goal;
use super::target::Target;
use crate::args::lifecycle::RestartArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Restarts something and reports what goes wrong.
pub(crate) fn run(arguments: &RestartArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let order = Order {
        target: &arguments.target,
        wait: &arguments.wait,
        api: &arguments.api,
        outcome: "restarted",
        asked: "restart asked for",
        already: "is restarted already",
    };
    complete(&terminal, order.carry_out(plan, &terminal))
}

fn plan(target: &Target) -> Result<Plan> {
    if is_suspended(target) {
        return Err(Error::invalid(format!("`{}` is suspended, so there is nothing to restart", target.name()))
            .with_hint("`kobel resume` starts it"));
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
    fn a_nonce_is_never_that_of_before() {
        for (before, expected) in
            [(None, 1), (Some(json!(null)), 1), (Some(json!(7)), 8), (Some(json!(-1)), 0), (Some(json!(i64::MAX)), 1)]
        {
            assert_eq!(next_nonce(before.as_ref()), expected, "{before:?}");
        }
    }
}
