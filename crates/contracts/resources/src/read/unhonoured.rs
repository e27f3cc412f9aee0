//! What a substrate cannot do of what was declared: the paths, for a condition.

use kobel_model::deployment::engine::{Engine, engine};
use kobel_model::deployment::{Amounts, Cluster, FlinkConfiguration, Substrate};

use super::declared::Declared;

/// Keys that only mean something to a Kubernetes cluster begin with this.
const KUBERNETES_KEYS: &str = "kubernetes.";
/// Keys of the operator, which mean something everywhere.
const OPERATOR_KEYS: &str = "kubernetes.operator.";
/// Keys of EMR that need machines which can be taken away, or volumes.
const EMR_KEYS: [&str; 2] = ["task.local-recovery.ebs.enable", "cluster.taskmanager.graceful-decommission.enabled"];

/// Lists the paths of fields that `substrate` does not honour, in order of the fields.
pub fn unhonoured(declared: &Declared, substrate: Substrate) -> Vec<String> {
    if substrate == Substrate::Kubernetes {
        return Vec::new();
    }
    match declared {
        Declared::Deployment(deployment) => of_cluster(&deployment.cluster, "spec"),
        Declared::SessionJob(job) => of_configuration(&job.flink_configuration, "spec"),
        Declared::BlueGreen(pair) => {
            let mut paths: Vec<String> = pair.ingress.iter().map(|_| "spec.ingress".to_owned()).collect();
            paths.extend(of_cluster(&pair.cluster, "spec.template.spec"));
            paths
        }
        Declared::Snapshot(_) | Declared::Canary => Vec::new(),
    }
}

/// The paths of a cluster whose spec stands at `at`.
fn of_cluster(cluster: &Cluster, at: &str) -> Vec<String> {
    let monitoring = cluster.monitoring.as_ref();
    // Kobel's own engine is one process, which is started again.
    let has_no_standbys = engine(cluster) == Engine::Native;
    let fields = [
        ("image", cluster.image.is_some()),
        ("imagePullPolicy", cluster.image_pull_policy.is_some()),
        ("serviceAccount", cluster.service_account.is_some()),
        ("executionRoleArn", cluster.execution_role_arn.is_some()),
        ("emrReleaseLabel", cluster.release_label.is_some()),
        ("ingress", cluster.ingress.is_some()),
        ("podTemplate", cluster.pod_template.is_some()),
        ("jobManager.podTemplate", cluster.job_manager.pod_template.is_some()),
        ("jobManager.replicas", has_no_standbys && cluster.job_manager.replicas > 1),
        ("jobManager.nodeSelector", !cluster.job_manager.node_selector.is_empty()),
        ("taskManager.podTemplate", cluster.task_manager.pod_template.is_some()),
        ("taskManager.nodeSelector", !cluster.task_manager.node_selector.is_empty()),
        ("monitoringConfiguration.image", monitoring.is_some_and(|monitoring| monitoring.image.is_some())),
    ];
    let mut paths: Vec<String> =
        fields.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| format!("{at}.{name}")).collect();
    for (component, amounts) in
        [("jobManager", &cluster.job_manager.amounts), ("taskManager", &cluster.task_manager.amounts)]
    {
        paths.extend(of_amounts(amounts).map(|name| format!("{at}.{component}.resources[{name}]")));
    }
    paths.extend(of_configuration(&cluster.flink_configuration, at));
    paths
}

/// Names of resources that no process of a machine can be bound to.
fn of_amounts(amounts: &Amounts) -> impl Iterator<Item = &str> {
    amounts.others.iter().map(|other| other.name.as_str())
}

/// Keys that mean nothing outside a cluster.
fn of_configuration(configuration: &FlinkConfiguration, at: &str) -> Vec<String> {
    let is_foreign =
        |key: &str| (key.starts_with(KUBERNETES_KEYS) && !key.starts_with(OPERATOR_KEYS)) || EMR_KEYS.contains(&key);
    let keys = configuration.iter().map(|(key, _)| key).filter(|key| is_foreign(key));
    keys.map(|key| format!("{at}.flinkConfiguration[{key}]")).collect()
}
