//! Discovery: which groups, versions and resources there are, in the plain and in the aggregated form.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::kind::{Kind, Scope};

/// A resource that is computed and not stored: it can only be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// API group.
    pub group: &'static str,
    /// Plural in paths.
    pub plural: &'static str,
    /// Singular.
    pub singular: &'static str,
    /// CamelCase name.
    pub kind: &'static str,
    /// Whether it is asked within a namespace.
    pub scope: Scope,
}

/// The group of reviews of who the caller is.
pub const AUTHENTICATION: &str = "authentication.k8s.io";
/// The group of reviews of what the caller may do.
pub const AUTHORIZATION: &str = "authorization.k8s.io";

/// Every review; their version is `v1`.
pub const REVIEWS: [Review; 4] = [
    review(AUTHENTICATION, "selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview", Scope::Cluster),
    review(
        AUTHORIZATION,
        "selfsubjectaccessreviews",
        "selfsubjectaccessreview",
        "SelfSubjectAccessReview",
        Scope::Cluster,
    ),
    review(
        AUTHORIZATION,
        "selfsubjectrulesreviews",
        "selfsubjectrulesreview",
        "SelfSubjectRulesReview",
        Scope::Cluster,
    ),
    review(AUTHORIZATION, "subjectaccessreviews", "subjectaccessreview", "SubjectAccessReview", Scope::Cluster),
];

const fn review(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    scope: Scope,
) -> Review {
    Review { group, plural, singular, kind, scope }
}

/// Everything that is served.
#[derive(Debug)]
pub struct Catalog {
    kinds: Vec<Arc<Kind>>,
}

/// One resource in both forms of discovery.
struct Entry {
    group: String,
    version: String,
    plain: Vec<Value>,
    aggregated: Value,
}

impl Catalog {
    /// A catalog of these kinds and of the reviews.
    pub fn new(kinds: Vec<Arc<Kind>>) -> Self {
        Self { kinds }
    }

    /// Every kind.
    pub fn kinds(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    /// Groups and versions, each once, the core group first.
    pub fn versions(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        for entry in self.entries() {
            let version = (entry.group, entry.version);
            if !found.contains(&version) {
                found.push(version);
            }
        }
        found.sort_by_key(|(group, _)| !group.is_empty());
        found
    }

    /// `/api`
    pub fn core_versions(&self, address: &str) -> Value {
        let address = json!({"clientCIDR": "0.0.0.0/0", "serverAddress": address});
        json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]})
    }

    /// `/apis`
    pub fn groups(&self) -> Value {
        let groups: Vec<Value> = self.group_names().iter().map(|name| self.group_body(name)).collect();
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    }

    /// `/apis/GROUP`
    pub fn group(&self, name: &str) -> Option<Value> {
        if name.is_empty() || !self.group_names().iter().any(|known| known == name) {
            return None;
        }
        let body = self.group_body(name);
        Some(json!({
            "kind": "APIGroup", "apiVersion": "v1", "name": name,
            "versions": body["versions"], "preferredVersion": body["preferredVersion"],
        }))
    }

    /// `/apis/GROUP/VERSION`
    pub fn resources(&self, group: &str, version: &str) -> Option<Value> {
        let is_meant = |entry: &Entry| entry.group == group && entry.version == version;
        let resources: Vec<Value> = self.entries().into_iter().filter(is_meant).flat_map(|entry| entry.plain).collect();
        if resources.is_empty() {
            return None;
        }
        let name = group_version(group, version);
        Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}))
    }

    /// `/api` in the aggregated form.
    pub fn aggregated_core(&self) -> Value {
        self.aggregated(&[String::new()])
    }

    /// `/apis` in the aggregated form.
    pub fn aggregated_groups(&self) -> Value {
        self.aggregated(&self.group_names())
    }

    fn aggregated(&self, groups: &[String]) -> Value {
        let entries = self.entries();
        let items: Vec<Value> = groups
            .iter()
            .map(|group| {
                let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
                let versions: Vec<Value> = self
                    .versions()
                    .into_iter()
                    .filter(|(of, _)| of == group)
                    .map(|(_, version)| {
                        let is_meant = |entry: &&Entry| entry.group == *group && entry.version == version;
                        let resources: Vec<&Value> =
                            entries.iter().filter(is_meant).map(|entry| &entry.aggregated).collect();
                        json!({"version": version, "resources": resources, "freshness": "Current"})
                    })
                    .collect();
                json!({"metadata": metadata, "versions": versions})
            })
            .collect();
        let version = "apidiscovery.k8s.io/v2";
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": version, "metadata": {}, "items": items})
    }

    fn group_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.versions().into_iter().map(|(group, _)| group).collect();
        names.retain(|name| !name.is_empty());
        names.dedup();
        names
    }

    fn group_body(&self, name: &str) -> Value {
        let versions: Vec<Value> = self
            .versions()
            .into_iter()
            .filter(|(group, _)| group == name)
            .map(|(group, version)| json!({"groupVersion": group_version(&group, &version), "version": version}))
            .collect();
        let preferred = versions.first().cloned().unwrap_or_default();
        json!({"name": name, "versions": versions, "preferredVersion": preferred})
    }

    fn entries(&self) -> Vec<Entry> {
        self.kinds.iter().map(|kind| of_kind(kind)).chain(REVIEWS.iter().map(of_review)).collect()
    }
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// What can be done with objects of a kind.
pub fn verbs(kind: &Kind) -> &'static [&'static str] {
    match kind.plural.as_str() {
        "customresourcedefinitions" => &["get", "list", "watch"],
        "namespaces" => &["create", "delete", "get", "list", "patch", "update", "watch"],
        _ if kind.is_custom => &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
        _ => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    }
}

/// A part of a kind's objects with a path of its own: its name, and the kind that stands there.
struct Part {
    name: &'static str,
    kind: (String, String, String),
    verbs: &'static [&'static str],
}

fn parts(kind: &Kind) -> Vec<Part> {
    let changing: &[&str] = &["get", "patch", "update"];
    let of = |group: &str, version: &str, name: &str| (group.to_owned(), version.to_owned(), name.to_owned());
    let mut parts = Vec::new();
    if kind.has_status {
        parts.push(Part { name: "status", kind: of(&kind.group, &kind.version, &kind.kind), verbs: changing });
    }
    if kind.scale.is_some() {
        parts.push(Part { name: "scale", kind: of("autoscaling", "v1", "Scale"), verbs: changing });
    }
    if kind.group.is_empty() && kind.plural == "serviceaccounts" {
        parts.push(Part { name: "token", kind: of(AUTHENTICATION, "v1", "TokenRequest"), verbs: &["create"] });
    }
    parts
}

fn of_kind(kind: &Kind) -> Entry {
    let mut resource = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.is_namespaced(), "kind": kind.kind,
        "verbs": verbs(kind),
    });
    let mut aggregated = json!({
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": scope(kind.scope),
        "singularResource": kind.singular,
        "verbs": verbs(kind),
    });
    for (field, words) in [("shortNames", &kind.short_names), ("categories", &kind.categories)] {
        if !words.is_empty() {
            resource[field] = json!(words);
            aggregated[field] = json!(words);
        }
    }
    let (mut plain, mut below) = (vec![resource], Vec::new());
    for part in parts(kind) {
        let (group, version, name) = &part.kind;
        let full = format!("{}/{}", kind.plural, part.name);
        let mut resource = json!({"name": full, "singularName": "", "namespaced": kind.is_namespaced()});
        if *group != kind.group {
            resource["group"] = json!(group);
            resource["version"] = json!(version);
        }
        resource["kind"] = json!(name);
        resource["verbs"] = json!(part.verbs);
        plain.push(resource);
        let response = json!({"group": group, "version": version, "kind": name});
        below.push(json!({"subresource": part.name, "responseKind": response, "verbs": part.verbs}));
    }
    if !below.is_empty() {
        aggregated["subresources"] = Value::Array(below);
    }
    Entry { group: kind.group.clone(), version: kind.version.clone(), plain, aggregated }
}

fn of_review(review: &Review) -> Entry {
    let verbs = ["create"];
    let plain = json!({
        "name": review.plural, "singularName": review.singular, "namespaced": review.scope == Scope::Namespaced,
        "kind": review.kind, "verbs": verbs,
    });
    let aggregated = json!({
        "resource": review.plural,
        "responseKind": {"group": review.group, "version": "v1", "kind": review.kind},
        "scope": scope(review.scope),
        "singularResource": review.singular,
        "verbs": verbs,
    });
    Entry { group: review.group.to_owned(), version: "v1".to_owned(), plain: vec![plain], aggregated }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Namespaced => "Namespaced",
        Scope::Cluster => "Cluster",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Kinds;

    fn catalog() -> Catalog {
        Catalog::new(Kinds::all().iter().cloned().collect())
    }

    #[test]
    fn each_group_is_told_once_with_its_preferred_version() {
        let groups = catalog().groups();
        let names: Vec<&str> =
            groups["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
        for name in ["flink.apache.org", "rbac.authorization.k8s.io", AUTHORIZATION, "events.k8s.io"] {
            assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name} in {names:?}");
        }
        let group = catalog().group("flink.apache.org").unwrap();
        assert_eq!(group["preferredVersion"]["groupVersion"], "flink.apache.org/v1beta1");
        assert_eq!(catalog().group("nobody.example"), None);
    }

    #[test]
    fn a_custom_kind_is_told_with_its_parts_in_both_forms() {
        let list = catalog().resources("flink.apache.org", "v1beta1").unwrap();
        let named = |name: &str| list["resources"].as_array().unwrap().iter().find(|r| r["name"] == name).cloned();
        let deployments = named("flinkdeployments").unwrap();
        assert_eq!(deployments["kind"], "FlinkDeployment");
        assert_eq!(deployments["namespaced"], true);
        assert_eq!(named("flinkdeployments/status").unwrap()["verbs"], json!(["get", "patch", "update"]));
        assert_eq!(named("flinkdeployments/scale").unwrap()["group"], "autoscaling");
        let all = catalog().aggregated_groups();
        let flink = all["items"].as_array().unwrap().iter().find(|g| g["metadata"]["name"] == "flink.apache.org");
        let resources = flink.unwrap()["versions"][0]["resources"].as_array().unwrap().clone();
        let deployments = resources.iter().find(|r| r["resource"] == "flinkdeployments").unwrap();
        assert_eq!(deployments["scope"], "Namespaced");
        assert_eq!(deployments["subresources"][0]["subresource"], "status");
    }

    #[test]
    fn the_core_group_has_no_name() {
        let core = catalog().aggregated_core();
        assert_eq!(core["items"][0]["metadata"], json!({}));
        assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
        assert!(catalog().resources("", "v1").is_some());
        assert_eq!(catalog().resources("", "v2"), None);
    }
}
