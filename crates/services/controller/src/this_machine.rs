//! This machine as a host: what the adapters offer, in one place.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kobel_distributions::{Distributions, java};
use kobel_manifest::launch::Launch;
use kobel_manifest::place::{FlinkHome, Ports, Standbys};
use kobel_model::deployment::{Artifact, ArtifactKind, FlinkVersion, Identity};
use kobel_model::{Error, ErrorKind, Result};
use kobel_processes::{Label, Processes, Seen};
use kobel_storage::artifacts::{Artifacts, Limits};
use kobel_storage::checkpoints::{newest_of_job, savepoint_since};
use kobel_storage::location::local_path;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::host::Host;

/// Where this machine keeps what runs on it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The data directory.
    pub data: PathBuf,
    /// The program of this process, which native applications run.
    pub kobel: PathBuf,
}

/// This machine.
pub(crate) struct ThisMachine {
    processes: Processes,
    distributions: Arc<Distributions>,
    artifacts: Artifacts,
}

impl ThisMachine {
    /// Opens what the data directory holds; processes that run already are found.
    ///
    /// # Errors
    /// Fails if the data directory cannot be read or used.
    pub(crate) fn open(machine: &Machine) -> Result<Self> {
        Ok(Self {
            processes: Processes::open(&machine.data.join("applications"))?,
            distributions: Arc::new(Distributions::open(&machine.data.join("flink"))),
            artifacts: Artifacts::new(&machine.data.join("artifacts"), Limits::default()),
        })
    }
}

impl Host for ThisMachine {
    fn folder(&self, of: &Identity) -> PathBuf {
        self.processes.folder(of)
    }

    fn can_stand_by(&self, count: u32) -> Result<()> {
        self.processes.can_stand_by(count)
    }

    fn all(&self) -> Result<Vec<Identity>> {
        self.processes.all()
    }

    fn observe(&self, of: &Identity) -> Result<Option<Seen>> {
        self.processes.observe(of)
    }

    fn start(&self, of: &Identity, label: &Label, launch: &Launch) -> Result<()> {
        self.processes.start(of, label, launch)
    }

    fn end(&self, of: &Identity, grace: Duration) -> Result<bool> {
        self.processes.end(of, grace)
    }

    fn revive(&self, of: &Identity, role: &str) -> Result<()> {
        self.processes.revive(of, role)
    }

    fn forget(&self, of: &Identity) -> Result<()> {
        self.processes.forget(of)
    }

    fn free_ports(&self) -> Result<Ports> {
        self.processes.free_ports()
    }

    fn free_standbys(&self, count: u32) -> Result<Standbys> {
        self.processes.free_standbys(count)
    }

    fn ends(&self) -> UnboundedReceiver<Identity> {
        let (sender, receiver) = unbounded_channel();
        let noticed = self.processes.changes();
        // The thread ends with either side of the channels.
        let body = move || noticed.into_iter().try_for_each(|of| sender.send(of)).unwrap_or_default();
        if let Err(error) = thread::Builder::new().name("ends".to_owned()).spawn(body) {
            tracing::warn!(target: "kobel.controller", %error, "the ends of processes are only noticed by looking");
        }
        receiver
    }

    fn program(&self, artifact: &Artifact) -> Result<PathBuf> {
        self.artifacts.fetch(artifact, None)
    }

    fn flink_home(&self, line: FlinkVersion, kind: Option<ArtifactKind>) -> Result<FlinkHome> {
        let installed = self.distributions.find(line)?.ok_or_else(|| {
            Error::new(ErrorKind::Missing, format!("Apache Flink {line} is not on this machine"))
                .with_hint(format!("install it with `kobel flink install {line}`"))
        })?;
        let java = java(line)?;
        let sql_runner = match kind {
            Some(ArtifactKind::Sql) => Some(self.distributions.sql_runner(&installed, &java)?),
            _ => None,
        };
        let (python, python_jar) = match kind {
            Some(ArtifactKind::Python) => (Some(PathBuf::from("python3")), python_jar(&installed.home)),
            _ => (None, None),
        };
        Ok(FlinkHome { home: installed.home, java_home: java.home, sql_runner, python, python_jar })
    }

    fn ask(&self, folder: &Path, launch: &Launch, question: &[&str], within: Duration) -> Result<Result<(), String>> {
        kobel_processes::ask(folder, launch, question, within)
    }

    fn newest_checkpoint(&self, directory: &str, job_id: &str) -> Result<Option<(String, i64)>> {
        newest_of_job(directory, job_id)
    }

    fn savepoint_since(&self, directory: &str, job_id: &str, since_ms: i64) -> Result<Option<(String, i64)>> {
        savepoint_since(directory, job_id, since_ms)
    }

    fn has_snapshot(&self, path: &str) -> Result<bool> {
        Ok(local_path("savepoint", path)?.exists())
    }

    fn dispose(&self, path: &str) -> Result<()> {
        dispose(path)
    }
}

/// The jar with the driver of PyFlink, if the distribution has it.
fn python_jar(home: &Path) -> Option<PathBuf> {
    let mut jars = std::fs::read_dir(home.join("opt")).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    jars.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("flink-python-")))
}

fn dispose(path: &str) -> Result<()> {
    let directory = local_path("savepoint", path)?;
    if !directory.exists() {
        return Ok(());
    }
    if !directory.join("_metadata").is_file() {
        return Err(Error::invalid(format!("`{}` is no savepoint, so it is not deleted", directory.display())));
    }
    std::fs::remove_dir_all(&directory)
        .map_err(|error| Error::io(format!("cannot delete the savepoint `{}`", directory.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_savepoints_are_disposed_of() {
        let directory = tempfile::tempdir().unwrap();
        let savepoint = directory.path().join("savepoint-1");
        std::fs::create_dir(&savepoint).unwrap();
        let uri = format!("file://{}", savepoint.display());
        assert!(dispose(&uri).unwrap_err().to_string().contains("is no savepoint"));
        std::fs::write(savepoint.join("_metadata"), "x").unwrap();
        dispose(&uri).unwrap();
        assert!(!savepoint.exists());
        dispose(&uri).unwrap();
    }
}
