//! The examples as they are applied after reading the guides: by `kubectl`, with nothing changed but the paths. Each
//! comes to run, and comes back with its state.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::PoisonError;

use kobel_testkit::flink::jar_of;
use kobel_testkit::or_skip;
use kobel_testkit::packages::{debian_binary, flink, pyflink};
use kobel_testkit::process::run;
use serde_json::json;

use crate::client::runtime;
use crate::flink::{TURN, install};
use crate::kubectl::find_kubectl;
use crate::machine::{Before, Machine, Role, kill, processes_as, processes_of};
use crate::resources::{Named, is_running};

/// Where examples say that they lie.
const PLACE: &str = "/path/to/examples/deployments/";
/// Which Python examples name.
const PYTHON: &str = "/path/to/venv/bin/python";
/// The programs of examples; a jar is made of the last.
const PROGRAMS: [&str; 3] = ["orders.sql", "orders.py", "Orders.java"];
/// Scripts, which run side by side.
const SCRIPTS: [&str; 4] = ["native-sql.yaml", "blue-green.yaml", "flink-sql.yaml", "pyflink.yaml"];
/// What runs a jar, side by side after the scripts: the machine of a test is no cluster.
const JARS: [&str; 2] = ["flink-jar.yaml", "session.yaml"];

#[test]
fn every_example_runs_as_the_guides_say_and_comes_back_with_its_state() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let kubectl = or_skip!(find_kubectl());
    or_skip!(debian_binary("javac"));
    let home = or_skip!(flink("2.3.0"));
    let python = or_skip!(pyflink());
    let machine = Machine::start();
    install(&machine, "2.3.0", &home);
    let examples = Examples::of(&machine, kubectl, &python);
    let jar = examples.folder.join("orders.jar");
    jar_of(&home, &examples.folder.join("Orders.java"), &jar).expect("a jar is made");
    runtime().block_on(async {
        examples.ask("apply", &SCRIPTS);
        scripts_run(&machine).await;
        examples.ask("delete", &SCRIPTS);
        machine.gone(&processes_of(machine.data())).await;
        examples.ask("apply", &JARS);
        jars_run(&machine).await;
        examples.ask("delete", &JARS);
        machine.gone(&processes_of(machine.data())).await;
    });
}

#[test]
fn every_example_is_tried() {
    let files = fs::read_dir(source()).expect("the examples are listed").map(|file| file.expect("a file").file_name());
    let mut there: Vec<String> = files.filter_map(|name| name.into_string().ok()).collect();
    there.retain(|name| name != "README.md");
    there.sort();
    let mut tried = [&PROGRAMS[..], &SCRIPTS[..], &JARS[..]].concat();
    tried.sort_unstable();
    assert_eq!(there, tried);
}

/// All come to run; the one in Python loses its processes.
async fn scripts_run(machine: &Machine) {
    let api = machine.deployments().await;
    for name in ["orders", "orders-blue", "orders-flink", "orders-python"] {
        let example = Named::appears(&api, name).await;
        example.until("it runs", is_running).await;
        machine.counts(name, 0, 1).await;
    }
    let before = machine.before("orders-python").await;
    before.processes.iter().for_each(|process| kill(*process));
    machine.gone(&before.processes).await;
    machine.goes_on(&before).await;
    Named::there(&api, "orders-python").until("it runs again", is_running).await;
}

/// All come to run; the job of the session is stopped with a savepoint, and loses its job manager afterwards.
async fn jars_run(machine: &Machine) {
    let (deployments, jobs) = (machine.deployments().await, machine.session_jobs().await);
    let job = Named::there(&jobs, "orders-in-session");
    Named::there(&deployments, "orders-jar").until("it runs", is_running).await;
    job.until("it runs", is_running).await;
    machine.counts("orders-jar", 0, 1).await;
    let before = machine.before_in_session("session", "orders-in-session").await;
    job.patch(json!({"spec": {"job": {"state": "suspended"}}})).await;
    job.until("it is suspended", |status| status["lifecycleState"] == "SUSPENDED").await;
    job.patch(json!({"spec": {"job": {"state": "running"}}})).await;
    let status = job.until("it runs again", is_running).await;
    let restored = status["jobStatus"]["upgradeSavepointPath"].as_str().unwrap_or_default();
    assert!(restored.contains("savepoint-"), "it went on from a savepoint: {status:#}");
    machine.goes_on(&before).await;
    let before = machine.before_in_session("session", "orders-in-session").await;
    session_lost(machine, &before).await;
    job.until("it runs again", is_running).await;
}

/// What is left of a cluster without its job manager goes too, and its jobs go on in the next one.
async fn session_lost(machine: &Machine, before: &Before) {
    let leaders = processes_as(Role::JobManager, &machine.place("session"));
    assert_eq!(leaders.len(), 1, "{before:?}");
    leaders.iter().for_each(|process| kill(*process));
    machine.gone(&before.processes).await;
    machine.goes_on(before).await;
}

/// The examples with the paths of a machine.
struct Examples {
    folder: PathBuf,
    kubeconfig: PathBuf,
    kubectl: PathBuf,
}

impl Examples {
    /// Writes them into a folder of a machine.
    fn of(machine: &Machine, kubectl: PathBuf, python: &Path) -> Self {
        let folder = machine.folder().join("examples");
        fs::create_dir(&folder).expect("a folder");
        for name in PROGRAMS {
            fs::copy(source().join(name), folder.join(name)).expect("a program is copied");
        }
        for name in SCRIPTS.into_iter().chain(JARS) {
            let text = fs::read_to_string(source().join(name)).expect("an example is read");
            let text = text.replace(PLACE, &format!("{}/", folder.display()));
            let text = text.replace(PYTHON, &python.display().to_string());
            assert!(!text.contains("/path/to/"), "`{name}` names another path");
            fs::write(folder.join(name), text).expect("an example is written");
        }
        Self { folder, kubeconfig: machine.data().join("kubeconfig"), kubectl }
    }

    /// Has `kubectl` apply or delete examples.
    fn ask(&self, verb: &str, names: &[&str]) {
        let mut command = Command::new(&self.kubectl);
        command.arg(verb).env("KUBECONFIG", &self.kubeconfig).env("HOME", &self.folder);
        for name in names {
            command.arg("-f").arg(self.folder.join(name));
        }
        if verb == "delete" {
            command.arg("--timeout=10m");
        }
        let said = run(&mut command).expect("kubectl does it");
        assert!(said.lines().count() >= names.len(), "{said}");
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/deployments")
}
