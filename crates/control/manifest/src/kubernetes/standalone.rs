//! The Deployment of the task managers in standalone mode, where nobody in the cluster may ask Kubernetes for pods.
//!
//! A task manager is called by the name of its pod, as in native mode. So whoever knows of a pod (that its node is
//! about to go, that it was evicted) knows of the task manager too. Flink finds again what a container that was
//! started anew in the same pod had left behind, since the name tells it what is its own.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `StandaloneKubernetesTaskManagerFactory`,
//! `CmdStandaloneTaskManagerDecorator`, `InitStandaloneTaskManagerDecorator`; Apache Flink 1.20,
//! `TaskManagerOptions.TASK_MANAGER_RESOURCE_ID`.

use serde_json::{Value, json};

use super::configuration::{TASK_MANAGER_PORT, TASK_MANAGER_REPLICAS};
use super::container::{self, Component, Main};
use super::start::Start;
use super::{job_manager, template};
use crate::configuration::Configuration;
use crate::sizes;

/// The variable with the name of the pod.
const POD_NAME: &str = "_POD_NAME";

/// The Deployment of the task managers, which the resource owns.
pub fn task_managers(start: &Start<'_>, configuration: &Configuration) -> Value {
    let component = Component::TaskManager;
    let mut pod = template::of(start, configuration, component);
    let port = container::port(configuration, "taskmanager.rpc.port", TASK_MANAGER_PORT);
    let name = json!({
        "name": POD_NAME,
        "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } },
    });
    let main = Main {
        component,
        args: vec!["taskmanager".to_owned(), "-D".to_owned(), format!("taskmanager.resource-id=$({POD_NAME})")],
        ports: vec![("taskmanager-rpc", port)],
        environment: vec![name],
    };
    container::write(&mut pod, start, configuration, &main);
    job_manager::user_libraries(&mut pod);
    job_manager::deployment(start, configuration, component, replicas(start, configuration), &pod)
}

/// How many task managers there are: as the configuration works it out, which knows of the autoscaler.
fn replicas(start: &Start<'_>, configuration: &Configuration) -> u32 {
    let known = configuration.get(TASK_MANAGER_REPLICAS).and_then(|text| text.trim().parse().ok());
    known.unwrap_or_else(|| sizes::task_managers(&start.deployment.cluster))
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::Mode;

    use super::super::configuration::effective;
    use super::super::tests::{Case, main_container};
    use super::*;

    fn deployed(case: Case) -> Value {
        let case = case.with(|cluster| cluster.mode = Mode::Standalone);
        let start = case.start();
        task_managers(&start, &effective(&start))
    }

    #[test]
    fn there_are_as_many_task_managers_as_the_resource_says_or_the_job_needs() {
        let overrides = ("pipeline.jobvertex-parallelism-overrides", "a:2,b:9");
        let two = |case: Case| case.with(|cluster| cluster.task_manager.replicas = Some(2));
        for (case, expected) in [
            (Case::application(), 2),
            (Case::session(), 1),
            (two(Case::session()), 2),
            (Case::application().configured(&[overrides]), 5),
            (two(Case::application().configured(&[overrides])), 2),
        ] {
            assert_eq!(deployed(case)["spec"]["replicas"], expected);
        }
        let case = Case::application();
        assert_eq!(replicas(&case.start(), &Configuration::default()), 2, "three slots at two a task manager");
    }

    #[test]
    fn the_resource_owns_the_task_managers_and_the_labels_select_them() {
        let object = deployed(Case::application());
        assert_eq!(object["metadata"]["name"], "flights-taskmanager");
        assert_eq!(object["metadata"]["ownerReferences"][0]["kind"], "FlinkDeployment");
        let labels = json!({ "type": "flink-standalone-kubernetes", "app": "flights", "component": "taskmanager" });
        assert_eq!(object["spec"]["selector"]["matchLabels"], labels);
        let own = object["spec"]["template"]["metadata"]["labels"].as_object().unwrap();
        for (label, value) in labels.as_object().unwrap() {
            assert_eq!(own.get(label), Some(value), "{label}");
        }
    }

    #[test]
    fn a_task_manager_is_called_by_the_name_of_its_pod() {
        let object = deployed(Case::session().configured(&[("taskmanager.rpc.port", "7122")]));
        let main = main_container(&object);
        assert_eq!(main["args"], json!(["taskmanager", "-D", "taskmanager.resource-id=$(_POD_NAME)"]));
        let name = main["env"].as_array().unwrap().iter().find(|entry| entry["name"] == POD_NAME).unwrap();
        assert_eq!(name["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
        let port = &main["ports"][0];
        assert_eq!((&port["name"], &port["containerPort"]), (&json!("taskmanager-rpc"), &json!(7122)));
    }
}
