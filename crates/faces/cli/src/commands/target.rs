//! Which application or session job a person means: `NAME`, `flinkdeployment/NAME`, `sessionjob/NAME`.

use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::objects::metadata;
use kobel_model::{Error, ErrorKind, Result};
use kobel_resources::API_VERSION;
use serde_json::Value;

use super::client::{Session, reference};
use super::namesakes::{asking, question};
use super::wanted::Wanted;

/// The kind of an application or a session cluster.
pub(crate) const DEPLOYMENT: &str = "FlinkDeployment";
/// The kind of a job on a session cluster.
pub(crate) const SESSION_JOB: &str = "FlinkSessionJob";
/// The kind of a savepoint or a checkpoint.
pub(crate) const SNAPSHOT: &str = "FlinkStateSnapshot";

/// The kind of a pair of applications, one of which takes over from the other.
pub(crate) const PAIR: &str = "FlinkBlueGreenDeployment";

/// An object that was found.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) served: Served,
    pub(crate) object: Value,
}

impl Target {
    /// Finds the application, the session job or the pair that is meant; a name alone may be any of them.
    pub(crate) async fn find(session: &Session, wanted: &Wanted<'_>) -> Result<Self> {
        match reference(wanted.verb, wanted.typed, None)? {
            (kind, Some(name)) => {
                let served = kind_of_target(session, wanted, kind)?;
                if !has_jobs(served) {
                    return Err(jobless(wanted, &served.kind));
                }
                Self::read(session, served, name).await
            }
            (name, None) => Self::named(session, wanted, name).await.map_err(|error| {
                let kind = session.kinds.named(name).ok().filter(|served| has_jobs(served));
                unnamed(error, wanted, kind, &session.namespace_flag())
            }),
        }
    }

    /// Finds an object of whatever kind is named; an application, a session job or a pair if none is.
    pub(crate) async fn of_any_kind(session: &Session, wanted: &Wanted<'_>) -> Result<Self> {
        match reference(wanted.verb, wanted.typed, None)? {
            (kind, Some(name)) => Self::read(session, kind_of_target(session, wanted, kind)?, name).await,
            (name, None) => Self::named(session, wanted, name)
                .await
                .map_err(|error| unnamed(error, wanted, session.kinds.named(name).ok(), &session.namespace_flag())),
        }
    }

    /// What keeps the cluster that the job runs on: the object itself, or the session cluster of a session job.
    pub(crate) async fn cluster(&self, session: &Session) -> Result<Self> {
        if self.served.kind != SESSION_JOB {
            return Ok(self.clone());
        }
        let deployments = session.kinds.of_manifest(API_VERSION, DEPLOYMENT)?;
        let name = self.object.pointer("/spec/deploymentName").and_then(Value::as_str).unwrap_or_default();
        let found = session.cluster.find(deployments, self.namespace(), name).await?;
        let object = found.ok_or_else(|| {
            let message = format!("the session cluster `{name}` of `{}` does not exist", self.name());
            Error::new(ErrorKind::Missing, message).with_hint("apply it; the job is started as soon as it is ready")
        })?;
        Ok(Self { served: deployments.clone(), object })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        metadata(&self.object, "name")
    }

    /// Its namespace.
    pub(crate) fn namespace(&self) -> Option<&str> {
        Some(metadata(&self.object, "namespace")).filter(|namespace| !namespace.is_empty())
    }

    /// `singular.group/name`, as outcomes name an object.
    pub(crate) fn shown(&self) -> String {
        format!("{}/{}", self.served.shown(), self.name())
    }

    /// The words by which this command and others are told of it: `basic`, `sessionjob/delays -n team`.
    pub(crate) fn typed(&self, session: &Session) -> String {
        let mut words = match self.served.kind.as_str() {
            DEPLOYMENT => self.name().to_owned(),
            _ => format!("{}/{}", self.short_kind(), self.name()),
        };
        if let Some(namespace) = self.namespace().filter(|namespace| *namespace != session.cluster.namespace()) {
            words.push_str(" -n ");
            words.push_str(namespace);
        }
        words
    }

    /// Whether it has a job of its own; a session cluster has none.
    pub(crate) fn has_job(&self) -> bool {
        self.object.pointer("/spec/job").is_some_and(|job| !job.is_null())
    }

    fn short_kind(&self) -> &str {
        self.served.short()
    }

    async fn read(session: &Session, served: &Served, name: &str) -> Result<Self> {
        let object = session.cluster.find(served, session.namespace_of(served), name).await?;
        let Some(object) = object else {
            let error = absent(&served.kind, name, session.namespace_of(served), &[served.plural.as_str()]);
            return Err(asking(error, question(session, &[served], &session.namespace, name).await));
        };
        Ok(Self { served: served.clone(), object })
    }

    async fn named(session: &Session, wanted: &Wanted<'_>, name: &str) -> Result<Self> {
        if name.is_empty() {
            return Err(
                Error::invalid("the name is empty").with_hint("`kobel get flinkdeployments` lists what there is")
            );
        }
        let (mut found, mut kinds) = (Vec::new(), Vec::new());
        for kind in [DEPLOYMENT, SESSION_JOB] {
            let served = session.kinds.of_manifest(API_VERSION, kind)?;
            kinds.push(served);
            if let Some(object) = session.cluster.find(served, session.namespace_of(served), name).await? {
                found.push(Self { served: served.clone(), object });
            }
        }
        match (found.pop(), found.pop()) {
            (Some(one), None) => Ok(one),
            (None, _) => {
                if let Some(pair) = Self::pair(session, name).await {
                    return Ok(pair);
                }
                kinds.extend(session.kinds.of_manifest(API_VERSION, PAIR).ok());
                let plurals = ["flinkdeployments", "flinksessionjobs"];
                let error = absent("FlinkDeployment or FlinkSessionJob", name, Some(&session.namespace), &plurals);
                Err(asking(error, question(session, &kinds, &session.namespace, name).await))
            }
            (Some(_), Some(_)) => Err(ambiguous(wanted, name, &session.namespace_flag())),
        }
    }

    /// The pair of this name. An API that does not serve or show pairs has none.
    async fn pair(session: &Session, name: &str) -> Option<Self> {
        let served = session.kinds.of_manifest(API_VERSION, PAIR).ok()?;
        let object = session.cluster.find(served, session.namespace_of(served), name).await.ok()??;
        Some(Self { served: served.clone(), object })
    }
}

/// Whether the objects of a kind have jobs, or pass them on to what they own.
pub(crate) fn has_jobs(served: &Served) -> bool {
    [DEPLOYMENT, SESSION_JOB, PAIR].contains(&served.kind.as_str()) && served.api_version() == API_VERSION
}

/// The error of a name that no application has; one that is a kind may lack the name after it.
fn unnamed(error: Error, wanted: &Wanted<'_>, kind: Option<&Served>, flag: &str) -> Error {
    if error.kind() != ErrorKind::Missing || kind.is_none() {
        return error;
    }
    let kind = wanted.typed;
    let named = wanted.command(&format!("{kind}/NAME{flag}"));
    let usage = format!("name one: {named}; `kobel get {kind}{flag}` lists them");
    // The name may be right, and of an application elsewhere.
    let hint = error.hint().map_or_else(|| usage.clone(), |hint| format!("{usage}; {hint}"));
    Error::new(ErrorKind::Missing, format!("`{kind}` is a kind, and no application here has it as its name"))
        .with_hint(hint)
}

/// The kind that was typed before a name.
fn kind_of_target<'a>(session: &'a Session, wanted: &Wanted<'_>, kind: &str) -> Result<&'a Served> {
    session.kinds.named(kind).map_err(|error| {
        let usage = format!("write {} or {}", wanted.command("NAME"), wanted.command("KIND/NAME"));
        let hint = error.hint().map_or_else(|| usage.clone(), |known| format!("{known}; {usage}"));
        error.with_hint(hint)
    })
}

/// That a kind has no jobs.
fn jobless(wanted: &Wanted<'_>, kind: &str) -> Error {
    let hint = format!(
        "name what has one: {} or {}",
        wanted.command("flinkdeployment/NAME"),
        wanted.command("sessionjob/NAME")
    );
    Error::invalid(format!("`{}` is a {kind}, which has no job", wanted.typed)).with_hint(hint)
}

/// That two objects have the name.
fn ambiguous(wanted: &Wanted<'_>, name: &str, flag: &str) -> Error {
    let [deployment, session_job] =
        ["flinkdeployment", "flinksessionjob"].map(|kind| wanted.command(&format!("{kind}/{name}{flag}")));
    Error::invalid(format!("`{name}` is a FlinkDeployment and a FlinkSessionJob"))
        .with_hint(format!("write {deployment} or {session_job}"))
}

/// That there is no such object, and where to see which there are.
fn absent(kind: &str, name: &str, namespace: Option<&str>, plurals: &[&str]) -> Error {
    let (place, everywhere) = match namespace {
        Some(namespace) => (format!(" in the namespace `{namespace}`"), " -A"),
        None => (String::new(), ""),
    };
    let lists: Vec<String> = plurals.iter().map(|plural| format!("`kobel get {plural}{everywhere}`")).collect();
    let verb = if lists.len() == 1 { "lists" } else { "list" };
    Error::new(ErrorKind::Missing, format!("there is no {kind} `{name}`{place}"))
        .with_hint(format!("{} {verb} what there is", lists.join(" and ")))
}

#[cfg(test)]
impl Target {
    /// An object as a FlinkDeployment that is served, for tests.
    pub(crate) fn deployment(object: Value) -> Self {
        let served = Served {
            group: "flink.apache.org".to_owned(),
            version: "v1beta1".to_owned(),
            plural: "flinkdeployments".to_owned(),
            singular: "flinkdeployment".to_owned(),
            kind: DEPLOYMENT.to_owned(),
            short_names: vec!["flinkdep".to_owned()],
            is_namespaced: true,
            verbs: Vec::new(),
        };
        Self { served, object }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(kind: &str, object: Value) -> Target {
        let served = Served {
            group: "flink.apache.org".to_owned(),
            version: "v1beta1".to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            singular: kind.to_lowercase(),
            kind: kind.to_owned(),
            short_names: Vec::new(),
            is_namespaced: true,
            verbs: Vec::new(),
        };
        Target { served, object }
    }

    #[test]
    fn what_is_absent_is_told_with_where_to_look() {
        for (error, message, hint) in [
            (
                absent(
                    "FlinkDeployment or FlinkSessionJob",
                    "a",
                    Some("team"),
                    &["flinkdeployments", "flinksessionjobs"],
                ),
                "there is no FlinkDeployment or FlinkSessionJob `a` in the namespace `team`",
                "`kobel get flinkdeployments -A` and `kobel get flinksessionjobs -A` list what there is",
            ),
            (
                absent("FlinkStateSnapshot", "a", Some("team"), &["flinkstatesnapshots"]),
                "there is no FlinkStateSnapshot `a` in the namespace `team`",
                "`kobel get flinkstatesnapshots -A` lists what there is",
            ),
            (
                absent("Namespace", "a", None, &["namespaces"]),
                "there is no Namespace `a`",
                "`kobel get namespaces` lists what there is",
            ),
        ] {
            assert_eq!((error.to_string().as_str(), error.hint()), (message, Some(hint)));
        }
    }

    #[test]
    fn a_kind_without_a_name_is_told_to_be_named() {
        let served = Target::deployment(json!({})).served;
        let told = |kind: ErrorKind, wanted: &Wanted<'_>, served: Option<&Served>, flag: &str| {
            unnamed(Error::new(kind, "as before"), wanted, served, flag)
        };
        let (explain, rescale) =
            (Wanted::new("explain", "flinkdep"), Wanted { verb: "rescale", typed: "flinkdep", rest: Some("4") });
        for (wanted, flag, hint) in [
            (explain, "", "name one: `kobel explain flinkdep/NAME`; `kobel get flinkdep` lists them"),
            (rescale, " -n a", "name one: `kobel rescale flinkdep/NAME -n a 4`; `kobel get flinkdep -n a` lists them"),
        ] {
            let error = told(ErrorKind::Missing, &wanted, Some(&served), flag);
            assert_eq!(error.to_string(), "`flinkdep` is a kind, and no application here has it as its name");
            assert_eq!(error.hint(), Some(hint));
            let elsewhere = Error::new(ErrorKind::Missing, "as before").with_hint("there is one in `team`");
            let error = unnamed(elsewhere, &wanted, Some(&served), flag);
            assert_eq!(error.hint(), Some(format!("{hint}; there is one in `team`").as_str()));
        }
        for (kind, served) in [(ErrorKind::Missing, None), (ErrorKind::Unavailable, Some(&served))] {
            assert_eq!(told(kind, &explain, served, "").to_string(), "as before");
        }
    }

    #[test]
    fn only_kinds_with_jobs_have_some() {
        let mut served = Target::deployment(json!({})).served;
        assert!(has_jobs(&served));
        served.group = "example.com".to_owned();
        assert!(!has_jobs(&served));
    }

    #[test]
    fn a_hint_is_a_whole_command() {
        let rescale = Wanted { verb: "rescale", typed: "a", rest: Some("4") };
        for (error, expected) in [
            (
                ambiguous(&Wanted::new("explain", "a"), "a", " -n team"),
                "write `kobel explain flinkdeployment/a -n team` or `kobel explain flinksessionjob/a -n team`",
            ),
            (
                ambiguous(&rescale, "a", ""),
                "write `kobel rescale flinkdeployment/a 4` or `kobel rescale flinksessionjob/a 4`",
            ),
            (
                jobless(&Wanted::new("logs", "secret/a"), "Secret"),
                "name what has one: `kobel logs flinkdeployment/NAME` or `kobel logs sessionjob/NAME`",
            ),
        ] {
            assert_eq!(error.hint(), Some(expected));
        }
    }

    #[test]
    fn a_session_cluster_has_no_job() {
        for (spec, expected) in [(json!({"job": {}}), true), (json!({}), false), (json!({"job": null}), false)] {
            let target = target(DEPLOYMENT, json!({"metadata": {"name": "a"}, "spec": spec}));
            assert_eq!((target.has_job(), target.shown().as_str()), (expected, "flinkdeployment.flink.apache.org/a"));
        }
    }
}
