//! Files from a release archive over HTTP: with a limit for every wait, to a file that is digested as it comes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kobel_model::{Error, ErrorKind, Result};
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::progress::{Progress, Watch, tell};

/// How long a connection may take to come about.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// The largest page that is read as text.
const TEXT_MAX: u64 = 4 << 20;
/// The largest file that is fetched.
const FILE_MAX: u64 = 4 << 30;
/// How much is read at a time.
const CHUNK: usize = 256 * 1024;

/// Which schemes a redirect may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schemes {
    /// Only the one that cannot be listened to.
    Https,
    /// Both.
    Any,
}

/// A place with files below one address.
pub(crate) struct Site {
    agent: Agent,
    base: String,
}

impl Site {
    /// A place at `http://…` or `https://…`; from the latter no redirect leads to the former.
    ///
    /// # Errors
    /// Invalid if it is no such address.
    pub(crate) fn new(base: &str) -> Result<Self> {
        let base = base.trim_end_matches('/');
        let schemes = if base.starts_with("https://") { Schemes::Https } else { Schemes::Any };
        let Some(rest) = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")) else {
            return Err(Error::invalid(format!("`{base}` is no address of a mirror"))
                .with_hint("an address begins with `https://` or `http://` and ends before `/flink-VERSION`"));
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            // The address is shown and recorded, so it must hold no password.
            return Err(Error::invalid("the address of a mirror holds a user name, which is not supported"));
        }
        if host.is_empty() || rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
            return Err(Error::invalid(format!("`{base}` is no address of a mirror")));
        }
        Ok(Self { agent: agent(schemes), base: base.to_owned() })
    }

    /// The address of a file.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// A small file as text; nothing if it does not exist.
    ///
    /// # Errors
    /// Unavailable if the server does not answer as it should.
    pub(crate) fn text(&self, path: &str) -> Result<Option<String>> {
        let Some(mut response) = self.ask(path)? else { return Ok(None) };
        let text = response.body_mut().with_config().limit(TEXT_MAX).lossy_utf8(true).read_to_string();
        text.map(Some).map_err(|error| self.broken(path, error))
    }

    /// Writes a file to `to` while `digest` sees each part of it; the answer is whether it exists.
    ///
    /// # Errors
    /// Unavailable if the server does not answer as it should; those of the file system.
    pub(crate) fn file(&self, path: &str, to: &Path, digest: &mut dyn FnMut(&[u8]), watch: &Watch<'_>) -> Result<bool> {
        let Some(response) = self.ask(path)? else { return Ok(false) };
        let failed = |error| Error::io(format!("cannot write `{}`", to.display()), error);
        let name = path.rsplit('/').next().unwrap_or(path);
        let body = response.into_body();
        let total = body.content_length();
        let mut reader = body.into_with_config().limit(FILE_MAX).reader();
        let mut file = File::create(to).map_err(failed)?;
        let mut chunk = vec![0; CHUNK];
        let mut bytes = 0_u64;
        loop {
            tell(watch, Progress::Downloading { file: name, bytes, total })?;
            let length = reader.read(&mut chunk).map_err(|error| self.broken(path, error))?;
            let part = chunk.get(..length).unwrap_or_default();
            if part.is_empty() {
                return Ok(true);
            }
            digest(part);
            file.write_all(part).map_err(failed)?;
            bytes += part.len() as u64;
        }
    }

    fn ask(&self, path: &str) -> Result<Option<Response<Body>>> {
        let address = self.address(path);
        let response = self.agent.get(address.as_str()).call().map_err(|error| self.broken(path, error))?;
        match response.status().as_u16() {
            200 => Ok(Some(response)),
            404 | 410 => Ok(None),
            status => Err(Error::new(ErrorKind::Unavailable, format!("`{address}` answered with status {status}"))),
        }
    }

    fn broken(&self, path: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        let message = format!("cannot fetch `{}`", self.address(path));
        Error::new(ErrorKind::Unavailable, message).with_source(error).with_hint(
            "`--mirror URL` names another archive, `--from pip` takes the packages of the Python index, \
             `--from PATH` a folder or an archive that is here",
        )
    }
}

/// A client that trusts whom this machine trusts, and goes through the proxy that its environment names.
fn agent(schemes: Schemes) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .https_only(schemes == Schemes::Https)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_PATIENCE))
        .timeout_recv_response(Some(SILENCE_MAX))
        .timeout_per_read(Some(SILENCE_MAX))
        .user_agent(concat!("kobel/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::new_with_config(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_or_refused() {
        for (text, expected) in [
            ("https://archive.apache.org/dist/flink", Some("https://archive.apache.org/dist/flink/a")),
            ("http://127.0.0.1:8000//", Some("http://127.0.0.1:8000/a")),
            ("https://ann:secret@mirror.example/flink", None),
            ("ftp://mirror.example", None),
            ("mirror.example/flink", None),
            ("https://", None),
            ("https:///flink", None),
            ("https://mirror.example/?a=b", None),
            ("https://mirror.example/a b", None),
        ] {
            match Site::new(text) {
                Ok(site) => assert_eq!(Some(site.address("a").as_str()), expected, "{text}"),
                Err(error) => {
                    assert_eq!(expected, None, "{text}: {error}");
                    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
                }
            }
        }
    }
}
