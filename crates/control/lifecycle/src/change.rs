//! What differs between two specs, and what it takes to carry the difference out.
//!
//! A field that is absent, null or empty says what its default says, and a number what its text says, so a spec that
//! another operator wrote down compares equal to the manifest it came from. Differences are told without secrets.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `ReflectiveDiffBuilder` and the `SpecDiff` annotations of its specs.

mod shown;

use std::collections::{BTreeMap, BTreeSet};

use kobel_model::deployment::Mode;
use serde_json::{Map, Number, Value};

use crate::record::Record;
use crate::state::{JobState, ReconciliationState};

/// What it takes to carry a difference out, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Nothing differs.
    None,
    /// What differs is used when it is next needed.
    Ignore,
    /// The running job is given another parallelism.
    Scale,
    /// The job is stopped and started with its state.
    Upgrade,
    /// The job is stopped and started from the initial savepoint.
    Redeploy,
}

/// The difference between two specs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// What it takes to carry all of it out.
    pub change: Change,
    /// What differs, as `job.parallelism : 2 -> 4`, in the order of the specs; secrets are hidden.
    pub paths: Vec<String>,
}

/// How a field is compared.
enum Rule {
    /// Member by member, each with its own rule.
    Members,
    /// As one thing.
    Whole(Change),
    /// As one thing, unless it is taken away.
    Nonce(Change),
    /// Key by key, flat.
    Configuration,
}

/// What a field says that is not there.
const DEFAULTS: [(&str, &str); 8] = [
    ("mode", "native"),
    ("job.state", "running"),
    ("job.upgradeMode", "stateless"),
    ("job.parallelism", "0"),
    ("job.allowNonRestoredState", "false"),
    ("jobManager.resource.cpu", "1.0"),
    ("taskManager.resource.cpu", "1.0"),
    (REPLICAS, "1"),
];
/// How many job managers there are; EMR has another default.
const REPLICAS: &str = "jobManager.replicas";
/// Fields whose members are too many to be told; the last word of the path.
const OPAQUE: [&str; 2] = ["podTemplate", "logConfiguration"];
/// Configuration that is read when it is needed.
const READ_LATER: [&str; 3] = ["job.autoscaler", "parallelism.default", "kubernetes.operator"];
/// Configuration with which Flink itself changes a running job.
const IN_PLACE: &str = "pipeline.jobvertex-parallelism-overrides";

/// Compares two specs of a deployment, or of a session job.
pub fn diff(old: &Value, new: &Value) -> Diff {
    let is_standalone = new.get("mode").is_some_and(|mode| mode == Mode::Standalone.as_str());
    let mut comparison = Comparison {
        mode: if is_standalone { Mode::Standalone } else { Mode::Native },
        is_emr: [old, new].iter().any(|spec| spec.get("emrReleaseLabel").is_some_and(|label| !label.is_null())),
        found: Diff { change: Change::None, paths: Vec::new() },
    };
    let nothing = Map::new();
    comparison.members("", old.as_object().unwrap_or(&nothing), new.as_object().unwrap_or(&nothing));
    comparison.found
}

/// The spec of the recorded job: after a rollback the one that was brought back, else the one that was carried out last.
pub fn deployed(record: &Record) -> Option<&Value> {
    let is_stopped =
        record.last.as_ref().is_some_and(|last| last.pointer("/job/state").is_some_and(|state| state == "suspended"));
    let is_brought_back = match record.reconciliation {
        ReconciliationState::RolledBack => true,
        ReconciliationState::RollingBack => is_stopped && record.job.state == Some(JobState::Reconciling),
        ReconciliationState::Deployed | ReconciliationState::Upgrading => false,
    };
    record.stable.as_ref().filter(|_| is_brought_back).or(record.last.as_ref())
}

/// A comparison under way.
struct Comparison {
    mode: Mode,
    is_emr: bool,
    found: Diff,
}

impl Comparison {
    /// Compares the members of two objects, each by its rule.
    fn members(&mut self, base: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        for name in names(old, new) {
            let path = join(base, name);
            let (was, is) = (self.said(&path, old.get(name)), self.said(&path, new.get(name)));
            match self.rule(&path) {
                Rule::Nonce(_) if is.is_none() => {}
                Rule::Nonce(change) | Rule::Whole(change) => self.whole(&path, was, is, change),
                Rule::Configuration => self.configuration(&path, was, is),
                Rule::Members => match (old.get(name), new.get(name)) {
                    (Some(Value::Object(was)), Some(Value::Object(is))) => self.members(&path, was, is),
                    _ => self.whole(&path, was, is, Change::Upgrade),
                },
            }
        }
    }

    fn rule(&self, path: &str) -> Rule {
        match path {
            "job" | "taskManager" => Rule::Members,
            "flinkConfiguration" => Rule::Configuration,
            "restartNonce" => Rule::Nonce(Change::Upgrade),
            "job.savepointRedeployNonce" => Rule::Nonce(Change::Redeploy),
            "job.parallelism" | "taskManager.replicas" if self.mode == Mode::Standalone => Rule::Whole(Change::Scale),
            "job.savepointTriggerNonce"
            | "job.checkpointTriggerNonce"
            | "job.autoscalerResetNonce"
            | "job.initialSavepointPath"
            | "job.upgradeMode"
            | "job.allowNonRestoredState" => Rule::Whole(Change::Ignore),
            _ => Rule::Whole(Change::Upgrade),
        }
    }

    /// Compares two values whose differences all take the same change, and tells each where it lies.
    fn whole(&mut self, path: &str, was: Option<&Value>, is: Option<&Value>, change: Change) {
        let nothing = Map::new();
        let (old, new) = match (was, is) {
            _ if is_opaque(path) => (None, None),
            (Some(Value::Object(was)), Some(Value::Object(is))) => (Some(was), Some(is)),
            (Some(Value::Object(was)), None) => (Some(was), Some(&nothing)),
            (None, Some(Value::Object(is))) => (Some(&nothing), Some(is)),
            _ => (None, None),
        };
        if let (Some(old), Some(new)) = (old, new) {
            for name in names(old, new) {
                let inner = join(path, name);
                let (was, is) = (self.said(&inner, old.get(name)), self.said(&inner, new.get(name)));
                self.whole(&inner, was, is, change);
            }
        } else if !is_same(&without_kind(path, was), &without_kind(path, is)) {
            self.tell(path, was, is, change);
        }
    }

    /// Compares two configurations key by key.
    fn configuration(&mut self, path: &str, was: Option<&Value>, is: Option<&Value>) {
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        flatten("", was.unwrap_or(&Value::Null), &mut old);
        flatten("", is.unwrap_or(&Value::Null), &mut new);
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let (was, is) = (old.get(key), new.get(key));
            if !is_same(was.unwrap_or(&Value::Null), is.unwrap_or(&Value::Null)) {
                self.tell(&join(path, key), was, is, self.change_of_key(key));
            }
        }
    }

    fn change_of_key(&self, key: &str) -> Change {
        if READ_LATER.iter().any(|prefix| key.starts_with(prefix)) {
            Change::Ignore
        } else if key.starts_with(IN_PLACE) && self.mode == Mode::Native {
            Change::Scale
        } else {
            Change::Upgrade
        }
    }

    /// The value, if it says anything that its absence would not say.
    fn said<'a>(&self, path: &str, value: Option<&'a Value>) -> Option<&'a Value> {
        value.filter(|value| match value {
            Value::Null => false,
            Value::Array(entries) => !entries.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.default_of(path).is_none_or(|default| !is_default(value, default))
            }
        })
    }

    fn default_of(&self, path: &str) -> Option<&'static str> {
        let known = DEFAULTS.into_iter().find(|(at, _)| *at == path).map(|(_, default)| default);
        known.filter(|_| path != REPLICAS || !self.is_emr)
    }

    fn tell(&mut self, path: &str, was: Option<&Value>, is: Option<&Value>, change: Change) {
        let default = self.default_of(path).unwrap_or("null");
        let told = |value: Option<&Value>| value.map_or_else(|| default.to_owned(), |value| shown::value(path, value));
        self.found.paths.push(format!("{path} : {} -> {}", told(was), told(is)));
        self.found.change = self.found.change.max(change);
    }
}

/// The names of both objects, in the order of the new one, then what only the old one has.
fn names<'a>(old: &'a Map<String, Value>, new: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
    new.keys().chain(old.keys().filter(move |name| !new.contains_key(*name)))
}

fn join(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") }
}

fn is_opaque(path: &str) -> bool {
    path.rsplit('.').next().is_some_and(|name| OPAQUE.contains(&name))
}

/// A value as it is compared: Apache's operator writes down of a template that it is a pod.
fn without_kind(path: &str, value: Option<&Value>) -> Value {
    let mut value = value.cloned().unwrap_or_default();
    let Some(members) = value.as_object_mut().filter(|_| path.ends_with("podTemplate")) else { return value };
    members.retain(|name, _| name != "apiVersion" && name != "kind");
    if members.is_empty() { Value::Null } else { value }
}

/// Flattens a configuration: nested keys are joined with `.`, lists with `;`. A null says nothing.
fn flatten(key: &str, value: &Value, all: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                flatten(&join(key, name), inner, all);
            }
        }
        Value::Null => {}
        _ if key.is_empty() => {}
        Value::Array(entries) => {
            let text = entries.iter().map(text_of).collect::<Vec<_>>().join(";");
            all.insert(key.to_owned(), Value::String(text));
        }
        Value::Bool(flag) => drop(all.insert(key.to_owned(), Value::String(flag.to_string()))),
        Value::Number(_) | Value::String(_) => drop(all.insert(key.to_owned(), value.clone())),
    }
}

/// A value as the flat spelling has it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a scalar says what `default` says.
fn is_default(value: &Value, default: &str) -> bool {
    text_of(value) == default || is_same(value, &Value::from(default))
}

/// Whether two values mean the same: members that are null are not there, `2` is `"2"`, `1` is `1.0`.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_same_number(a, b),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            let text = text.trim();
            number.to_string() == text || text.parse::<f64>().is_ok_and(|other| number.as_f64() == Some(other))
        }
        (Value::String(a), Value::String(b)) => a.trim() == b.trim(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => names(a, b).all(|name| {
            let member = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or(Value::Null);
            is_same(&member(a), &member(b))
        }),
        _ => a == b,
    }
}

/// Whether two numbers are equal; whole ones are compared to the last digit.
fn is_same_number(a: &Number, b: &Number) -> bool {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

#[cfg(test)]
mod tests;
