//! Every right that the chart gives the operator is used, and no other is asked for: what an operator does in the course
//! of everything that it can do here, as the audit log of the API server tells it, against its roles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kobel_testkit::or_skip;
use kobel_testkit::process::free_port;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::chart::Release;
use crate::client::{resource, text};
use crate::fixture::cluster;
use crate::manifests::{application, session, standalone};
use crate::objects::is_deployed;
use crate::operator::Operator;
use crate::stage::{Stage, on_stage};

const RBAC: &str = "rbac.authorization.k8s.io";
const RBAC_VERSION: &str = "rbac.authorization.k8s.io/v1";
const FLINK: &str = "flink.apache.org/v1beta1";
/// The name of the operator's account, and of its Lease.
const NAME: &str = "kobel";
/// The Secret of the webhook's certificates.
const SECRET: &str = "kobel-webhook-tls";
/// Why a right is not used: whoever gives rights must have them.
const GIVEN_ON: &str = "the account of a job manager gets it, for `spec.executionRoleArn`";
/// Why another is not: nobody makes a request of it.
const OWNERSHIP: &str = "OwnerReferencesPermissionEnforcement asks for it, an admission plugin that is off here";
/// Why a third is not: played pods run no Flink.
const HANDOVER: &str = "a pair hands the state of a job over by a snapshot, which takes a job that runs";
/// The rights that are not used here.
const UNUSED: [(&str, &str); 13] = [
    ("create pods", GIVEN_ON),
    ("delete pods", GIVEN_ON),
    ("get pods", GIVEN_ON),
    ("patch pods", GIVEN_ON),
    ("watch pods", GIVEN_ON),
    ("update configmaps", GIVEN_ON),
    ("watch configmaps", GIVEN_ON),
    ("get services", GIVEN_ON),
    ("update services", GIVEN_ON),
    ("update deployments/finalizers.apps", OWNERSHIP),
    ("update flinkdeployments/finalizers.flink.apache.org", OWNERSHIP),
    ("create flinkstatesnapshots.flink.apache.org", HANDOVER),
    ("delete flinkstatesnapshots.flink.apache.org", HANDOVER),
];

/// Rights, such as `patch deployments.apps`.
type Rights = BTreeSet<String>;

#[test]
fn every_right_of_the_operator_is_used_and_it_asks_for_no_other() {
    let audit = or_skip!(or_skip!(cluster()).audit());
    on_stage("rights", async |stage: &mut Stage| {
        stage.operator.kill();
        let release = stage.install_besides(everything());
        let account = release.account().await;
        let mut operator = Operator::start_with(&account, release.arguments().await);
        ingress_comes_and_goes(stage).await;
        clusters_come_and_go(stage).await;
        session_job_and_snapshot_come_and_go(stage).await;
        pair_comes_and_goes(stage).await;
        certificate_is_followed_by_another(stage, &release).await;
        let given_on = accounts_are_made(stage).await;
        operator.end();
        let user = format!("system:serviceaccount:{}:{NAME}", release.namespace());
        let (used, denied) = asked(audit, &user);
        assert!(denied.is_empty(), "these are denied: {denied:#?}");
        let granted = granted(stage, release.namespace()).await;
        let beyond: Vec<&String> = used.difference(&granted).collect();
        assert!(beyond.is_empty(), "the roles of the operator do not give {beyond:?}");
        let expected: Rights = UNUSED.iter().map(|(right, _)| (*right).to_owned()).collect();
        let unused: Rights = granted.difference(&used).cloned().collect();
        assert_eq!(unused, expected, "the rights that are not used");
        let passed = UNUSED.iter().filter(|(_, why)| *why == GIVEN_ON).map(|(right, _)| *right);
        let kept: Vec<&str> = passed.filter(|right| !given_on.contains(*right)).collect();
        assert!(kept.is_empty(), "no job manager gets {kept:?}");
        release.uninstall().await;
    });
}

/// Values with which the operator gets every right that there is.
fn everything() -> Value {
    let rbac = json!({
        "executionRolesRule": {"create": true},
        // What jobs need stays when a release goes; they have it from the other release.
        "jobRole": {"create": false},
        "jobRoleBinding": {"create": false},
    });
    let port = free_port().expect("a free port");
    json!({"replicas": 2, "rbac": rbac, "webhook": {"create": true, "port": port}})
}

/// An application with an ingress, which goes without an upgrade of it; with what Flink keeps for high availability. The
/// Service of its REST API is there already, and is made its own.
async fn ingress_comes_and_goes(stage: &Stage) {
    let left = json!({"metadata": {"name": "orders-rest"}, "spec": {"ports": [{"port": 8081}]}});
    stage.create("v1", "Service", left).await;
    let mut manifest = application("orders");
    manifest["spec"]["ingress"] = json!({"template": "{{name}}.example.com"});
    stage.apply(&manifest).await;
    let ingresses = stage.api("networking.k8s.io/v1", "Ingress");
    is_there(stage, &ingresses, "orders").await;
    stage.status("orders", "it is deployed", is_deployed).await;
    let labels = json!({"app": "orders", "type": "flink-native-kubernetes"});
    let kept = json!({"metadata": {"name": "orders-cluster-config-map", "labels": labels}});
    stage.create("v1", "ConfigMap", kept).await;
    stage.apply(&application("orders")).await;
    is_gone(stage, &ingresses, "orders").await;
    manifest = application("orders");
    manifest["spec"]["job"]["state"] = json!("suspended");
    stage.apply(&manifest).await;
    stage.status("orders", "it is suspended", |status| status["lifecycleState"] == "SUSPENDED").await;
    stage.delete("orders").await;
    stage.cleared("orders").await;
}

async fn clusters_come_and_go(stage: &Stage) {
    for manifest in [standalone("orders"), session("orders")] {
        stage.apply(&manifest).await;
        stage.status("orders", "it is deployed", is_deployed).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    }
}

async fn session_job_and_snapshot_come_and_go(stage: &Stage) {
    let job = json!({"jarURI": "https://jars.example.com/a.jar", "parallelism": 1, "upgradeMode": "stateless"});
    let reference = json!({"kind": "FlinkDeployment", "name": "nowhere"});
    for (kind, spec) in [
        ("FlinkSessionJob", json!({"deploymentName": "nowhere", "job": job})),
        ("FlinkStateSnapshot", json!({"jobReference": reference, "checkpoint": {}})),
    ] {
        stage.create(FLINK, kind, json!({"metadata": {"name": "orders"}, "spec": spec})).await;
        let api = stage.api(FLINK, kind);
        seen(stage, &api, ("orders", "it is reported on"), |object| object.data.get("status").is_some()).await;
        let is_held = |object: &DynamicObject| object.metadata.finalizers.is_some();
        seen(stage, &api, ("orders", "it is held"), is_held).await;
        delete(stage, &api, "orders").await;
    }
}

/// A pair whose new version does not come to run, is given up, and goes when it is wanted no more.
async fn pair_comes_and_goes(stage: &Stage) {
    let prefix = "kubernetes.operator.bluegreen";
    let configuration = json!({
        format!("{prefix}.abort.grace-period"): "2 s",
        format!("{prefix}.reconciliation.reschedule-interval"): "1 s",
    });
    let spec = json!({"configuration": configuration, "template": {"spec": application("orders")["spec"]}});
    let pair = json!({"metadata": {"name": "orders"}, "spec": spec});
    stage.create(FLINK, "FlinkBlueGreenDeployment", pair).await;
    let (pairs, children) = (stage.api(FLINK, "FlinkBlueGreenDeployment"), stage.deployments());
    is_there(stage, &children, "orders-blue").await;
    let is_in = |state: &'static str| move |object: &DynamicObject| object.data["spec"]["job"]["state"] == state;
    for state in ["suspended", "running"] {
        change(&pairs, "orders", &json!({"template": {"spec": {"job": {"state": state}}}})).await;
        seen(stage, &children, ("orders-blue", state), is_in(state)).await;
    }
    change(&pairs, "orders", &json!({"template": {"spec": {"job": {"parallelism": 2}}}})).await;
    seen(stage, &children, ("orders-green", "it is given up"), is_in("suspended")).await;
    change(&pairs, "orders", &json!({"template": {"spec": {"job": {"parallelism": 4}}}})).await;
    is_gone(stage, &children, "orders-green").await;
    delete(stage, &pairs, "orders").await;
    stage.cleared("orders-blue").await;
}

/// A certificate whose Service was called otherwise has another one follow it.
async fn certificate_is_followed_by_another(stage: &Stage, release: &Release) {
    let secrets = release.api("v1", "Secret");
    is_there(stage, &secrets, SECRET).await;
    let facts = json!({"names": ["a.b.svc"], "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"});
    let changed = Patch::Merge(json!({"stringData": {"tls.facts": facts.to_string()}}));
    secrets.patch(SECRET, &PatchParams::default(), &changed).await.expect("the Secret is changed");
    let has_next = |object: &DynamicObject| object.data["data"].get("next.crt").is_some();
    seen(stage, &secrets, (SECRET, "another certificate follows"), has_next).await;
}

/// The accounts of a role of AWS, which nobody owns; answers what a job manager may do.
async fn accounts_are_made(stage: &Stage) -> Rights {
    let mut manifest = session("orders");
    manifest["spec"]["executionRoleArn"] = json!("arn:aws:iam::111122223333:role/flink-job-role");
    manifest["spec"]["jobManager"]["highAvailabilityEnabled"] = json!(false);
    stage.apply(&manifest).await;
    // Whatever becomes of its pods: what they run with was made before.
    is_there(stage, &stage.api("apps/v1", "Deployment"), "orders").await;
    let mut rights = Rights::new();
    for role in list(&stage.api(RBAC_VERSION, "Role")).await {
        rights.extend(rights_of(&role));
    }
    delete(stage, &stage.deployments(), "orders").await;
    rights
}

async fn change(api: &Api<DynamicObject>, name: &str, spec: &Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    api.patch(name, &PatchParams::default(), &patch).await.expect("it is changed");
}

async fn delete(stage: &Stage, api: &Api<DynamicObject>, name: &str) {
    api.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    is_gone(stage, api, name).await;
}

async fn is_there(stage: &Stage, api: &Api<DynamicObject>, name: &str) {
    seen(stage, api, (name, "it is there"), |_| true).await;
}

/// Waits until an object is as wanted.
async fn seen(
    stage: &Stage,
    api: &Api<DynamicObject>,
    (name, what): (&str, &str),
    is_wanted: impl Fn(&DynamicObject) -> bool,
) {
    stage
        .until(&format!("`{name}`: {what}"), async || {
            api.get_opt(name).await.expect("an answer").filter(&is_wanted).map(drop)
        })
        .await;
}

async fn is_gone(stage: &Stage, api: &Api<DynamicObject>, name: &str) {
    stage
        .until(&format!("`{name}` is gone"), async || {
            api.get_opt(name).await.expect("an answer").is_none().then_some(())
        })
        .await;
}

async fn list(api: &Api<DynamicObject>) -> Vec<Value> {
    let listed = api.list(&ListParams::default()).await.expect("a list").items;
    listed.into_iter().map(|object| serde_json::to_value(object).expect("JSON")).collect()
}

/// What a user has asked for by the audit log, and which requests were denied.
///
/// Whoever applies an object that is not there makes it, and is asked for both rights in one request.
fn asked(audit: &Path, user: &str) -> (Rights, Vec<String>) {
    let (mut used, mut denied) = (Rights::new(), Vec::new());
    let log = fs::read_to_string(audit).expect("the audit log is read");
    for line in log.lines().filter(|line| line.contains(user)) {
        let event: Value = serde_json::from_str(line).expect("an event is JSON");
        if text(&event, "/user/username") != user {
            continue;
        }
        let (verb, code) = (text(&event, "/verb"), event.pointer("/responseStatus/code").and_then(Value::as_u64));
        let is_allowed = event["annotations"]["authorization.k8s.io/decision"] == "allow" && code != Some(403);
        if !is_allowed {
            denied.push(format!("{verb} {}: {}", text(&event, "/requestURI"), event["responseStatus"]));
        }
        let place = |part: &str| text(&event, &format!("/objectRef/{part}")).to_owned();
        if place("resource").is_empty() {
            continue;
        }
        let resource = match place("subresource").as_str() {
            "" => place("resource"),
            part => format!("{}/{part}", place("resource")),
        };
        let created = (verb == "patch" && code == Some(201)).then_some("create");
        used.extend([verb].into_iter().chain(created).map(|verb| right(verb, &resource, &place("apiGroup"))));
    }
    (used, denied)
}

fn right(verb: &str, resource: &str, group: &str) -> String {
    let dot = if group.is_empty() { "" } else { "." };
    format!("{verb} {resource}{dot}{group}")
}

/// What the roles give that are bound to the operator of a release.
async fn granted(stage: &Stage, namespace: &str) -> Rights {
    let all = |kind: &str| Api::all_with(stage.client().clone(), &resource(RBAC_VERSION, kind));
    let mut roles: BTreeMap<[String; 3], Value> = BTreeMap::new();
    for kind in ["ClusterRole", "Role"] {
        for role in list(&all(kind)).await {
            let place = [kind, text(&role, "/metadata/namespace"), text(&role, "/metadata/name")];
            roles.insert(place.map(str::to_owned), role);
        }
    }
    let is_it = |subject: &Value| {
        subject["kind"] == "ServiceAccount" && subject["name"] == NAME && subject["namespace"] == namespace
    };
    let mut rights = Rights::new();
    for kind in ["ClusterRoleBinding", "RoleBinding"] {
        for binding in list(&all(kind)).await {
            if !binding["subjects"].as_array().is_some_and(|subjects| subjects.iter().any(is_it)) {
                continue;
            }
            assert_eq!(binding["roleRef"]["apiGroup"], RBAC);
            let role = text(&binding, "/roleRef/kind");
            let of_namespace = if role == "Role" { text(&binding, "/metadata/namespace") } else { "" };
            let place = [role, of_namespace, text(&binding, "/roleRef/name")];
            rights.extend(rights_of(roles.get(&place.map(str::to_owned)).expect("the role is there")));
        }
    }
    rights
}

/// What a role gives; which names it is limited to is of no interest.
fn rights_of(role: &Value) -> Rights {
    let mut rights = Rights::new();
    for rule in role["rules"].as_array().expect("rules") {
        let texts = |part: &str| {
            let texts = rule[part].as_array().expect("a list").iter();
            texts.map(|text| text.as_str().expect("a text").to_owned()).collect::<Vec<String>>()
        };
        for group in texts("apiGroups") {
            for resource in texts("resources") {
                rights.extend(texts("verbs").iter().map(|verb| right(verb, &resource, &group)));
            }
        }
    }
    rights
}
