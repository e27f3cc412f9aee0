//! A job of a session cluster.

use std::collections::BTreeMap;

use kobel_model::deployment::{FlinkConfiguration, Job, JobState, Nonces, SessionJob, UpgradeMode};

use super::artifact::Reach;
use super::context::Context;
use super::findings::Findings;
use super::flink_configuration;
use super::job::Surroundings;
use super::names::{self, DEPLOYMENT_MAX};
use super::origin::Origin;
use super::part::Part;
use super::{autoscaler, changes, job, warnings};
use crate::problem::Problem;

/// Reads a session job.
pub(super) fn read(root: &Part<'_>, context: &Context<'_>, findings: &mut Findings) -> SessionJob {
    let spec = root.field_or_nothing("spec");
    names::check(&spec, "deploymentName", DEPLOYMENT_MAX, findings);
    let target = target(&spec, context, findings);
    let mut below = context.defaults.clone();
    let is_whole = target.is_some();
    below.extend(target.unwrap_or_default());
    let configuration = flink_configuration::read(&spec, &below, findings);
    let part = spec.field("job");
    if part.is_none() {
        findings.add(Problem::required(spec.at("job"), "the job that runs in the session cluster"));
    }
    let job = part.map(|part| {
        let origin = Origin::of_job(&part, &configuration);
        let reach = Reach::of_session(context.defaults);
        let around = Surroundings { configuration: &configuration, origin, reach, is_whole, given: None };
        job::read(&part, &around, findings)
    });
    if is_whole {
        autoscaler::check(&configuration, findings);
    }
    changes::session_job(&spec, context, findings);
    warnings::session_job(&spec, findings);
    SessionJob {
        identity: names::identity(root),
        deployment_name: spec.text("deploymentName").unwrap_or_default().to_owned(),
        job: job.unwrap_or_else(nothing),
        restart_nonce: spec.integer("restartNonce"),
        flink_configuration: FlinkConfiguration::new(configuration.into_own()),
    }
}

/// The configuration of the session cluster, if it is there already; it may come later.
fn target(spec: &Part<'_>, context: &Context<'_>, findings: &mut Findings) -> Option<BTreeMap<String, String>> {
    let name = spec.text("deploymentName").unwrap_or_default();
    let Some(target) = (context.find)("FlinkDeployment", name) else {
        if !name.is_empty() {
            let at = spec.at("deploymentName");
            findings.warn(format!("{at}: there is no FlinkDeployment `{name}` in this namespace yet"));
        }
        return None;
    };
    let root = Part::root(&target);
    let target = root.field_or_nothing("spec");
    if target.has("job") {
        let detail = "must name a session cluster, and this deployment has a job of its own";
        findings.add(Problem::invalid(spec.at("deploymentName"), name, detail));
    }
    Some(flink_configuration::flat(target.field_or_nothing("flinkConfiguration").value()))
}

/// What stands for a job that is missing, which is a problem already.
fn nothing() -> Job {
    Job {
        artifact: None,
        entry_class: None,
        args: Vec::new(),
        parallelism: 1,
        state: JobState::Suspended,
        upgrade_mode: UpgradeMode::Stateless,
        allow_non_restored_state: false,
        initial_savepoint_path: None,
        nonces: Nonces::default(),
    }
}
