//! Paths: what a request is about.

use percent_encoding::percent_decode_str;

/// What a path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/version`
    Version,
    /// `/healthz`, `/livez`, `/readyz`; the name of the check.
    Health(&'static str),
    /// `/`
    Root,
    /// `/api`
    CoreVersions,
    /// `/apis`
    Groups,
    /// `/apis/GROUP`
    Group(String),
    /// `/api/v1`, `/apis/GROUP/VERSION`
    Resources {
        /// Group; empty for the core group.
        group: String,
        /// Version.
        version: String,
    },
    /// `/audit`
    Audit,
    /// `/metrics`
    Metrics,
    /// `/openapi/v2`
    OpenApiV2,
    /// `/openapi/v3`
    OpenApiIndex,
    /// `/openapi/v3/PATH`
    OpenApi(String),
    /// A collection, an object, or a part of it.
    Objects(ObjectPath),
    /// None of them.
    Unknown,
}

/// The path of a collection, an object, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectPath {
    /// Group; empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Namespace, if there is one.
    pub namespace: Option<String>,
    /// Plural of the kind.
    pub plural: String,
    /// Name of the object, if it is one.
    pub name: Option<String>,
    /// Part of the object, if it is one.
    pub part: Option<String>,
}

impl ObjectPath {
    /// `plural`, or `plural/part`, as roles name it.
    pub fn resource(&self) -> String {
        match &self.part {
            Some(part) => format!("{}/{part}", self.plural),
            None => self.plural.clone(),
        }
    }
}

/// Reads a percent-encoded path. Only the path of a document may end in a slash, as clients made from the OpenAPI
/// document ask for it: a slash behind a collection may be a name that was left out, and must not reach them all.
pub fn route(path: &str) -> Route {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let bare = inner.strip_suffix('/').unwrap_or(inner);
    let decoded: Option<Vec<String>> =
        bare.split('/').map(|step| percent_decode_str(step).decode_utf8().ok().map(|step| step.into_owned())).collect();
    let Some(steps) = decoded else {
        return Route::Unknown;
    };
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let is_root = inner.is_empty();
    if !is_root && steps.contains(&"") {
        return Route::Unknown;
    }
    match known(if is_root { &[] } else { steps.as_slice() }) {
        Route::Objects(_) if bare.len() < inner.len() => Route::Unknown,
        found => found,
    }
}

fn known(steps: &[&str]) -> Route {
    match steps {
        [] => Route::Root,
        ["version"] => Route::Version,
        ["healthz", ..] => Route::Health("healthz"),
        ["livez", ..] => Route::Health("livez"),
        ["readyz", ..] => Route::Health("readyz"),
        ["audit"] => Route::Audit,
        ["metrics"] => Route::Metrics,
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", version] => Route::Resources { group: String::new(), version: (*version).to_owned() },
        ["apis", group, version] => Route::Resources { group: (*group).to_owned(), version: (*version).to_owned() },
        ["openapi", "v2"] => Route::OpenApiV2,
        ["openapi", "v3"] => Route::OpenApiIndex,
        ["openapi", "v3", rest @ ..] => Route::OpenApi(rest.join("/")),
        ["api", version, rest @ ..] => objects("", version, rest),
        ["apis", group, version, rest @ ..] => objects(group, version, rest),
        _ => Route::Unknown,
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Route {
    // `namespaces/NAME/status` is a part of a namespace and no collection within one.
    let is_namespace_part = |plural: &str| matches!(plural, "status" | "finalize") && group.is_empty();
    let (namespace, rest) = match rest {
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() && !is_namespace_part(inner[0]) => {
            (Some((*namespace).to_owned()), inner)
        }
        all => (None, all),
    };
    let owned = |step: &str| Some(step.to_owned());
    let (plural, name, part) = match rest {
        [plural] => (plural, None, None),
        [plural, name] => (plural, owned(name), None),
        [plural, name, part] => (plural, owned(name), owned(part)),
        _ => return Route::Unknown,
    };
    let (group, version, plural) = (group.to_owned(), version.to_owned(), (*plural).to_owned());
    Route::Objects(ObjectPath { group, version, namespace, plural, name, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects_of(path: &str) -> (Option<String>, String, Option<String>, Option<String>) {
        match route(path) {
            Route::Objects(found) => (found.namespace, found.plural, found.name, found.part),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn paths_of_objects_are_taken_apart() {
        let some = |text: &str| Some(text.to_owned());
        let table = [
            ("/api/v1/namespaces", (None, "namespaces", None, None)),
            ("/api/v1/namespaces/a", (None, "namespaces", some("a"), None)),
            ("/api/v1/namespaces/a/status", (None, "namespaces", some("a"), some("status"))),
            ("/api/v1/namespaces/a/secrets", (some("a"), "secrets", None, None)),
            ("/api/v1/namespaces/a/secrets/s%2e1", (some("a"), "secrets", some("s.1"), None)),
            ("/apis/g/v1/things/x", (None, "things", some("x"), None)),
            ("/apis/g/v1/namespaces/n/things/x/scale", (some("n"), "things", some("x"), some("scale"))),
        ];
        for (path, (namespace, plural, name, part)) in table {
            assert_eq!(objects_of(path), (namespace, plural.to_owned(), name, part), "{path}");
        }
    }

    #[test]
    fn a_step_that_is_empty_is_no_step() {
        let maps = "/api/v1/namespaces/default/configmaps";
        for path in [
            format!("{maps}/"),
            format!("{maps}//"),
            format!("{maps}/x/"),
            format!("{maps}//x"),
            "/api/v1/namespaces//configmaps".to_owned(),
            "//api/v1/namespaces".to_owned(),
            "//".to_owned(),
            "/version//".to_owned(),
        ] {
            assert_eq!(route(&path), Route::Unknown, "{path}");
        }
        assert_eq!(route("/version/"), Route::Version);
        assert_eq!(route("/apis/"), Route::Groups);
        assert_eq!(route("/apis/g/v1/"), Route::Resources { group: "g".to_owned(), version: "v1".to_owned() });
    }

    #[test]
    fn other_paths_are_known_by_their_place() {
        assert_eq!(route("/"), Route::Root);
        assert_eq!(route("/apis/g"), Route::Group("g".to_owned()));
        assert_eq!(route("/api/v1"), Route::Resources { group: String::new(), version: "v1".to_owned() });
        assert_eq!(route("/openapi/v3/apis/g/v1"), Route::OpenApi("apis/g/v1".to_owned()));
        assert_eq!(route("/apis/g/v1/things/x/y/z"), Route::Unknown);
        assert_eq!(route("/nothing"), Route::Unknown);
        assert_eq!(route("/api/v1/%ff"), Route::Unknown);
    }
}
