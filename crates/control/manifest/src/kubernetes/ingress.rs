//! How the REST API is reached from outside the cluster.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `IngressUtils`.

use std::collections::BTreeMap;

use kobel_model::deployment::Ingress;
use serde_json::{Map, Value, json};

use super::configuration::REST_PORT;
use super::start::Start;
use super::{container, services};
use crate::configuration::Configuration;

/// The key that leaves ingresses to someone else.
const MANAGE: &str = "kubernetes.operator.ingress.manage";
/// What a template may begin with; it does not show in an ingress.
const SCHEMES: [&str; 2] = ["http://", "https://"];

/// The ingress; none if the resource asks for none, or if they are left to someone else.
pub fn object(start: &Start<'_>, configuration: &Configuration) -> Option<Value> {
    let ingress = start.deployment.cluster.ingress.as_ref()?;
    if !is_managed(configuration) {
        return None;
    }
    let mut labels: BTreeMap<String, String> = ingress.labels.clone();
    labels.extend(start.component("ingress"));
    let mut owner = start.owner();
    if let Some(controller) = owner.get_mut("controller") {
        *controller = Value::from(true);
    }
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), Value::from(start.name()));
    metadata.insert("namespace".to_owned(), Value::from(start.namespace()));
    metadata.insert("labels".to_owned(), json!(labels));
    if !ingress.annotations.is_empty() {
        metadata.insert("annotations".to_owned(), json!(ingress.annotations));
    }
    metadata.insert("ownerReferences".to_owned(), json!([owner]));
    Some(json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": spec(ingress, start, configuration),
    }))
}

/// Whether ingresses are made, and removed where none is asked for any more; else they are left to someone else.
pub fn is_managed(configuration: &Configuration) -> bool {
    configuration.get(MANAGE).is_none_or(|value| !value.trim().eq_ignore_ascii_case("false"))
}

fn spec(ingress: &Ingress, start: &Start<'_>, configuration: &Configuration) -> Value {
    let mut spec = Map::new();
    if let Some(class) = &ingress.class_name {
        spec.insert("ingressClassName".to_owned(), Value::from(class.as_str()));
    }
    let url = filled(&ingress.template, start);
    let (host, path) = host_and_path(&url);
    let port = container::port(configuration, "rest.port", REST_PORT);
    let backend = json!({"service": {"name": services::rest_name(start), "port": {"number": port}}});
    let mut way = json!({"pathType": "ImplementationSpecific", "backend": backend});
    set(&mut way, "path", path);
    let mut rule = json!({"http": {"paths": [way]}});
    set(&mut rule, "host", host);
    spec.insert("rules".to_owned(), json!([rule]));
    if !ingress.tls.is_empty() {
        spec.insert(
            "tls".to_owned(),
            ingress.tls.iter().map(|tls| certificate(&tls.hosts, tls.secret_name.as_deref())).collect(),
        );
    }
    Value::Object(spec)
}

fn certificate(hosts: &[String], secret: Option<&str>) -> Value {
    let mut entry = json!({"hosts": hosts});
    set(&mut entry, "secretName", secret.unwrap_or_default());
    entry
}

/// Sets a member of an object unless it would be empty.
fn set(object: &mut Value, key: &str, text: &str) {
    if let Some(object) = object.as_object_mut().filter(|_| !text.is_empty()) {
        object.insert(key.to_owned(), Value::from(text));
    }
}

/// The template with the name and the namespace in it.
fn filled(template: &str, start: &Start<'_>) -> String {
    replaced(&replaced(template, "{{name}}", start.name()), "{{namespace}}", start.namespace())
}

/// `text` with `value` in place of each `placeholder`, which may be in any case.
fn replaced(text: &str, placeholder: &str, value: &str) -> String {
    let mut done = String::new();
    let mut rest = text;
    // Letters that are not of ASCII stay as they are, and so does the place of everything.
    while let Some(place) = rest.to_ascii_lowercase().find(placeholder) {
        let (before, after) = rest.split_at(place);
        done.push_str(before);
        done.push_str(value);
        rest = after.get(placeholder.len()..).unwrap_or_default();
    }
    done + rest
}

/// The host and the path of an address; either may be empty.
fn host_and_path(url: &str) -> (&str, &str) {
    let has = |scheme: &&&str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = SCHEMES.iter().find(has).map_or(0, |scheme| scheme.len());
    let rest = url.get(scheme..).unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (authority.split(':').next().unwrap_or_default(), path)
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::IngressTls;

    use super::*;
    use crate::kubernetes::configuration::tests::{Case, texts};

    fn case(template: &str) -> Case {
        Case::session().with(|cluster| {
            cluster.ingress = Some(Ingress {
                template: template.to_owned(),
                class_name: None,
                annotations: BTreeMap::new(),
                labels: BTreeMap::new(),
                tls: Vec::new(),
            });
        })
    }

    fn made(case: &Case) -> Option<Value> {
        object(&case.start(), &case.effective())
    }

    #[test]
    fn a_template_becomes_a_host_and_a_path() {
        for (template, host, path) in [
            ("{{name}}.{{namespace}}.example.com", Some("flights.team.example.com"), None),
            ("example.com/{{NameSpace}}/{{NAME}}(/|$)(.*)", Some("example.com"), Some("/team/flights(/|$)(.*)")),
            ("https://{{name}}.example.com:8443/", Some("flights.example.com"), Some("/")),
            ("HTTP://example.com", Some("example.com"), None),
            ("/{{namespace}}/{{name}}(/.*)?", None, Some("/team/flights(/.*)?")),
            ("größe.example.com/{{name}}", Some("größe.example.com"), Some("/flights")),
        ] {
            let object = made(&case(template)).unwrap();
            let text = |path: &str| object.pointer(path).and_then(Value::as_str);
            assert_eq!(text("/spec/rules/0/host"), host, "for `{template}`");
            assert_eq!(text("/spec/rules/0/http/paths/0/path"), path, "for `{template}`");
        }
    }

    #[test]
    fn everything_that_is_asked_for_stands_in_it() {
        let case = case("{{name}}.example.com").set(&[("rest.port", "9000")]).with(|cluster| {
            let ingress = cluster.ingress.as_mut().unwrap();
            ingress.class_name = Some("nginx".to_owned());
            ingress.annotations = texts(&[("a", "b")]);
            ingress.labels = texts(&[("team", "x"), ("component", "other")]);
            let hosts = vec!["flights.example.com".to_owned()];
            ingress.tls = vec![
                IngressTls { hosts: hosts.clone(), secret_name: Some("certificate".to_owned()) },
                IngressTls { hosts, secret_name: None },
            ];
        });
        let owner = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": "flights", "uid": "u-1",
            "controller": true, "blockOwnerDeletion": true,
        });
        let labels = json!({
            "app": "flights", "component": "ingress", "type": "flink-native-kubernetes", "team": "x",
        });
        let backend = json!({"service": {"name": "flights-rest", "port": {"number": 9000}}});
        let expected = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": "flights",
                "namespace": "team",
                "labels": labels,
                "annotations": {"a": "b"},
                "ownerReferences": [owner],
            },
            "spec": {
                "ingressClassName": "nginx",
                "rules": [{
                    "host": "flights.example.com",
                    "http": {"paths": [{"pathType": "ImplementationSpecific", "backend": backend}]},
                }],
                "tls": [
                    {"hosts": ["flights.example.com"], "secretName": "certificate"},
                    {"hosts": ["flights.example.com"]},
                ],
            },
        });
        assert_eq!(made(&case), Some(expected));
    }

    #[test]
    fn there_is_none_unless_it_is_asked_for_and_ours() {
        assert_eq!(made(&Case::session()), None);
        for (value, is_made) in [("false", false), (" False ", false), ("true", true)] {
            let case = case("example.com").set(&[(MANAGE, value)]);
            assert_eq!(made(&case).is_some(), is_made, "for `{value}`");
        }
    }
}
