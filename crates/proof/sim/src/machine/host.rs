//! The machine as the controller has it: every call goes through the gate.
//!
//! Programs are wherever they are said to be, but for those whose address tells otherwise: one with `missing` in it is
//! not there, one with `refused` in it does not pass its check, and one with `unfit` in it cannot go on from any state.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kobel_controller::Host;
use kobel_manifest::launch::Launch;
use kobel_manifest::place::{FlinkHome, Ports, Standbys};
use kobel_model::deployment::{Artifact, ArtifactKind, FlinkVersion, Identity};
use kobel_model::{Error, ErrorKind, Result};
use kobel_processes::{Label, Seen};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::cluster;
use super::disk;
use super::processes::Launched;
use super::schedule::dispose;
use crate::call::{Call, Port};
use crate::entry::Who;
use crate::gate::{Gate, Passed};
use crate::world::World;

/// A file that can be sent: programs are not read here.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/program.jar");
/// Where programs lie that were fetched.
const ARTIFACTS: &str = "/kobel/artifacts";
/// Where distributions lie, each in a folder that is named by its line.
const DISTRIBUTIONS: &str = "/kobel/flink";
/// The oldest line that is installed.
const INSTALLED_SINCE: FlinkVersion = FlinkVersion::V1_17;
/// The most processes that stand by.
const STANDBYS_MAX: u32 = 15;

/// The machine for one life of the controller.
pub fn host(gate: &Gate) -> Arc<dyn Host> {
    Arc::new(HostPort { gate: gate.clone() })
}

struct HostPort {
    gate: Gate,
}

impl HostPort {
    fn call<T>(&self, name: &str, about: String, act: impl FnOnce(&mut World) -> Result<T>) -> Result<T> {
        let unknown = || Error::bug(format!("the simulation knows no call `{name}`"));
        let call = Call::of(Port::Host, name, about).ok_or_else(unknown)?;
        let failed =
            |why: &str| Err(Error::new(ErrorKind::Unavailable, format!("cannot `{name}` on this machine: {why}")));
        match self.gate.pass_now(call, act) {
            Passed::Answered(answer) => answer,
            Passed::Lost => failed("what came of it was lost"),
            Passed::Silent => failed("nothing came of it"),
            Passed::Refused(status) => failed(&format!("it was refused with {status}")),
            Passed::Broken => failed("input/output error"),
            Passed::Dead => failed("whoever asked is dead"),
        }
    }

    /// A call that reads the disk or writes to it.
    fn read<T>(&self, name: &str, about: &str, act: impl FnOnce(&mut World) -> Result<T>) -> Result<T> {
        self.call(name, about.to_owned(), |world| {
            if world.machine.disk.is_broken(world.now_ms) { Err(disk::broken(about)) } else { act(world) }
        })
    }
}

impl Host for HostPort {
    fn folder(&self, of: &Identity) -> PathBuf {
        PathBuf::from(cluster::folder(of))
    }

    fn can_stand_by(&self, count: u32) -> Result<()> {
        if count <= STANDBYS_MAX {
            return Ok(());
        }
        let hint = format!("set `spec.jobManager.replicas` to {} or less", STANDBYS_MAX + 1);
        Err(Error::invalid(format!("{count} job managers cannot stand by on one machine")).with_hint(hint))
    }

    fn all(&self) -> Result<Vec<Identity>> {
        self.call("all", String::new(), |world| Ok(world.machine.launches.keys().cloned().collect()))
    }

    fn observe(&self, of: &Identity) -> Result<Option<Seen>> {
        self.call("observe", cluster::name(of), |world| Ok(world.machine.launches.get(of).and_then(Launched::seen)))
    }

    fn start(&self, of: &Identity, label: &Label, launch: &Launch) -> Result<()> {
        self.call("start", cluster::name(of), |world| cluster::start(world, of, label, launch))
    }

    fn end(&self, of: &Identity, grace: Duration) -> Result<bool> {
        self.call("end", cluster::name(of), |world| Ok(cluster::end(world, of, grace)))
    }

    fn revive(&self, of: &Identity, role: &str) -> Result<()> {
        self.call("revive", cluster::name(of), |world| cluster::revive(world, of, role))
    }

    fn forget(&self, of: &Identity) -> Result<()> {
        self.call("forget", cluster::name(of), |world| cluster::forget(world, of))
    }

    fn free_ports(&self) -> Result<Ports> {
        self.call("free ports", String::new(), |world| Ok(ports(world)))
    }

    fn free_standbys(&self, count: u32) -> Result<Standbys> {
        if count == 0 {
            return Ok(Standbys::default());
        }
        self.can_stand_by(count)?;
        self.call("free standbys", String::new(), |world| {
            let job_managers = (0..count).map(|_| ports(world)).collect();
            Ok(Standbys { job_managers, zookeeper: world.machine.port() })
        })
    }

    fn ends(&self) -> UnboundedReceiver<Identity> {
        let (sender, receiver) = unbounded_channel();
        self.gate.shared().with(|world| world.machine.listeners.add(sender));
        receiver
    }

    fn program(&self, artifact: &Artifact) -> Result<PathBuf> {
        self.call("program", artifact.uri.clone(), |_| {
            if artifact.uri.contains("missing") {
                return Err(Error::new(ErrorKind::Missing, format!("there is no program at `{}`", artifact.uri)));
            }
            let name = artifact.uri.rsplit('/').next().unwrap_or_default();
            Ok(match artifact.kind {
                ArtifactKind::Sql => Path::new(ARTIFACTS).join(name),
                ArtifactKind::Jar | ArtifactKind::Python => PathBuf::from(PROGRAM),
            })
        })
    }

    fn flink_home(&self, line: FlinkVersion, kind: Option<ArtifactKind>) -> Result<FlinkHome> {
        self.call("flink home", String::new(), |_| {
            if line < INSTALLED_SINCE {
                let message = format!("Apache Flink {line} is not on this machine");
                let hint = format!("install it with `kobel flink install {line}`");
                return Err(Error::new(ErrorKind::Missing, message).with_hint(hint));
            }
            let is = |wanted: ArtifactKind| (kind == Some(wanted)).then(|| PathBuf::from(PROGRAM));
            Ok(FlinkHome {
                home: Path::new(DISTRIBUTIONS).join(line.as_str()),
                java_home: PathBuf::from("/kobel/java"),
                sql_runner: is(ArtifactKind::Sql),
                python: is(ArtifactKind::Python).map(|_| PathBuf::from("python3")),
                python_jar: is(ArtifactKind::Python),
            })
        })
    }

    fn ask(&self, folder: &Path, launch: &Launch, question: &[&str], _within: Duration) -> Result<Result<(), String>> {
        let about = folder.strip_prefix(cluster::ROOT).unwrap_or(folder);
        let of: Vec<String> = about.iter().take(2).map(|part| part.to_string_lossy().into_owned()).collect();
        self.call("ask", of.join("/"), |world| Ok(answer(world, launch, question)))
    }

    fn newest_checkpoint(&self, directory: &str, job_id: &str) -> Result<Option<(String, i64)>> {
        disk::local(directory)?;
        self.read("newest checkpoint", job_id, |world| world.machine.disk.newest_checkpoint(directory, job_id))
    }

    fn savepoint_since(&self, directory: &str, job_id: &str, since_ms: i64) -> Result<Option<(String, i64)>> {
        disk::local(directory)?;
        self.read("savepoint since", job_id, |world| world.machine.disk.savepoint_since(directory, job_id, since_ms))
    }

    fn has_snapshot(&self, path: &str) -> Result<bool> {
        let place = disk::local(path)?;
        self.read("has snapshot", path, |world| Ok(world.machine.disk.at(&place).is_some()))
    }

    fn dispose(&self, path: &str) -> Result<()> {
        let place = disk::local(path)?;
        self.read("dispose", path, |world| match world.machine.disk.at(&place) {
            None => Ok(()),
            Some(stored) if !stored.is_whole => {
                Err(Error::invalid(format!("`{place}` is no savepoint, so it is not deleted")))
            }
            Some(_) => {
                dispose(world, &place, Who::Controller);
                Ok(())
            }
        })
    }
}

fn ports(world: &mut World) -> Ports {
    let mut port = || world.machine.port();
    Ports { rest: port(), rpc: port(), blob: port() }
}

/// What a native application says of a check.
fn answer(world: &World, launch: &Launch, question: &[&str]) -> Result<(), String> {
    let arguments = launch.processes.iter().flat_map(|process| &process.arguments);
    let is_of = |word: &str| arguments.clone().any(|argument| argument.contains(word));
    if is_of("refused") {
        return Err("error: the script cannot be run\n".to_owned());
    }
    let Some(snapshot) = question.iter().find(|word| **word != "--check") else { return Ok(()) };
    if is_of("unfit") {
        return Err(format!("error: the state in `{snapshot}` does not fit\n"));
    }
    match world.machine.disk.whole(&disk::place(snapshot)) {
        Some(_) => Ok(()),
        None => Err(format!("error: `{snapshot}` is no snapshot: it has no file `_metadata`\n")),
    }
}
