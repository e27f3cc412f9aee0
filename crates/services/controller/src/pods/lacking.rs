//! Why a deployment or a session job does not run in pods yet.

use kobel_manifest::configuration::Configuration;
use kobel_manifest::engine::{Engine, engine};
use kobel_manifest::kubernetes::configuration::rest_encryption;
use kobel_manifest::kubernetes::{Start, config_maps, native};
use kobel_model::deployment::{ArtifactKind, Deployment, FlinkVersion, Scheme, SessionJob};

/// The key that has the REST API alone encrypted.
const REST_ENCRYPTION: &str = "security.ssl.rest.enabled";
/// Why that is refused.
const ENCRYPTED: &str = "the REST API of a job manager cannot be called encrypted yet; take \
                         `security.ssl.rest.enabled: true` away";
/// Why the key is refused that has everything encrypted.
const ALL_ENCRYPTED: &str = "the REST API of a job manager cannot be called encrypted yet; set \
                             `security.ssl.internal.enabled: true` in place of `security.ssl.enabled: true`";

/// Why a deployment does not run in pods yet.
pub(super) fn declared(deployment: &Deployment) -> Option<&'static str> {
    let job = deployment.cluster.job.as_ref();
    let artifact = job.and_then(|job| job.artifact.as_ref());
    let configuration = &deployment.cluster.flink_configuration;
    let line = deployment.cluster.flink_version;
    let is_native = engine(&deployment.cluster) == Engine::Native;
    if !is_native && artifact.is_some_and(|artifact| artifact.kind == ArtifactKind::Sql) {
        Some("scripts of SQL do not run on Apache Flink in pods yet; set `kobel.engine: native`, or name a JAR")
    } else if artifact.is_some_and(|artifact| matches!(artifact.scheme, Scheme::File | Scheme::FileSystem)) {
        Some(
            "programs are fetched for pods over `s3`, `https` and `http` alone; name one of them, or one of the image by \
              `local://`",
        )
    } else if is_native && deployment.cluster.monitoring.is_some() {
        Some(
            "the native engine writes its log to the output of its container alone, from where nothing is shipped; take \
              `monitoringConfiguration` away",
        )
    } else if is_native {
        None
    } else {
        encrypted(line, |key| configuration.get(key))
    }
}

/// Why a session job is not submitted to pods, whatever its cluster does.
pub(crate) fn lacks_for(job: &SessionJob) -> Option<&'static str> {
    let Some(artifact) = &job.job.artifact else {
        return Some("a session job without a program does not run in pods; name a JAR in `job.jarURI`");
    };
    match (artifact.kind, artifact.scheme) {
        (ArtifactKind::Sql, _) => Some(
            "scripts of SQL do not run in session clusters of pods; name a JAR, or declare the script in a \
             FlinkDeployment of its own",
        ),
        (ArtifactKind::Python, _) => Some(
            "scripts of Python do not run in session clusters of pods; name a JAR, or declare the script in a \
             FlinkDeployment of its own",
        ),
        (ArtifactKind::Jar, Scheme::Local | Scheme::File) => Some(
            "the program of a session job is uploaded by the operator, which does not see the files of an image; put it \
             where `https` or `s3` finds it",
        ),
        (ArtifactKind::Jar, Scheme::FileSystem) => {
            Some("the program of a session job is fetched by the operator, which speaks `https`, `http` and `s3` alone")
        }
        (ArtifactKind::Jar, Scheme::Http | Scheme::Https | Scheme::S3 | Scheme::S3a | Scheme::S3p) => None,
    }
}

/// Why what a start is configured with, defaults included, does not run in pods.
pub(super) fn configured(start: &Start<'_>, configuration: &Configuration) -> Option<String> {
    if engine(&start.deployment.cluster) == Engine::Native {
        return native::lacks(start.deployment, start.defaults).map(str::to_owned);
    }
    let line = start.deployment.cluster.flink_version;
    if let Some(why) = encrypted(line, |key| configuration.get(key)) {
        return Some(why.to_owned());
    }
    let key = config_maps::untold(start, configuration)?;
    let what = if key.starts_with("$internal.") { "what the job is given" } else { "the value" };
    Some(format!(
        "Flink {line} cannot be told {what}, in `{key}`: it reads one line without quotes, in which `#` begins a comment; \
         take line breaks and `#` away, or run `v1_19` or later"
    ))
}

/// Why the REST API of a line could not be called, by what the configuration says under a key.
fn encrypted<'a>(line: FlinkVersion, configured: impl Fn(&str) -> Option<&'a str>) -> Option<&'static str> {
    let key = rest_encryption(line, configured)?;
    Some(if key == REST_ENCRYPTION { ENCRYPTED } else { ALL_ENCRYPTED })
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::{Artifact, FlinkConfiguration, Identity, Job, JobState, Nonces, UpgradeMode};

    use super::*;

    fn job(kind: ArtifactKind, uri: &str) -> SessionJob {
        let scheme = Scheme::parse(uri.split(':').next().unwrap()).unwrap();
        let job = Job {
            artifact: Some(Artifact { kind, scheme, uri: uri.to_owned() }),
            entry_class: None,
            args: Vec::new(),
            parallelism: 1,
            state: JobState::Running,
            upgrade_mode: UpgradeMode::Stateless,
            allow_non_restored_state: false,
            initial_savepoint_path: None,
            nonces: Nonces::default(),
        };
        SessionJob {
            identity: Identity { namespace: "team".to_owned(), name: "report".to_owned() },
            deployment_name: "session".to_owned(),
            job,
            restart_nonce: None,
            flink_configuration: FlinkConfiguration::default(),
        }
    }

    #[test]
    fn only_a_jar_that_can_be_fetched_is_submitted() {
        for (kind, uri, expected) in [
            (ArtifactKind::Jar, "https://example.org/a.jar", None),
            (ArtifactKind::Jar, "s3p://bucket/a.jar", None),
            (ArtifactKind::Jar, "local:///opt/a.jar", Some("does not see the files of an image")),
            (ArtifactKind::Jar, "file:///opt/a.jar", Some("does not see the files of an image")),
            (ArtifactKind::Jar, "gs://bucket/a.jar", Some("speaks `https`, `http` and `s3` alone")),
            (ArtifactKind::Sql, "https://example.org/a.sql", Some("scripts of SQL")),
            (ArtifactKind::Python, "https://example.org/a.py", Some("scripts of Python")),
        ] {
            let found = lacks_for(&job(kind, uri));
            assert_eq!(found.is_some(), expected.is_some(), "{uri}");
            assert!(found.is_none_or(|found| expected.is_some_and(|part| found.contains(part))), "{uri}: {found:?}");
        }
        let mut without = job(ArtifactKind::Jar, "s3://bucket/a.jar");
        without.job.artifact = None;
        assert!(lacks_for(&without).is_some_and(|why| why.contains("`job.jarURI`")));
    }

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
            let found = encrypted(FlinkVersion::V1_20, of);
            assert_eq!(found.is_some(), expected.is_some(), "{values:?}");
            assert!(found.is_none_or(|found| expected.is_some_and(|key| found.contains(key))), "{values:?}: {found:?}");
        }
        let older = |key: &str| (key == "security.ssl.enabled").then_some("true");
        assert_eq!(encrypted(FlinkVersion::V2_0, older), None, "no line since 2.0 knows it");
    }
}
