//! `kobel explain`: what was decided last about an object, what is awaited, since when, and what to do.

use jiff::Timestamp;
use kobel_kubernetes::context::yaml;
use kobel_model::{Error, Result};
use serde_json::{Value, json};

use super::client::{Session, complete, print};
use super::columns::{Columns, indented};
use super::explanation::{explanation, headline, is_refused};
use super::pair_explanation::{Membership, Pair};
use super::reported::{Condition, HONOURED, RUNNING, Reported, SETTLED};
use super::restarts::restarts;
use super::target::{PAIR, Target};
use super::wanted::Wanted;
use super::{changed_program, happened, pair};
use crate::args::inspection::{ExplainArguments, Form};
use crate::exit::Exit;
use crate::terminal::escape::push_escaped_lines;
use crate::terminal::{Terminal, Verbosity};

/// Explains an object and reports what goes wrong.
pub(crate) fn run(arguments: &ExplainArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, explain(arguments, &terminal))
}

async fn explain(arguments: &ExplainArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let target = Target::find(&session, &Wanted::new("explain", &arguments.target.typed())).await?;
    let events = happened::newest(&session, &target.object).await?;
    let now = Timestamp::now();
    if target.served.kind == PAIR {
        let deployments = pair::deployments(&session, &target).await?;
        let words: Vec<String> = deployments.iter().map(|deployment| deployment.typed(&session)).collect();
        let both = Pair { target: &target, deployments: &deployments, words: &words, events: &events, now };
        print(terminal, &written(arguments.output, || both.text(), || both.value())?)?;
        return Ok(Exit::Done);
    }
    let words = target.typed(&session);
    let owner = pair::owner(&session, &target).await;
    let membership = owner.as_ref().map(|pair| Membership { pair: &pair.object, words: pair.typed(&session) });
    let subject = Subject { target: &target, words: &words, membership, events: &events, now };
    print(terminal, &written(arguments.output, || subject.text(), || subject.value())?)?;
    let is_refused = is_refused(Reported::of(&target.object));
    if !is_refused && let Some(hint) = changed_program::hint(&session, &target.served, &target.object) {
        terminal.note(&hint);
    }
    Ok(Exit::Done)
}

/// What is explained in the form that was asked for.
fn written(form: Form, text: impl FnOnce() -> String, value: impl FnOnce() -> Value) -> Result<String> {
    let text = match form {
        Form::Text => text(),
        Form::Yaml => yaml(&value())?,
        Form::Json => {
            let json = serde_json::to_string_pretty(&value());
            json.map_err(|error| Error::bug("cannot write JSON").with_source(error))?
        }
    };
    Ok(format!("{}\n", text.trim_end()))
}

/// What is explained.
struct Subject<'a> {
    target: &'a Target,
    /// The words by which commands are told of it.
    words: &'a str,
    /// The pair that it belongs to, if it does.
    membership: Option<Membership<'a>>,
    /// The last events, oldest first.
    events: &'a [Value],
    now: Timestamp,
}

impl Subject<'_> {
    /// For people.
    fn text(&self) -> String {
        let reported = Reported::of(&self.target.object);
        let namespace = self.target.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let mut text = format!("{}{namespace}\n\n", self.target.shown());
        if let Some(headline) = headline(&self.target.object, self.now) {
            text.push_str(&headline);
            text.push_str("\n\n");
        }
        let mut rows = vec![vec!["state".to_owned(), or_none(reported.lifecycle())]];
        if self.target.has_job() {
            let id = reported.job_id().map(|id| format!(" ({id})")).unwrap_or_default();
            rows.push(vec!["job".to_owned(), format!("{}{id}", or_none(reported.job_state()))]);
        }
        if let Some(job_manager) = reported.job_manager() {
            rows.push(vec!["job manager".to_owned(), job_manager.to_owned()]);
        }
        let observed = reported.observed().map_or_else(|| "none".to_owned(), |observed| observed.to_string());
        let generation = format!("{}, acted on: {observed}", reported.generation());
        rows.push(vec!["generation".to_owned(), generation]);
        text.push_str(&indented(&Columns::default().lines(&rows)));
        text.push('\n');
        for sentence in self.sentences() {
            // Messages come from jobs and their connectors.
            push_escaped_lines(&mut text, &sentence);
            text.push('\n');
        }
        text.push_str(&happened::text(self.events, self.now));
        text
    }

    fn sentences(&self) -> Vec<String> {
        let object = &self.target.object;
        let mut sentences = match &self.membership {
            Some(membership) => membership.sentences(object, self.words, self.now),
            None => explanation(object, self.words, self.now),
        };
        let reported = Reported::of(object);
        if reported.job_state() == Some("RUNNING") && reported.leaving_since().is_none() {
            sentences.extend(restarts(self.events, self.words, self.now));
        }
        sentences
    }

    /// For programs.
    fn value(&self) -> Value {
        let reported = Reported::of(&self.target.object);
        let sentences: Vec<String> =
            headline(&self.target.object, self.now).into_iter().chain(self.sentences()).collect();
        json!({
            "kind": self.target.served.kind,
            "namespace": self.target.namespace(),
            "name": self.target.name(),
            "generation": reported.generation(),
            "observedGeneration": reported.observed(),
            "deletionTimestamp": reported.leaving_since(),
            "lifecycleState": reported.lifecycle(),
            "jobManagerDeploymentStatus": reported.job_manager(),
            "job": {"id": reported.job_id(), "state": reported.job_state(), "restoresFrom": reported.restore_path()},
            "settled": reported.condition(SETTLED).map(condition),
            "running": reported.condition(RUNNING).map(condition),
            "honoured": reported.condition(HONOURED).map(condition),
            "error": reported.error(),
            "events": happened::values(self.events),
            "explanation": sentences.join(" "),
        })
    }
}

fn condition(condition: Condition<'_>) -> Value {
    json!({
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": Some(condition.since).filter(|since| !since.is_empty()),
        "observedGeneration": condition.generation,
    })
}

fn or_none(word: Option<&str>) -> String {
    word.unwrap_or("none reported").to_owned()
}

#[cfg(test)]
mod tests {

    use super::*;

    fn target() -> Target {
        let object = json!({
            "metadata": {"name": "flights", "namespace": "team", "generation": 4},
            "spec": {"job": {"state": "running"}},
            "status": {
                "lifecycleState": "UPGRADING", "observedGeneration": 4, "jobManagerDeploymentStatus": "READY",
                "jobStatus": {"state": "RUNNING", "jobId": "0a1b"},
                "conditions": [{"type": "Settled", "status": "False", "reason": "Savepoint",
                                "message": "waits for a savepoint", "lastTransitionTime": "2026-01-01T23:59:48Z"}],
            },
        });
        Target::deployment(object)
    }

    fn event() -> Value {
        json!({"type": "Normal", "reason": "SpecChanged", "message": "parallelism : 2 -> 4", "count": 1,
               "lastTimestamp": "2026-01-01T23:59:47Z"})
    }

    #[test]
    fn a_person_reads_the_state_the_sentences_and_the_events() {
        let (target, events) = (target(), [event()]);
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let expected = "\
flinkdeployment.flink.apache.org/flights in team

  state         UPGRADING
  job           RUNNING (0a1b)
  job manager   READY
  generation    4, acted on: 4

A change is being carried out. The job is RUNNING.
What is awaited (Savepoint): waits for a savepoint. It has not been settled for 12s.

last events:
  13s   Normal   SpecChanged   parallelism : 2 -> 4
";
        let subject = Subject { target: &target, words: "flights", membership: None, events: &events, now };
        assert_eq!(subject.text(), expected);
    }

    #[test]
    fn a_job_that_runs_just_now_and_fails_again_and_again_is_told_so() {
        let (target, now) = (target(), "2026-01-02T00:00:00Z".parse().unwrap());
        let failed = json!({"type": "Normal", "reason": "JobStatusChanged", "count": 6,
                            "message": "job status changed from RUNNING to RESTARTING: division by zero",
                            "lastTimestamp": "2026-01-01T23:59:57Z"});
        let told = |events: &[Value]| {
            Subject { target: &target, words: "flights", membership: None, events, now }.sentences().join(" ")
        };
        let expected = "It failed and was started again 6 times lately, 3s ago the last time: division by zero.";
        assert!(told(&[failed]).contains(expected));
        assert!(!told(&[event()]).contains("was started again"));
    }

    #[test]
    fn a_program_reads_the_same_as_fields() {
        let (target, events) = (target(), [event()]);
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let value = Subject { target: &target, words: "flights", membership: None, events: &events, now }.value();
        for (path, expected) in [
            ("/lifecycleState", json!("UPGRADING")),
            ("/job/id", json!("0a1b")),
            ("/settled/reason", json!("Savepoint")),
            ("/settled/lastTransitionTime", json!("2026-01-01T23:59:48Z")),
            ("/honoured", json!(null)),
            ("/error", json!(null)),
            ("/events/0/lastSeen", json!("2026-01-01T23:59:47Z")),
        ] {
            assert_eq!(value.pointer(path), Some(&expected), "{path}");
        }
    }

    #[test]
    fn what_does_not_run_yet_is_told_before_everything_else() {
        let mut target = target();
        target.object["status"]["conditions"] =
            json!([{"type": "Running", "status": "False", "lastTransitionTime": "2026-01-01T23:59:48Z"}]);
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let subject = Subject { target: &target, words: "flights", membership: None, events: &[], now };
        let beginning =
            "flinkdeployment.flink.apache.org/flights in team\n\nIt is not running yet, for 12s so far.\n\n";
        assert!(subject.text().starts_with(beginning), "{}", subject.text());
        let told = subject.value()["explanation"].to_string();
        assert!(told.starts_with("\"It is not running yet"), "{told}");
    }
}
