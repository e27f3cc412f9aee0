//! What Flink is told to run in a pod: a jar, a class and arguments.
//!
//! A program that an init container fetched lies in the directory for programs; any other lies in the image.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkConfigBuilder.applyJobOrSessionSpec`; Apache Flink 1.20 and 2.2,
//! `ApplicationConfiguration`, `KubernetesApplicationClusterEntrypoint`, `PythonDriverOptionsParserFactory`.

use std::fmt;
use std::path::Path;

use kobel_model::deployment::{Artifact, ArtifactKind, Job, Mode, Scheme};

use super::super::fetcher;
use super::super::start::Start;
use super::structured;
use crate::configuration::Configuration;
use crate::place::local_uri;
use crate::program::{PYTHON_DRIVER, SQL_RUNNER};

/// Where the jar with the class that runs a script of SQL lies in a pod.
pub const SQL_RUNNER_JAR: &str = "/opt/flink/usrlib/sql-runner.jar";
/// The key of the class.
const CLASS: &str = "$internal.application.main";
/// The key of the arguments.
pub(in crate::kubernetes) const ARGUMENTS: &str = "$internal.application.program-args";
/// How the driver of PyFlink is told of its script or module.
const PYTHON_SCRIPT: [&str; 4] = ["-py", "--python", "-pym", "--pyModule"];

/// What Flink is told to run.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    /// The address of the jar, in native mode's spelling; absent if the class lies on the class path already.
    pub jar: Option<String>,
    /// The class; absent if the jar names it.
    pub class: Option<String>,
    /// What the class is given.
    pub arguments: Vec<String>,
}

impl fmt::Debug for Program {
    // What a program is given may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("jar", &self.jar)
            .field("class", &self.class)
            .field("arguments", &self.arguments.len())
            .finish()
    }
}

/// What Flink is told to run for the job of `start`; nothing for a session cluster.
pub fn of(start: &Start<'_>) -> Option<Program> {
    let job = start.deployment.cluster.job.as_ref()?;
    let fetched = fetcher::local_path(start);
    let Some(artifact) = &job.artifact else {
        return Some(Program { jar: None, class: job.entry_class.clone(), arguments: job.args.clone() });
    };
    let script = fetched.clone().unwrap_or_else(|| path(&artifact.uri).to_owned());
    let program = match artifact.kind {
        ArtifactKind::Jar => Program {
            jar: Some(fetched.map_or_else(|| in_image(artifact), |path| local_uri(Path::new(&path)))),
            class: job.entry_class.clone(),
            arguments: job.args.clone(),
        },
        ArtifactKind::Python => {
            Program { jar: None, class: Some(PYTHON_DRIVER.to_owned()), arguments: python_arguments(job, script) }
        }
        ArtifactKind::Sql => Program {
            jar: Some(local_uri(Path::new(SQL_RUNNER_JAR))),
            class: Some(SQL_RUNNER.to_owned()),
            arguments: std::iter::once(script).chain(job.args.iter().cloned()).collect(),
        },
    };
    Some(program)
}

/// What the driver of PyFlink is given: a job that names the driver itself may name the script to it too.
fn python_arguments(job: &Job, script: String) -> Vec<String> {
    let names_driver = job.entry_class.as_deref() == Some(PYTHON_DRIVER);
    let names_script = job.args.iter().any(|argument| PYTHON_SCRIPT.contains(&argument.as_str()));
    if names_driver && names_script {
        return job.args.clone();
    }
    ["-py".to_owned(), script].into_iter().chain(job.args.iter().cloned()).collect()
}

/// The address of a program that was not fetched: in a pod, a file is always one of the image.
fn in_image(artifact: &Artifact) -> String {
    match artifact.scheme {
        Scheme::File => format!("local://{}", path(&artifact.uri)),
        _ => artifact.uri.clone(),
    }
}

/// The path of an address, without scheme and host.
fn path(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let Some(after) = rest.strip_prefix("//") else {
        return rest;
    };
    after.find('/').and_then(|start| after.get(start..)).unwrap_or(after)
}

/// Says what the cluster of `start` runs.
pub(super) fn configure(configuration: &mut Configuration, start: &Start<'_>) {
    let Some(program) = of(start) else {
        return;
    };
    if let Some(jar) = program.jar {
        let (key, address) = match start.deployment.cluster.mode {
            Mode::Native => ("pipeline.jars", jar),
            Mode::Standalone => ("pipeline.classpaths", on_class_path(jar)),
        };
        configuration.force(key, structured::print_list(&[address]));
    }
    configuration.remove(CLASS);
    configuration.remove(ARGUMENTS);
    if let Some(class) = program.class {
        configuration.force(CLASS, class);
    }
    if !program.arguments.is_empty() {
        configuration.force(ARGUMENTS, structured::print_list(&program.arguments));
    }
}

/// The address of a jar as Java's class path knows it.
fn on_class_path(jar: String) -> String {
    match jar.strip_prefix("local:") {
        Some(rest) => format!("file:{rest}"),
        None => jar,
    }
}
