//! The spec of a deployment, which also stands in the template of a pair of deployments.

use std::collections::BTreeMap;

use kobel_model::deployment::{Cluster, FlinkConfiguration, JobManager, TaskManager};
use serde_json::Value;

use super::artifact::Reach;
use super::availability::{self, REPLICAS_MAX};
use super::components::{self, JOB_MANAGER, TASK_MANAGER};
use super::context::Context;
use super::findings::Findings;
use super::flink_configuration::{self, Configuration};
use super::job::{PARALLELISM_MAX, Surroundings, words};
use super::origin::Origin;
use super::part::Part;
use super::{autoscaler, ingress, job, monitoring, pod_template, version, warnings};
use crate::problem::Problem;

/// Names of the files of a log configuration.
const LOG_FILES: [&str; 2] = ["log4j-console.properties", "logback-console.xml"];
/// The key of the slots.
const SLOTS: &str = "taskmanager.numberOfTaskSlots";

/// Reads a cluster.
pub(super) fn read(spec: &Part<'_>, context: &Context<'_>, findings: &mut Findings) -> Cluster {
    let flink_version = version::flink(spec, findings);
    let configuration = flink_configuration::read(spec, context.defaults, findings);
    let origin = Origin::of(spec, &configuration);
    let (high_availability, replicas) = availability::read(spec, &configuration, findings);
    let task_manager = task_manager(spec, &configuration, origin, findings);
    let given = given(spec, &task_manager, findings);
    let reach = Reach::of_cluster(context.defaults);
    let around = Surroundings { configuration: &configuration, origin, reach, is_whole: true, given };
    let job = spec.field("job").map(|part| job::read(&part, &around, findings));
    autoscaler::check(&configuration, findings);
    pod_template::check(spec, findings);
    warnings::deployment(spec, findings);
    let cluster = Cluster {
        flink_version,
        release_label: version::release(spec, flink_version, findings),
        mode: version::mode(spec),
        image: words(spec, "image", findings),
        image_pull_policy: pull_policy(spec, findings),
        service_account: version::service_account(spec, origin, findings),
        execution_role_arn: version::execution_role(spec, findings),
        ingress: ingress::read(spec, findings),
        pod_template: object(spec, "podTemplate"),
        job_manager: JobManager {
            amounts: components::read(spec, &JOB_MANAGER, &configuration, origin, findings),
            replicas,
            pod_template: object(&spec.field_or_nothing("jobManager"), "podTemplate"),
            node_selector: spec.field_or_nothing("jobManager").field_or_nothing("nodeSelector").texts(),
        },
        task_manager,
        log_configuration: log_configuration(spec, findings),
        job,
        restart_nonce: spec.integer("restartNonce"),
        high_availability,
        monitoring: monitoring::read(spec, findings),
        flink_configuration: FlinkConfiguration::new(configuration.into_own()),
    };
    flink_configuration::check_lines(spec, &cluster, findings);
    cluster
}

fn object(part: &Part<'_>, name: &str) -> Option<Value> {
    part.field(name).map(|field| field.value().clone())
}

/// Reads when the image is fetched.
fn pull_policy(spec: &Part<'_>, findings: &mut Findings) -> Option<String> {
    let policy = spec.text("imagePullPolicy")?;
    let known = ["Always", "IfNotPresent", "Never"];
    if !known.contains(&policy) {
        findings.add(Problem::not_supported(spec.at("imagePullPolicy"), policy, &known));
    }
    Some(policy.to_owned())
}

/// Reads the task managers.
fn task_manager(
    spec: &Part<'_>,
    configuration: &Configuration,
    origin: Origin,
    findings: &mut Findings,
) -> TaskManager {
    let part = spec.field_or_nothing(TASK_MANAGER.field);
    let replicas = part.integer("replicas");
    if let Some(number) = replicas.filter(|number| !(1..=REPLICAS_MAX).contains(number)) {
        findings.add(Problem::invalid(part.at("replicas"), number, format!("must be from 1 to {REPLICAS_MAX}")));
    }
    let slots = configuration.get(&[SLOTS]).and_then(|text| text.parse::<u32>().ok()).filter(|slots| *slots > 0);
    TaskManager {
        amounts: components::read(spec, &TASK_MANAGER, configuration, origin, findings),
        replicas: replicas.and_then(|number| u32::try_from(number).ok()),
        slots: slots.unwrap_or(1),
        pod_template: object(&part, "podTemplate"),
        node_selector: part.field_or_nothing("nodeSelector").texts(),
    }
}

/// The parallelism that the number of task managers gives.
fn given(spec: &Part<'_>, task_manager: &TaskManager, findings: &mut Findings) -> Option<u32> {
    let replicas = task_manager.replicas?;
    let parallelism = i64::from(replicas).saturating_mul(i64::from(task_manager.slots));
    if parallelism > PARALLELISM_MAX && i64::from(replicas) <= REPLICAS_MAX {
        let at = spec.field_or_nothing(TASK_MANAGER.field).at("replicas");
        let slots = task_manager.slots;
        let detail = format!("must give at most {PARALLELISM_MAX} slots, and each task manager has {slots}");
        findings.add(Problem::invalid(at, replicas, detail));
    }
    u32::try_from(parallelism).ok()
}

/// Reads the files of the log configuration.
fn log_configuration(spec: &Part<'_>, findings: &mut Findings) -> BTreeMap<String, String> {
    let part = spec.field_or_nothing("logConfiguration");
    for (name, _) in part.members() {
        if !LOG_FILES.contains(&name) {
            findings.add(Problem::not_supported(part.path(), name, &LOG_FILES));
        }
    }
    part.texts()
}
