//! The server: one thread that listens, answers, and samples metrics once a second.
//!
//! # Invariants
//! It listens before [`Server::start`] returns. It ends within a second of being dropped.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kobel_model::{Error, Result};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;

use crate::monitor::Monitor;
use crate::rest::connection::{CONNECTIONS_MAX, Door};
use crate::rest::dispatch::{Service, Site};
use crate::rest::guard::{Guard, Scheme};
use crate::rest::listen::{Place, Reach, bind, tls};
use crate::rest::operations::Operations;
use crate::rest::route::routes;
use crate::view::cluster::Cluster;

/// Time between two samples of metrics.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
/// How long answers that are under way may take at the end.
const LAST_ANSWERS: Duration = Duration::from_millis(800);
/// How often somebody who waits looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Where a certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM with the chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// PEM with the private key.
    pub key: PathBuf,
}

/// How the process is reached.
#[derive(Clone)]
pub struct ServerOptions {
    /// Host of the REST API and its ports, tried in order, 0 being any; `None` serves no REST API.
    pub rest: Option<(String, Vec<u16>)>,
    /// Host of the metrics for Prometheus and its ports; `None` serves none.
    pub metrics: Option<(String, Vec<u16>)>,
    /// The name under which others reach the process.
    pub address: String,
    /// What every request must carry as `Authorization: Bearer …`.
    pub token: Option<String>,
    /// Whether a server without a token and without TLS hears whoever reaches it, also beyond loopback.
    pub is_open: bool,
    /// Serves over TLS.
    pub tls: Option<TlsFiles>,
    /// The most bytes that the body of a request may have; more than a mebibyte is never read.
    pub body_max: usize,
    /// How long the result of an operation is kept.
    pub result_kept: Duration,
}

/// The server; dropping it ends it.
pub struct Server {
    rest: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
    is_tls: bool,
    result_kept: Duration,
    cluster: Arc<Cluster>,
    operations: Arc<Operations>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and answers from now on.
    ///
    /// # Errors
    /// Denied if an address that others can reach is not protected, Unavailable if no port is free, Invalid or Missing
    /// if certificate or key cannot be used.
    pub fn start(options: ServerOptions, cluster: Arc<Cluster>) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Error::io("cannot start the REST server", error))?;
        let acceptor = options.tls.as_ref().map(|files| tls(&files.certificate, &files.key)).transpose()?;
        let monitor = Arc::new(Monitor::new(Arc::clone(&cluster)));
        let operations = Arc::new(Operations::new(options.result_kept, Arc::clone(&cluster.facts.scrubber)));
        let setup = Setup { options: &options, cluster: &cluster, monitor: &monitor, acceptor: &acceptor };
        let doors = {
            let _inside = runtime.enter();
            [setup.rest(&operations)?, setup.metrics()?]
        };
        let address = |door: &Option<Door>| door.as_ref().and_then(|door| door.listener.local_addr().ok());
        let (rest, metrics) = (address(&doors[0]), address(&doors[1]));
        let (stop, stopped) = watch::channel(false);
        let doors: Vec<Door> = doors.into_iter().flatten().collect();
        let thread = thread::Builder::new()
            .name("rest".to_owned())
            .spawn(move || run(&runtime, doors, &monitor, stopped))
            .map_err(|error| Error::io("cannot start the thread of the REST server", error))?;
        Ok(Self {
            rest,
            metrics,
            is_tls: options.tls.is_some(),
            result_kept: options.result_kept,
            cluster,
            operations,
            stop,
            thread: Some(thread),
        })
    }

    /// Where the REST API is, if it is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.rest
    }

    /// Where metrics are, if they are served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Whether TLS is spoken.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether an operation goes on, or its end has not been asked for.
    pub fn has_unread(&self) -> bool {
        self.operations.has_unread()
    }

    /// Waits until every operation has ended and its end has been asked for, but not longer than results are kept, and
    /// not when `stop` says that it is enough.
    pub fn wait_until_read(&self, stop: &dyn Fn() -> bool) {
        let begun = Instant::now();
        while self.operations.has_unread() && begun.elapsed() < self.result_kept && !stop() {
            thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Waits until somebody asks the process to end, or `stop` says so.
    pub fn wait_for_shutdown(&self, stop: &dyn Fn() -> bool) {
        while !self.cluster.application().is_shutdown_wanted && !stop() {
            thread::sleep(LOOK_INTERVAL);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody hears it if the thread has ended, which is all that is wanted.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What doors are made of.
struct Setup<'a> {
    options: &'a ServerOptions,
    cluster: &'a Arc<Cluster>,
    monitor: &'a Arc<Monitor>,
    acceptor: &'a Option<TlsAcceptor>,
}

impl Setup<'_> {
    fn rest(&self, operations: &Arc<Operations>) -> Result<Option<Door>> {
        let Some((host, ports)) = &self.options.rest else {
            return Ok(None);
        };
        let place = Place { what: "the REST API", setting: "rest.bind-port", host, ports };
        let operations = Arc::clone(operations);
        let service = |address: String| Service::Rest { routes: routes(), operations, address };
        self.door(&place, service).map(Some)
    }

    fn metrics(&self) -> Result<Option<Door>> {
        let Some((host, ports)) = &self.options.metrics else {
            return Ok(None);
        };
        let place = Place { what: "metrics", setting: "metrics.reporter.prom.port", host, ports };
        self.door(&place, |_| Service::Metrics).map(Some)
    }

    fn door(&self, place: &Place<'_>, service: impl FnOnce(String) -> Service) -> Result<Door> {
        let scheme = if self.acceptor.is_some() { Scheme::Https } else { Scheme::Http };
        let public = &self.options.address;
        let guard = match self.options.token.as_deref() {
            None if self.options.is_open => Guard::open(place.host, public, scheme),
            token => Guard::new(place.host, public, scheme, token)?,
        };
        let listener = bind(place, if guard.is_loopback() { Reach::Loopback } else { Reach::Anybody })?;
        let failed = |error: io::Error| Error::io(format!("cannot serve {} on `{}`", place.what, place.host), error);
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let address = format!("{}://{public}:{port}", scheme.name());
        let site = Site {
            guard,
            cluster: Arc::clone(self.cluster),
            monitor: Arc::clone(self.monitor),
            service: service(address),
            body_max: self.options.body_max,
        };
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
        Ok(Door { listener, site: Arc::new(site), tls: self.acceptor.clone(), room })
    }
}

/// What the thread does. Connections that have not ended when it ends are broken off with the runtime.
fn run(runtime: &Runtime, doors: Vec<Door>, monitor: &Monitor, mut stopped: watch::Receiver<bool>) {
    runtime.block_on(async {
        let rooms: Vec<_> = doors.iter().map(|door| Arc::clone(&door.room)).collect();
        for door in doors {
            tokio::spawn(door.serve(stopped.clone()));
        }
        let mut tick = interval(SAMPLE_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => monitor.sample(),
                _ = stopped.changed() => break,
            }
        }
        let all_ended = async {
            for room in &rooms {
                // Every permit is there again once every connection has ended.
                let _ = room.acquire_many(CONNECTIONS_MAX).await;
            }
        };
        let _ = timeout(LAST_ANSWERS, all_ended).await;
    });
}

#[cfg(test)]
mod tests;
