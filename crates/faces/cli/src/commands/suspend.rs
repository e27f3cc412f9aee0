//! `kobel suspend`: stops a job and keeps its state, as its upgrade mode says.

use kobel_model::Result;
use serde_json::json;

use super::change::{Order, Plan, is_suspended, job_of};
use super::client::complete;
use super::settling::Goal;
use super::stateless;
use super::target::Target;
use super::wanted::Wanted;
use crate::args::lifecycle::SuspendArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Suspends a job and reports what goes wrong.
pub(crate) fn run(arguments: &SuspendArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let typed = arguments.target.typed();
    let order = Order {
        wanted: Wanted::new("suspend", &typed),
        wait: &arguments.wait,
        api: &arguments.api,
        outcome: "suspended",
        asked: "suspension asked for",
        already: "is suspended already",
    };
    complete(&terminal, order.carry_out(|target, words| plan(target, words, &terminal), &terminal))
}

fn plan(target: &Target, words: &str, terminal: &Terminal) -> Result<Plan> {
    job_of(target)?;
    if !is_suspended(target) && stateless::keeps_nothing(&target.object) {
        terminal.warn(&format!(
            "its state is not kept, as `job.upgradeMode: stateless` asks: `kobel resume {words}` starts it WITHOUT \
             state"
        ));
    }
    Ok(Plan { goal: Goal::Suspended, patch: json!({"spec": {"job": {"state": "suspended"}}}) })
}
