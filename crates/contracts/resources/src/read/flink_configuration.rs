//! The Flink configuration: flat or nested in, flat out, known keys checked.
//!
//! Nested keys are joined with `.`, lists with `;`. Unknown keys are kept. The value of a key that holds a secret
//! stands in no problem and in no warning.

use std::collections::BTreeMap;

use kobel_model::deployment::engine::{Engine, engine};
use kobel_model::deployment::{Cluster, FlinkVersion};
use kobel_model::settings::{entry, is_secret};
use serde_json::Value;

use super::findings::Findings;
use super::operator_keys;
use super::part::Part;
use super::warnings;
use crate::problem::{Problem, ProblemKind};

/// Where checkpoints go, in every spelling.
pub(super) const CHECKPOINT_DIR: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];
/// Where savepoints go, in every spelling.
pub(super) const SAVEPOINT_DIR: [&str; 3] =
    ["execution.checkpointing.savepoint-dir", "state.savepoints.dir", "state.backend.fs.savepointdir"];
/// Keys that the operator sets itself.
const FORBIDDEN: [&str; 3] = ["kubernetes.namespace", "kubernetes.cluster-id", "high-availability.cluster-id"];
/// Keys that look as if they held a secret and hold the name of one, or of a file with it.
const NO_SECRETS: [&str; 3] = ["kubernetes.secrets", "kubernetes.env.secretKeyRef", "kobel.rest.token-file"];
/// What keys begin with that only an operator reads.
const OF_OPERATOR: [&str; 3] = ["job.autoscaler.", "kobel.", "kubernetes.operator."];
/// The oldest line of Flink that reads YAML.
const YAML_SINCE: FlinkVersion = FlinkVersion::V1_19;
/// How deep keys may be nested.
const DEPTH_MAX: usize = 64;

/// What a resource sets, over the operator's defaults.
#[derive(Debug)]
pub(super) struct Configuration {
    at: String,
    own: BTreeMap<String, String>,
    effective: BTreeMap<String, String>,
}

impl Configuration {
    /// What is in effect for the first of `spellings` that is set.
    pub(super) fn get(&self, spellings: &[&str]) -> Option<&str> {
        let own = spellings.iter().find_map(|key| self.own.get(*key));
        let any = own.or_else(|| spellings.iter().find_map(|key| self.effective.get(*key)));
        any.map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// What the resource itself sets for `key`.
    pub(super) fn own(&self, key: &str) -> Option<&str> {
        self.own.get(key).map(String::as_str)
    }

    /// Whether `key` is switched on; `default` stands if it is not set.
    pub(super) fn is_on(&self, key: &str, default: Switch) -> bool {
        self.get(&[key]).map_or(default == Switch::On, |value| value.eq_ignore_ascii_case("true"))
    }

    /// Where `key` stands or would stand.
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}[{key}]", self.at)
    }

    /// Where the whole of it stands.
    pub(super) fn path(&self) -> &str {
        &self.at
    }

    /// Everything that is in effect.
    pub(super) fn effective(&self) -> &BTreeMap<String, String> {
        &self.effective
    }

    /// What the resource itself sets.
    pub(super) fn into_own(self) -> BTreeMap<String, String> {
        self.own
    }
}

/// A switch that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// It counts as on.
    On,
    /// It counts as off.
    Off,
}

/// Reads the configuration of `spec`, which lies over `below`.
pub(super) fn read(spec: &Part<'_>, below: &BTreeMap<String, String>, findings: &mut Findings) -> Configuration {
    let part = spec.field_or_nothing("flinkConfiguration");
    let mut own = BTreeMap::new();
    flatten("", part.value(), &mut |key, value| match value {
        Some(value) => drop(own.insert(key, value)),
        None => findings.add(Problem::invalid(
            format!("{}[{key}]", part.path()),
            Value::Null,
            format!("must be text, a number, a boolean, a list of these, or keys nested at most {DEPTH_MAX} deep"),
        )),
    });
    for (key, value) in &own {
        check(part.path(), key, value, findings);
    }
    let mut effective = below.clone();
    effective.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    Configuration { at: part.path().to_owned(), own, effective }
}

/// Flattens a configuration without looking at what it says.
pub(super) fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    flatten("", value, &mut |key, value| all.extend(value.map(|value| (key, value))));
    all
}

/// Gives every key and its value as text; a value that cannot be text is given as none.
fn flatten(key: &str, value: &Value, give: &mut dyn FnMut(String, Option<String>)) {
    let Value::Object(members) = value else {
        if !(key.is_empty() || value.is_null()) {
            give(key.to_owned(), text(value));
        }
        return;
    };
    if key.split('.').count() > DEPTH_MAX {
        give(key.to_owned(), None);
        return;
    }
    for (name, inner) in members {
        let inner_key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        flatten(&inner_key, inner, give);
    }
}

/// A value as Flink's flat spelling has it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(entries) => {
            let texts: Option<Vec<String>> = entries.iter().filter(|entry| !entry.is_array()).map(text).collect();
            let is_flat = entries.iter().all(|entry| !entry.is_array());
            texts.filter(|_| is_flat).map(|texts| texts.join(";"))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Checks one key and its value.
fn check(path: &str, key: &str, value: &str, findings: &mut Findings) {
    let at = format!("{path}[{key}]");
    if FORBIDDEN.contains(&key) {
        findings.add(Problem::forbidden(at, "is set by the operator and must not stand here"));
        return;
    }
    warnings::option(&at, key, findings);
    if is_inline_secret(key) && !value.trim().is_empty() {
        findings.warn(format!("{at}: holds a secret in plain text; take it from a Secret instead"));
    }
    let known = entry(key).filter(|entry| entry.parse(value.trim()).is_err()).map(|entry| entry.allowed());
    if let Some(allowed) = known.or_else(|| operator_keys::refusal(key, value.trim())) {
        findings.add(invalid(at, key, value, &allowed));
    }
}

/// Checks that Flink of the line that `spec` names can be told what `cluster` sets: before 1.19 it reads each option from one
/// line without quotes, in which `#` begins a comment wherever it stands.
pub(super) fn check_lines(spec: &Part<'_>, cluster: &Cluster, findings: &mut Findings) {
    let line = spec.text("flinkVersion").and_then(FlinkVersion::parse).filter(|line| *line < YAML_SINCE);
    let Some(line) = line.filter(|_| engine(cluster) == Engine::Flink) else { return };
    let is_told = |key: &str| !OF_OPERATOR.iter().any(|prefix| key.starts_with(prefix));
    let is_cut = |text: &str| text.trim().contains(['\n', '\r', '#']);
    for (key, value) in cluster.flink_configuration.iter().filter(|(key, value)| is_told(key) && is_cut(value)) {
        let allowed = format!("one line without `#`: Flink {line} cannot be told more, and `v1_19` or later can");
        findings.add(invalid(format!("{}[{key}]", spec.at("flinkConfiguration")), key, value, &allowed));
    }
}

/// A problem with the value of `key`, which is not shown if it may be a secret.
pub(super) fn invalid(at: String, key: &str, value: &str, allowed: &str) -> Problem {
    let shown = (!is_secret(key)).then(|| Value::from(value));
    Problem { path: at, kind: ProblemKind::Invalid, value: shown, detail: format!("must be {allowed}") }
}

/// Whether the value of `key` is a secret itself.
fn is_inline_secret(key: &str) -> bool {
    is_secret(key) && !NO_SECRETS.iter().any(|prefix| key.starts_with(prefix))
}
