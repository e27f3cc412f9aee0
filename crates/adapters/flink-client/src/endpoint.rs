//! Where the REST API of a cluster is, and what lets a client in.
//!
//! Invariant: what is shown of an endpoint never holds a credential.

use std::fmt;

use hyper::Uri;
use hyper::header::HeaderValue;

use crate::failure::Failure;

/// The prefix of every path.
const VERSION: &str = "/v1";

/// The REST API of a cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The address, such as `http://127.0.0.1:8081`; a path in it comes before every other path.
    pub url: String,
    /// A token that is sent with every call.
    pub token: Option<String>,
}

impl Endpoint {
    /// Returns the endpoint at an address that asks for no token.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), token: None }
    }

    /// Returns the endpoint at a port of this machine.
    pub fn local(port: u16) -> Self {
        Self::new(format!("http://127.0.0.1:{port}"))
    }

    /// The address for a person.
    pub(crate) fn shown(&self) -> &str {
        // What stands before the last `@` may be a name and a password.
        self.url.rsplit('@').next().unwrap_or_default()
    }

    /// The address of a path.
    pub(crate) fn uri(&self, path: &str) -> Result<Uri, Failure> {
        let wrong = |what: &str| {
            Failure::Address(format!("`{}` {what}, allowed are addresses like `http://127.0.0.1:8081`", self.shown()))
        };
        let base: Uri = self.url.parse().map_err(|_| wrong("is not an address"))?;
        match base.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(wrong("does not begin with `http://`")),
            None => return Err(wrong("has no scheme")),
        }
        if base.query().is_some() {
            return Err(wrong("has a query"));
        }
        let authority = base.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user in it"));
        }
        let prefix = base.path().trim_end_matches('/');
        format!("http://{authority}{prefix}{VERSION}{path}").parse().map_err(|_| wrong("cannot be extended by a path"))
    }

    /// The header that carries the token.
    pub(crate) fn authorization(&self) -> Result<Option<HeaderValue>, Failure> {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Failure::Address("the token has characters that no header may have".to_owned()))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        f.debug_struct("Endpoint").field("url", &self.shown()).field("token", &token).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn a_path_comes_after_the_address() {
        for (url, uri) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081/v1/jobs"),
            ("http://h:1/", "http://h:1/v1/jobs"),
            ("http://h/proxy/x/", "http://h/proxy/x/v1/jobs"),
        ] {
            assert_eq!(Endpoint::new(url).uri("/jobs").unwrap().to_string(), uri);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in ["", "h:1", "https://h:1", "http://u:secret@h:1", "http://h:1/?a=b", "http://"] {
            let refused = Endpoint::new(url).uri("/jobs").unwrap_err().to_string();
            assert!(refused.contains("allowed are"), "{url}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn nothing_shows_the_token() {
        let endpoint = Endpoint { token: Some("t0k3n".to_owned()), ..Endpoint::local(1) };
        assert_eq!(format!("{endpoint:?}"), r#"Endpoint { url: "http://127.0.0.1:1", token: Some("***") }"#);
        let header = endpoint.authorization().unwrap().unwrap();
        assert!(header.is_sensitive());
        let endpoint = Endpoint { token: Some("t0k3n\n".to_owned()), ..endpoint };
        assert!(!endpoint.authorization().unwrap_err().to_string().contains("t0k3n"));
    }
}
