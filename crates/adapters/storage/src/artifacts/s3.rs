//! Artifacts in Amazon S3 and in what speaks its protocol.
//!
//! Requests are signed in their address, which therefore never leaves this module and the client. They are not
//! redirected: a signature goes to the host that it was made for and to no other.

use std::fmt;
use std::time::Duration;

use kobel_model::{Error, Result};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use ureq::Body;
use ureq::http::Response;
use url::Url;

use super::web::{Answer, Call, Web, answer};
use crate::aws::identity::Identity;
use crate::aws::{domain, given, is_label};

/// The region of S3 where none is named.
const REGION: &str = "us-east-1";
/// How long a signature is good for; a transfer that began before goes on.
pub(crate) const SIGNATURE_LIFE: Duration = Duration::from_secs(15 * 60);
/// What stands before the name of an option, the first that is set counts.
const PREFIXES: [&str; 3] = ["s3.", "s3a.", "fs.s3a."];

/// How S3 is reached and as whom.
#[derive(Clone, Default)]
pub struct S3Settings {
    endpoint: Option<Endpoint>,
    region: Option<String>,
    /// Whether the bucket stands in the path and not before the host.
    by_path: Option<bool>,
    identity: Identity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Endpoint {
    address: String,
    origin: Origin,
}

/// Who named an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Whoever started this process: it may be any host.
    Environment,
    /// A manifest: it may be what a manifest may name.
    Configuration,
}

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    bucket: String,
    key: String,
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("region", &self.region)
            .field("by_path", &self.by_path)
            .finish_non_exhaustive()
    }
}

impl S3Settings {
    /// Reads the variables that the tools of AWS read.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| given(variable(name)));
        let endpoint = first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        Self {
            endpoint: endpoint.map(|address| Endpoint { address, origin: Origin::Environment }),
            region: first(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            by_path: None,
            identity: Identity::from_environment(&variable),
        }
    }

    /// These settings, with what the options of Apache Flink say instead: `s3.endpoint`, `s3.endpoint.region`,
    /// `s3.access-key`, `s3.secret-key`, `s3.path.style.access`.
    #[must_use]
    pub fn configured(&self, option: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let mut keys = PREFIXES.iter().flat_map(|prefix| names.iter().map(move |name| format!("{prefix}{name}")));
            keys.find_map(|key| given(option(&key)))
        };
        let mut settings = self.clone();
        if let Some(address) = first(&["endpoint"]) {
            settings.endpoint = Some(Endpoint { address, origin: Origin::Configuration });
            // Apache Flink writes the bucket before the host unless it is told otherwise.
            settings.by_path = Some(false);
        }
        if let Some(region) = first(&["endpoint.region"]) {
            settings.region = Some(region);
        }
        if let Some(text) = first(&["path.style.access", "path-style-access"]) {
            settings.by_path = Some(text.eq_ignore_ascii_case("true"));
        }
        let keys = (first(&["access-key", "access.key"]), first(&["secret-key", "secret.key"]));
        if keys.0.is_some() || keys.1.is_some() {
            settings.identity = Identity::of_keys(keys.0, keys.1, first(&["session.token", "session-token"]));
        }
        settings
    }

    /// Who named the endpoint, if anybody did.
    pub(super) fn origin(&self) -> Option<Origin> {
        self.endpoint.as_ref().map(|endpoint| endpoint.origin)
    }

    /// A text that differs between sources that may hold different content under one name.
    pub(super) fn identity(&self, object: &Object) -> String {
        let endpoint = self.endpoint.as_ref().map_or("", |endpoint| endpoint.address.as_str());
        let access_key = self.identity.access_key();
        format!("s3\n{endpoint}\n{access_key}\n{}\n{}", object.bucket, object.key)
    }

    /// What requests are signed with, if they are.
    pub(crate) fn credentials(&self) -> Result<Option<Credentials>> {
        let keys = self.identity.keys()?;
        Ok(keys.map(|keys| match keys.session_token {
            Some(token) => Credentials::new_with_token(keys.access_key, keys.secret_key, token),
            None => Credentials::new(keys.access_key, keys.secret_key),
        }))
    }

    /// The signed address of an object.
    ///
    /// # Errors
    /// Invalid if the settings or the name of the bucket make no address.
    fn address(&self, object: &Object, region: &str) -> Result<Url> {
        let bucket = self.bucket(&object.bucket, region)?;
        Ok(bucket.get_object(self.credentials()?.as_ref(), &object.key).sign(SIGNATURE_LIFE))
    }

    /// The region that is asked first.
    pub(crate) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(REGION)
    }

    /// A bucket in a region.
    ///
    /// # Errors
    /// Invalid if the settings or its name make no address.
    pub(crate) fn bucket(&self, name: &str, region: &str) -> Result<Bucket> {
        if !is_label(region) {
            return Err(Error::invalid("cannot ask S3: the region must be letters, digits and dashes, as `eu-west-1`"));
        }
        let endpoint = self.endpoint_in(region)?;
        // The tools of AWS write the bucket into the path where the endpoint is not AWS's own.
        let is_by_path = self.by_path.unwrap_or(self.origin() == Some(Origin::Environment));
        // An address of numbers takes no bucket before it, and a certificate covers no name with a dot there.
        let style = if is_by_path || endpoint.domain().is_none() || !is_label(name) {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        Bucket::new(endpoint, style, name.to_owned(), region.to_owned())
            .map_err(|_| Error::invalid(format!("cannot ask S3 for bucket `{name}`: its name makes no address")))
    }

    fn endpoint_in(&self, region: &str) -> Result<Url> {
        let address = match &self.endpoint {
            Some(Endpoint { address, .. }) if address.contains("://") => address.clone(),
            Some(Endpoint { address, .. }) => format!("https://{address}"),
            None => format!("https://s3.{region}.{}", domain(region)),
        };
        let endpoint = Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        endpoint.ok_or_else(|| {
            let message = "cannot ask S3: the endpoint is no address of a web server";
            Error::invalid(message).with_hint("write `https://HOST` or `http://HOST:PORT` in `s3.endpoint`")
        })
    }
}

impl Object {
    /// The object that an address of S3 names; the key stands as it is, without any encoding.
    ///
    /// # Errors
    /// Invalid if it names no bucket or no object.
    pub(super) fn parse(uri: &str) -> Result<Self> {
        let wrong = |why: &str| {
            let error = Error::invalid(format!("cannot use the address of an artifact in S3: {why}"));
            error.with_hint("write `s3://BUCKET/KEY`")
        };
        let (_, location) = uri.split_once("://").ok_or_else(|| wrong("it names no bucket"))?;
        if location.contains(['?', '#']) {
            return Err(wrong("it has a query or a fragment, and an object has neither"));
        }
        let (bucket, key) = location.split_once('/').ok_or_else(|| wrong("it names no object"))?;
        let is_bucket = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(is_bucket) || matches!(bucket, "." | "..") {
            return Err(wrong("the name of a bucket is letters, digits, dashes and dots"));
        }
        if key.is_empty() || key.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(wrong("the key is empty or has a part `.` or `..`"));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Asks for an object; if its bucket lies in another region than the settings say, asks there.
///
/// # Errors
/// Invalid if the settings are wrong, otherwise as a request over HTTP.
pub(super) fn get(settings: &S3Settings, object: &Object, web: &Web, call: &Call<'_>) -> Result<Answer> {
    let region = settings.region();
    let response = web.ask(&settings.address(object, region)?, call)?;
    match other_region(&response, region) {
        Some(other) => answer(web.ask(&settings.address(object, &other)?, call)?, call),
        None => answer(response, call),
    }
}

/// The region in which the server says the bucket lies.
pub(crate) fn other_region(response: &Response<Body>, region: &str) -> Option<String> {
    let is_elsewhere = matches!(response.status().as_u16(), 301 | 307 | 400 | 403);
    let named = response.headers().get("x-amz-bucket-region").filter(|_| is_elsewhere)?.to_str().ok()?;
    (named != region && is_label(named)).then(|| named.to_owned())
}

#[cfg(test)]
mod tests;
