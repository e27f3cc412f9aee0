//! The one door: a manifest in, a value that is known to be valid or every problem out.
//!
//! The schema speaks first. What it refuses is taken out of a copy, and the rules about meaning read that copy, so all
//! problems come at once and none comes twice. Pure: no name is resolved and no file is opened here.

mod artifact;
mod autoscaler;
mod availability;
mod blue_green;
mod changes;
mod cluster;
mod components;
mod context;
mod declared;
mod findings;
mod flink_configuration;
mod ingress;
mod job;
mod monitoring;
mod names;
mod operator_keys;
mod origin;
mod part;
mod pod_template;
mod refused;
mod session_job;
mod snapshot;
mod sound;
mod unhonoured;
mod version;
mod warnings;

use serde_json::Value;

pub use artifact::reaches_private_hosts;
pub use context::{Context, Lookup, local_defaults};
pub use declared::{Declared, Reading};
pub use refused::refused;
pub use unhonoured::unhonoured;

use crate::crd::root_schema;
use crate::problem::Problem;
use findings::Findings;
use part::Part;

/// The kinds that are read here.
const KINDS: [&str; 4] = ["FlinkDeployment", "FlinkSessionJob", "FlinkStateSnapshot", "FlinkBlueGreenDeployment"];
/// The group and version of every kind.
const API_VERSION: &str = "flink.apache.org/v1beta1";

/// Reads a whole manifest of one of our kinds.
///
/// # Errors
/// Every problem of the manifest.
pub fn read(object: &Value, context: &Context<'_>) -> Result<Reading, Vec<Problem>> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    if !KINDS.contains(&kind) {
        return Err(vec![Problem::not_supported("kind", kind, &KINDS)]);
    }
    let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if api_version != API_VERSION {
        return Err(vec![Problem::not_supported("apiVersion", api_version, &[API_VERSION])]);
    }
    if matches!(kind, "FlinkDeployment" | "FlinkSessionJob") && names::is_canary(object) {
        return Ok(Reading { declared: Declared::Canary, warnings: Vec::new() });
    }
    let (copy, mut findings) = sound::sound(object, root_schema(kind));
    let root = Part::root(&copy);
    let declared = match kind {
        "FlinkDeployment" => Declared::Deployment(Box::new(deployment(&root, context, &mut findings))),
        "FlinkSessionJob" => Declared::SessionJob(Box::new(session_job::read(&root, context, &mut findings))),
        "FlinkStateSnapshot" => Declared::Snapshot(snapshot::read(&root, context, &mut findings)),
        _ => Declared::BlueGreen(Box::new(blue_green::read(&root, context, &mut findings))),
    };
    findings.finish().map(|warnings| Reading { declared, warnings })
}

/// Reads a deployment, and what may not change of it.
fn deployment(root: &Part<'_>, context: &Context<'_>, findings: &mut Findings) -> kobel_model::deployment::Deployment {
    let identity = names::read(root, names::DEPLOYMENT_MAX, findings);
    let spec = root.field_or_nothing("spec");
    let cluster = cluster::read(&spec, context, findings);
    changes::deployment(&spec, context, findings);
    kobel_model::deployment::Deployment { identity, cluster }
}

mod tests;
