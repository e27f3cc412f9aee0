//! A pair of deployments: each is read as a deployment is, so that a mistake shows before one of them is replaced.

use std::collections::BTreeMap;

use kobel_model::deployment::BlueGreen;
use kobel_model::quantity::{DURATION_FORMS, parse_duration};

use super::cluster;
use super::context::Context;
use super::findings::Findings;
use super::ingress;
use super::names::{self, BLUE_GREEN_MAX};
use super::part::Part;
use crate::problem::Problem;

/// Keys of a pair, all durations.
const KEYS: [&str; 3] = [
    "kubernetes.operator.bluegreen.abort.grace-period",
    "kubernetes.operator.bluegreen.deployment-deletion.delay",
    "kubernetes.operator.bluegreen.reconciliation.reschedule-interval",
];

/// Reads a pair of deployments.
pub(super) fn read(root: &Part<'_>, context: &Context<'_>, findings: &mut Findings) -> BlueGreen {
    let identity = names::read(root, BLUE_GREEN_MAX, findings);
    let spec = root.field_or_nothing("spec");
    let template = spec.field_or_nothing("template");
    let inner = template.field_or_nothing("spec");
    if !template.has("spec") && !findings.is_unclear(&spec.at("template")) {
        findings.add(Problem::required(template.at("spec"), "the spec of each of the two deployments"));
    }
    let cluster = cluster::read(&inner, context, findings);
    if template.has("spec") && cluster.job.is_none() && !findings.is_unclear(&inner.at("job")) {
        findings.add(Problem::required(inner.at("job"), "a pair of deployments runs a job"));
    }
    let metadata = template.field_or_nothing("metadata");
    BlueGreen {
        identity,
        labels: metadata.field_or_nothing("labels").texts(),
        annotations: metadata.field_or_nothing("annotations").texts(),
        configuration: configuration(&spec, findings),
        ingress: ingress::read(&spec, findings),
        cluster,
    }
}

/// Reads the keys of the pair; unknown ones are kept.
fn configuration(spec: &Part<'_>, findings: &mut Findings) -> BTreeMap<String, String> {
    let part = spec.field_or_nothing("configuration");
    let all = part.texts();
    for key in KEYS {
        if let Some(value) = all.get(key).filter(|value| parse_duration(value).is_err()) {
            let detail = format!("must be a duration ({DURATION_FORMS})");
            findings.add(Problem::invalid(part.at(key), value.as_str(), detail));
        }
    }
    all
}
