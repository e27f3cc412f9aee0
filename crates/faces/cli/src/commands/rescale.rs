//! `kobel rescale`: changes the parallelism of a job.

use kobel_model::{Error, Result};
use serde_json::{Value, json};

use super::change::{Order, Plan, is_suspended, job_of};
use super::client::complete;
use super::settling::Goal;
use super::target::Target;
use super::wanted::Wanted;
use crate::args::lifecycle::RescaleArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Rescales a job and reports what goes wrong.
pub(crate) fn run(arguments: &RescaleArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let outcome = format!("rescaled to {}", arguments.parallelism);
    let already = format!("has parallelism {} already", arguments.parallelism);
    let (typed, parallelism) = (arguments.target.typed(), arguments.parallelism.to_string());
    let order = Order {
        wanted: Wanted { verb: "rescale", typed: &typed, rest: Some(&parallelism) },
        wait: &arguments.wait,
        api: &arguments.api,
        outcome: &outcome,
        asked: "rescaling asked for",
        already: &already,
    };
    complete(&terminal, order.carry_out(|target, _| plan(target, arguments.parallelism, &terminal), &terminal))
}

fn plan(target: &Target, parallelism: u32, terminal: &Terminal) -> Result<Plan> {
    job_of(target)?;
    follows_replicas(&target.object)?;
    let patch = json!({"spec": {"job": {"parallelism": parallelism}}});
    if is_suspended(target) {
        terminal.note("the job is suspended and stays so; it has the new parallelism when it is resumed");
        return Ok(Plan { goal: Goal::Suspended, patch });
    }
    Ok(Plan { goal: Goal::Running, patch })
}

/// Refuses a job whose parallelism follows from the number of its task managers, whatever else is asked for.
fn follows_replicas(object: &Value) -> Result<()> {
    let Some(replicas) = object.pointer("/spec/taskManager/replicas").and_then(Value::as_u64) else { return Ok(()) };
    let slots = slots(object);
    let parallelism = replicas.saturating_mul(slots);
    let each = if slots == 1 { String::new() } else { format!(", with {slots} task slots each") };
    let message = format!("`spec.taskManager.replicas: {replicas}` sets the parallelism to {parallelism}{each}");
    Err(Error::invalid(message).with_hint(
        "change that number in the manifest and apply it, or take it out and apply it to let `kobel rescale` decide",
    ))
}

/// How many slots each task manager has.
fn slots(object: &Value) -> u64 {
    let configuration = object.pointer("/spec/flinkConfiguration");
    let set = configuration.and_then(|all| {
        all.get("taskmanager.numberOfTaskSlots").or_else(|| all.pointer("/taskmanager/numberOfTaskSlots"))
    });
    let set = set.and_then(|value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()));
    set.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_task_managers_wins_over_the_parallelism() {
        for (spec, expected) in [
            (json!({"job": {"parallelism": 1}}), None),
            (json!({"taskManager": {"resource": {"cpu": 1}}}), None),
            (json!({"taskManager": {"replicas": 2}}), Some("`spec.taskManager.replicas: 2` sets the parallelism to 2")),
            (
                json!({
                    "taskManager": {"replicas": 2},
                    "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "3"},
                }),
                Some("`spec.taskManager.replicas: 2` sets the parallelism to 6, with 3 task slots each"),
            ),
            (
                json!({
                    "taskManager": {"replicas": 1},
                    "flinkConfiguration": {"taskmanager": {"numberOfTaskSlots": 4}},
                }),
                Some("`spec.taskManager.replicas: 1` sets the parallelism to 4, with 4 task slots each"),
            ),
        ] {
            let refused = follows_replicas(&json!({"spec": spec})).err();
            assert_eq!(refused.map(|error| error.to_string()).as_deref(), expected, "{spec}");
        }
    }
}
