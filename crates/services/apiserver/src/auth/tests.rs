//! The guard on a store in memory: every role, every refusal, the life of tokens, and what reviews and the audit tell.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::audit::{Page, Refused, read};
use super::grants::{CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS};
use super::tokens::Account;
use super::{Access, Attributes, Caller, escalation, reviews};
use crate::status::{Answer, Status};
use crate::store::{Key, Store};
use crate::surroundings::Surroundings;

struct Clock(Mutex<Timestamp>);

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

struct Bench {
    access: Access,
    token: String,
    store: Store,
    clock: Arc<Clock>,
    runtime: Runtime,
    data: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (store, data) = (Store::in_memory().unwrap(), tempfile::tempdir().unwrap());
        let clock = Arc::new(Clock(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap())));
        let access = Access::new(store.clone(), clock.clone());
        let token = runtime.block_on(access.start(data.path())).unwrap();
        Self { access, token, store, clock, runtime, data }
    }

    fn forward(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    fn put(&self, resource: &str, object: Value) {
        let (namespace, name) = (crate::object::namespace(&object), crate::object::name(&object));
        let key = Key::new(resource, namespace, name);
        self.runtime.block_on(self.store.write(move |tx| tx.put(&key, object))).unwrap();
    }

    fn delete(&self, resource: &str, namespace: &str, name: &str) {
        let key = Key::new(resource, namespace, name);
        self.runtime.block_on(self.store.write(move |tx| tx.delete(&key, json!({})))).unwrap();
    }

    fn bind(&self, name: &str, role: &str, subject: Value) {
        self.put(ROLE_BINDINGS, binding("RoleBinding", name, role, subject));
    }

    fn account(&self, uid: &str) {
        self.put("serviceaccounts", json!({"metadata": {"name": "bot", "namespace": "ns", "uid": uid}}));
    }

    fn request(&self, body: &Value) -> Answer<Value> {
        let account = Account { namespace: "ns".to_owned(), name: "bot".to_owned() };
        self.runtime.block_on(self.access.issue_token(&Caller::admin(), account, body))
    }

    fn caller_of(&self, token: &str) -> Answer<Caller> {
        self.access.authenticate(&header(&format!("Bearer {token}")), None)
    }

    fn check(&self, caller: &Caller, binding: Value, previous: Option<Value>) -> Answer<()> {
        let caller = caller.clone();
        let act = self.store.write(move |tx| escalation::check(tx, &caller, &binding, previous.as_ref()));
        self.runtime.block_on(act)
    }
}

fn header(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value.parse().unwrap());
    headers
}

fn binding(kind: &str, name: &str, role: &str, subject: Value) -> Value {
    let mut metadata = json!({"name": name});
    if kind == "RoleBinding" {
        metadata["namespace"] = json!("ns");
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
    })
}

fn user(name: &str) -> Value {
    json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name})
}

fn known(name: &str) -> Caller {
    Caller { user: name.to_owned(), groups: vec!["system:authenticated".to_owned()] }
}

fn asked<'a>(verb: &'a str, qualified: &'a str, namespace: &'a str, name: &'a str) -> Attributes<'a> {
    let (resource, group) = qualified.split_once('.').unwrap_or((qualified, ""));
    let some = |word: &'a str| (!word.is_empty()).then_some(word);
    Attributes { verb, group, resource, namespace: some(namespace), name: some(name) }
}

fn message<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    answer.unwrap_err().message
}

#[test]
fn each_role_allows_what_it_should_and_nothing_else() {
    let bench = Bench::new();
    for role in ["viewer", "operator", "admin"] {
        bench.bind(role, &format!("kobel-{role}"), user(role));
    }
    for (short, role) in [("view", "viewer"), ("edit", "operator"), ("admin", "admin")] {
        bench.bind(&format!("short-{short}"), short, user(&format!("short-{role}")));
    }
    // Verb, resource, who may: n(obody), v(iewer and more), o(perator and more), a(dmin).
    for (verb, resource, who) in [
        ("list", "flinkdeployments.flink.apache.org", 'v'),
        ("watch", "flinksessionjobs.flink.apache.org", 'v'),
        ("get", "flinkdeployments/status.flink.apache.org", 'v'),
        ("get", "configmaps", 'v'),
        ("list", "events", 'v'),
        ("list", "events.events.k8s.io", 'v'),
        ("get", "serviceaccounts", 'v'),
        ("get", "leases.coordination.k8s.io", 'v'),
        ("list", "rolebindings.rbac.authorization.k8s.io", 'v'),
        ("create", "flinkdeployments.flink.apache.org", 'o'),
        ("patch", "flinkdeployments/scale.flink.apache.org", 'o'),
        ("update", "flinkdeployments/status.flink.apache.org", 'o'),
        ("deletecollection", "flinkstatesnapshots.flink.apache.org", 'o'),
        ("delete", "configmaps", 'o'),
        ("create", "events", 'o'),
        ("create", "secrets", 'o'),
        ("update", "secrets", 'o'),
        ("patch", "secrets", 'a'),
        ("delete", "secrets", 'a'),
        ("deletecollection", "secrets", 'a'),
        ("get", "secrets", 'a'),
        ("list", "secrets", 'a'),
        ("watch", "secrets", 'a'),
        ("create", "serviceaccounts", 'a'),
        ("create", "serviceaccounts/token", 'a'),
        ("create", "rolebindings.rbac.authorization.k8s.io", 'a'),
        ("delete", "namespaces", 'n'),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io", 'n'),
        ("get", "pods", 'n'),
        ("list", "deployments.apps", 'n'),
        ("impersonate", "users", 'n'),
    ] {
        for (rank, caller) in [(0, "stranger"), (1, "viewer"), (2, "operator"), (3, "admin")] {
            let needed = match who {
                'v' => 1,
                'o' => 2,
                'a' => 3,
                _ => 4,
            };
            let here = asked(verb, resource, "ns", "");
            let answer = bench.access.authorize(&known(caller), &here);
            assert_eq!(answer.is_ok(), rank >= needed, "{caller} {verb} {resource}: {answer:?}");
            let short = bench.access.authorize(&known(&format!("short-{caller}")), &here);
            assert_eq!(short.is_ok(), rank >= needed, "{caller} {verb} {resource} by its short name");
            for elsewhere in [asked(verb, resource, "other", ""), asked(verb, resource, "", "")] {
                assert!(bench.access.authorize(&known(caller), &elsewhere).is_err(), "{caller} {elsewhere:?}");
            }
        }
        let everywhere = asked(verb, resource, "", "");
        assert!(bench.access.authorize(&Caller::admin(), &everywhere).is_ok(), "{verb} {resource}");
        assert!(bench.access.authorize(&Caller::anonymous(), &everywhere).is_err(), "{verb} {resource}");
    }
}

#[test]
fn a_refusal_is_worded_as_kubernetes_words_it() {
    let bench = Bench::new();
    let bot = Caller::service_account("a5", "bot");
    for (wish, what, cannot) in [
        (
            asked("list", "configmaps", "a5", ""),
            "configmaps",
            r#"list resource "configmaps" in API group "" in the namespace "a5""#,
        ),
        (
            asked("get", "configmaps", "a5", "x"),
            r#"configmaps "x""#,
            r#"get resource "configmaps" in API group "" in the namespace "a5""#,
        ),
        (
            asked("list", "namespaces", "", ""),
            "namespaces",
            r#"list resource "namespaces" in API group "" at the cluster scope"#,
        ),
        (
            asked("get", "namespaces", "", "a5"),
            r#"namespaces "a5""#,
            r#"get resource "namespaces" in API group "" in the namespace "a5""#,
        ),
        (
            asked("create", "serviceaccounts/token", "a5", "bot"),
            r#"serviceaccounts "bot""#,
            r#"create resource "serviceaccounts/token" in API group "" in the namespace "a5""#,
        ),
        (
            asked("list", "clusterroles.rbac.authorization.k8s.io", "", ""),
            "clusterroles.rbac.authorization.k8s.io",
            r#"list resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope"#,
        ),
    ] {
        let refusal = bench.access.authorize(&bot, &wish).unwrap_err();
        let user = "system:serviceaccount:a5:bot";
        let expected = format!("{what} is forbidden: User {user:?} cannot {cannot}");
        assert_eq!((refusal.code, refusal.message), (403, expected));
    }
}

#[test]
fn a_binding_counts_as_soon_as_it_is_stored_and_no_longer() {
    let bench = Bench::new();
    let bot = Caller::service_account("other", "bot");
    let wish = asked("list", "flinkdeployments.flink.apache.org", "ns", "");
    assert!(bench.access.authorize(&bot, &wish).is_err());
    bench.bind("b", "view", json!({"kind": "ServiceAccount", "name": "bot", "namespace": "other"}));
    assert!(bench.access.authorize(&bot, &wish).is_ok());
    assert!(bench.access.authorize(&Caller::service_account("ns", "bot"), &wish).is_err());
    assert!(bench.access.authorize(&bot, &asked("get", "namespaces", "", "ns")).is_ok());
    bench.delete(ROLE_BINDINGS, "ns", "b");
    assert!(bench.access.authorize(&bot, &wish).is_err());
    let group = json!({"kind": "Group", "name": "system:serviceaccounts:other"});
    bench.put(CLUSTER_ROLE_BINDINGS, binding("ClusterRoleBinding", "c", "view", group));
    for namespace in ["ns", "any", ""] {
        let wish = asked("list", "configmaps", namespace, "");
        assert!(bench.access.authorize(&bot, &wish).is_ok(), "{namespace}");
    }
}

#[test]
fn strangers_see_the_health_and_nothing_else() {
    let bench = Bench::new();
    for (path, anonymous, authenticated) in [
        ("/healthz", true, true),
        ("/livez", true, true),
        ("/readyz", true, true),
        ("/version", true, true),
        ("/api", false, true),
        ("/apis/flink.apache.org/v1beta1", false, true),
        ("/openapi/v3", false, true),
        ("/audit", false, false),
        ("/metrics", false, false),
        ("/", false, false),
    ] {
        let allowed = |caller: &Caller| bench.access.authorize_path(caller, "get", path).is_ok();
        assert_eq!(allowed(&Caller::anonymous()), anonymous, "{path}");
        assert_eq!(allowed(&known("u")), authenticated, "{path}");
        assert!(allowed(&Caller::admin()), "{path}");
    }
    let refusal = bench.access.authorize_path(&Caller::anonymous(), "get", "/api").unwrap_err();
    assert_eq!(refusal.message, "forbidden: User \"system:anonymous\" cannot get path \"/api\"");
}

#[test]
fn the_admin_token_is_kept_in_a_private_file_and_only_there() {
    let bench = Bench::new();
    let token = bench.token.clone();
    assert_eq!(token.len(), 43);
    let file = bench.data.path().join("token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(bench.caller_of(&token).unwrap(), Caller::admin());
    let records = format!("{:?}", bench.store.records("tokens"));
    assert!(records.contains("admin") && !records.contains(&token), "{records}");
    let reopen = || bench.runtime.block_on(bench.access.start(bench.data.path()));
    assert_eq!(reopen().unwrap(), token);
    fs::remove_file(&file).unwrap();
    let fresh = reopen().unwrap();
    assert_ne!(fresh, token);
    assert_eq!(bench.caller_of(&fresh).unwrap(), Caller::admin());
    assert_eq!(message(bench.caller_of(&token)), "Unauthorized");
    fs::write(&file, "short\n").unwrap();
    assert!(reopen().is_err());
}

#[test]
fn the_token_of_an_account_lives_until_its_end_or_that_of_the_account() {
    let bench = Bench::new();
    assert_eq!(message(bench.request(&json!({}))), "serviceaccounts \"bot\" not found");
    bench.account("one");
    let request = bench.request(&json!({"spec": {"expirationSeconds": 600}})).unwrap();
    assert_eq!(request["status"]["expirationTimestamp"], "2026-01-01T00:10:00Z");
    let token = request["status"]["token"].as_str().unwrap().to_owned();
    let caller = bench.caller_of(&token).unwrap();
    assert_eq!(caller.user, "system:serviceaccount:ns:bot");
    assert_eq!(caller.groups, ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"]);
    bench.forward(599);
    assert!(bench.caller_of(&token).is_ok());
    bench.forward(1);
    assert_eq!(message(bench.caller_of(&token)), "Unauthorized");
    let token = bench.request(&json!({})).unwrap()["status"]["token"].as_str().unwrap().to_owned();
    assert!(bench.caller_of(&token).is_ok());
    bench.delete("serviceaccounts", "ns", "bot");
    assert!(bench.caller_of(&token).is_err());
    // A new account of the same name is another account.
    bench.account("two");
    assert!(bench.caller_of(&token).is_err());
    assert_eq!(bench.runtime.block_on(bench.access.sweep()).unwrap(), 2);
    assert_eq!(bench.store.records("tokens").len(), 1);
}

#[test]
fn a_token_request_is_checked() {
    let bench = Bench::new();
    bench.account("one");
    for (spec, expected) in [
        (
            json!({"expirationSeconds": 60}),
            "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
        ),
        (json!({"audiences": ["vault"]}), "spec.audiences[0]: Unsupported value: \"vault\""),
        (json!({"boundObjectRef": {"kind": "Pod"}}), "spec.boundObjectRef: Forbidden"),
    ] {
        let refusal = bench.request(&json!({"spec": spec})).unwrap_err();
        let start = format!("TokenRequest.authentication.k8s.io \"\" is invalid: {expected}");
        assert_eq!(refusal.code, 422);
        assert!(refusal.message.starts_with(&start), "{}", refusal.message);
    }
}

#[test]
fn headers_without_a_bearer_token_are_anonymous() {
    let bench = Bench::new();
    let token = &bench.token;
    assert_eq!(bench.access.authenticate(&HeaderMap::new(), None).unwrap(), Caller::anonymous());
    for (value, who) in [
        ("Basic dTpw".to_owned(), Some(Caller::anonymous())),
        ("Bearer ".to_owned(), Some(Caller::anonymous())),
        (format!("bearer {token}"), Some(Caller::admin())),
        (format!("Bearer {token}x"), None),
        ("Bearer short".to_owned(), None),
        (format!("Bearer {}", "x".repeat(10_000)), None),
    ] {
        let answer = bench.access.authenticate(&header(&value), None);
        match who {
            Some(who) => assert_eq!(answer.unwrap(), who, "{value}"),
            None => assert_eq!(*answer.unwrap_err(), *Status::unauthorized(), "{value}"),
        }
    }
}

#[test]
fn a_peer_that_tries_tokens_is_held_off() {
    let bench = Bench::new();
    let remote: IpAddr = "10.0.0.1".parse().unwrap();
    let local: IpAddr = "127.0.0.1".parse().unwrap();
    let right = header(&format!("Bearer {}", bench.token));
    for peer in [remote, local] {
        for _ in 0..20 {
            assert_eq!(bench.access.authenticate(&header("Bearer x"), Some(peer)).unwrap_err().code, 401);
        }
        assert_eq!(bench.access.authenticate(&header("Bearer x"), Some(peer)).unwrap_err().code, 429);
    }
    assert_eq!(bench.access.authenticate(&right, Some(remote)).unwrap_err().code, 429);
    assert!(bench.access.authenticate(&right, Some(local)).is_ok());
    assert!(bench.access.authenticate(&right, Some("10.0.0.2".parse().unwrap())).is_ok());
    bench.forward(10);
    assert!(bench.access.authenticate(&right, Some(remote)).is_ok());
}

#[test]
fn nobody_gives_more_than_they_have() {
    let bench = Bench::new();
    bench.bind("a", "kobel-admin", user("admin"));
    bench.bind("o", "kobel-operator", user("operator"));
    let given = |role: &str| binding("RoleBinding", "new", role, user("x"));
    for role in ["kobel-viewer", "edit", "admin"] {
        assert_eq!(bench.check(&known("admin"), given(role), None), Ok(()), "{role}");
    }
    let start = concat!(
        r#"rolebindings.rbac.authorization.k8s.io "new" is forbidden: user "admin" (groups=["system:authenticated"]) "#,
        "is attempting to grant RBAC permissions not currently held:\n",
        r#"{APIGroups:["*"], Resources:["*"], Verbs:["*"]}"#,
        "\n",
        r#"{NonResourceURLs:["*"], Verbs:["*"]}"#,
    );
    assert_eq!(message(bench.check(&known("admin"), given("cluster-admin"), None)), start);
    let refusal = bench.check(&known("operator"), given("admin"), None).unwrap_err();
    assert!(refusal.message.contains(r#"{APIGroups:[""], Resources:["secrets"], Verbs:["#), "{}", refusal.message);
    assert_eq!(bench.check(&known("operator"), given("edit"), None), Ok(()));
    let cluster = binding("ClusterRoleBinding", "new", "kobel-viewer", user("x"));
    assert!(bench.check(&known("admin"), cluster.clone(), None).is_err());
    assert_eq!(bench.check(&Caller::admin(), cluster, None), Ok(()));
    assert_eq!(bench.check(&Caller::admin(), given("cluster-admin"), None), Ok(()));
    // Labels of a binding may change without rights to give it, subjects may not.
    let mut labelled = given("cluster-admin");
    labelled["metadata"]["labels"] = json!({"a": "b"});
    assert_eq!(bench.check(&known("admin"), labelled, Some(given("cluster-admin"))), Ok(()));
    let other = binding("RoleBinding", "new", "cluster-admin", user("admin"));
    assert!(bench.check(&known("admin"), other, Some(given("cluster-admin"))).is_err());
}

#[test]
fn only_built_in_roles_can_be_given_and_none_can_be_changed() {
    let bench = Bench::new();
    let unknown = binding("RoleBinding", "new", "nosuch", user("x"));
    let refusal = bench.check(&Caller::admin(), unknown, None).unwrap_err();
    let expected = "clusterroles.rbac.authorization.k8s.io \"nosuch\" not found";
    assert_eq!((refusal.code, refusal.message.as_str()), (404, expected));
    let wish = asked("delete", "clusterroles.rbac.authorization.k8s.io", "", "view");
    assert_eq!(bench.access.authorize(&Caller::admin(), &wish).unwrap_err().code, 403);
    let names: Vec<String> =
        bench.store.list(super::roles::CLUSTER_ROLES, None).1.iter().map(|role| role.key.name.to_string()).collect();
    assert_eq!(names, ["admin", "cluster-admin", "edit", "kobel-admin", "kobel-operator", "kobel-viewer", "view"]);
}

#[test]
fn reviews_tell_what_the_guard_does() {
    let bench = Bench::new();
    bench.bind("rb", "edit", json!({"kind": "ServiceAccount", "name": "bot", "namespace": "ns"}));
    bench.account("one");
    let bot = Caller::service_account("ns", "bot");
    let ask = |namespace: &str, caller: &Caller| {
        let wish = json!({"namespace": namespace, "verb": "get", "resource": "configmaps"});
        let body = json!({"spec": {"resourceAttributes": wish}});
        reviews::answer("selfsubjectaccessreviews", body, caller, &bench.access).unwrap().unwrap()["status"].clone()
    };
    let reason = "RBAC: allowed by RoleBinding \"rb/ns\" of ClusterRole \"edit\" to ServiceAccount \"bot/ns\"";
    assert_eq!(ask("ns", &bot), json!({"allowed": true, "reason": reason}));
    assert_eq!(ask("default", &bot), json!({"allowed": false}));
    assert_eq!(ask("default", &Caller::admin()), json!({"allowed": true}));
    let empty = reviews::self_subject_access(json!({"spec": {}}), &bot, &bench.access);
    let rule = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    let expected =
        format!(".authorization.k8s.io \"\" is invalid: spec.resourceAttributes: Invalid value: null: {rule}");
    assert_eq!(message(empty), expected);
    let who = reviews::self_subject(&bot, &bench.access);
    assert_eq!(who["status"]["userInfo"]["username"], "system:serviceaccount:ns:bot");
    assert_eq!(who["status"]["userInfo"]["uid"], "one");
    let rules = reviews::self_subject_rules(&json!({"spec": {"namespace": "ns"}}), &bot, &bench.access).unwrap();
    let listed = rules["status"]["resourceRules"].as_array().unwrap();
    assert!(
        listed
            .iter()
            .any(|rule| rule["resources"] == json!(["secrets"]) && rule["verbs"] == json!(["create", "update"]))
    );
    assert_eq!(message(reviews::self_subject_rules(&json!({}), &bot, &bench.access)), "no namespace on request");
    assert!(reviews::answer("nosuch", json!({}), &bot, &bench.access).is_none());
}

#[test]
fn refused_mutations_are_in_the_audit_and_refused_reads_are_not() {
    let bench = Bench::new();
    let caller = known("u");
    let status = Status::unauthorized();
    let text = bench.runtime.block_on(async {
        for verb in ["delete", "get"] {
            let asked = asked(verb, "flinkdeployments/scale.flink.apache.org", "ns", "app");
            bench.access.record(Refused { caller: Some(&caller), peer: None, asked, status: &status });
        }
        // The act is asked for by a task of its own; let it run.
        for _ in 0..1000 {
            let text = read(&bench.store, Page { after: 0, limit: 10 }).await.unwrap();
            if !text.is_empty() {
                return text;
            }
            tokio::task::yield_now().await;
        }
        String::new()
    });
    let row: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert_eq!((&row["verb"], &row["user"], &row["code"]), (&json!("delete"), &json!("u"), &json!(401)));
    assert_eq!(row["resource"], "flinkdeployments.flink.apache.org");
    assert_eq!(row["subresource"], "scale");
    let next = Page::of(&format!("after={}&limit=5", row["id"])).unwrap();
    assert_eq!(bench.runtime.block_on(read(&bench.store, next)).unwrap(), "");
}

#[test]
fn a_page_of_the_audit_is_bounded() {
    assert_eq!(Page::of("").unwrap(), Page { after: 0, limit: 500 });
    assert_eq!(Page::of("limit=1000000&after=7").unwrap(), Page { after: 7, limit: 5000 });
    assert_eq!(Page::of("limit=x").unwrap_err().code, 400);
    assert_eq!(Page::of("from=1").unwrap_err().code, 400);
}
