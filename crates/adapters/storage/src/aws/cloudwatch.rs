//! The log streams of a group in Amazon CloudWatch: made when they are needed, written to in batches.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use url::{Position, Url};

use super::identity::Identity;
use super::signature::{Post, authorization};
use super::{code, domain, given, is_label};
use crate::agent::{agent, failure};

/// How long one request may take.
const TIME_MAX: Duration = Duration::from_secs(15);
/// The most bytes of an answer.
const BYTES_MAX: u64 = 64 * 1024;
/// The most bytes of a message that is shown.
const SHOWN_MAX: usize = 300;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened, in milliseconds since 1970.
    pub time_ms: i64,
    /// What it says; not empty.
    pub message: String,
}

/// The streams of one group.
pub struct LogGroup {
    name: String,
    region: String,
    address: Url,
    identity: Identity,
    agent: Agent,
}

/// What the service says instead of doing what it was asked.
struct Refusal {
    status: u16,
    code: String,
    message: String,
}

impl fmt::Debug for LogGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogGroup").field("name", &self.name).field("region", &self.region).finish_non_exhaustive()
    }
}

impl LogGroup {
    /// The group of this name, in the region and at the endpoint that the variables of AWS name.
    ///
    /// # Errors
    /// Invalid if they name no region, or if the endpoint is no address.
    pub fn from_environment(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let first = |names: &[&str]| names.iter().find_map(|name| given(variable(name)));
        let wrong = |why: &str| Error::invalid(format!("cannot write to the log group `{name}`: {why}"));
        let region = first(&["AWS_REGION", "AWS_DEFAULT_REGION"])
            .filter(|region| is_label(region))
            .ok_or_else(|| wrong("no region is named").with_hint("set `AWS_REGION`, as to `eu-west-1`"))?;
        let endpoint = first(&["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL_LOGS", "AWS_ENDPOINT_URL"])
            .unwrap_or_else(|| format!("https://logs.{region}.{}", domain(&region)));
        let address = Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let hint = "write `https://HOST` or `http://HOST:PORT` in `AWS_ENDPOINT_URL_LOGS`";
        let address = address.ok_or_else(|| wrong("the endpoint is no address of a web server").with_hint(hint))?;
        let identity = Identity::from_environment(&variable);
        Ok(Self { name: name.to_owned(), region, address, identity, agent: agent(DefaultResolver::default()) })
    }

    /// Appends events, oldest first, to a stream. The stream and the group are made if they are not there. Gives how many
    /// events the service did not take, because they are too old, too new or not valid.
    ///
    /// The caller keeps the limits of a batch: 1 MiB with 26 bytes for each event, 10,000 events, 256 KiB an event.
    ///
    /// # Errors
    /// Denied if the service refuses, Unavailable if it cannot take them now, Invalid if the settings are wrong.
    pub fn append(&self, stream: &str, events: &[LogEvent]) -> Result<usize> {
        let shown: Vec<Value> =
            events.iter().map(|event| json!({ "timestamp": event.time_ms, "message": event.message })).collect();
        let batch = json!({ "logGroupName": self.name, "logStreamName": stream, "logEvents": shown });
        let answer = match self.call("PutLogEvents", &batch)? {
            Err(refusal) if refusal.code == "ResourceNotFoundException" => {
                self.make(stream)?;
                self.call("PutLogEvents", &batch)?
            }
            answer => answer,
        };
        match answer {
            Ok(answer) => Ok(rejected(&answer, events.len())),
            // An answer was lost on its way to us.
            Err(refusal) if refusal.code == "DataAlreadyAcceptedException" => Ok(0),
            // It never will take them, and those after them must not wait for that.
            Err(refusal) if refusal.code == "InvalidParameterException" => Ok(events.len()),
            Err(refusal) => Err(self.refused("write to", &refusal)),
        }
    }

    /// Makes a stream, and the group first if it is not there.
    fn make(&self, stream: &str) -> Result<()> {
        let whole = json!({ "logGroupName": self.name, "logStreamName": stream });
        let made = match self.call("CreateLogStream", &whole)? {
            Err(refusal) if refusal.code == "ResourceNotFoundException" => {
                let group = self.call("CreateLogGroup", &json!({ "logGroupName": self.name }))?;
                there(group).map_err(|refusal| self.refused("make", &refusal))?;
                self.call("CreateLogStream", &whole)?
            }
            made => made,
        };
        there(made).map_err(|refusal| self.refused("make a stream of", &refusal))
    }

    /// Sends one request.
    fn call(&self, action: &str, body: &Value) -> Result<Result<Value, Refusal>> {
        let failed =
            |kind, why: &str| Error::new(kind, format!("cannot write to the log group `{}`: {why}", self.name));
        let Some(keys) = self.identity.keys()? else {
            let hint = "give the service account of the pod a role, or set `AWS_ACCESS_KEY_ID` and \
                        `AWS_SECRET_ACCESS_KEY`";
            return Err(failed(ErrorKind::Denied, "there are no credentials of AWS").with_hint(hint));
        };
        let body = body.to_string();
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let target = format!("Logs_20140328.{action}");
        let host = &self.address[Position::BeforeHost..Position::AfterPort];
        let mut headers =
            vec![("content-type", "application/x-amz-json-1.1"), ("host", host), ("x-amz-date", time.as_str())];
        if let Some(token) = &keys.session_token {
            headers.push(("x-amz-security-token", token.as_str()));
        }
        headers.push(("x-amz-target", target.as_str()));
        let (region, path) = (self.region.as_str(), self.address.path());
        let post = Post { path, region, service: "logs", headers: &headers, body: body.as_bytes() };
        let authorization = authorization(&post, &keys, &time);
        let mut request = self.agent.post(self.address.as_str()).config().timeout_global(Some(TIME_MAX)).build();
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        let answer = request.header("authorization", authorization).send(body.as_str());
        let answer = answer.and_then(|response| {
            let status = response.status().as_u16();
            let text = response.into_body().into_with_config().limit(BYTES_MAX).read_to_string()?;
            Ok((status, serde_json::from_str::<Value>(&text).unwrap_or_default()))
        });
        let (status, answer) = answer.map_err(|error| {
            let (kind, why) = failure(&error);
            failed(kind, why)
        })?;
        Ok(if status == 200 { Ok(answer) } else { Err(Refusal::read(status, &answer)) })
    }

    /// The error of a refusal. Its message is shown only where it does not repeat what was signed.
    fn refused(&self, act: &str, refusal: &Refusal) -> Error {
        let Refusal { status, code, message } = refusal;
        let kind = match code.as_str() {
            "ThrottlingException"
            | "ServiceUnavailableException"
            | "OperationAbortedException"
            | "LimitExceededException" => ErrorKind::Unavailable,
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "ExpiredTokenException"
            | "InvalidSignatureException" => ErrorKind::Denied,
            _ if *status == 429 || *status >= 500 => ErrorKind::Unavailable,
            _ if *status == 403 => ErrorKind::Denied,
            _ => ErrorKind::Invalid,
        };
        let why = if code == "AccessDeniedException" { message.as_str() } else { "" };
        let why: String = why.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect();
        let separator = if why.is_empty() { "" } else { ": " };
        let group = &self.name;
        Error::new(kind, format!("cannot {act} the log group `{group}`: status {status}, `{code}`{separator}{why}"))
    }
}

impl Refusal {
    fn read(status: u16, answer: &Value) -> Self {
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
        // Some answers name the shape before the code: `com.amazonaws.logs#ThrottlingException`.
        let named = text("__type").rsplit('#').next().and_then(code).unwrap_or("UnknownError");
        let message = if text("message").is_empty() { text("Message") } else { text("message") };
        Self { status, code: named.to_owned(), message: message.to_owned() }
    }
}

/// What was to be made is there, whoever made it.
fn there(answer: Result<Value, Refusal>) -> Result<(), Refusal> {
    match answer {
        Err(refusal) if refusal.code != "ResourceAlreadyExistsException" => Err(refusal),
        _ => Ok(()),
    }
}

/// How many of these events an answer says were not taken.
fn rejected(answer: &Value, count: usize) -> usize {
    let Some(info) = answer.get("rejectedLogEventsInfo") else { return 0 };
    let index = |key: &str| info.get(key).and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
    let old = index("tooOldLogEventEndIndex").max(index("expiredLogEventEndIndex")).unwrap_or(0);
    let new = index("tooNewLogEventStartIndex").map_or(0, |start| count.saturating_sub(start));
    old.saturating_add(new).min(count)
}

#[cfg(test)]
mod tests;
