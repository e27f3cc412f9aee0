//! Where the server may listen, and which requests it hears at all.
//!
//! A browser will send requests to any address for any page, so a request counts only if it names a host that is ours
//! and, where it tells which page it comes from, a page that is ours. Nothing here reads a socket; a wrong request is
//! refused before its body is read.
//!
//! # Invariants
//! Without a token and without TLS nothing but loopback is served, unless whoever configured it says so in as many words.
//! A token is compared in constant time and never shown.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use kobel_model::{Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

/// What makes an address allowed.
const PROTECTION_HINT: &str = "set `rest.bind-address` to `localhost`, or give `kobel.rest.token-file`, or \
    `kobel.rest.tls.certificate` and `kobel.rest.tls.key`";

/// How a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// In plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The name as in a URL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The rules of one server.
pub(crate) struct Guard {
    host: String,
    /// The name under which others reach the server.
    public: String,
    scheme: Scheme,
    token: Option<Vec<u8>>,
}

/// Why a request is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// A header is missing, there twice, or unreadable.
    Malformed(&'static str),
    /// It is meant for another host.
    ForeignHost,
    /// It comes from a page of another origin.
    ForeignOrigin,
    /// It lacks the token.
    Unauthorized,
}

impl Denial {
    /// HTTP status.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::ForeignHost | Self::ForeignOrigin => 403,
            Self::Unauthorized => 401,
        }
    }

    /// For the person.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Malformed(header) => format!("Header {header} is missing or malformed."),
            Self::ForeignHost => "Forbidden: the Host header does not name this server.".to_owned(),
            Self::ForeignOrigin => "Forbidden: requests from pages of another origin are not answered.".to_owned(),
            Self::Unauthorized => "Unauthorized: a valid bearer token is needed.".to_owned(),
        }
    }
}

impl Guard {
    /// The rules of a server on `host`, which others reach as `public`.
    ///
    /// # Errors
    /// Denied if the host can be reached from outside and neither a token nor TLS protects it; Invalid if the token is
    /// empty.
    pub(crate) fn new(host: &str, public: &str, scheme: Scheme, token: Option<&str>) -> Result<Self> {
        if token.is_some_and(|token| token.trim().is_empty()) {
            return Err(Error::invalid("the token of the REST server is empty"));
        }
        let host = bare(host).to_ascii_lowercase();
        if !is_loopback(&host) && token.is_none() && scheme == Scheme::Http {
            let message =
                format!("cannot listen on `{host}`: without a token or TLS only loopback addresses are served");
            return Err(Error::new(ErrorKind::Denied, message).with_hint(PROTECTION_HINT));
        }
        let public = bare(public).to_ascii_lowercase();
        Ok(Self { host, public, scheme, token: token.map(|token| token.trim().as_bytes().to_vec()) })
    }

    /// The rules of a server on `host` that hears whoever reaches it: others see to it who does.
    pub(crate) fn open(host: &str, public: &str, scheme: Scheme) -> Self {
        let [host, public] = [host, public].map(|name| bare(name).to_ascii_lowercase());
        Self { host, public, scheme, token: None }
    }

    /// Whether only this machine can reach the server.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Tells whether a request is heard.
    ///
    /// # Errors
    /// The reason if it is not.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Denial> {
        let host = single(headers, HOST, "Host")?.ok_or(Denial::Malformed("Host"))?;
        let (name, port) = split(host).ok_or(Denial::Malformed("Host"))?;
        // Elsewhere a page that has its name resolve to us gets no further: it knows no token, and TLS no such name.
        if self.is_loopback() && !self.is_own_host(name) {
            return Err(Denial::ForeignHost);
        }
        if let Some(origin) = single(headers, ORIGIN, "Origin")?
            && !self.is_own_origin(origin, name, port)
        {
            return Err(Denial::ForeignOrigin);
        }
        self.check_token(headers)
    }

    fn is_own_host(&self, name: &str) -> bool {
        is_loopback(name) || [&self.host, &self.public].iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    fn is_own_origin(&self, origin: &str, name: &str, port: Option<u16>) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        let Some((origin_name, origin_port)) = split(authority) else {
            return false;
        };
        let port_of = |port: Option<u16>| port.unwrap_or(self.scheme.default_port());
        scheme.eq_ignore_ascii_case(self.scheme.name())
            && origin_name.eq_ignore_ascii_case(name)
            && port_of(origin_port) == port_of(port)
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Denial> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let given = single(headers, AUTHORIZATION, "Authorization")?.ok_or(Denial::Unauthorized)?;
        let (scheme, given) = given.split_once(' ').ok_or(Denial::Unauthorized)?;
        let is_equal: bool = given.trim().as_bytes().ct_eq(token).into();
        if scheme.eq_ignore_ascii_case("bearer") && is_equal { Ok(()) } else { Err(Denial::Unauthorized) }
    }
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: HeaderName, shown: &'static str) -> Result<Option<&'a str>, Denial> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Denial::Malformed(shown));
    }
    value.to_str().map(Some).map_err(|_| Denial::Malformed(shown))
}

/// Splits `host`, `host:port`, `[address]` or `[address]:port`; the host comes without brackets.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None if rest.is_empty() => None,
        None => return None,
    };
    let is_odd = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'@' | b'/' | b'?' | b'#' | b'\\');
    (!host.is_empty() && !host.bytes().any(is_odd)).then_some((host, port))
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Whether a name or an address can mean this machine only.
fn is_loopback(host: &str) -> bool {
    let is_address = |address: IpAddr| address.to_canonical().is_loopback();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_address)
}

#[cfg(test)]
mod tests;
