//! What the status of a pair of deployments means, and that of a deployment as one of a pair: which one serves, what is
//! awaited, what was given up and why, and what a person can do about it.
//!
//! Pure: objects and the time in, texts out.

use jiff::Timestamp;
use kobel_kubernetes::objects::metadata;
use serde_json::{Value, json};

use super::age::{age, span};
use super::columns::{Columns, indented};
use super::explanation::{advice, facts, is_asked_to_rest};
use super::happened;
use super::pair::STATE;
use super::reported::Reported;
use super::target::Target;
use crate::terminal::escape::push_escaped_lines;

/// A pair as it is explained.
pub(crate) struct Pair<'a> {
    pub(crate) target: &'a Target,
    /// Its deployments that are there, the one that serves first.
    pub(crate) deployments: &'a [Target],
    /// The words by which commands are told of them.
    pub(crate) words: &'a [String],
    /// The last events, oldest first.
    pub(crate) events: &'a [Value],
    pub(crate) now: Timestamp,
}

/// The pair of a deployment that is explained.
pub(crate) struct Membership<'a> {
    pub(crate) pair: &'a Value,
    /// The words by which commands are told of the pair.
    pub(crate) words: String,
}

impl Pair<'_> {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let namespace = self.target.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let mut text = format!("{}{namespace}\n\n", self.target.shown());
        let reported = Reported::of(&self.target.object);
        let or_none = |word: Option<&str>| word.unwrap_or("none reported").to_owned();
        let mut rows = vec![
            vec!["state".to_owned(), or_none(state(&self.target.object))],
            vec!["job".to_owned(), or_none(reported.job_state())],
        ];
        for deployment in self.deployments {
            let reported = Reported::of(&deployment.object);
            let (whole, job) = (or_none(reported.lifecycle()), or_none(reported.job_state()));
            rows.push(vec![deployment.name().to_owned(), format!("{whole}, job: {job}")]);
        }
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

    /// For programs.
    pub(crate) fn value(&self) -> Value {
        let object = &self.target.object;
        let reported = Reported::of(object);
        let deployments: Vec<Value> = self
            .deployments
            .iter()
            .map(|deployment| {
                let reported = Reported::of(&deployment.object);
                json!({"name": deployment.name(), "lifecycleState": reported.lifecycle(),
                       "jobState": reported.job_state(), "error": reported.error()})
            })
            .collect();
        json!({
            "kind": self.target.served.kind,
            "namespace": self.target.namespace(),
            "name": self.target.name(),
            "generation": reported.generation(),
            "deletionTimestamp": reported.leaving_since(),
            "blueGreenState": state(object),
            "job": {"state": reported.job_state()},
            "deployments": deployments,
            "error": reported.error(),
            "events": happened::values(self.events),
            "explanation": self.sentences().join(" "),
        })
    }

    fn sentences(&self) -> Vec<String> {
        let object = &self.target.object;
        let reported = Reported::of(object);
        if let Some(since) = reported.leaving_since() {
            return vec![format!(
                "It has been being deleted for {}; its deployments go with it.",
                age(since, self.now)
            )];
        }
        let mut sentences = vec![self.state()];
        sentences.extend(reported.error().map(|error| format!("The last error: {}.", unended(&error))));
        if state(object).is_none() {
            sentences
                .push("See that `kobel up` runs, without `--api-only`, or the operator of the cluster.".to_owned());
        } else if gave_up(object) {
            sentences.push(format!("{TRIED_ANEW}."));
        }
        if !self.words.is_empty() {
            let commands: Vec<String> = self.words.iter().map(|words| format!("`kobel explain {words}`")).collect();
            let (verb, what) =
                if commands.len() == 1 { ("tells", "its deployment") } else { ("tell", "its deployments") };
            sentences.push(format!("{} {verb} more of {what}.", commands.join(" and ")));
        }
        sentences
    }

    /// What is so, and what is awaited.
    fn state(&self) -> String {
        let object = &self.target.object;
        let Some(state) = state(object) else {
            return "Nothing is reported: no control loop has looked at it yet.".to_owned();
        };
        let until = self.left().map(|left| format!(", for at most {left} more")).unwrap_or_default();
        let name = self.target.name();
        match phase(state) {
            Phase::Active(colour) if !self.has(&colour) && is_at_rest(object) => {
                format!("Nothing runs, as asked; `{name}-{colour}`, which served, is gone.")
            }
            Phase::Active(colour) if !self.has(&colour) => {
                format!("`{name}-{colour}` served and is not there any more: nothing serves.")
            }
            Phase::Active(colour) if is_at_rest(object) => format!("`{name}-{colour}` is suspended, as asked."),
            Phase::Active(colour) if gave_up(object) => {
                format!("`{name}-{colour}` serves, and the last change was given up.")
            }
            Phase::Active(colour) => format!("`{name}-{colour}` serves. Nothing is awaited."),
            Phase::Savepointing(colour) => {
                format!("A change is being carried out: `{name}-{colour}` serves, and its savepoint is awaited{until}.")
            }
            Phase::Transitioning(colour) => {
                let next = format!("{name}-{colour}");
                match self.deployments.iter().map(Target::name).find(|other| *other != next) {
                    Some(old) => format!(
                        "A change is being carried out: `{old}` serves until `{next}` runs, which is awaited{until}."
                    ),
                    None => format!("`{next}` is being started."),
                }
            }
            Phase::Other if is_at_rest(object) => "It is suspended, as asked: nothing was started.".to_owned(),
            Phase::Other if state == "INITIALIZING_BLUE" => "It is accepted, and nothing was started yet.".to_owned(),
            Phase::Other => format!("It is {state}."),
        }
    }

    /// Whether the deployment of a colour is there, and stays.
    fn has(&self, colour: &str) -> bool {
        let name = format!("{}-{colour}", self.target.name());
        let found = self.deployments.iter().find(|deployment| deployment.name() == name);
        found.is_some_and(|deployment| Reported::of(&deployment.object).leaving_since().is_none())
    }

    /// How long is still waited for what is under way.
    fn left(&self) -> Option<String> {
        let until = abort_time(&self.target.object)?;
        let left = until.as_second() - self.now.as_second();
        (left > 0).then(|| span(left))
    }
}

/// How a change that was given up is tried anew.
const TRIED_ANEW: &str = "Correct what is wrong, in the manifest or beside it, and `kobel apply -f FILE` with a change \
     of the spec, be it only another `spec.template.spec.restartNonce`: then it is tried anew";

impl Membership<'_> {
    /// The sentences about a deployment of the pair; `words` are those by which commands are told of it.
    pub(crate) fn sentences(&self, deployment: &Value, words: &str, now: Timestamp) -> Vec<String> {
        let name = metadata(self.pair, "name");
        if let Some(serving) = self.serves_instead_of(deployment) {
            let error = Reported::of(self.pair).error();
            let mut sentences = vec![format!(
                "It was given up and stopped by the FlinkBlueGreenDeployment `{name}`; `{serving}` goes on serving."
            )];
            sentences.extend(error.map(|error| format!("Why: {}.", unended(&error))));
            sentences.push(format!(
                "{TRIED_ANEW}. `kobel resume {words}` would be undone. `kobel logs {words}` may tell more."
            ));
            return sentences;
        }
        let mut sentences = facts(deployment, now);
        let reported = Reported::of(deployment);
        if reported.leaving_since().is_some() {
            return sentences;
        }
        if is_asked_to_rest(deployment) && reported.lifecycle() == Some("SUSPENDED") {
            sentences.push(format!(
                "It belongs to the FlinkBlueGreenDeployment `{name}`: set `spec.template.spec.job.state: running` in \
                 its manifest and `kobel apply -f FILE` to start it."
            ));
            return sentences;
        }
        sentences.extend(advice(deployment, words));
        sentences.push(format!(
            "It belongs to the FlinkBlueGreenDeployment `{name}`, whose manifest is the one to change; `kobel explain \
             {}` tells of both.",
            self.words
        ));
        sentences
    }

    /// The deployment that goes on serving, if this one was to take over and was given up.
    fn serves_instead_of(&self, deployment: &Value) -> Option<String> {
        let Phase::Active(colour) = phase(state(self.pair)?) else { return None };
        let serving = format!("{}-{colour}", metadata(self.pair, "name"));
        let is_other = metadata(deployment, "name") != serving;
        let is_leaving = Reported::of(deployment).leaving_since().is_some();
        (is_other && is_asked_to_rest(deployment) && !is_leaving).then_some(serving)
    }
}

/// What is under way in a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// Nothing: the deployment of this colour serves.
    Active(String),
    /// A savepoint is taken of this one.
    Savepointing(String),
    /// This one is to take over.
    Transitioning(String),
    /// Something else.
    Other,
}

fn phase(state: &str) -> Phase {
    let colour = |prefix: &str| state.strip_prefix(prefix).map(str::to_ascii_lowercase);
    let active = colour("ACTIVE_").map(Phase::Active);
    let savepointing = || colour("SAVEPOINTING_").map(Phase::Savepointing);
    let transitioning = || colour("TRANSITIONING_TO_").map(Phase::Transitioning);
    active.or_else(savepointing).or_else(transitioning).unwrap_or(Phase::Other)
}

fn state(pair: &Value) -> Option<&str> {
    pair.pointer(STATE).and_then(Value::as_str).filter(|state| !state.is_empty())
}

/// Whether the last change of a pair was given up, and another one has not been taken up since.
fn gave_up(pair: &Value) -> bool {
    let is_active = state(pair).is_some_and(|state| matches!(phase(state), Phase::Active(_)));
    is_active && abort_time(pair).is_some() && Reported::of(pair).error().is_some()
}

/// Whether the pair is asked to be suspended, and is.
fn is_at_rest(pair: &Value) -> bool {
    Reported::of(pair).job_state() == Some("SUSPENDED")
}

/// When what is under way is given up, or was; the beginning of time is how the Apache operator writes that nothing is.
fn abort_time(pair: &Value) -> Option<Timestamp> {
    let text = pair.pointer("/status/abortTimestamp").and_then(Value::as_str)?;
    text.parse::<Timestamp>().ok().filter(|at| at.as_second() > 0)
}

fn unended(sentence: &str) -> &str {
    sentence.trim_end().trim_end_matches('.')
}

#[cfg(test)]
mod tests;
