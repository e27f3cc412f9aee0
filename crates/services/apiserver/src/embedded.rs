//! The API as a part of a process: everything it needs is made at the first start and kept in one directory.
//!
//! The directory holds the store, the certificates and the administrator's token. It belongs to one process at a time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use kobel_model::{Error, ErrorKind, Result};
use serde_json::json;

use crate::auth::{Access, Caller};
use crate::http::{Api, Options, Server, certificates};
use crate::kinds::Kinds;
use crate::kubeconfig::Kubeconfig;
use crate::managed::Force;
use crate::store::{Key, Store};
use crate::surroundings::Machine;
use crate::verbs::{DryRun, Engine, FieldValidation, Target, WriteOptions};

/// The file of the store below the data directory.
pub const STORE_FILE: &str = "api.sqlite";
/// The namespaces that are always there.
const NAMESPACES: [&str; 2] = ["default", "kube-system"];

/// The API as it runs; dropping it ends it.
#[derive(Debug)]
pub struct Embedded {
    // It ends before what it serves.
    server: Server,
    api: Arc<Api>,
    authority: String,
    token: String,
}

impl Embedded {
    /// Opens the directory, listens, and answers from now on.
    ///
    /// # Errors
    /// Conflict if another process has the directory, Corrupt if the store is damaged, Unavailable if the address is
    /// taken, and whatever reading and writing the directory fails with.
    pub fn start(directory: &Path, address: SocketAddr) -> Result<Self> {
        let store = Store::open(&directory.join(STORE_FILE))?;
        let (kinds, surroundings) = (Kinds::all(), Arc::new(Machine));
        let access = Access::new(store.clone(), surroundings.clone());
        let engine = Engine::new(store.clone(), kinds.clone(), surroundings.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| Error::io("cannot start the resource API", error))?;
        let token = runtime.block_on(async {
            make_namespaces(&engine, &store, &kinds).await?;
            access.start(directory).await
        })?;
        let material = certificates::ensure(directory, address.ip(), Timestamp::now())?;
        let authority = material.authority.clone();
        let api = Arc::new(Api::new(store, kinds, surroundings, access));
        let server = Server::start(&Options { address, tls: Some(material) }, Arc::clone(&api))?;
        Ok(Self { server, api, authority, token })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Answers `/metrics` from now on with what `source` tells, in the text format of Prometheus; it is given once.
    pub fn give_metrics(&self, source: impl Fn() -> String + Send + Sync + 'static) {
        self.api.give_metrics(Box::new(source));
    }

    /// Writes the administrator's kubeconfig; only its owner may read it.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write_kubeconfig(&self, path: &Path) -> Result<()> {
        let server = format!("https://{}", reachable(self.address()));
        Kubeconfig { server: &server, authority_pem: &self.authority, token: &self.token }.write(path)
    }
}

/// The address at which this machine reaches a listener: one that listens everywhere is reached on the machine itself.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// Makes the namespaces that are always there, at the first start.
async fn make_namespaces(engine: &Engine, store: &Store, kinds: &Kinds) -> Result<()> {
    let kind = kinds.by_path("", "v1", "namespaces").ok_or_else(|| Error::bug("namespaces are not served"))?;
    let options = WriteOptions {
        field_manager: "kobel".to_owned(),
        dry_run: DryRun::No,
        validation: FieldValidation::Strict,
        force: Force::No,
        body_faults: Vec::new(),
    };
    for name in NAMESPACES {
        if store.get(&Key::new("namespaces", "", name)).is_some() {
            continue;
        }
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let target = Target { kind: kind.clone(), namespace: None, name: None, subresource: None };
        let made = engine.create(Caller::admin(), target, body, options.clone()).await;
        made.map_err(|status| {
            Error::new(ErrorKind::Unavailable, format!("cannot make the namespace `{name}`")).with_source(*status)
        })?;
    }
    Ok(())
}
