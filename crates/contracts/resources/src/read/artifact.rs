//! The address of a program: what it may end in, how it may be reached, and which hosts it may not lead to.
//!
//! No name is resolved here. Whoever fetches the program resolves the host once, checks every address of it and of
//! every redirect, and connects to an address that passed.

use std::collections::BTreeMap;

use kobel_model::deployment::{Artifact, ArtifactKind, Scheme, address};

use super::findings::Findings;
use super::part::Part;
use crate::problem::{Problem, ProblemKind};

/// Schemes of a program that runs in its own cluster.
const CLUSTER_SCHEMES: &str = "local, file, http, https, s3, s3a, s3p, gs, hdfs, viewfs, abfs, abfss, wasb, wasbs, oss";
/// Schemes of a program that is brought to a session, unless the operator allows others.
const SESSION_SCHEMES: &str = "https, s3, s3a, s3p";
/// The operator's key of the schemes; a manifest cannot set it.
pub(super) const ALLOWED_SCHEMES: &str = "kubernetes.operator.user.artifacts.allowed-schemes";
/// The operator's key that keeps programs from being fetched from private hosts; a manifest cannot set it.
const RESTRICTED_HOSTS: &str = "kubernetes.operator.user.artifacts.disallow-restricted-hosts";
/// The longest address.
const LENGTH_MAX: usize = 2048;

/// What the operator allows of an address.
#[derive(Debug)]
pub(super) struct Reach {
    schemes: Vec<String>,
    hosts: Hosts,
}

/// Which hosts may be fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hosts {
    Public,
    Any,
}

impl Reach {
    /// For a program that runs in its own cluster.
    pub(super) fn of_cluster(defaults: &BTreeMap<String, String>) -> Self {
        Self { schemes: listed(CLUSTER_SCHEMES), hosts: Hosts::of(defaults) }
    }

    /// For a program that is brought to a session.
    pub(super) fn of_session(defaults: &BTreeMap<String, String>) -> Self {
        let schemes = defaults.get(ALLOWED_SCHEMES).map_or(SESSION_SCHEMES, String::as_str);
        Self { schemes: listed(schemes), hosts: Hosts::of(defaults) }
    }
}

impl Hosts {
    fn of(defaults: &BTreeMap<String, String>) -> Self {
        if reaches_private_hosts(defaults) { Self::Any } else { Self::Public }
    }
}

/// Whether programs may be fetched from private hosts, by the defaults of an operator.
pub fn reaches_private_hosts(defaults: &BTreeMap<String, String>) -> bool {
    defaults.get(RESTRICTED_HOSTS).is_some_and(|value| value.trim().eq_ignore_ascii_case("false"))
}

/// The words of a list, in lower case.
fn listed(text: &str) -> Vec<String> {
    text.split([',', ';']).map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty()).collect()
}

/// Reads the program of a job.
pub(super) fn read(job: &Part<'_>, reach: &Reach, findings: &mut Findings) -> Option<Artifact> {
    let uri = job.text("jarURI")?;
    match parse(uri, reach) {
        Ok(artifact) => Some(artifact),
        Err(Refusal::Plain(detail)) => {
            findings.add(Problem::invalid(job.at("jarURI"), uri, detail));
            None
        }
        Err(Refusal::Secret(detail)) => {
            let (path, detail) = (job.at("jarURI"), detail.to_owned());
            findings.add(Problem { path, kind: ProblemKind::Invalid, value: None, detail });
            None
        }
    }
}

/// Why an address is refused.
enum Refusal {
    Plain(String),
    /// The address holds a secret and must not be shown.
    Secret(&'static str),
}

fn plain(detail: impl Into<String>) -> Refusal {
    Refusal::Plain(detail.into())
}

/// Takes an address apart and checks each part.
fn parse(uri: &str, reach: &Reach) -> Result<Artifact, Refusal> {
    let rest = uri.split_once("://").map(|(_, rest)| rest);
    let authority = rest.map(|rest| rest.split(['/', '?', '#', '\\']).next().unwrap_or_default());
    // Azure's addresses name a container where others name a user.
    let is_azure = ["abfs", "wasb"].iter().any(|scheme| uri.to_ascii_lowercase().starts_with(scheme));
    if authority.is_some_and(|authority| authority.contains('@')) && !is_azure {
        return Err(Refusal::Secret("must name no user and no password before the host"));
    }
    let is_allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>' | '`');
    if uri.len() > LENGTH_MAX || !uri.chars().all(is_allowed) {
        let detail = format!("must be a URI of at most {LENGTH_MAX} characters without blanks, quotes or backslashes");
        return Err(plain(detail));
    }
    let (name, after) = uri.split_once(':').ok_or_else(|| plain(no_scheme(uri, reach)))?;
    let scheme = Scheme::parse(name).filter(|_| reach.schemes.iter().any(|allowed| name.eq_ignore_ascii_case(allowed)));
    let scheme = scheme.ok_or_else(|| plain(missing_scheme(reach)))?;
    let location = after.split(['?', '#']).next().unwrap_or_default();
    let path = if let Some(authority) = authority {
        host(scheme, authority, reach)?;
        path(location)
    } else {
        location
    };
    if (scheme.is_web() || scheme.is_s3()) && rest.is_none() {
        return Err(plain(format!("must name a host or a bucket after `{name}://`")));
    }
    let kind = ArtifactKind::of(path).ok_or_else(|| plain(format!("must end in {}", ArtifactKind::ENDINGS)))?;
    Ok(Artifact { kind, scheme, uri: uri.to_owned() })
}

/// What stands after the host: nothing if no `/` follows it.
fn path(location: &str) -> &str {
    let rest = location.strip_prefix("//").unwrap_or(location);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default()
}

fn missing_scheme(reach: &Reach) -> String {
    format!("must begin with one of the schemes `{}`", reach.schemes.join("`, `"))
}

/// What to write instead of a path alone.
fn no_scheme(uri: &str, reach: &Reach) -> String {
    if !reach.schemes.iter().any(|scheme| scheme == "local") {
        return missing_scheme(reach);
    }
    let whole = if uri.starts_with('/') { uri.to_owned() } else { format!("/whole/path/{}", file_name(uri)) };
    format!("must be a whole address: write `local://{whole}`")
}

/// What stands after the last slash.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Checks the host of an address.
fn host(scheme: Scheme, authority: &str, reach: &Reach) -> Result<(), Refusal> {
    let is_file = matches!(scheme, Scheme::Local | Scheme::File);
    if is_file && !authority.is_empty() && !authority.eq_ignore_ascii_case("localhost") {
        let detail = "must have three slashes before a whole path, such as `local:///…`: two begin a host name";
        return Err(plain(format!("{detail}, here `{authority}`")));
    }
    if scheme.is_s3() && authority.is_empty() {
        return Err(plain("must name a bucket"));
    }
    if !scheme.is_web() {
        return Ok(());
    }
    let after_address = authority.rfind(']').unwrap_or_default();
    let colon = authority.rfind(':').filter(|place| *place >= after_address);
    let (host, port) = colon.and_then(|place| authority.split_at_checked(place)).unwrap_or((authority, ""));
    let port = port.strip_prefix(':').unwrap_or(port);
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err(plain("must name a port from 1 to 65535, or none"));
    }
    if host.is_empty() {
        return Err(plain("must name a host"));
    }
    match address::of_host(host).filter(|_| reach.hosts == Hosts::Public) {
        Some(reason) => Err(plain(format!("must name a public host, and `{host}` is {reason}"))),
        None => Ok(()),
    }
}
