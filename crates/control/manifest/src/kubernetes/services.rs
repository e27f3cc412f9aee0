//! How a cluster is called on: task managers call the job manager, people and operators call the REST API.
//!
//! # Source
//! Apache Flink 1.20 and 2.2, `InternalServiceDecorator`, `HeadlessClusterIPService`, `ExternalServiceDecorator`,
//! `ServiceType`; Apache Flink Kubernetes operator 1.15, `StandaloneKubernetesJobManagerParameters`.

use std::collections::BTreeMap;

use kobel_model::deployment::FlinkVersion;
use serde_json::{Value, json};

use super::configuration::{BLOB_PORT, JOB_MANAGER_PORT, REST_PORT, has_internal_service};
use super::container::{self, structured};
use super::start::Start;
use crate::configuration::Configuration;

/// The oldest line that knows labels of services.
const LABELS_SINCE: FlinkVersion = FlinkVersion::V2_0;
/// The address of a service that has none of its own: its name leads to its pods.
const HEADLESS: &str = "None";
/// How the REST API can be reached: the value of the option, the type of the service, its address if it has none.
const EXPOSED_TYPES: [(&str, &str, Option<&str>); 4] = [
    ("ClusterIP", "ClusterIP", None),
    ("Headless_ClusterIP", "ClusterIP", Some(HEADLESS)),
    ("LoadBalancer", "LoadBalancer", None),
    ("NodePort", "NodePort", None),
];

/// The name of the service of the REST API.
pub fn rest_name(start: &Start<'_>) -> String {
    format!("{}-rest", start.name())
}

/// The services; the Deployment of the job manager has this uid.
pub fn objects(start: &Start<'_>, configuration: &Configuration, manager_uid: &str) -> Vec<Value> {
    let service = |name: &str, option: &str, spec: Value| {
        let metadata = metadata(start, configuration, name, option);
        let mut object = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec});
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("ownerReferences".to_owned(), json!([start.manager_owner(manager_uid)]));
        }
        object
    };
    let internal = has_internal_service(start)
        .then(|| service(start.name(), "kubernetes.internal-service", internal(start, configuration)));
    let rest = service(&rest_name(start), "kubernetes.rest-service", rest(start, configuration));
    internal.into_iter().chain([rest]).collect()
}

/// The metadata of a service, with what is configured below `option`.
fn metadata(start: &Start<'_>, configuration: &Configuration, name: &str, option: &str) -> Value {
    let mut labels = BTreeMap::new();
    if start.deployment.cluster.flink_version >= LABELS_SINCE {
        labels = structured::map(configuration, &format!("{option}.labels"));
    }
    // What the cluster is found by is not for anyone to change.
    labels.extend(start.labels());
    let annotations = structured::map(configuration, &format!("{option}.annotations"));
    let mut metadata = json!({"name": name, "namespace": start.namespace(), "labels": labels});
    if let Some(metadata) = metadata.as_object_mut().filter(|_| !annotations.is_empty()) {
        metadata.insert("annotations".to_owned(), json!(annotations));
    }
    metadata
}

/// Where task managers call the job manager.
fn internal(start: &Start<'_>, configuration: &Configuration) -> Value {
    let port = |name: &str, key: &str, default: u16| {
        let number = container::port(configuration, key, default);
        json!({"name": name, "protocol": "TCP", "port": number})
    };
    json!({
        "clusterIP": HEADLESS,
        "selector": start.component("jobmanager"),
        "ports": [
            port("jobmanager-rpc", "jobmanager.rpc.port", JOB_MANAGER_PORT),
            port("blobserver", "blob.server.port", BLOB_PORT),
        ],
    })
}

/// Where the REST API answers.
fn rest(start: &Start<'_>, configuration: &Configuration) -> Value {
    let wanted = configuration.get("kubernetes.rest-service.exposed.type").unwrap_or_default().trim();
    let known = EXPOSED_TYPES.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(wanted));
    let (kind, address) = known.map_or(("ClusterIP", None), |(_, kind, address)| (*kind, *address));
    let port = container::port(configuration, "rest.port", REST_PORT);
    let target = container::port(configuration, "rest.bind-port", port);
    let mut spec = json!({
        "type": kind,
        "selector": start.component("jobmanager"),
        "ports": [{"name": "rest", "protocol": "TCP", "port": port, "targetPort": target}],
    });
    if let (Some(address), Some(spec)) = (address, spec.as_object_mut()) {
        spec.insert("clusterIP".to_owned(), Value::from(address));
    }
    spec
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::Mode;

    use super::*;
    use crate::kubernetes::configuration::tests::Case;

    fn made(case: &Case) -> Vec<Value> {
        objects(&case.start(), &case.effective(), "m-1")
    }

    fn names(case: &Case) -> Vec<String> {
        let name = |object: &Value| object.pointer("/metadata/name").and_then(Value::as_str).map(str::to_owned);
        made(case).iter().filter_map(name).collect()
    }

    fn rest_of(case: &Case) -> Value {
        made(case).pop().unwrap()
    }

    #[test]
    fn the_job_manager_has_a_service_unless_it_is_called_by_its_own_address() {
        let standalone = |case: Case| case.with(|cluster| cluster.mode = Mode::Standalone);
        for (case, expected) in [
            (Case::application(), &["flights", "flights-rest"][..]),
            (Case::application().available(), &["flights-rest"][..]),
            (standalone(Case::session()), &["flights", "flights-rest"][..]),
            (standalone(Case::session().available()), &["flights", "flights-rest"][..]),
        ] {
            assert_eq!(names(&case), expected);
        }
    }

    #[test]
    fn the_service_of_the_job_manager_is_headless() {
        let owner = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "flights", "uid": "m-1",
            "controller": true, "blockOwnerDeletion": true,
        });
        let labels = json!({"app": "flights", "type": "flink-native-kubernetes"});
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "flights", "namespace": "team", "labels": labels, "ownerReferences": [owner]},
            "spec": {
                "clusterIP": "None",
                "selector": {"app": "flights", "component": "jobmanager", "type": "flink-native-kubernetes"},
                "ports": [
                    {"name": "jobmanager-rpc", "protocol": "TCP", "port": 6123},
                    {"name": "blobserver", "protocol": "TCP", "port": 6124},
                ],
            },
        });
        assert_eq!(made(&Case::application()).first(), Some(&expected));
    }

    #[test]
    fn the_rest_api_is_exposed_as_it_is_configured() {
        for (exposed, kind, address) in [
            ("", "ClusterIP", None),
            ("ClusterIP", "ClusterIP", None),
            ("headless_clusterip", "ClusterIP", Some("None")),
            ("NodePort", "NodePort", None),
            ("LoadBalancer", "LoadBalancer", None),
        ] {
            let case = Case::application().set(&[("kubernetes.rest-service.exposed.type", exposed)]);
            let spec = rest_of(&case).get("spec").cloned().unwrap();
            let text = |key: &str| spec.get(key).and_then(Value::as_str);
            assert_eq!((text("type"), text("clusterIP")), (Some(kind), address), "for `{exposed}`");
        }
    }

    #[test]
    fn the_rest_api_is_called_on_one_port_and_may_answer_on_another() {
        for (values, port, target) in [
            (&[][..], 8081, 8081),
            (&[("rest.port", "9000")][..], 9000, 9000),
            (&[("rest.port", "9000"), ("rest.bind-port", "9001")][..], 9000, 9001),
            (&[("rest.bind-port", "0")][..], 8081, 8081),
        ] {
            let expected = json!([{"name": "rest", "protocol": "TCP", "port": port, "targetPort": target}]);
            assert_eq!(rest_of(&Case::session().set(values)).pointer("/spec/ports"), Some(&expected), "for {values:?}");
        }
    }

    #[test]
    fn annotations_are_those_of_every_line_and_labels_those_of_a_newer_one() {
        let values = [
            ("kubernetes.rest-service.annotations", "a:b"),
            ("kubernetes.rest-service.labels", "team:x,app:other"),
            ("kubernetes.internal-service.annotations.c", "d"),
            ("kubernetes.internal-service.labels", "tier:1"),
        ];
        for (line, internal, rest) in [
            (
                FlinkVersion::V1_20,
                json!({"app": "flights", "type": "flink-native-kubernetes"}),
                json!({"app": "flights", "type": "flink-native-kubernetes"}),
            ),
            (
                FlinkVersion::V2_2,
                json!({"app": "flights", "type": "flink-native-kubernetes", "tier": "1"}),
                json!({"app": "flights", "type": "flink-native-kubernetes", "team": "x"}),
            ),
        ] {
            let objects = made(&Case::application().set(&values).with(|cluster| cluster.flink_version = line));
            let of = |place: usize, path: &str| objects.get(place).and_then(|object| object.pointer(path)).cloned();
            assert_eq!(of(0, "/metadata/labels"), Some(internal), "for {line}");
            assert_eq!(of(1, "/metadata/labels"), Some(rest), "for {line}");
            assert_eq!(of(0, "/metadata/annotations"), Some(json!({"c": "d"})), "for {line}");
            assert_eq!(of(1, "/metadata/annotations"), Some(json!({"a": "b"})), "for {line}");
        }
    }
}
