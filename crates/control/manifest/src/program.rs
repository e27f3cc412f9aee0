//! What Flink is told to run: a jar, a class and arguments.

use std::path::PathBuf;

use kobel_model::deployment::{ArtifactKind, Job};

use crate::place::{FlinkHome, Place};

/// The class that runs a script of SQL.
pub(crate) const SQL_RUNNER: &str = "SqlRunner";
/// The class that runs a script of Python; Flink finds its jar itself when an application is started.
pub(crate) const PYTHON_DRIVER: &str = "org.apache.flink.client.python.PythonDriver";

/// What Flink is told to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The jar; absent if the class lies on the class path already.
    pub(crate) jar: Option<PathBuf>,
    /// The class; absent if the jar names it.
    pub(crate) class: Option<String>,
    /// What the class is given.
    pub(crate) arguments: Vec<String>,
}

/// What Flink is told to run for `job`.
pub(crate) fn of(job: &Job, place: &Place, flink: &FlinkHome) -> Program {
    let path = path(job, place);
    let script = || path.iter().map(|path| path.to_string_lossy().into_owned());
    let with_args = |first: Vec<String>| first.into_iter().chain(job.args.iter().cloned()).collect();
    match job.artifact.as_ref().map(|artifact| artifact.kind) {
        Some(ArtifactKind::Sql) => Program {
            jar: flink.sql_runner.clone(),
            class: Some(SQL_RUNNER.to_owned()),
            arguments: with_args(script().collect()),
        },
        Some(ArtifactKind::Python) => Program {
            jar: None,
            class: Some(PYTHON_DRIVER.to_owned()),
            arguments: with_args(std::iter::once("-py".to_owned()).chain(script()).collect()),
        },
        Some(ArtifactKind::Jar) | None => {
            Program { jar: path.clone(), class: job.entry_class.clone(), arguments: job.args.clone() }
        }
    }
}

/// Where the program of `job` lies: where it was fetched to, or else where its address says.
pub(crate) fn path(job: &Job, place: &Place) -> Option<PathBuf> {
    let address = || {
        let uri = &job.artifact.as_ref()?.uri;
        Some(PathBuf::from(uri.split_once("://").map_or(uri.as_str(), |(_, path)| path)))
    };
    place.artifact.clone().or_else(address)
}
