//! Objects as they are sent and received: decoded once, and no more of them than is needed.
//!
//! The types of the client decode an object into pieces and put it together again, twice for each change, which costs more
//! than everything else that is done with it. A watch is only asked which object it was, so nothing else of it is kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use kube::Resource;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// An object with everything that it has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// The object.
    pub(crate) value: Value,
    /// What the client may ask for, though it does not: it stays empty.
    meta: ObjectMeta,
}

impl From<Value> for Whole {
    fn from(value: Value) -> Self {
        Self { value, meta: ObjectMeta::default() }
    }
}

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

/// An object of which it can be told whether it is another than before.
pub(crate) trait Printed: Resource {
    /// A number that stays the same as long as what matters of the object does.
    fn print(&self) -> u64;
}

/// Which object it is and what it is declared to be, and nothing else of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Sent")]
pub(crate) struct Named {
    meta: ObjectMeta,
    print: u64,
}

/// Which Deployment it is and how it fares, and nothing else of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "SentDeployment")]
pub(crate) struct Faring {
    meta: ObjectMeta,
    print: u64,
}

/// What is read of an object that was sent; the rest is passed over.
#[derive(Deserialize)]
struct Sent {
    metadata: SentMeta,
}

/// What is read of a Deployment that was sent; the rest is passed over.
#[derive(Deserialize)]
struct SentDeployment {
    metadata: SentMeta,
    #[serde(default)]
    spec: SentSpec,
    #[serde(default)]
    status: SentStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentMeta {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
    uid: Option<String>,
    generation: Option<i64>,
    deletion_timestamp: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
struct SentSpec {
    replicas: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentStatus {
    ready_replicas: Option<i64>,
    #[serde(default)]
    conditions: Vec<SentCondition>,
}

#[derive(Deserialize)]
struct SentCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

impl From<Sent> for Named {
    fn from(Sent { metadata }: Sent) -> Self {
        // A status does not change the generation.
        let print = print(&(&metadata.uid, metadata.generation, &metadata.deletion_timestamp, &metadata.labels));
        Self { meta: metadata.into(), print }
    }
}

impl From<SentDeployment> for Faring {
    fn from(SentDeployment { metadata, spec, status }: SentDeployment) -> Self {
        let holds = |kind: &str| status.conditions.iter().any(|found| found.kind == kind && found.status == "True");
        let fares = (status.ready_replicas.unwrap_or_default(), holds("Available"), holds("ReplicaFailure"));
        let print = print(&(&metadata.uid, &metadata.deletion_timestamp, spec.replicas, fares));
        Self { meta: metadata.into(), print }
    }
}

impl From<SentMeta> for ObjectMeta {
    fn from(sent: SentMeta) -> Self {
        let SentMeta { name, namespace, resource_version, .. } = sent;
        Self { name, namespace, resource_version, ..Self::default() }
    }
}

fn print(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Printed for Named {
    fn print(&self) -> u64 {
        self.print
    }
}

impl Printed for Faring {
    fn print(&self) -> u64 {
        self.print
    }
}

/// The client is told which kind it is when it is asked for objects.
macro_rules! any_kind {
    ($name:ident) => {
        impl Resource for $name {
            type DynamicType = ApiResource;
            type Scope = DynamicResourceScope;

            fn kind(of: &ApiResource) -> Cow<'_, str> {
                of.kind.as_str().into()
            }

            fn group(of: &ApiResource) -> Cow<'_, str> {
                of.group.as_str().into()
            }

            fn version(of: &ApiResource) -> Cow<'_, str> {
                of.version.as_str().into()
            }

            fn plural(of: &ApiResource) -> Cow<'_, str> {
                of.plural.as_str().into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.meta
            }
        }
    };
}

any_kind!(Whole);
any_kind!(Named);
any_kind!(Faring);

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use kube::core::{ObjectList, WatchEvent};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_comes_and_goes_as_it_is() {
        let text = r#"{"kind":"X","metadata":{"name":"a","labels":{"b":"c"}},"spec":{"z":1,"a":[null]}}"#;
        let whole: Whole = serde_json::from_str(text).unwrap();
        assert_eq!(whole.value["spec"]["z"], 1);
        assert_eq!(serde_json::to_string(&whole).unwrap(), text);
    }

    #[test]
    fn which_object_it_is_is_read_from_events_and_lists() {
        let object = json!({"apiVersion": "g/v1", "kind": "X", "spec": {"deep": [1, {"a": 2}]}, "status": {},
            "metadata": {"resourceVersion": "7", "name": "a", "namespace": "n", "uid": "u", "labels": {"b": "c"}}});
        let event = json!({"type": "MODIFIED", "object": object}).to_string();
        let Ok(WatchEvent::Modified(named)) = serde_json::from_str::<WatchEvent<Named>>(&event) else {
            panic!("it is a change");
        };
        let list =
            json!({"kind": "XList", "apiVersion": "g/v1", "metadata": {"resourceVersion": "9"}, "items": [object]});
        let list: ObjectList<Named> = serde_json::from_str(&list.to_string()).unwrap();
        for named in [&named, &list.items[0]] {
            assert_eq!((named.name_any().as_str(), named.namespace().as_deref()), ("a", Some("n")));
            assert_eq!(named.resource_version().as_deref(), Some("7"));
        }
    }

    fn named(object: Value) -> u64 {
        serde_json::from_value::<Named>(object).unwrap().print()
    }

    fn faring(object: Value) -> u64 {
        serde_json::from_value::<Faring>(object).unwrap().print()
    }

    #[test]
    fn an_object_is_another_once_it_is_declared_anew_and_not_when_its_status_is_written() {
        let object = json!({"metadata": {"name": "a", "uid": "u", "generation": 1, "resourceVersion": "7"}});
        let mut reported = object.clone();
        reported["metadata"]["resourceVersion"] = json!("8");
        reported["metadata"]["finalizers"] = json!(["f"]);
        reported["status"] = json!({"lifecycleState": "DEPLOYED"});
        assert_eq!(named(object.clone()), named(reported));
        for (key, value) in [
            ("generation", json!(2)),
            ("uid", json!("v")),
            ("labels", json!({"a": "b"})),
            ("deletionTimestamp", json!("2026-01-01T00:00:00Z")),
        ] {
            let mut changed = object.clone();
            changed["metadata"][key] = value;
            assert_ne!(named(object.clone()), named(changed), "{key}");
        }
    }

    #[test]
    fn a_deployment_is_another_once_it_fares_in_another_way() {
        let condition = |kind: &str, status: &str| json!([{"type": kind, "status": status}]);
        let object = json!({"metadata": {"name": "a", "uid": "u", "generation": 1}, "spec": {"replicas": 1}});
        let with = |place: &str, key: &str, value: Value| {
            let mut changed = object.clone();
            changed[place][key] = value;
            faring(changed)
        };
        let known = faring(object.clone());
        assert_eq!(known, with("metadata", "generation", json!(2)), "the controllers of Kubernetes have seen it");
        assert_eq!(known, with("status", "observedGeneration", json!(2)));
        assert_eq!(known, with("status", "conditions", condition("Available", "False")));
        for (place, key, value) in [
            ("status", "readyReplicas", json!(1)),
            ("status", "conditions", condition("Available", "True")),
            ("status", "conditions", condition("ReplicaFailure", "True")),
            ("spec", "replicas", json!(0)),
            ("metadata", "uid", json!("v")),
            ("metadata", "deletionTimestamp", json!("2026-01-01T00:00:00Z")),
        ] {
            assert_ne!(known, with(place, key, value.clone()), "{key} {value}");
        }
    }
}
