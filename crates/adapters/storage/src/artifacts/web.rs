//! Requests over HTTP: bounded in time, redirected by hand, each hop checked as the first.
//!
//! Addresses may hold secrets in their query. Errors name what was asked for as the caller shows it, and of what a
//! redirect leads to nothing but the host.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use kobel_model::{Error, ErrorKind, Result};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Response};
use ureq::unversioned::resolver::Resolver;
use ureq::{Agent, Body, Timeout};
use url::Url;

use super::gate::{CheckedResolver, Gate, Refused};
use crate::agent::{CONNECT_MAX, agent};

/// How many redirects are followed.
const REDIRECTS_MAX: usize = 5;
/// The longest validator that is kept.
const VALIDATOR_MAX: usize = 1024;

/// What a server says of the version of its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Validators {
    /// The tag of the version.
    pub(super) etag: Option<String>,
    /// When it was changed.
    pub(super) last_modified: Option<String>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        Self { etag: header(headers, "etag"), last_modified: header(headers, "last-modified") }
    }

    /// Whether nothing can be asked with them.
    fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty() && text.len() <= VALIDATOR_MAX).then(|| text.to_owned())
}

/// What a request says besides. The values may be secret, and are shown nowhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    all: Vec<(HeaderName, HeaderValue)>,
}

impl Headers {
    /// Headers by name.
    ///
    /// # Errors
    /// Invalid if one of them can be none.
    pub(super) fn of(values: &BTreeMap<String, String>) -> Result<Self> {
        let all = values.iter().map(|(name, value)| -> Result<_> {
            let known = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| Error::invalid("cannot send a header with an artifact's request: its name is no name"))?;
            let mut value = HeaderValue::from_str(value.trim()).map_err(|_| {
                Error::invalid(format!("cannot send the header `{known}`: its value is no text of a line"))
            })?;
            value.set_sensitive(true);
            Ok((known, value))
        });
        Ok(Self { all: all.collect::<Result<_>>()? })
    }
}

/// What stays the same through all requests of one fetch.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// What is fetched, without secrets.
    pub(super) shown: &'a str,
    /// What the content that is here has for validators.
    pub(super) validators: &'a Validators,
    /// When the fetch must be done.
    pub(super) deadline: Instant,
    /// How long it may take in all.
    pub(super) time_max: Duration,
}

impl Call<'_> {
    /// How much time is left.
    ///
    /// # Errors
    /// Unavailable if there is none.
    pub(super) fn time_left(&self) -> Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.too_slow()) } else { Ok(left) }
    }

    /// The error for content that broke off.
    pub(super) fn broken(&self, error: io::Error) -> Error {
        self.failed(ureq::Error::from(error))
    }

    /// An error that names what is fetched.
    pub(super) fn error(&self, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, format!("cannot fetch `{}`: {why}", self.shown))
    }

    fn too_slow(&self) -> Error {
        self.error(ErrorKind::Unavailable, &format!("it takes longer than {:?}", self.time_max))
            .with_hint("see whether the server is slow, or allow more time")
    }

    /// The error of a request. Texts of the client that may hold the address are left out.
    fn failed(&self, error: ureq::Error) -> Error {
        use ureq::Error as Http;
        let away = |why: &str| self.error(ErrorKind::Unavailable, why);
        match error {
            Http::Timeout(Timeout::Global | Timeout::PerCall) => self.too_slow(),
            Http::Timeout(Timeout::Resolve | Timeout::Connect) => {
                away(&format!("no connection within {CONNECT_MAX:?}"))
            }
            Http::Timeout(_) => away("the server is silent"),
            Http::HostNotFound => away("its host has no address"),
            Http::Io(error) => away("the connection failed").with_source(error),
            Http::Rustls(error) => away("the connection cannot be encrypted").with_source(error),
            Http::Tls(why) => away(why),
            Http::BadUri(_) | Http::Http(_) => self.error(ErrorKind::Invalid, "its address is not valid"),
            Http::Other(cause) => match cause.downcast::<Refused>() {
                Ok(refused) => self
                    .error(ErrorKind::Denied, &refused.to_string())
                    .with_hint("artifacts come from public hosts only, unless private ones are allowed"),
                Err(_) => away("the connection failed"),
            },
            _ => away("the server does not answer in valid HTTP"),
        }
    }
}

/// What a server said.
pub(super) enum Answer {
    /// The content that is here is the newest.
    Unchanged,
    /// There is newer content.
    Content(Content),
}

/// Content that comes from a server.
pub(super) struct Content {
    /// Its bytes.
    pub(super) body: Box<dyn Read>,
    /// How many they are, if the server says it.
    pub(super) length: Option<u64>,
    /// What the next request asks with.
    pub(super) validators: Validators,
}

/// A client that connects only to what its gate lets through.
#[derive(Debug, Clone)]
pub(super) struct Web {
    agent: Agent,
}

impl Web {
    /// Makes a client that looks names up with `names`.
    pub(super) fn new(gate: Gate, names: Box<dyn Resolver>) -> Self {
        Self { agent: agent(CheckedResolver::new(gate, names)) }
    }

    /// Asks for content and follows redirects.
    ///
    /// # Errors
    /// Denied if a host may not be connected to or the server refuses, Missing if there is no content, Invalid if a
    /// redirect leads nowhere good, Unavailable if the server does not answer as it should.
    pub(super) fn follow(&self, start: &Url, call: &Call<'_>, headers: &Headers) -> Result<Answer> {
        let mut url = start.clone();
        let none = Headers::default();
        for _ in 0..=REDIRECTS_MAX {
            // They may let somebody in, who is not whoever a redirect leads to.
            let own = if url.origin() == start.origin() { headers } else { &none };
            let response = self.send(&url, call, own)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return answer(response, call);
            }
            url = redirected(&url, response.headers(), call)?;
        }
        Err(call.error(ErrorKind::Invalid, &format!("it is redirected more than {REDIRECTS_MAX} times")))
    }

    /// Sends one request.
    ///
    /// # Errors
    /// Denied if the host may not be connected to, Unavailable if the server does not answer.
    pub(super) fn ask(&self, url: &Url, call: &Call<'_>) -> Result<Response<Body>> {
        self.send(url, call, &Headers::default())
    }

    fn send(&self, url: &Url, call: &Call<'_>, headers: &Headers) -> Result<Response<Body>> {
        let left = call.time_left()?;
        let mut request = self.agent.get(url.as_str()).config().timeout_global(Some(left)).build();
        for (name, value) in &headers.all {
            request = request.header(name.clone(), value.clone());
        }
        if let Some(etag) = &call.validators.etag {
            request = request.header("if-none-match", etag.as_str());
        }
        if let Some(time) = &call.validators.last_modified {
            request = request.header("if-modified-since", time.as_str());
        }
        request.call().map_err(|error| call.failed(error))
    }
}

/// Where a redirect leads.
fn redirected(from: &Url, headers: &HeaderMap, call: &Call<'_>) -> Result<Url> {
    let wrong = |why: &str| call.error(ErrorKind::Invalid, &format!("it is redirected {why}"));
    let location = headers.get("location").and_then(|value| value.to_str().ok());
    let mut to = location.and_then(|text| from.join(text).ok()).ok_or_else(|| wrong("to no valid address"))?;
    to.set_fragment(None);
    if !matches!(to.scheme(), "http" | "https") {
        return Err(wrong(&format!("to an address of the scheme `{}`, and not of `http` or `https`", to.scheme())));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(wrong("from `https` to `http`, where it could be exchanged on its way"));
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err(wrong("to an address with a user or a password"));
    }
    Ok(to)
}

/// Takes the answer of a server that does not redirect.
///
/// # Errors
/// Denied if the server refuses, Missing if there is no content, Unavailable or Invalid if it says something else.
pub(super) fn answer(response: Response<Body>, call: &Call<'_>) -> Result<Answer> {
    let status = response.status().as_u16();
    let kind = match status {
        200 => return content(response, call).map(Answer::Content),
        304 if !call.validators.is_empty() => return Ok(Answer::Unchanged),
        401 | 403 => ErrorKind::Denied,
        404 | 410 => ErrorKind::Missing,
        408 | 425 | 429 | 500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    };
    let error = call.error(kind, &format!("the server answers with status {status}"));
    Err(match kind {
        ErrorKind::Denied => error.with_hint(
            "let this machine read it; for S3 set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `s3.access-key` \
             and `s3.secret-key`",
        ),
        ErrorKind::Missing => error.with_hint("check the address"),
        _ => error,
    })
}

fn content(response: Response<Body>, call: &Call<'_>) -> Result<Content> {
    // What is packed would have to be unpacked, and a small answer can unpack to a very large one.
    let encodings = response.headers().get_all("content-encoding");
    if !encodings.iter().all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(call.error(ErrorKind::Unavailable, "the server sends it packed, which was not asked for"));
    }
    let validators = Validators::of(response.headers());
    let length = response.body().content_length();
    Ok(Content { body: Box::new(response.into_body().into_reader()), length, validators })
}
