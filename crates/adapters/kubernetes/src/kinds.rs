//! Which kinds an API serves, and which of them a person means by a word.
//!
//! One request for each half of the API if it answers with all groups at once, one for each group otherwise.

use kobel_model::{Error, ErrorKind, Result, nearest};
use serde_json::Value;

use crate::cluster::{Call, Cluster, step};
use crate::failure::Answer;

/// How the API is asked for all groups at once.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// The API group of the kinds that Kobel looks after.
const OWN_GROUP: &str = "flink.apache.org";
/// How long the end of a name has to be to stand for the name: `deployments` for `flinkdeployments`.
const ENDING_MIN: usize = 4;

/// How long a short name has to be to be misspelled rather than another word.
const MISSPELT_MIN: usize = 5;
/// How many kinds beside Kobel's own are told; a cluster has many.
const OTHERS_MAX: usize = 12;

/// A kind that the API serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// API group, empty for the core group.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// Plural in paths.
    pub plural: String,
    /// Singular.
    pub singular: String,
    /// Name of one object's kind.
    pub kind: String,
    /// Short names.
    pub short_names: Vec<String>,
    /// Whether objects live in namespaces.
    pub is_namespaced: bool,
    /// What may be asked of it: `get`, `list`, `patch`.
    pub verbs: Vec<String>,
}

impl Served {
    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `singular.group`, as the outcome of a command names the kind.
    pub fn shown(&self) -> String {
        if self.group.is_empty() { self.singular.clone() } else { format!("{}.{}", self.singular, self.group) }
    }

    /// The name that is typed with the least effort: the short one, if there is one.
    pub fn short(&self) -> &str {
        self.short_names.first().unwrap_or(&self.singular)
    }

    /// Whether the API takes requests with this verb.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// The path of a collection, in a namespace or over all of them.
    pub(crate) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", step(&self.group)) };
        let version = step(&self.version);
        match namespace {
            Some(namespace) if self.is_namespaced => {
                format!("{root}/{version}/namespaces/{}/{}", step(namespace), step(&self.plural))
            }
            _ => format!("{root}/{version}/{}", step(&self.plural)),
        }
    }

    /// The names that somebody may have misspelled; most short names are too short for that.
    fn names(&self) -> impl Iterator<Item = &str> {
        let short = self.short_names.iter().map(String::as_str).filter(|name| name.len() >= MISSPELT_MIN);
        [self.plural.as_str(), self.singular.as_str(), self.kind.as_str()].into_iter().chain(short)
    }

    /// Whether `word` in lower case is one of the names.
    fn is_called(&self, word: &str) -> bool {
        self.plural == word
            || self.singular == word
            || self.kind.to_ascii_lowercase() == word
            || self.short_names.iter().any(|name| name == word)
    }
}

/// The kinds of an API, the preferred version of each group first.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    all: Vec<Served>,
}

impl Kinds {
    /// Asks an API which kinds it serves.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn discover(cluster: &Cluster) -> Answer<Self> {
        let mut kinds = Self::default();
        for root in ["/api", "/apis"] {
            let list = cluster.call(Call::get(root).accepting(AGGREGATED)).await?.value;
            if text(&list, "kind") == "APIGroupDiscoveryList" {
                kinds.all.extend(items(&list, "items").flat_map(of_group));
                continue;
            }
            for version in group_versions(&list) {
                let path = match version.split_once('/') {
                    Some((group, version)) => format!("/apis/{}/{}", step(group), step(version)),
                    None => format!("/api/{}", step(&version)),
                };
                let resources = cluster.call(Call::get(path)).await?.value;
                kinds.all.extend(items(&resources, "resources").filter_map(|one| of_resource(&version, one)));
            }
        }
        Ok(kinds)
    }

    /// The kind that is meant by a plural, a singular, a short name or a kind, with or without `.group` or
    /// `.version.group`.
    ///
    /// # Errors
    /// Missing if the API serves no such kind.
    pub fn named(&self, typed: &str) -> Result<&Served> {
        let lower = typed.to_ascii_lowercase();
        let bare = self.all.iter().find(|served| served.is_called(&lower));
        let found = bare.or_else(|| {
            let (word, rest) = lower.split_once('.')?;
            let fits = |served: &&Served| {
                served.is_called(word)
                    && (served.group == rest || format!("{}.{}", served.version, served.group) == rest)
            };
            self.all.iter().find(fits)
        });
        found.ok_or_else(|| {
            let meant =
                self.own().filter(|served| served.plural.ends_with(&lower) || served.singular.ends_with(&lower));
            let meant = meant.filter(|_| lower.len() >= ENDING_MIN).min_by_key(|served| served.plural.len());
            let word = meant.map_or(lower.as_str(), |served| served.plural.as_str());
            self.unknown(word, &format!("`{typed}`"))
        })
    }

    /// The kinds that Kobel looks after, as far as they are served, each in every version that is served.
    pub fn own(&self) -> impl Iterator<Item = &Served> {
        self.all.iter().filter(|served| served.group == OWN_GROUP && served.can("list"))
    }

    /// The kind of a manifest.
    ///
    /// # Errors
    /// Missing if the API serves no such kind.
    pub fn of_manifest(&self, api_version: &str, kind: &str) -> Result<&Served> {
        let found = self.all.iter().find(|served| served.kind == kind && served.api_version() == api_version);
        found.ok_or_else(|| self.unknown(kind, &format!("`{kind}` of `{api_version}`")))
    }

    /// The error of a kind that is not served, with the kind that `word` most likely stands for.
    fn unknown(&self, word: &str, wanted: &str) -> Error {
        let listed = || self.all.iter().filter(|served| served.can("list"));
        let has_own = self.own().next().is_some();
        let is_told = |served: &&Served| !has_own || served.group == OWN_GROUP;
        let told = listed().filter(is_told);
        let mut names = distinct(told.map(|served| format!("{} ({})", served.plural, served.kind)));
        let others = distinct(listed().filter(|served| !is_told(served)).map(|served| served.plural.clone()));
        if others.len() <= OTHERS_MAX {
            names.extend(others);
        } else {
            names.push("and others".to_owned());
        }
        let near = nearest(word, listed().flat_map(Served::names)).and_then(|near| {
            let meant = listed().find(|served| served.names().any(|name| name == near))?;
            let is_short = meant.short_names.iter().any(|name| name == near);
            let name = if is_short { near } else { meant.plural.as_str() };
            Some(format!("did you mean `{name}` ({} of `{}`)? ", meant.kind, meant.api_version()))
        });
        Error::new(ErrorKind::Missing, format!("the API serves no kind {wanted}")).with_hint(format!(
            "{}it serves {}",
            near.unwrap_or_default(),
            names.join(", ")
        ))
    }
}

/// Each name once: a kind may be served in several versions and groups.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// The kinds of one group of an aggregated answer.
fn of_group(group: &Value) -> Vec<Served> {
    let name = group.get("metadata").map(|metadata| text(metadata, "name")).unwrap_or_default();
    let mut found = Vec::new();
    for version in items(group, "versions") {
        found.extend(items(version, "resources").map(|resource| {
            let kind = resource.get("responseKind").map(|kind| text(kind, "kind")).unwrap_or_default();
            Served {
                group: name.to_owned(),
                version: text(version, "version").to_owned(),
                plural: text(resource, "resource").to_owned(),
                singular: singular(text(resource, "singularResource"), kind),
                kind: kind.to_owned(),
                short_names: texts(resource, "shortNames"),
                is_namespaced: text(resource, "scope") == "Namespaced",
                verbs: texts(resource, "verbs"),
            }
        }));
    }
    found
}

/// One entry of an `APIResourceList`; subresources are none.
fn of_resource(group_version: &str, resource: &Value) -> Option<Served> {
    let plural = text(resource, "name");
    if plural.contains('/') {
        return None;
    }
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let kind = text(resource, "kind");
    Some(Served {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        singular: singular(text(resource, "singularName"), kind),
        kind: kind.to_owned(),
        short_names: texts(resource, "shortNames"),
        is_namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or_default(),
        verbs: texts(resource, "verbs"),
    })
}

/// The versions that an `APIVersions` or an `APIGroupList` names.
fn group_versions(list: &Value) -> Vec<String> {
    let core = texts(list, "versions");
    if !core.is_empty() {
        return core;
    }
    let groups = items(list, "groups").flat_map(|group| items(group, "versions"));
    groups.map(|version| text(version, "groupVersion").to_owned()).collect()
}

fn singular(given: &str, kind: &str) -> String {
    if given.is_empty() { kind.to_ascii_lowercase() } else { given.to_owned() }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    items(value, field).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kinds() -> Kinds {
        let core = json!({"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [
            {"resource": "events", "responseKind": {"kind": "Event"}, "scope": "Namespaced", "shortNames": ["ev"],
             "verbs": ["list"]},
            {"resource": "namespaces", "responseKind": {"kind": "Namespace"}, "scope": "Cluster", "verbs": ["list"]},
            {"resource": "bindings", "responseKind": {"kind": "Binding"}, "scope": "Namespaced", "verbs": ["create"]},
        ]}]});
        let flink = json!({"metadata": {"name": "flink.apache.org"}, "versions": [{"version": "v1beta1", "resources": [
            {"resource": "flinkdeployments", "singularResource": "flinkdeployment", "scope": "Namespaced",
             "responseKind": {"kind": "FlinkDeployment"}, "shortNames": ["flinkdep"], "verbs": ["list", "patch"]},
        ]}]});
        Kinds { all: [&core, &flink].into_iter().flat_map(of_group).collect() }
    }

    #[test]
    fn a_kind_that_kobel_looks_after_is_given_in_each_version() {
        let mut kinds = kinds();
        let later = Served { version: "v1".to_owned(), ..kinds.own().next().unwrap().clone() };
        kinds.all.push(later);
        let versions: Vec<String> = kinds.own().map(Served::api_version).collect();
        assert_eq!(versions, ["flink.apache.org/v1beta1", "flink.apache.org/v1"]);
    }

    #[test]
    fn a_kind_goes_by_many_names() {
        for (typed, expected) in [
            ("flinkdep", Some("/apis/flink.apache.org/v1beta1/namespaces/a/flinkdeployments")),
            ("FlinkDeployment", Some("/apis/flink.apache.org/v1beta1/namespaces/a/flinkdeployments")),
            ("flinkdeployments.flink.apache.org", Some("/apis/flink.apache.org/v1beta1/namespaces/a/flinkdeployments")),
            ("flinkdep.v1beta1.flink.apache.org", Some("/apis/flink.apache.org/v1beta1/namespaces/a/flinkdeployments")),
            ("ev", Some("/api/v1/namespaces/a/events")),
            ("namespace", Some("/api/v1/namespaces")),
            ("flinkdep.example.com", None),
            ("pods", None),
        ] {
            let kinds = kinds();
            let path = kinds.named(typed).ok().map(|served| served.path(Some("a")));
            assert_eq!(path.as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn an_unknown_kind_names_those_that_are_served() {
        let error = kinds().of_manifest("apps/v1", "Deployment").unwrap_err();
        assert_eq!(error.to_string(), "the API serves no kind `Deployment` of `apps/v1`");
        let all = "it serves flinkdeployments (FlinkDeployment), events, namespaces";
        assert_eq!(error.hint(), Some(all));
        for error in [
            kinds().named("flinkdeploymets").unwrap_err(),
            kinds().named("Deployments").unwrap_err(),
            kinds().of_manifest("flink.apache.org/v1", "FlinkDeployment").unwrap_err(),
        ] {
            let near = "did you mean `flinkdeployments` (FlinkDeployment of `flink.apache.org/v1beta1`)? ";
            assert_eq!(error.hint(), Some(format!("{near}{all}").as_str()));
        }
    }

    #[test]
    fn a_few_other_kinds_are_all_named_and_many_are_not() {
        for (count, expected) in [(OTHERS_MAX, "thing11"), (OTHERS_MAX + 1, "and others")] {
            let mut kinds = kinds();
            kinds.all.retain(|served| served.group == OWN_GROUP);
            let thing = kinds.all[0].clone();
            // What several groups serve is one name.
            kinds.all.extend((0..count).flat_map(|number| ["a", "b"].map(|group| (number, group))).map(
                |(number, group)| Served { group: group.to_owned(), plural: format!("thing{number}"), ..thing.clone() },
            ));
            let error = kinds.named("unlike").unwrap_err();
            assert!(error.hint().is_some_and(|hint| hint.ends_with(expected)), "{count}: {error:?}");
        }
    }

    #[test]
    fn a_short_name_can_be_misspelled() {
        let error = kinds().named("flnkdep").unwrap_err();
        let near = "did you mean `flinkdep` (FlinkDeployment of `flink.apache.org/v1beta1`)? ";
        assert!(error.hint().is_some_and(|hint| hint.starts_with(near)), "{error:?}");
        let error = kinds().named("ex").unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.starts_with("it serves ")), "`ev` is too short: {error:?}");
    }

    #[test]
    fn an_api_without_aggregation_is_understood() {
        let groups = json!({"groups": [{"versions": [{"groupVersion": "flink.apache.org/v1beta1"}]}]});
        assert_eq!(group_versions(&groups), ["flink.apache.org/v1beta1"]);
        assert_eq!(group_versions(&json!({"versions": ["v1"]})), ["v1"]);
        let status = json!({"name": "flinkdeployments/status", "kind": "FlinkDeployment", "namespaced": true});
        assert_eq!(of_resource("flink.apache.org/v1beta1", &status), None);
        let whole = json!({"name": "flinkdeployments", "kind": "FlinkDeployment", "namespaced": true});
        let served = of_resource("flink.apache.org/v1beta1", &whole).unwrap();
        assert_eq!((served.shown().as_str(), served.is_namespaced), ("flinkdeployment.flink.apache.org", true));
    }
}
