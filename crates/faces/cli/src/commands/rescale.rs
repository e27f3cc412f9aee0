//! `kobel rescale`: changes the parallelism of a job.

use kobel_model::Result;
use serde_json::json;

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
    let patch = json!({"spec": {"job": {"parallelism": parallelism}}});
    if is_suspended(target) {
        terminal.note("the job is suspended and stays so; it has the new parallelism when it is resumed");
        return Ok(Plan { goal: Goal::Suspended, patch });
    }
    Ok(Plan { goal: Goal::Running, patch })
}
