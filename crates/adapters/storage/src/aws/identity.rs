//! As whom requests to AWS are signed: keys of the environment, or keys that are lent for a time.
//!
//! The variables are those that the tools of AWS read, in their order: keys; the token of a service account and a role
//! (IAM roles for service accounts); an address that gives keys (EKS Pod Identity, tasks of ECS). Profiles and the
//! metadata of instances are not asked: the first are for people, the second gives a pod the rights of its node.
//!
//! Lent keys are renewed before they end. If that fails while they still hold, they are used on.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kobel_model::{Error, ErrorKind, Result};
use serde_json::Value;
use ureq::http::Response;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Body};

use super::{code, domain, element, given, is_label};
use crate::agent::{agent, failure};

/// How long before their end keys are renewed.
const BEFORE_END: SignedDuration = SignedDuration::from_mins(5);
/// How long they are used if nobody says when they end.
const USUAL_LIFE: SignedDuration = SignedDuration::from_mins(15);
/// For how long a role is taken on: what every role allows.
const ROLE_LIFE: &str = "3600";
/// How long one request may take.
const TIME_MAX: Duration = Duration::from_secs(30);
/// The most bytes of an answer or of a token.
const BYTES_MAX: u64 = 64 * 1024;
/// Where tasks of ECS ask.
const ECS: &str = "http://169.254.170.2";

/// Keys that sign.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: Option<String>,
}

/// As whom requests are signed.
#[derive(Clone, Default)]
pub struct Identity {
    access_key: Option<String>,
    secret_key: Option<String>,
    session_token: Option<String>,
    /// Who lends keys if there are none.
    lender: Option<Arc<Lender>>,
}

struct Lender {
    source: Source,
    agent: Agent,
    lent: Mutex<Option<Lent>>,
}

enum Source {
    Role { role: String, session: String, token_file: PathBuf, address: String },
    Address { address: String, token_file: Option<PathBuf>, token: Option<String> },
}

#[derive(Clone)]
struct Lent {
    keys: Keys,
    end: Timestamp,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the variables that the tools of AWS read.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| given(variable(name));
        let identity = Self::of_keys(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            variable("AWS_SESSION_TOKEN"),
        );
        let source = role(&variable).or_else(|| address(&variable));
        let lender = source.map(|source| {
            let agent = agent(DefaultResolver::default());
            Arc::new(Lender { source, agent, lent: Mutex::new(None) })
        });
        Self { lender, ..identity }
    }

    /// Whoever has these keys.
    pub(crate) fn of_keys(
        access_key: Option<String>,
        secret_key: Option<String>,
        session_token: Option<String>,
    ) -> Self {
        Self { access_key, secret_key, session_token, lender: None }
    }

    /// The name of the keys that were given.
    pub(crate) fn access_key(&self) -> &str {
        self.access_key.as_deref().unwrap_or_default()
    }

    /// The keys to sign with; `None` if there are none. Lent ones may have to be asked for.
    ///
    /// # Errors
    /// Invalid if only one of two keys is given, Denied or Unavailable if none are lent.
    pub(crate) fn keys(&self) -> Result<Option<Keys>> {
        match (&self.access_key, &self.secret_key, &self.lender) {
            (Some(access_key), Some(secret_key), _) => Ok(Some(Keys {
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
                session_token: self.session_token.clone(),
            })),
            (None, None, Some(lender)) => lender.keys(Timestamp::now()).map(Some),
            (None, None, None) => Ok(None),
            _ => {
                let message = "cannot sign requests: only one of the access key and the secret key is set";
                Err(Error::invalid(message).with_hint("set both, or none to ask without a signature"))
            }
        }
    }
}

/// A role that the service account of a pod may take on.
fn role(variable: &impl Fn(&str) -> Option<String>) -> Option<Source> {
    let (role, token_file) = (variable("AWS_ROLE_ARN")?, variable("AWS_WEB_IDENTITY_TOKEN_FILE")?);
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).filter(|region| is_label(region));
    let of_region = || match &region {
        Some(region) => format!("https://sts.{region}.{}", domain(region)),
        None => "https://sts.amazonaws.com".to_owned(),
    };
    let named = variable("AWS_ENDPOINT_URL_STS").or_else(|| variable("AWS_ENDPOINT_URL"));
    Some(Source::Role {
        role,
        session: variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "kobel".to_owned()),
        token_file: PathBuf::from(token_file),
        address: named.unwrap_or_else(of_region),
    })
}

/// An address that gives keys to whoever runs here.
fn address(variable: &impl Fn(&str) -> Option<String>) -> Option<Source> {
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{ECS}{path}"));
    Some(Source::Address {
        address: relative.or_else(|| variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"))?,
        token_file: variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from),
        token: variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    })
}

impl Lender {
    fn keys(&self, now: Timestamp) -> Result<Keys> {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lent) = lent.as_ref()
            && now.duration_until(lent.end) > BEFORE_END
        {
            return Ok(lent.keys.clone());
        }
        match self.ask(now) {
            Ok(new) => Ok(lent.insert(new).keys.clone()),
            Err(error) => match lent.as_ref().filter(|old| now < old.end) {
                Some(old) => {
                    tracing::warn!("the credentials of AWS still hold, but cannot be renewed: {error}");
                    Ok(old.keys.clone())
                }
                None => Err(error),
            },
        }
    }

    fn ask(&self, now: Timestamp) -> Result<Lent> {
        let (what, answer) = match &self.source {
            Source::Role { role, session, token_file, address } => {
                let token = token(token_file)?;
                let form = [
                    ("Action", "AssumeRoleWithWebIdentity"),
                    ("Version", "2011-06-15"),
                    ("RoleArn", role.as_str()),
                    ("RoleSessionName", session.as_str()),
                    ("WebIdentityToken", token.as_str()),
                    ("DurationSeconds", ROLE_LIFE),
                ];
                let request = self.agent.post(address.as_str()).config().timeout_global(Some(TIME_MAX)).build();
                (format!("cannot take on the role `{role}`"), request.send_form(form))
            }
            Source::Address { address, token_file, token: fixed } => {
                let mut request = self.agent.get(address.as_str()).config().timeout_global(Some(TIME_MAX)).build();
                let token = token_file.as_ref().map(|file| token(file)).transpose()?;
                if let Some(token) = token.or_else(|| fixed.clone()) {
                    request = request.header("authorization", token);
                }
                ("cannot get the credentials of this container".to_owned(), request.call())
            }
        };
        let (status, text) = answer.and_then(read).map_err(|error| {
            let (kind, why) = failure(&error);
            Error::new(kind, format!("{what}: {why}"))
        })?;
        if status != 200 {
            return Err(refusal(&what, status, &text));
        }
        let lent = match &self.source {
            Source::Role { .. } => lent(|name| element(&text, name).map(str::to_owned), now),
            Source::Address { .. } => {
                let value: Value = serde_json::from_str(&text).unwrap_or_default();
                let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
                lent(|name| text(if name == "SessionToken" { "Token" } else { name }), now)
            }
        };
        lent.ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("{what}: the answer holds no credentials")))
    }
}

/// Reads what proves who we are; it is read anew each time, since it is renewed.
fn token(file: &Path) -> Result<String> {
    let failed = |error| Error::io(format!("cannot read the token `{}`", file.display()), error);
    let text = fs::read_to_string(file).map_err(failed)?;
    Ok(text.trim().to_owned())
}

fn read(response: Response<Body>) -> Result<(u16, String), ureq::Error> {
    let status = response.status().as_u16();
    let text = response.into_body().into_with_config().limit(BYTES_MAX).read_to_string()?;
    Ok((status, text))
}

/// The error of an answer; of what it says only the code is told, since it may repeat what was asked.
fn refusal(what: &str, status: u16, text: &str) -> Error {
    let kind = if status == 429 || status >= 500 { ErrorKind::Unavailable } else { ErrorKind::Denied };
    let code = element(text, "Code").and_then(code).map(|code| format!(", `{code}`")).unwrap_or_default();
    Error::new(kind, format!("{what}: the server answers with status {status}{code}"))
        .with_hint("see whether the role trusts the service account of the pod")
}

fn lent(value: impl Fn(&str) -> Option<String>, now: Timestamp) -> Option<Lent> {
    let end = value("Expiration").and_then(|text| text.parse::<Timestamp>().ok());
    let keys = Keys {
        access_key: value("AccessKeyId")?,
        secret_key: value("SecretAccessKey")?,
        session_token: given(value("SessionToken")),
    };
    Some(Lent { keys, end: end.or_else(|| now.checked_add(USUAL_LIFE).ok()).unwrap_or(now) })
}

#[cfg(test)]
mod tests;
