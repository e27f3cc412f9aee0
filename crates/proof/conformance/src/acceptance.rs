//! Manifests with the features of those that the Apache operator and EMR document, and the objects that are made of
//! them in a cluster.
//!
//! The files lie in `manifests`, and are ours: the first line of each says what it shows. One whose name ends with
//! `-refused` is refused by the operator, as it is documented.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use kobel_manifest::kubernetes::{self, Start};
use kobel_manifest::launch::JobStart;
use kobel_model::deployment::{FlinkVersion, Mode};
use kobel_model::{Error, Result};
use kobel_resources::{Context, Declared, Problem, read};
use serde_json::{Value, json};

/// What the `apiVersion` of everything of ours begins with.
const GROUP: &str = "flink.apache.org/";
/// The job of every start.
const JOB_ID: &str = "0a0b0c0d0e0f00000000000000000001";
/// The resource of every start.
const UID: &str = "5f1c2a3b-0000-4000-8000-000000000001";
/// The Deployment of every job manager.
const MANAGER_UID: &str = "5f1c2a3b-0000-4000-8000-000000000002";
/// What every start has to itself.
const FRESH: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
/// The image of this program.
const KOBEL_IMAGE: &str = "registry.example.com/kobel:1";

/// A file of manifests.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Where it lies below the folder of all of them, such as `apache/examples/basic.yaml`.
    pub name: String,
    /// What it holds.
    pub documents: Vec<Value>,
}

/// The folder of all manifests.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")
}

/// Every file of manifests, in the order of their names.
///
/// # Errors
/// What cannot be read, or does not say what it shows.
pub fn manifests() -> Result<Vec<Manifest>> {
    let (root, mut paths) = (root(), Vec::new());
    walk(&root, &mut paths)?;
    paths.sort();
    paths.iter().map(|path| Manifest::read(&root, path)).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |error| Error::io(format!("cannot list `{}`", folder.display()), error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "yaml") {
            found.push(path);
        }
    }
    Ok(())
}

impl Manifest {
    fn read(root: &Path, path: &Path) -> Result<Self> {
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        let text = fs::read_to_string(path).map_err(|error| Error::io(format!("cannot read `{name}`"), error))?;
        if !text.starts_with("# ") {
            return Err(Error::invalid(format!("`{name}` does not begin with a comment that says what it shows")));
        }
        let documents = serde_saphyr::from_multiple(&text)
            .map_err(|error| Error::invalid(format!("`{name}` is no YAML")).with_source(error.to_string()))?;
        Ok(Self { name, documents })
    }

    /// Whether the operator refuses it.
    pub fn is_refused(&self) -> bool {
        self.name.ends_with("-refused.yaml")
    }

    /// The resources of ours that it holds.
    pub fn ours(&self) -> impl Iterator<Item = &Value> {
        self.documents.iter().filter(|document| text(document, "/apiVersion").starts_with(GROUP))
    }

    /// Every FlinkDeployment that comes of it; of a pair of them the blue one, for the green one differs in its name.
    pub fn deployments(&self) -> Vec<Value> {
        self.ours().filter_map(deployment).collect()
    }
}

/// The FlinkDeployment that comes of a resource.
fn deployment(document: &Value) -> Option<Value> {
    match text(document, "/kind") {
        "FlinkDeployment" => Some(document.clone()),
        "FlinkBlueGreenDeployment" => {
            let mut blue = json!({
                "apiVersion": document["apiVersion"],
                "kind": "FlinkDeployment",
                "metadata": document["metadata"],
                "spec": document["spec"]["template"]["spec"],
            });
            blue["metadata"]["name"] = json!(format!("{}-blue", text(document, "/metadata/name")));
            Some(blue)
        }
        _ => None,
    }
}

/// A way to run a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Who starts the task managers.
    pub mode: Mode,
    /// The line of Flink.
    pub line: FlinkVersion,
}

/// The ways in which every deployment is tried, whatever it declares itself.
pub const WAYS: [Way; 4] = [
    Way { mode: Mode::Native, line: FlinkVersion::V1_20 },
    Way { mode: Mode::Native, line: FlinkVersion::V2_3 },
    Way { mode: Mode::Standalone, line: FlinkVersion::V1_20 },
    Way { mode: Mode::Standalone, line: FlinkVersion::V2_3 },
];

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode.as_str(), self.line.as_str())
    }
}

/// The ways in which a FlinkDeployment can be run: those of every deployment, and the one that it declares.
pub fn ways(document: &Value) -> Vec<Way> {
    let is_standalone = text(document, "/spec/mode") == Mode::Standalone.as_str();
    let mode = if is_standalone { Mode::Standalone } else { Mode::Native };
    let declared = FlinkVersion::parse(text(document, "/spec/flinkVersion")).map(|line| Way { mode, line });
    let mut ways = WAYS.to_vec();
    ways.extend(declared.filter(|way| !WAYS.contains(way)));
    // Flink takes as many task managers as there are only where it does not ask for them itself.
    if text(document, "/spec/flinkConfiguration/scheduler-mode").eq_ignore_ascii_case("reactive") {
        ways.retain(|way| way.mode == Mode::Standalone);
    }
    ways
}

/// What is made of a FlinkDeployment that is started for the first time in some way, and nothing for a canary. The
/// operator of its cluster has no defaults of its own.
///
/// # Errors
/// Every problem of the resource.
pub fn objects(document: &Value, way: Way) -> Result<Vec<Value>, Vec<Problem>> {
    let mut document = document.clone();
    if let Some(spec) = document.get_mut("spec") {
        spec["mode"] = json!(way.mode.as_str());
        spec["flinkVersion"] = json!(way.line.as_str());
    }
    let defaults = BTreeMap::new();
    let context = Context { previous: None, find: &nothing, defaults: &defaults };
    let Declared::Deployment(deployment) = read(&document, &context)?.declared else { return Ok(Vec::new()) };
    let job = deployment.cluster.job.as_ref();
    let start = Start {
        deployment: &deployment,
        job: job.map(|job| JobStart { job_id: JOB_ID, restore: job.initial_savepoint_path.as_deref() }),
        generation: 1,
        uid: UID,
        defaults: &defaults,
        fresh: FRESH,
        kobel_image: KOBEL_IMAGE,
    };
    let configuration = kubernetes::configuration::effective(&start);
    let mut objects = kubernetes::owned_by_resource(&start, &configuration);
    objects.extend(kubernetes::owned_by_manager(&start, &configuration, MANAGER_UID));
    Ok(objects)
}

fn nothing(_: &str, _: &str) -> Option<Value> {
    None
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
