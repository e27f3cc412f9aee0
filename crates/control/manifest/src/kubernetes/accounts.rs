//! The accounts in Kubernetes through which pods act as a role of AWS (`executionRoleArn`), and what they may do there.
//!
//! A role has one account for job managers and one for task managers, each with a role of Kubernetes of its own: a
//! task manager runs the code of the job and may only look up who leads. The names are those of EMR, because the trust
//! policy that `aws emr-containers update-role-trust-policy` writes into the role names them.
//!
//! Every deployment of a namespace with the same role shares these objects. So none of them is owned by a resource: the
//! first one to be deleted would take the accounts from the others. They are always the same for one role, so whoever
//! applies them agrees with the rest, and they carry the label by which EMR tells people to remove what is left
//! ([`LEFT_BEHIND`]). Being shared, the rights cannot be narrowed to the objects of one cluster.
//!
//! What Flink does with each right (`Fabric8FlinkKubeClient`, unless another class is named):
//!
//! | on | verbs | for |
//! |---|---|---|
//! | pods | create, delete | `createTaskManagerPod`, `stopPod` |
//! | pods | get, list, watch | `getPodsWithLabels`, `watchPodsAndDoCallback` of `KubernetesResourceManagerDriver` |
//! | pods | patch | nothing in Apache Flink: the job manager of EMR's images marks its own pod |
//! | configmaps | create, get, patch, update | `KubernetesLeaderElector`, `create…`, `checkAndUpdateConfigMap` |
//! | configmaps | delete | `deleteConfigMap`, when high availability cleans up |
//! | configmaps | list, watch | `KubernetesConfigMapSharedInformer`, also in task managers, with get |
//! | services | get, patch, update | `updateServiceTargetPort`, on the network of the node only |
//! | deployments | get | `createTaskManagerPod`, which makes the Deployment the owner of the pod |
//! | deployments | delete | `stopAndCleanupCluster`, when the cluster shuts itself down |
//! | deployments/finalizers | update | that ownership, where the cluster enforces rights to block a deletion |
//!
//! # Invariants
//! * Whatever the role is called, a name has at most 149 characters: Kubernetes allows 253 and gives none of them a
//!   label of 63. IAM has no role names over 64 characters; what lies beyond is left out of the name, and AWS refuses
//!   the role.
//!
//! # Source
//! Amazon EMR on EKS 7.9 with Apache Flink; Apache Flink 1.20, `Fabric8FlinkKubeClient`.

use serde_json::{Value, json};

use super::container::Component;
use super::start::Start;

/// The label, with its value, by which everything is found that deployments leave behind in a namespace.
pub const LEFT_BEHIND: (&str, &str) = ("emr-containers.amazonaws.com/component", "flink.operator");
/// The annotation of an account that names the role of AWS.
const ROLE: &str = "eks.amazonaws.com/role-arn";
/// What the API of roles and bindings is called.
const RBAC: &str = "rbac.authorization.k8s.io";
/// The longest name of a role in IAM.
const ROLE_NAME_MAX: usize = 64;
/// The digits of a name.
const BASE: u32 = 36;

/// What may be done with some resources of a group.
struct Rule {
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
}

/// What a job manager may do.
const JOB_MANAGER: &[Rule] = &[
    Rule { group: "", resource: "pods", verbs: &["create", "delete", "get", "list", "patch", "watch"] },
    Rule { group: "", resource: "configmaps", verbs: &["create", "delete", "get", "list", "patch", "update", "watch"] },
    Rule { group: "", resource: "services", verbs: &["get", "patch", "update"] },
    Rule { group: "apps", resource: "deployments", verbs: &["delete", "get"] },
    Rule { group: "apps", resource: "deployments/finalizers", verbs: &["update"] },
];
/// What a task manager may do.
const TASK_MANAGER: &[Rule] = &[Rule { group: "", resource: "configmaps", verbs: &["get", "list", "watch"] }];

/// The account of the job managers, if they act as a role of AWS. It takes the place of `serviceAccount`.
pub fn job_manager_account(start: &Start<'_>) -> Option<String> {
    Role::of(start).map(|role| role.account_of(Component::JobManager))
}

/// The account of the task managers, if they act as a role of AWS. It takes the place of `serviceAccount`.
pub fn task_manager_account(start: &Start<'_>) -> Option<String> {
    Role::of(start).map(|role| role.account_of(Component::TaskManager))
}

/// The accounts and their rights, each account before what names it; nothing if there is no role of AWS.
pub fn objects(start: &Start<'_>) -> Vec<Value> {
    let Some(role) = Role::of(start) else {
        return Vec::new();
    };
    let components = [(Component::JobManager, JOB_MANAGER), (Component::TaskManager, TASK_MANAGER)];
    components.into_iter().flat_map(|(component, rules)| of_component(start, &role, component, rules)).collect()
}

/// The account of a component, its role in Kubernetes, and what ties them together; all three have one name.
fn of_component(start: &Start<'_>, role: &Role<'_>, component: Component, rules: &[Rule]) -> [Value; 3] {
    let name = role.account_of(component);
    let (label, value) = LEFT_BEHIND;
    let metadata = json!({
        "name": name,
        "namespace": start.namespace(),
        "labels": { "app.kubernetes.io/managed-by": "kobel", label: value },
    });
    let mut of_account = metadata.clone();
    if let Some(of_account) = of_account.as_object_mut() {
        of_account.insert("annotations".to_owned(), json!({ ROLE: role.arn }));
    }
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| json!({ "apiGroups": [rule.group], "resources": [rule.resource], "verbs": rule.verbs }))
        .collect();
    [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": of_account }),
        json!({ "apiVersion": format!("{RBAC}/v1"), "kind": "Role", "metadata": metadata, "rules": rules }),
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": { "apiGroup": RBAC, "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": start.namespace() }],
        }),
    ]
}

/// A role of AWS.
struct Role<'a> {
    /// The whole of its address.
    arn: &'a str,
    /// The account of AWS that it belongs to.
    account: &'a str,
    /// Its name, without the path before it.
    name: &'a str,
}

impl<'a> Role<'a> {
    /// The role of a deployment: `arn:aws:iam::<account>:role/<path>/<name>`.
    fn of(start: &Start<'a>) -> Option<Self> {
        let arn = start.deployment.cluster.execution_role_arn.as_deref()?;
        let mut parts = arn.splitn(6, ':').skip(4);
        let account = parts.next()?;
        let name = parts.next()?.rsplit('/').next()?;
        (!name.is_empty()).then_some(Self { arn, account, name })
    }

    fn account_of(&self, component: Component) -> String {
        let name: Vec<u8> = self.name.bytes().take(ROLE_NAME_MAX).collect();
        format!("emr-containers-sa-flink-{}-{}-{}", component.as_str(), self.account, base_36(&name))
    }
}

/// The bytes as one number, the first of them the most significant, in digits and small letters.
fn base_36(bytes: &[u8]) -> String {
    let mut number: Vec<u32> = bytes.iter().copied().map(u32::from).collect();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0;
        for byte in &mut number {
            let value = rest * 256 + *byte;
            *byte = value / BASE;
            rest = value % BASE;
        }
        digits.push(char::from_digit(rest, BASE).unwrap_or('0'));
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Case;
    use super::*;

    const ARN: &str = "arn:aws:iam::111122223333:role/emr-on-eks-test-execution-role";

    fn with_role(arn: &str) -> Case {
        Case::session().with(|cluster| cluster.execution_role_arn = Some(arn.to_owned()))
    }

    #[test]
    fn the_names_of_the_accounts_are_those_that_the_trust_policy_of_the_role_has() {
        for (arn, expected) in [
            (ARN, Some("111122223333-1sseqknnoni14bdu6yyw9n3ft32986beoj10gadqfez009x")),
            (
                "arn:aws:iam::444455556666:role/a/b/JobExecutionRoleIRSAv2",
                Some("444455556666-c7ohmynrs14q04uudoef8n97xdufwajzua"),
            ),
            ("arn:aws-cn:iam::444455556666:role/A", Some("444455556666-1t")),
            ("arn:aws:iam::444455556666:role/a/", None),
            ("arn:aws:iam", None),
            ("", None),
        ] {
            let case = with_role(arn);
            let start = case.start();
            let name = |component: &str| Some(format!("emr-containers-sa-flink-{component}-{}", expected?));
            assert_eq!(job_manager_account(&start), name("jobmanager"), "for `{arn}`");
            assert_eq!(task_manager_account(&start), name("taskmanager"), "for `{arn}`");
            assert_eq!(objects(&start).len(), if expected.is_some() { 6 } else { 0 }, "for `{arn}`");
        }
        assert_eq!(job_manager_account(&Case::session().start()), None);
    }

    #[test]
    fn no_name_is_too_long_for_kubernetes_however_long_that_of_the_role_is() {
        for (name, length) in [("z".repeat(64), 148), ("z".repeat(100_000), 148), ("\u{10ffff}".repeat(16), 149)] {
            let case = with_role(&format!("arn:aws:iam::111122223333:role/{name}"));
            let account = task_manager_account(&case.start()).unwrap();
            assert_eq!(account.len(), length);
            assert!(account.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        }
    }

    #[test]
    fn a_task_manager_may_only_look_at_config_maps() {
        let objects = objects(&with_role(ARN).start());
        let kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
        assert_eq!(kinds, ["ServiceAccount", "Role", "RoleBinding", "ServiceAccount", "Role", "RoleBinding"]);
        let rule = json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"] }]);
        assert_eq!(objects[4]["rules"], rule);
        let allowed = |resource: &str, verb: &str| {
            let rules = objects[1]["rules"].as_array().unwrap().iter();
            let mut rules = rules.filter(|rule| rule["resources"][0] == *resource);
            rules.any(|rule| rule["verbs"].as_array().unwrap().contains(&json!(verb)))
        };
        for (resource, verb, expected) in [
            ("pods", "create", true),
            ("pods", "watch", true),
            ("pods", "deletecollection", false),
            ("configmaps", "update", true),
            ("deployments", "get", true),
            ("deployments", "create", false),
            ("deployments/finalizers", "update", true),
            ("secrets", "get", false),
            ("pods/exec", "create", false),
        ] {
            assert_eq!(allowed(resource, verb), expected, "{verb} {resource}");
        }
        assert!(!json!(objects).to_string().contains('*'), "every right is named");
    }

    #[test]
    fn accounts_are_shared_so_no_resource_owns_them() {
        let mut other = with_role(ARN);
        other.deployment.identity.name = "other".to_owned();
        let mine = objects(&with_role(ARN).start());
        assert_eq!(mine, objects(&other.start()), "two resources agree");
        for object in &mine {
            let metadata = &object["metadata"];
            assert_eq!(metadata.get("ownerReferences"), None);
            assert_eq!(metadata["namespace"], "team");
            assert_eq!(metadata["labels"][LEFT_BEHIND.0], LEFT_BEHIND.1);
            let role = metadata.pointer("/annotations/eks.amazonaws.com~1role-arn");
            assert_eq!(role.is_some(), object["kind"] == "ServiceAccount");
            assert!(role.is_none_or(|role| role == ARN));
        }
        assert_eq!(mine[2]["roleRef"]["name"], mine[1]["metadata"]["name"]);
        assert_eq!(mine[5]["subjects"][0]["name"], mine[3]["metadata"]["name"]);
        assert_ne!(mine[0]["metadata"]["name"], mine[3]["metadata"]["name"]);
    }
}
