//! The registry is whole, every schema is understood, and events survive both shapes and their hour.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use kobel_resources::schema::Schema;
use serde_json::{Value, json};

use super::Kinds;
use super::events::{EVENTS, expired_events, sweep, to_core, to_events_v1};
use crate::kind::Scope;
use crate::store::{Key, Store};
use crate::surroundings::{Surroundings, show_seconds};

/// A clock that stands until it is moved.
struct Clock(Mutex<Timestamp>);

impl Clock {
    fn at_noon() -> Self {
        Self(Mutex::new("2026-01-01T12:00:00Z".parse().unwrap()))
    }

    fn forward(&self, minutes: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_mins(minutes);
    }
}

impl Surroundings for Clock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn new_uid(&self) -> String {
        "u".to_owned()
    }

    fn name_suffix(&self) -> String {
        "bcdfg".to_owned()
    }
}

#[test]
fn every_schema_compiles_and_knows_its_fields() {
    for kind in Kinds::all().iter() {
        let name = kind.resource().qualified();
        assert!(Schema::compile(&kind.openapi).is_ok(), "{name}: {:?}", Schema::compile(&kind.openapi).err());
        let properties = kind.openapi["properties"].as_object().unwrap();
        for field in ["apiVersion", "kind", "metadata"] {
            assert!(properties.contains_key(field), "{name} lacks {field}");
        }
        for field in properties.keys().filter(|field| !["apiVersion", "kind", "metadata"].contains(&field.as_str())) {
            assert!(kind.schema.property(field).is_some(), "{name} does not know {field}");
        }
    }
}

#[test]
fn every_kind_is_found_by_each_of_its_names() {
    let kinds = Kinds::all();
    for (group, version, plural, kind, scope) in [
        ("", "v1", "configmaps", "ConfigMap", Scope::Namespaced),
        ("", "v1", "events", "Event", Scope::Namespaced),
        ("", "v1", "namespaces", "Namespace", Scope::Cluster),
        ("", "v1", "secrets", "Secret", Scope::Namespaced),
        ("", "v1", "serviceaccounts", "ServiceAccount", Scope::Namespaced),
        ("coordination.k8s.io", "v1", "leases", "Lease", Scope::Namespaced),
        ("events.k8s.io", "v1", "events", "Event", Scope::Namespaced),
        ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", Scope::Cluster),
        ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", Scope::Cluster),
        ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", Scope::Namespaced),
        ("flink.apache.org", "v1beta1", "flinkdeployments", "FlinkDeployment", Scope::Namespaced),
        ("flink.apache.org", "v1beta1", "flinksessionjobs", "FlinkSessionJob", Scope::Namespaced),
        ("flink.apache.org", "v1beta1", "flinkstatesnapshots", "FlinkStateSnapshot", Scope::Namespaced),
        ("flink.apache.org", "v1beta1", "flinkbluegreendeployments", "FlinkBlueGreenDeployment", Scope::Namespaced),
    ] {
        let found = kinds.by_path(group, version, plural).unwrap();
        assert_eq!((found.kind.as_str(), found.scope), (kind, scope));
        assert_eq!(kinds.by_kind(group, version, kind).unwrap().plural, plural);
        assert_eq!(kinds.by_resource(&found.resource().qualified()).unwrap().group, group);
        assert_eq!(found.is_custom, group == "flink.apache.org");
        assert!(!found.is_custom || found.reviewer.is_some());
    }
    assert_eq!(kinds.iter().count(), 14);
    assert!(kinds.by_path("", "v2", "configmaps").is_none());
}

#[test]
fn custom_kinds_have_what_their_definition_says() {
    let kind = Kinds::all().by_resource("flinkdeployments.flink.apache.org").unwrap();
    assert!(kind.has_status);
    assert!(kind.scale.is_some());
    assert!(kind.short_names.iter().any(|name| name == "flinkdep"), "{:?}", kind.short_names);
    assert!(!kind.columns.is_empty());
    assert!(kind.columns.iter().all(|column| column.json_path.starts_with('.')));
}

fn core_event() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "ns"},
        "involvedObject": {"kind": "FlinkDeployment", "name": "app"}, "related": {"kind": "Secret", "name": "s"},
        "reason": "Submit", "message": "submitted", "type": "Normal", "action": "Deploy",
        "source": {"component": "operator", "host": "h"}, "count": 3,
        "firstTimestamp": "2026-01-01T11:00:00Z", "lastTimestamp": "2026-01-01T12:00:00Z",
        "eventTime": "2026-01-01T11:00:00.000001Z", "series": {"count": 2, "lastObservedTime": null},
        "reportingComponent": "flink.apache.org/operator", "reportingInstance": "i",
    })
}

#[test]
fn an_event_is_the_same_after_both_conversions() {
    let core = core_event();
    let view = to_events_v1(&core);
    assert_eq!(
        view,
        json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e", "namespace": "ns"},
            "regarding": {"kind": "FlinkDeployment", "name": "app"}, "related": {"kind": "Secret", "name": "s"},
            "reason": "Submit", "note": "submitted", "type": "Normal", "action": "Deploy",
            "deprecatedSource": {"component": "operator", "host": "h"}, "deprecatedCount": 3,
            "deprecatedFirstTimestamp": "2026-01-01T11:00:00Z", "deprecatedLastTimestamp": "2026-01-01T12:00:00Z",
            "eventTime": "2026-01-01T11:00:00.000001Z", "series": {"count": 2, "lastObservedTime": null},
            "reportingController": "flink.apache.org/operator", "reportingInstance": "i",
        })
    );
    assert_eq!(to_core(&view), core);
}

#[test]
fn both_shapes_of_an_event_fit_their_schemas() {
    let kinds = Kinds::all();
    let mut core = core_event();
    let mut view = to_events_v1(&core);
    for (resource, event) in [("events", &mut core), ("events.events.k8s.io", &mut view)] {
        let kind = kinds.by_resource(resource).unwrap();
        assert_eq!(kind.schema.prune(event), Vec::<String>::new(), "{resource}");
        assert_eq!(kind.schema.validate(event), Vec::new(), "{resource}");
    }
}

#[test]
fn an_event_goes_an_hour_after_its_last_write() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (store, clock) = (Store::in_memory().unwrap(), Clock::at_noon());
    let put = |name: &str, last: &str| {
        let created = show_seconds(clock.now());
        let event = json!({"metadata": {"name": name, "creationTimestamp": created}, "lastTimestamp": last});
        let key = Key::new(EVENTS, "ns", name);
        runtime.block_on(store.write(move |tx| tx.put(&key, event))).unwrap();
    };
    put("old", "2026-01-01T11:00:00Z");
    // A writer whose clock is wrong does not keep its event for ever.
    put("from-the-future", "2036-01-01T00:00:00Z");
    put("repeated", "2026-01-01T12:30:00Z");
    clock.forward(59);
    assert_eq!(expired_events(&store, &clock), Vec::new());
    clock.forward(1);
    let names: Vec<String> = expired_events(&store, &clock).iter().map(|key| key.name.to_string()).collect();
    assert_eq!(names, ["from-the-future", "old"]);
    assert_eq!(runtime.block_on(sweep(&store, &clock)).unwrap(), 2);
    assert_eq!(store.list(EVENTS, None).1.len(), 1);
    assert_eq!(runtime.block_on(sweep(&store, &clock)).unwrap(), 0);
}
