//! What the control loop would do about an object, as `kobel apply --dry-run` tells it below the outcome.
//!
//! It follows from what the API answers alone, so it is told for any API that somebody's control loop works on.

use jiff::Timestamp;
use kobel_controller::{Plan, plan};
use kobel_kubernetes::objects::{Selection, metadata};
use kobel_resources::API_VERSION;
use serde_json::Value;

use super::client::{Document, Session};
use super::target::{DEPLOYMENT, SESSION_JOB};
use crate::terminal::escape::push_escaped;

/// The plan for an object that would change from `before` to `after`; empty for kinds that nothing is planned for.
pub(crate) async fn planned(session: &Session, document: &Document, before: Option<&Value>, after: &Value) -> String {
    let is_session = document.served.kind == DEPLOYMENT && after.pointer("/spec/job").is_none_or(Value::is_null);
    let session_jobs = if is_session && before.is_some() { session_jobs(session, document).await } else { None };
    let now_ms = Timestamp::now().as_millisecond();
    plan(before, after, session_jobs.as_deref(), now_ms).map(|plan| text(&plan)).unwrap_or_default()
}

/// The names of the session jobs of a session cluster; absent if they cannot be listed.
async fn session_jobs(session: &Session, document: &Document) -> Option<Vec<String>> {
    let served = session.kinds.of_manifest(API_VERSION, SESSION_JOB).ok()?;
    let namespace = document.namespace().map(str::to_owned);
    let list = session.cluster.list(served, &Selection { namespace, ..Selection::default() }).await.ok()?;
    let name = document.manifest.name.as_str();
    let is_its = |job: &&Value| job.pointer("/spec/deploymentName").and_then(Value::as_str) == Some(name);
    let jobs = list.get("items").and_then(Value::as_array).into_iter().flatten();
    Some(jobs.filter(is_its).map(|job| metadata(job, "name").to_owned()).collect())
}

/// A plan in lines: what changes, what comes of it, the steps, and what may be otherwise.
fn text(plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |start: &str, words: &str| {
        text.push_str(start);
        push_escaped(&mut text, words);
        text.push('\n');
    };
    for change in &plan.changes {
        let (sign, words) = signed(change);
        line(&format!("  {sign} "), &words);
    }
    line("  plan: ", &plan.summary);
    for (step, number) in plan.steps.iter().zip(1..) {
        line(&format!("    {number}. "), step);
    }
    plan.notes.iter().for_each(|note| line("    - ", note));
    let is_start = |step: &String| step.starts_with("start generation ") || step.starts_with("submit generation ");
    if plan.steps.iter().any(is_start) {
        line("    - ", "the program itself is not looked at before it is applied");
    }
    text
}

/// A change with its sign: `+` for what is new, `-` for what goes, `~` for another value.
fn signed(change: &str) -> (char, String) {
    let Some((path, values)) = change.split_once(" : ") else { return ('~', change.to_owned()) };
    match (values.strip_prefix("null -> "), values.strip_suffix(" -> null")) {
        (Some(value), _) => ('+', format!("{path} : {value}")),
        (None, Some(value)) => ('-', format!("{path} : {value}")),
        (None, None) => ('~', change.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_a_line_for_each_thing() {
        let told = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let plan = Plan {
            changes: told(&[
                "job.parallelism : 2 -> 4",
                "job.entryClass : a\u{1b}[31m -> b",
                "flinkConfiguration.a.b : null -> 10s",
                "restartNonce : 3 -> null",
            ]),
            summary: "upgrade by savepoint; the job keeps its state".to_owned(),
            steps: told(&[
                "stop job `a` with a savepoint",
                "end its cluster",
                "start generation 2 from that savepoint",
            ]),
            notes: told(&["if the savepoint fails, the job runs on"]),
        };
        let expected = [
            "  ~ job.parallelism : 2 -> 4",
            "  ~ job.entryClass : a\\u001b[31m -> b",
            "  + flinkConfiguration.a.b : 10s",
            "  - restartNonce : 3",
            "  plan: upgrade by savepoint; the job keeps its state",
            "    1. stop job `a` with a savepoint",
            "    2. end its cluster",
            "    3. start generation 2 from that savepoint",
            "    - if the savepoint fails, the job runs on",
            "    - the program itself is not looked at before it is applied",
        ];
        assert_eq!(text(&plan).lines().collect::<Vec<_>>(), expected);
    }
}
