//! Sockets and TLS: what a server listens with.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use kobel_model::{Error, Result};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A place to listen at, as the settings have it.
pub(crate) struct Place<'a> {
    /// What listens there, for people.
    pub(crate) what: &'static str,
    /// The setting that has the ports.
    pub(crate) setting: &'static str,
    /// A name or an address.
    pub(crate) host: &'a str,
    /// Tried in this order; 0 is any that is free.
    pub(crate) ports: &'a [u16],
}

/// Who may reach an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine: a name must not mean anything else.
    Loopback,
    /// Whoever can.
    Anybody,
}

/// Listens at the first port that is free.
///
/// # Errors
/// Invalid if there are no ports or the name has no fitting address; otherwise that of the last port.
pub(crate) fn bind(place: &Place<'_>, reach: Reach) -> Result<TcpListener> {
    let mut failure = None;
    for port in place.ports {
        match address(place.host, *port, reach).and_then(TcpListener::bind) {
            Ok(listener) => {
                listener.set_nonblocking(true).map_err(|error| failed(place, error))?;
                return Ok(listener);
            }
            Err(error) => failure = Some(error),
        }
    }
    Err(match failure {
        Some(error) => failed(place, error),
        None => Error::invalid(format!("cannot serve {} on `{}`: no port is given", place.what, place.host)),
    })
}

fn failed(place: &Place<'_>, error: io::Error) -> Error {
    let at = match place.ports {
        [port] => format!("`{}:{port}`", place.host),
        [first, .., last] => format!("`{}` at any port from `{first}` to `{last}`", place.host),
        [] => format!("`{}`", place.host),
    };
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens there: stop it, or choose another port or several in",
        io::ErrorKind::PermissionDenied => "ports below 1024 are for privileged processes: choose another one in",
        _ => "check `rest.bind-address` and",
    };
    Error::io(format!("cannot serve {} on {at}", place.what), error).with_hint(format!("{hint} `{}`", place.setting))
}

/// The one address that is meant by a name, of version 4 if it has such.
///
/// With several, a port that is taken at one would be served at another, where nobody looks: clients on a Java machine
/// take `localhost` for 127.0.0.1.
fn address(host: &str, port: u16, reach: Reach) -> io::Result<SocketAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let fits = |address: &SocketAddr| reach == Reach::Anybody || address.ip().to_canonical().is_loopback();
    let found = (bare, port).to_socket_addrs()?.filter(fits).min_by_key(SocketAddr::is_ipv6);
    found.ok_or_else(|| io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address to listen on"))
}

/// Reads certificate and key.
///
/// # Errors
/// Invalid, Missing or Denied if one of them cannot be used; nothing of the key is told.
pub(crate) fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|certificates| certificates.collect::<std::result::Result<Vec<_>, _>>())
        .map_err(|error| unreadable("certificate", certificate, error))?;
    if chain.is_empty() {
        return Err(unreadable("certificate", certificate, pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("private key", key, error))?;
    let unusable = |error: rustls::Error| {
        let message = format!("cannot serve TLS with certificate `{}`", certificate.display());
        Error::invalid(message).with_source(error)
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What was wrong within the file is not told, since it might be the key.
fn unreadable(what: &str, path: &Path, error: pem::Error) -> Error {
    let message = format!("cannot read a {what} from `{}`", path.display());
    match error {
        pem::Error::Io(error) => Error::io(message, error),
        _ => Error::invalid(message).with_hint(format!("the file must hold a {what} in PEM")),
    }
}

#[cfg(test)]
mod tests {
    use kobel_model::ErrorKind;

    use super::*;

    fn place<'a>(host: &'a str, ports: &'a [u16]) -> Place<'a> {
        Place { what: "the REST API", setting: "rest.bind-port", host, ports }
    }

    #[test]
    fn the_first_free_port_is_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let listener = bind(&place("127.0.0.1", &[port, 0]), Reach::Loopback).unwrap();
        assert_ne!(listener.local_addr().unwrap().port(), port);
        let error = bind(&place("127.0.0.1", &[port]), Reach::Loopback).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(&format!("`127.0.0.1:{port}`")), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("`rest.bind-port`")));
        let error = bind(&place("127.0.0.1", &[port, port]), Reach::Loopback).unwrap_err();
        assert!(error.to_string().contains("any port from"), "{error}");
    }

    #[test]
    fn a_name_means_one_address_and_rather_one_of_version_4() {
        let listener = bind(&place("localhost", &[0]), Reach::Loopback).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(address.ip(), std::net::Ipv4Addr::LOCALHOST);
        let error = bind(&place("localhost", &[address.port()]), Reach::Loopback).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "another address of the name was taken instead");
    }

    #[test]
    fn without_ports_or_with_a_wrong_address_nothing_is_served() {
        assert_eq!(bind(&place("127.0.0.1", &[]), Reach::Loopback).unwrap_err().kind(), ErrorKind::Invalid);
        assert!(bind(&place("0.0.0.0", &[0]), Reach::Loopback).is_err(), "only loopback was wanted");
        assert!(bind(&place("[::1", &[0]), Reach::Loopback).is_err());
    }

    #[test]
    fn files_that_are_no_pem_are_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cert.pem");
        std::fs::write(&path, "hello").unwrap();
        let error = tls(&path, &path).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("cert.pem"), "{error}");
        let missing = directory.path().join("none.pem");
        let error = tls(&missing, &path).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.to_string().contains("none.pem"), "{error}");
    }
}
