//! Objects that are put below an address of S3, encrypted under a key if one is named.

use std::fmt;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kobel_model::deployment::Scheme;
use kobel_model::{Error, ErrorKind, Result};
use rusty_s3::S3Action as _;
use ureq::Agent;
use ureq::http::Response;
use ureq::unversioned::resolver::DefaultResolver;

use crate::agent::{agent, failure};
use crate::artifacts::S3Settings;
use crate::artifacts::s3::{SIGNATURE_LIFE, other_region};
use crate::aws::{code, element, given};

/// The header that says how an object is encrypted.
const ENCRYPTION: &str = "x-amz-server-side-encryption";
/// The header that says under which key.
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
/// The most bytes of an answer.
const BYTES_MAX: u64 = 64 * 1024;

/// A place in S3 that objects are put below.
pub struct ObjectFolder {
    settings: S3Settings,
    bucket: String,
    prefix: String,
    encryption_key: Option<String>,
    /// The region that the bucket turned out to lie in.
    region: Mutex<Option<String>>,
    agent: Agent,
}

impl fmt::Display for ObjectFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl fmt::Debug for ObjectFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectFolder({self})")
    }
}

impl ObjectFolder {
    /// The place that an address names, such as `s3://bucket/logs`; how S3 is reached is read from the variables of AWS.
    /// With the ARN of a key of KMS, objects are encrypted under it.
    ///
    /// # Errors
    /// Invalid if the address names no bucket.
    pub fn from_environment(
        address: &str,
        encryption_key: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let wrong = |why: &str| {
            Error::invalid(format!("cannot put objects below `{address}`: {why}")).with_hint("write `s3://BUCKET/PATH`")
        };
        let (scheme, location) = address.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        if !Scheme::parse(scheme).is_some_and(Scheme::is_s3) {
            return Err(wrong("it is no address of S3"));
        }
        let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(is_plain) || matches!(bucket, "." | "..") {
            return Err(wrong("the name of a bucket is letters, digits, dashes and dots"));
        }
        let prefix = prefix.trim_matches('/');
        if prefix.contains(['?', '#']) || prefix.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(wrong("its path has a query, a fragment or a part `.` or `..`"));
        }
        Ok(Self {
            settings: S3Settings::from_environment(variable),
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            encryption_key: given(encryption_key.map(str::to_owned)),
            region: Mutex::new(None),
            agent: agent(DefaultResolver::default()),
        })
    }

    /// Puts a file as the object `name`, in place of one that is there.
    ///
    /// # Errors
    /// Denied if the store refuses, Missing if there is no such bucket, Unavailable if it does not answer as it should or
    /// takes longer than `time_max`.
    pub fn put(&self, name: &str, file: &File, time_max: Duration) -> Result<()> {
        let known = self.region.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let region = known.unwrap_or_else(|| self.settings.region().to_owned());
        let response = self.send(name, file, &region, time_max)?;
        match other_region(&response, &region) {
            Some(other) => {
                let response = self.send(name, file, &other, time_max)?;
                *self.region.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
                self.taken(name, response)
            }
            None => self.taken(name, response),
        }
    }

    fn send(&self, name: &str, file: &File, region: &str, time_max: Duration) -> Result<Response<ureq::Body>> {
        let mut from = file;
        from.seek(SeekFrom::Start(0))
            .map_err(|error| Error::io(format!("cannot read what becomes `{name}`"), error))?;
        let bucket = self.settings.bucket(&self.bucket, region)?;
        let credentials = self.settings.credentials()?;
        let key = format!("{}{name}", self.prefix);
        let mut action = bucket.put_object(credentials.as_ref(), &key);
        let mut headers = vec![("content-type", "application/gzip")];
        if let Some(arn) = &self.encryption_key {
            // What is said of encryption is part of what is signed.
            for header in [(ENCRYPTION, "aws:kms"), (KEY, arn.as_str())] {
                action.headers_mut().insert(header.0, header.1);
                headers.push(header);
            }
        }
        let address = action.sign(SIGNATURE_LIFE);
        let mut request = self.agent.put(address.as_str()).config().timeout_global(Some(time_max)).build();
        for (header, value) in headers {
            request = request.header(header, value);
        }
        request.send(file).map_err(|error| {
            let (kind, why) = failure(&error);
            Error::new(kind, format!("cannot put `{name}` below `{self}`: {why}"))
        })
    }

    /// Reads an answer. Of its text only the code is told: it may repeat what was signed.
    fn taken(&self, name: &str, response: Response<ureq::Body>) -> Result<()> {
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(());
        }
        let text = response.into_body().into_with_config().limit(BYTES_MAX).read_to_string().unwrap_or_default();
        let code = element(&text, "Code").and_then(code).unwrap_or_default();
        let kind = match (status, code) {
            (_, "SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable") | (408 | 429 | 500.., _) => {
                ErrorKind::Unavailable
            }
            (401 | 403, _) => ErrorKind::Denied,
            (404, _) => ErrorKind::Missing,
            _ => ErrorKind::Invalid,
        };
        let separator = if code.is_empty() { "" } else { ", " };
        let error = Error::new(
            kind,
            format!("cannot put `{name}` below `{self}`: the server answers with status {status}{separator}{code}"),
        );
        Err(match kind {
            ErrorKind::Denied => error.with_hint("let the service account of the pod put objects there"),
            ErrorKind::Missing => error.with_hint("make the bucket, or correct the address"),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_bucket_with_a_path_or_without() {
        for (address, shown) in [
            ("s3://b/logs", "s3://b/logs/"),
            ("s3a://b//logs/x/", "s3://b/logs/x/"),
            ("S3P://b", "s3://b/"),
            ("s3://b/", "s3://b/"),
        ] {
            assert_eq!(ObjectFolder::from_environment(address, None, |_| None).unwrap().to_string(), shown);
        }
        for address in ["b/logs", "https://b/logs", "s3://", "s3:///a", "s3://b/../a", "s3://b/a?x"] {
            let error = ObjectFolder::from_environment(address, None, |_| None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{address}");
        }
    }
}
