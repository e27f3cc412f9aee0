//! The control loop as a part of a process: one thread, which ends when its owner lets go of it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kobel_flink_client::FlinkClient;
use kobel_model::{Error, Result, chain};
use kube::Client;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::answering::{answer, listen};
use crate::declared::{Declarations, Rules};
use crate::election::{Candidate, Election};
use crate::host::Host;
use crate::local::Local;
use crate::metrics::Metrics;
use crate::objects::{Objects, connect, connect_from_pod};
use crate::pods::{Pods, Settings};
use crate::rounds;
use crate::scope::Scope;
use crate::substrate::Substrate;
use crate::surroundings::{Real, Surroundings};
use crate::this_machine::{Machine, ThisMachine};
use crate::turns::SLOW_MAX;
use crate::world::{Refusals, Site};

/// The name of the thread.
const THREAD: &str = "controller";
/// The name of the thread that waits for the word to end.
const WAITER: &str = "end";
/// The threads for what may block, besides slow work: each has memory of its own, so they are few.
const THREADS: usize = 4;
/// How long what cannot be broken off may go on, such as the lookup of a name.
const LAST_ACTS: Duration = Duration::from_millis(500);

/// A control loop that runs; dropping it ends it.
#[derive(Debug)]
pub struct Controller {
    // Dropping the sender says that it is enough.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
    metrics: Metrics,
}

impl Controller {
    /// Starts a control loop over the API that is current in a kubeconfig, which need not answer yet, and over what runs
    /// on a machine.
    ///
    /// # Errors
    /// Fails if the kubeconfig or the machine's data directory cannot be read or used, or no thread can be started.
    pub fn start(kubeconfig: &Path, machine: &Machine) -> Result<Self> {
        let runtime = runtime()?;
        let client = runtime.block_on(connect(kubeconfig))?;
        let place = Place::Machine { host: Arc::new(ThisMachine::open(machine)?), kobel: machine.kobel.clone() };
        Self::over(runtime, parts(client, place), None, None)
    }

    /// Starts a control loop over a cluster of Kubernetes, whose API is that of a kubeconfig or, without one, of the pod
    /// that this runs in.
    ///
    /// # Errors
    /// Fails if there is no API to speak to, the address to listen at is taken, or no thread can be started.
    pub fn operate(kubeconfig: Option<&Path>, operating: Operating) -> Result<Self> {
        let Operating { settings, namespaces, listen: address, election } = operating;
        let runtime = runtime()?;
        let listener = address.map(|address| listen(&runtime, address)).transpose()?;
        let client = match kubeconfig {
            Some(path) => runtime.block_on(connect(path))?,
            None => {
                let _context = runtime.enter();
                connect_from_pod()?
            }
        };
        let parts = parts(client, Place::Cluster { settings, namespaces });
        if election.is_none() {
            // Nobody else may act.
            parts.metrics.leads();
        }
        let stand = |election| Candidate::of(election, parts.client.clone(), Arc::clone(&parts.surroundings));
        let candidate = election.map(stand);
        Self::over(runtime, parts, listener, candidate)
    }

    fn over(
        runtime: Runtime,
        parts: Parts,
        listener: Option<TcpListener>,
        candidate: Option<Candidate>,
    ) -> Result<Self> {
        let metrics = parts.metrics.clone();
        let (stop, stopped) = oneshot::channel();
        let body = move || run(runtime, parts, listener, candidate, stopped);
        let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(body).map_err(cannot_start)?;
        Ok(Self { stop: Some(stop), thread: Some(thread), metrics })
    }

    /// Goes on until that is told, or nobody is left who could tell it.
    ///
    /// # Errors
    /// Fails if the loop ends before, such as one that leads no more: another may act by now, so the process is to end.
    pub fn run_until(mut self, told: mpsc::Receiver<()>) -> Result<()> {
        let stop = self.stop.take();
        // It is left behind if the loop ends first.
        let wait = move || {
            let _ = told.recv();
            drop(stop);
        };
        thread::Builder::new().name(WAITER.to_owned()).spawn(wait).map_err(cannot_start)?;
        self.join()
    }

    /// Waits until the loop has ended, and tells how.
    fn join(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(Error::bug("the control loop panicked")),
            None => Ok(()),
        }
    }

    /// What the loop measures of itself; it can be read as long as somebody wants to.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Err(error) = self.join() {
            tracing::error!(target: "kobel.controller", cause = %chain(&error), "the control loop has failed");
        }
    }
}

fn cannot_start(error: io::Error) -> Error {
    Error::io("cannot start the control loop", error)
}

fn runtime() -> Result<Runtime> {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(SLOW_MAX + THREADS).build().map_err(cannot_start)
}

fn parts(client: Client, place: Place) -> Parts {
    let (flink, surroundings, metrics) = (FlinkClient::new(), Arc::new(Real), Metrics::default());
    Parts { client, flink, place, surroundings, metrics }
}

/// What the thread does. Whatever is under way is broken off: the next loop finds what is left to do. A candidate does
/// nothing but answer about itself until it leads.
fn run(
    runtime: Runtime,
    parts: Parts,
    listener: Option<TcpListener>,
    candidate: Option<Candidate>,
    stopped: oneshot::Receiver<()>,
) -> Result<()> {
    let ended = runtime.block_on(async {
        let metrics = parts.metrics.clone();
        if let Some(listener) = listener {
            tokio::spawn(answer(listener, metrics.clone()));
        }
        let stopped = async {
            // An error means that the sender was dropped, which is how it is said.
            let _ = stopped.await;
        };
        let work = look_after(parts);
        match candidate {
            Some(candidate) => candidate.lead(&metrics, work, stopped).await,
            None => tokio::select! {
                () = work => Err(Error::bug("the control loop ended by itself")),
                () = stopped => Ok(()),
            },
        }
    });
    runtime.shutdown_timeout(LAST_ACTS);
    ended
}

/// How a control loop is run over a cluster.
#[derive(Debug, Clone)]
pub struct Operating {
    /// How pods are made and reached.
    pub settings: Settings,
    /// The namespaces that are looked after; all of them if none is listed.
    pub namespaces: Vec<String>,
    /// Where `/healthz` and `/metrics` are answered, if anywhere.
    pub listen: Option<SocketAddr>,
    /// How one of several loops is found that acts; without it this one does, and there must be no other.
    pub election: Option<Election>,
}

/// What a control loop speaks to.
pub struct Parts {
    /// The API.
    pub client: Client,
    /// The JobManagers.
    pub flink: FlinkClient,
    /// Where deployments run.
    pub place: Place,
    /// The time, chance, and where to do what may block.
    pub surroundings: Arc<dyn Surroundings>,
    /// Where it is measured.
    pub metrics: Metrics,
}

/// Where deployments run.
pub enum Place {
    /// On a machine.
    Machine {
        /// The machine.
        host: Arc<dyn Host>,
        /// The program that native applications run.
        kobel: PathBuf,
    },
    /// In the cluster whose API it is.
    Cluster {
        /// How pods are made and reached.
        settings: Settings,
        /// The namespaces that are looked after; all of them if none is listed.
        namespaces: Vec<String>,
    },
}

/// Looks after the objects of an API until it is dropped. That may be in the midst of anything: the next loop over the
/// same parts finds what is left to do.
pub async fn look_after(parts: Parts) {
    let Parts { client, flink, place, surroundings, metrics } = parts;
    let around = Arc::clone(&surroundings);
    let (substrate, rules, scope) = match place {
        Place::Machine { host, kobel } => {
            (Substrate::Local(Local::new(host, around, flink.clone(), kobel)), Rules::local(), Scope::all())
        }
        Place::Cluster { settings, namespaces } => {
            let (rules, scope) = (Rules::of_cluster(&settings.defaults), Scope::of(namespaces));
            let pods = Pods::over(client.clone(), scope.clone(), around, flink.clone(), settings);
            (Substrate::Pods(pods), rules, scope)
        }
    };
    let site = Site {
        objects: Objects::over(client, scope, Arc::clone(&surroundings), substrate.rounds()),
        substrate,
        flink,
        declarations: Declarations::by(rules),
        refusals: Refusals::default(),
        metrics,
        surroundings,
    };
    rounds::run(&site).await;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;
    use std::{env, fs, process};

    use super::*;

    fn machine() -> Machine {
        let data = env::temp_dir().join(format!("kobel-controller-{}-data", process::id()));
        Machine { data, kobel: PathBuf::from("kobel") }
    }

    fn file(name: &str, text: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("kobel-controller-{}-{name}", process::id()));
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn it_ends_at_once_while_the_api_is_away() {
        let text = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": "hidden"}}]}"#;
        let path = file("away", text);
        let controller = Controller::start(&path, &machine()).unwrap();
        thread::sleep(Duration::from_millis(50));
        let begun = Instant::now();
        drop(controller);
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_kubeconfig_that_cannot_be_used_is_told_without_its_content() {
        let path = file("broken", "users: [{name: u, user: {token: [hidden]}}]");
        let error = Controller::start(&path, &machine()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot use the kubeconfig `{}`", path.display()));
        assert!(!format!("{error:?}").contains("hidden"));
        fs::remove_file(&path).unwrap();
        let error = Controller::start(&path, &machine()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read the kubeconfig `{}`", path.display()));
    }
}
