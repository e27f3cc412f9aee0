//! The HTTP client that requests go out with: bounded in time, over TLS with the authorities of the machine.

use std::sync::Arc;
use std::time::Duration;

use kobel_model::ErrorKind;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Timeout};

/// How long a lookup and a connection may take.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a server may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Makes a client that looks names up with `names`. No proxy is asked: it would resolve the names itself. No redirect is
/// followed, and an answer is an answer whatever its status.
pub(crate) fn agent(names: impl Resolver) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        // A connection that is kept would be used again without a check.
        .max_idle_connections(0)
        .user_agent(concat!("kobel/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(CONNECT_MAX))
        .timeout_connect(Some(CONNECT_MAX))
        .timeout_recv_response(Some(SILENCE_MAX))
        .timeout_per_read(Some(SILENCE_MAX))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), names)
}

/// Why a request failed that is not redirected and goes where the environment says. Texts of the client are left out:
/// they may hold the address, which may be signed.
pub(crate) fn failure(error: &ureq::Error) -> (ErrorKind, &'static str) {
    use ureq::Error as Http;
    let why = match error {
        Http::BadUri(_) | Http::Http(_) => return (ErrorKind::Invalid, "its address is not valid"),
        Http::Timeout(Timeout::Resolve | Timeout::Connect) => "no connection within ten seconds",
        Http::Timeout(_) => "it takes too long",
        Http::HostNotFound => "its host has no address",
        Http::Rustls(_) | Http::Tls(_) => "the connection cannot be encrypted",
        Http::Io(_) => "the connection failed",
        _ => "the server does not answer in valid HTTP",
    };
    (ErrorKind::Unavailable, why)
}
