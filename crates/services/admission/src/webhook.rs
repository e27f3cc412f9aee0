//! The webhook as a part of a process: one thread, which ends when its owner lets go of it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use kobel_model::{Error, Result};
use kube::Client;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::api::{Api, Place, connect};
use crate::certificates::Pace;
use crate::configurations::Configurations;
use crate::keeper::{Clock, Keeper, Memory};
use crate::server::{CONNECTIONS_MAX, Desk, Door, LAST_ANSWERS};
use crate::service::Service;
use crate::shelf::Shelf;

/// The name of the thread.
const THREAD: &str = "webhook";
/// How long what cannot be broken off may go on, such as the lookup of a name.
const LAST_ACTS: Duration = Duration::from_millis(300);

/// How the webhook is reached, and what it holds objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where to listen; port 0 is any that is free.
    pub address: SocketAddr,
    /// Through what API servers call.
    pub service: Service,
    /// The Secret in which replicas keep its certificates, in the namespace of the Service.
    pub secret: String,
    /// The ValidatingWebhookConfiguration that calls the Service.
    pub validating: String,
    /// The MutatingWebhookConfiguration that calls the Service.
    pub mutating: String,
    /// What holds where a resource is silent: those of the operator, so that both judge alike.
    pub defaults: BTreeMap<String, String>,
    /// How long certificates last, and what follows from that.
    pub pace: Pace,
}

impl WebhookSettings {
    /// Those of a Service, with the names that the chart gives to what belongs to it.
    pub fn of(address: SocketAddr, service: Service, defaults: BTreeMap<String, String>) -> Self {
        let (secret, configurations) = (service.secret(), service.configurations());
        Self {
            address,
            service,
            secret,
            validating: configurations.clone(),
            mutating: configurations,
            defaults,
            pace: Pace::default(),
        }
    }
}

/// A webhook that answers; dropping it ends it.
#[derive(Debug)]
pub struct Webhook {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Webhook {
    /// Listens, and answers as soon as there is a certificate: API servers are told to trust it. The API is that of a
    /// kubeconfig or, without one, of the pod that this runs in; it need not answer yet.
    ///
    /// # Errors
    /// Fails if the address is taken, there is no API to speak to, or no thread can be started.
    pub fn start(settings: WebhookSettings, kubeconfig: Option<&Path>) -> Result<Self> {
        let runtime = runtime(settings.address)?;
        let client = runtime.block_on(connect(kubeconfig))?;
        Self::over(runtime, settings, client, Arc::new(Timestamp::now))
    }

    fn over(runtime: Runtime, settings: WebhookSettings, client: Client, clock: Clock) -> Result<Self> {
        let failed = |error: io::Error| unserved(settings.address, error);
        let listener = StdListener::bind(settings.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(failed)?
        };
        let WebhookSettings { service, secret, validating, mutating, defaults, pace, .. } = settings;
        let (api, shelf) = (Api::over(client), Arc::new(Shelf::default()));
        let door = Door::new(listener, Arc::clone(&shelf), Desk::new(api.clone(), defaults))?;
        let keeper = Keeper {
            api,
            secret: Place::secret(&service.namespace, &secret),
            configurations: Configurations::of(&service, &validating, &mutating),
            names: service.names(),
            pace,
            clock,
            shelf,
            memory: Memory::default(),
        };
        let (stop, stopped) = watch::channel(false);
        let body = move || run(runtime, door, keeper, stopped);
        let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(body);
        let thread = thread.map_err(|error| unserved(address, error))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        // Nobody hears it if the thread has ended, which is all that is wanted.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "kobel.webhook", "the webhook panicked");
        }
    }
}

fn unserved(address: SocketAddr, error: io::Error) -> Error {
    Error::io(format!("cannot serve the webhook at `{address}`"), error)
}

fn runtime(address: SocketAddr) -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(|error| unserved(address, error))
}

/// What the thread does. Connections that have not ended when it ends are broken off with the runtime.
fn run(runtime: Runtime, door: Door, keeper: Keeper, mut stopped: watch::Receiver<bool>) {
    runtime.block_on(async {
        let room = door.room();
        tokio::spawn(door.serve(stopped.clone()));
        tokio::spawn(keeper.run());
        // The sender is dropped only after it has sent.
        let _ = stopped.changed().await;
        let _ = timeout(LAST_ANSWERS, room.acquire_many(CONNECTIONS_MAX)).await;
    });
    runtime.shutdown_timeout(LAST_ACTS);
}
