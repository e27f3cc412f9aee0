//! Why a deployment does not run in pods yet.

use kobel_manifest::engine::{Engine, engine};
use kobel_model::deployment::{ArtifactKind, Deployment, Scheme};

/// The keys that have the REST API ask for encryption: the newer one decides if it is there.
const REST_ENCRYPTION: [&str; 2] = ["security.ssl.rest.enabled", "security.ssl.enabled"];
/// Why the newer one is refused.
const ENCRYPTED: &str = "the REST API of a job manager cannot be called encrypted yet; take \
                         `security.ssl.rest.enabled: true` away";
/// Why the older one is refused.
const ALL_ENCRYPTED: &str = "the REST API of a job manager cannot be called encrypted yet; set \
                             `security.ssl.internal.enabled: true` in place of `security.ssl.enabled: true`";

/// Why a deployment does not run in pods yet.
pub(crate) fn lacks(deployment: &Deployment) -> Option<&'static str> {
    let job = deployment.cluster.job.as_ref();
    let artifact = job.and_then(|job| job.artifact.as_ref());
    let configuration = &deployment.cluster.flink_configuration;
    if engine(&deployment.cluster) == Engine::Native {
        Some("the native engine does not run in pods yet; set `kobel.engine: flink`")
    } else if artifact.is_some_and(|artifact| artifact.kind == ArtifactKind::Sql) {
        Some("scripts of SQL do not run in pods yet; name a JAR or a script of Python")
    } else if artifact.is_some_and(|artifact| artifact.scheme != Scheme::Local) {
        Some("programs are not fetched for pods yet; name one of the image by `local://`")
    } else if deployment.cluster.monitoring.is_some() {
        Some("logs of pods are not shipped yet; take `monitoringConfiguration` away")
    } else {
        encrypted(|key| configuration.get(key))
    }
}

/// Why the REST API could not be called, by what the configuration says under a key.
pub(super) fn encrypted<'a>(configured: impl Fn(&str) -> Option<&'a str>) -> Option<&'static str> {
    let [newer, older] = REST_ENCRYPTION;
    let is_on = |value: &str| value.trim().eq_ignore_ascii_case("true");
    match (configured(newer), configured(older)) {
        (Some(value), _) => is_on(value).then_some(ENCRYPTED),
        (None, value) => value.is_some_and(is_on).then_some(ALL_ENCRYPTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_api_that_cannot_be_called_is_refused_by_the_key_that_asks_for_it() {
        for (values, expected) in [
            (vec![("security.ssl.rest.enabled", " True ")], Some("`security.ssl.rest.enabled: true`")),
            (vec![("security.ssl.enabled", "true")], Some("`security.ssl.enabled: true`")),
            (vec![("security.ssl.enabled", "true"), ("security.ssl.rest.enabled", "false")], None),
            (vec![("security.ssl.internal.enabled", "true")], None),
            (vec![], None),
        ] {
            let of = |key: &str| values.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
            let found = encrypted(of);
            assert_eq!(found.is_some(), expected.is_some(), "{values:?}");
            assert!(found.is_none_or(|found| expected.is_some_and(|key| found.contains(key))), "{values:?}: {found:?}");
        }
    }
}
