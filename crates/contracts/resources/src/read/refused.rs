//! What a substrate refuses of what another carries out.

use std::collections::BTreeMap;

use kobel_model::deployment::{Cluster, Mode, Substrate};

use super::declared::Declared;
use crate::problem::Problem;

/// The option that has a job take as many slots as there are.
const SCHEDULER_MODE: &str = "scheduler-mode";
/// The value with which it does.
const REACTIVE: &str = "reactive";

/// Lists what `substrate` cannot carry out of what was declared, where the operator says `defaults` if it is silent.
pub fn refused(declared: &Declared, substrate: Substrate, defaults: &BTreeMap<String, String>) -> Vec<Problem> {
    if substrate == Substrate::Local {
        return Vec::new();
    }
    let found = match declared {
        Declared::Deployment(deployment) => reactive(&deployment.cluster, "spec", defaults),
        Declared::BlueGreen(pair) => reactive(&pair.cluster, "spec.template.spec", defaults),
        Declared::SessionJob(_) | Declared::Snapshot(_) | Declared::Canary => None,
    };
    found.into_iter().collect()
}

/// Flink does not start such a job manager (`ClusterEntrypoint`, `supportsReactiveMode`).
fn reactive(cluster: &Cluster, at: &str, defaults: &BTreeMap<String, String>) -> Option<Problem> {
    let own = cluster.flink_configuration.get(SCHEDULER_MODE);
    let value = own.or_else(|| defaults.get(SCHEDULER_MODE).map(String::as_str))?;
    let is_application = cluster.mode == Mode::Standalone && cluster.job.is_some();
    if is_application || !value.trim().eq_ignore_ascii_case(REACTIVE) {
        return None;
    }
    let path = format!("{at}.flinkConfiguration[{SCHEDULER_MODE}]");
    let whose = if own.is_some() { "" } else { " (a default of the operator)" };
    let detail = format!(
        "must not be `{REACTIVE}` here{whose}: reactive mode is only supported by standalone application clusters, which \
         have {at}.mode `standalone` and a {at}.job"
    );
    Some(Problem::invalid(path, value, detail))
}
