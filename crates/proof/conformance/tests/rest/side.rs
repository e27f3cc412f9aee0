//! One side of a comparison: a REST API that is asked lines such as `GET /jobs/:jobid`, and what it has answered.
//!
//! A line is a method, a path and perhaps a body. Placeholders stand for values that each side has of its own, so that
//! the same line can be asked on both. An answer is kept under the state in which it was asked for, and the line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use kobel_testkit::http::{Request, Response, ask};
use serde_json::Value;

use crate::shape::{Shape, metric_name};

/// How long either side may take for anything; a busy machine needs a part of it.
const PATIENCE: Duration = Duration::from_secs(600);

/// In which state of a job what was asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Label {
    /// Such as `running`.
    pub(crate) state: String,
    /// Such as `GET /jobs/:jobid`.
    pub(crate) line: String,
}

/// What is compared of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status code; 0 if there was no answer.
    pub(crate) status: u16,
    /// The type of the content.
    pub(crate) content_type: String,
    /// The shape of the body.
    pub(crate) shape: Shape,
    /// The names of a list of metrics.
    pub(crate) names: BTreeSet<String>,
}

/// All answers of a side.
pub(crate) type Answers = BTreeMap<Label, Answer>;

/// A REST API with a job.
#[derive(Debug)]
pub(crate) struct Side {
    engine: &'static str,
    port: u16,
    values: BTreeMap<&'static str, String>,
    /// What was answered until now.
    pub(crate) answers: Answers,
}

impl Side {
    /// A side that has a job and a folder for savepoints.
    pub(crate) fn new(engine: &'static str, port: u16, job: &str, savepoints: &str) -> Self {
        let values = [
            (":jobid", job.to_owned()),
            (":savepoints", savepoints.to_owned()),
            (":long", "a".repeat(5_000)),
            // Until something has been triggered.
            (":triggerid", "0".repeat(32)),
        ];
        Self { engine, port, values: values.into_iter().collect(), answers: Answers::new() }
    }

    /// Sets what a placeholder stands for.
    pub(crate) fn set(&mut self, placeholder: &'static str, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.values.insert(placeholder, text);
    }

    /// Asks without keeping the answer; null if it is no JSON.
    pub(crate) fn look(&self, line: &str) -> Value {
        self.ask(line).and_then(|response| response.json()).unwrap_or_default()
    }

    /// Asks and keeps the answer.
    pub(crate) fn note(&mut self, state: &str, line: &str) -> Value {
        let label = Label { state: state.to_owned(), line: line.to_owned() };
        match self.ask(line) {
            Ok(response) => {
                self.answers.insert(label, Answer::of(line, &response));
                response.json().unwrap_or_default()
            }
            Err(error) => {
                let answer = Answer { status: 0, content_type: error, shape: Shape::default(), names: BTreeSet::new() };
                self.answers.insert(label, answer);
                Value::Null
            }
        }
    }

    /// Asks many lines and keeps the answers.
    pub(crate) fn note_all<'a>(&mut self, state: &str, lines: impl IntoIterator<Item = &'a str>) {
        for line in lines {
            self.note(state, line);
        }
    }

    /// Asks until the answer is as wanted.
    pub(crate) fn wait_for(&self, line: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let found = self.look(line);
            if is_wanted(&found) {
                return found;
            }
            let engine = self.engine;
            assert!(begin.elapsed() < PATIENCE, "{engine} does not come to what `{line}` is asked for: {found}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn ask(&self, line: &str) -> Result<Response, String> {
        let mut line = line.to_owned();
        for (placeholder, value) in &self.values {
            line = line.replace(placeholder, value);
        }
        let mut parts = line.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let request = Request::new(method, path);
        let request = match parts.next() {
            Some(body) => request.header("Content-Type", "application/json").body(body.as_bytes().to_vec()),
            None => request,
        };
        ask(self.port, &request)
    }
}

impl Label {
    /// The method and the template of the path, whatever the state, the query and the role of the vertex.
    pub(crate) fn endpoint(&self) -> String {
        let end = self.line.match_indices(' ').nth(1).map_or(self.line.len(), |(at, _)| at);
        let request = self.line.get(..end).unwrap_or_default();
        let path = request.split('?').next().unwrap_or_default();
        path.replace(":source", ":vertexid").replace(":sink", ":vertexid")
    }
}

impl Answer {
    fn of(line: &str, response: &Response) -> Self {
        let path = line.split(' ').nth(1).unwrap_or_default();
        let has_values = path.contains("/metrics?get=") || path.ends_with("/watermarks");
        let json = response.json();
        let shape = match &json {
            Ok(value) if has_values => Shape::of_metrics(value),
            Ok(value) => Shape::of(value),
            Err(_) => Shape::of_text(),
        };
        let is_list = path.ends_with("metrics");
        let listed = json.as_ref().ok().filter(|_| is_list).and_then(Value::as_array);
        let names = listed.into_iter().flatten().map(|metric| without_operator(&metric_name(metric))).collect();
        let content_type = response.header("Content-Type").unwrap_or("none").to_owned();
        Self { status: response.status, content_type, shape, names }
    }
}

/// A name without the name of the operator, which has a number in brackets or tells what it is.
fn without_operator(name: &str) -> String {
    let (prefix, name) = match name.strip_prefix("N.") {
        Some(rest) => ("N.", rest),
        None => ("", name),
    };
    let is_operator = |name: &str| name.contains('[') || name.starts_with("Source__") || name.starts_with("Sink__");
    match name.split_once('.') {
        Some((operator, metric)) if is_operator(operator) => format!("{prefix}<operator>.{metric}"),
        _ => format!("{prefix}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_its_endpoint() {
        for (line, endpoint) in [
            ("GET /jobs", "GET /jobs"),
            ("GET /jobs/:jobid/vertices/:sink/metrics?get=a b", "GET /jobs/:jobid/vertices/:vertexid/metrics"),
            ("POST /jobs/:jobid/savepoints {\"a\": \"?\"}", "POST /jobs/:jobid/savepoints"),
        ] {
            let label = Label { state: "running".to_owned(), line: line.to_owned() };
            assert_eq!(label.endpoint(), endpoint);
        }
    }

    #[test]
    fn names_of_operators_do_not_matter() {
        for (name, expected) in [
            ("N.Calc[7].numRecordsIn", "N.<operator>.numRecordsIn"),
            ("snk[8]__Writer.numBytesOut", "<operator>.numBytesOut"),
            ("N.Source__orders.numBytesIn", "N.<operator>.numBytesIn"),
            ("N.Shuffle.Netty.Input.numBytesInLocal", "N.Shuffle.Netty.Input.numBytesInLocal"),
            ("uptime", "uptime"),
        ] {
            assert_eq!(without_operator(name), expected);
        }
    }
}
