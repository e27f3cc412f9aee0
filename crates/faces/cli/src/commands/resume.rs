//! `kobel resume`: starts a suspended job from where it stopped.

use kobel_model::Result;
use serde_json::json;

use super::change::{Order, Plan, job_of};
use super::client::complete;
use super::settling::Goal;
use super::target::Target;
use super::wanted::Wanted;
use crate::args::lifecycle::ResumeArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Resumes a job and reports what goes wrong.
pub(crate) fn run(arguments: &ResumeArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let typed = arguments.target.typed();
    let order = Order {
        wanted: Wanted::new("resume", &typed),
        wait: &arguments.wait,
        api: &arguments.api,
        outcome: "resumed",
        asked: "resumption asked for",
        already: "runs already",
    };
    complete(&terminal, order.carry_out(plan, &terminal))
}

fn plan(target: &Target, _words: &str) -> Result<Plan> {
    job_of(target)?;
    Ok(Plan { goal: Goal::Running, patch: json!({"spec": {"job": {"state": "running"}}}) })
}
