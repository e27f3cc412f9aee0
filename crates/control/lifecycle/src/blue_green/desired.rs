//! What is declared of a pair.

use std::collections::BTreeMap;
use std::time::Duration;

use kobel_model::deployment::{BlueGreen, SavepointFormat, UpgradeMode};
use kobel_model::quantity::parse_duration;
use serde_json::Value;

use crate::options;

/// What every key of a pair begins with.
const PREFIX: &str = "kubernetes.operator.bluegreen.";
/// A shorter interval would look without end.
const INTERVAL_MIN: Duration = Duration::from_millis(500);

/// What is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired<'a> {
    /// The name of the pair.
    pub name: &'a str,
    /// The spec of the pair.
    pub spec: &'a Value,
    /// How the state is handed over from one deployment to the other.
    pub upgrade_mode: UpgradeMode,
    /// How the pair is looked after.
    pub options: Options,
    /// Whether the pair is being deleted.
    pub is_deleting: bool,
}

impl Desired<'_> {
    /// The spec of each of the two deployments.
    pub fn template(&self) -> &Value {
        template(self.spec)
    }
}

/// The spec of each of the two deployments that the spec of a pair asks for.
pub fn template(spec: &Value) -> &Value {
    spec.pointer("/template/spec").unwrap_or(&Value::Null)
}

/// How a pair is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long a new version may take until it is given up.
    pub abort_grace: Duration,
    /// How long a new version must have run until the old one is deleted.
    pub deletion_delay: Duration,
    /// How often is looked at what is under way.
    pub interval: Duration,
    /// How long the savepoint may take that the state is handed over with.
    pub savepoint_timeout: Duration,
    /// How it is written.
    pub savepoint_format: SavepointFormat,
}

impl Options {
    /// Reads what a pair sets; what it does not set takes its default.
    pub fn read(pair: &BlueGreen) -> Self {
        let of_child = options::Options::read(&pair.cluster.flink_configuration);
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let duration = |key: &str| duration(&pair.configuration, key);
        Self {
            abort_grace: duration("abort.grace-period").unwrap_or(minutes(10)),
            deletion_delay: duration("deployment-deletion.delay").unwrap_or(Duration::ZERO),
            interval: duration("reconciliation.reschedule-interval").unwrap_or(minutes(1) / 4).max(INTERVAL_MIN),
            savepoint_timeout: of_child.checkpointing_timeout,
            savepoint_format: of_child.savepoint_format,
        }
    }
}

fn duration(configuration: &BTreeMap<String, String>, key: &str) -> Option<Duration> {
    let text = configuration.get(&format!("{PREFIX}{key}"))?;
    parse_duration(text.trim()).ok()
}
