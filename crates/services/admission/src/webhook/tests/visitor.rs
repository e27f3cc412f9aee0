//! Who asks the webhook: each time on a new connection, trusting what it was told to trust, at the time of the cluster.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::cluster::{Cluster, NAME};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks.
#[derive(Clone)]
pub(super) struct Visitor {
    address: SocketAddr,
    cluster: Cluster,
    trusted: Arc<Mutex<String>>,
    answered: Arc<AtomicUsize>,
}

/// The time of the cluster.
struct Time(Cluster);

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl Visitor {
    /// One who trusts nobody yet.
    pub(super) fn new(address: SocketAddr, cluster: &Cluster) -> Self {
        Self { address, cluster: cluster.clone(), trusted: Arc::default(), answered: Arc::default() }
    }

    /// Trusts this bundle, and no other.
    pub(super) fn trust(&self, bundle: &str) {
        bundle.clone_into(&mut self.trusted.lock().unwrap());
    }

    /// The bundle that is trusted.
    pub(super) fn trusted(&self) -> String {
        self.trusted.lock().unwrap().clone()
    }

    /// How many requests were answered.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Sends something and reads until the connection ends: what was answered, and the certificate that was shown.
    pub(super) fn ask(&self, request: &str) -> Result<(String, Vec<u8>), String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.trusted().as_bytes()) {
            roots.add(certificate.map_err(|error| told(&error))?).map_err(|error| told(&error))?;
        }
        let time = Arc::new(Time(self.cluster.clone()));
        let config = ClientConfig::builder_with_details(Arc::new(default_provider()), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| told(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(NAME).map_err(|error| told(&error))?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| told(&error))?;
        let socket = TcpStream::connect(self.address).map_err(|error| told(&error))?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(|error| told(&error))?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(request.as_bytes()).map_err(|error| told(&error))?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            // Some end without a farewell.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error.to_string()),
        }
        let shown = stream.conn.peer_certificates().and_then(<[_]>::first).ok_or("no certificate was shown")?;
        if answer.is_empty() {
            return Err("nothing was answered".to_owned());
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok((String::from_utf8_lossy(&answer).into_owned(), shown.to_vec()))
    }
}

/// A whole request, after which the connection ends.
pub(super) fn whole(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: \
         {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
