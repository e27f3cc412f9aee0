//! `kubectl` 1.32 against the API: transcripts that a real Kubernetes API server answered.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kobel_testkit::or_skip;

use crate::server::Server;
use crate::transcript::{Side, Stage, play};

/// The minor version of `kubectl` that the transcripts were made with.
const MINOR: &str = "32";

#[test]
fn transcripts_are_answered_as_a_cluster_answers_them() {
    let kubectl = or_skip!(find_kubectl());
    let server = Server::find();
    let (mut calls, mut different) = (0, Vec::new());
    for script in scripts() {
        let name = script.file_stem().and_then(|stem| stem.to_str()).expect("a transcript has a name").to_owned();
        let expected = fs::read_to_string(&script).expect("a transcript is read");
        let (played, ran) = play_in_namespace(&name, &expected, &kubectl, &server);
        calls += ran;
        if played == expected {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&script, played).expect("a transcript is written");
        } else {
            different.push(format!("{name}:\n{}", first_difference(&expected, &played)));
        }
    }
    println!("{calls} calls of kubectl");
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(calls >= 80, "only {calls} calls");
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kube/kubectl");
    let entries = fs::read_dir(folder).expect("the transcripts are listed");
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.expect("a transcript").path()).collect();
    scripts.sort();
    scripts
}

/// Runs a transcript in a namespace of its own, which is empty at the beginning and goes at the end.
fn play_in_namespace(name: &str, text: &str, kubectl: &Path, server: &Server) -> (String, usize) {
    let folder = server.folder().join(name);
    let programs = folder.join("bin");
    fs::create_dir_all(&programs).expect("a folder for a transcript");
    symlink(kubectl, programs.join("kubectl")).expect("kubectl is found by name");
    let path = std::env::var("PATH").unwrap_or_default();
    let kubeconfig = folder.join("kubeconfig");
    fs::copy(server.kubeconfig(), &kubeconfig).expect("the kubeconfig is copied");
    let environment = [
        ("PATH", format!("{}:{path}", programs.display())),
        ("KUBECONFIG", kubeconfig.display().to_string()),
        ("HOME", folder.display().to_string()),
        ("NAMESPACE", name.to_owned()),
    ];
    let stage = Stage { folder: &folder, environment: &environment, side: server.side() };
    let prepare = "kubectl create namespace $NAMESPACE && kubectl config set-context --current --namespace $NAMESPACE";
    let crds = match server.side() {
        Side::Embedded => String::new(),
        Side::Cluster => format!("$ {} crd | kubectl apply -f - && sleep 1\n", crate::server::kobel().display()),
    };
    play(&format!("{crds}$ kubectl delete namespace $NAMESPACE --ignore-not-found\n$ {prepare}\n"), &stage);
    let played = play(text, &stage);
    play("$ kubectl delete namespace $NAMESPACE --wait=false\n", &stage);
    played
}

/// Shows the first lines that differ, with what stands before them.
fn first_difference(expected: &str, played: &str) -> String {
    let (expected, played): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), played.lines().collect());
    let same = expected.iter().zip(&played).take_while(|(left, right)| left == right).count();
    let before = expected[..same].iter().rposition(|line| line.starts_with('$')).unwrap_or(0);
    let show =
        |lines: &[&str]| lines.iter().skip(before).take(same - before + 12).copied().collect::<Vec<_>>().join("\n");
    format!("--- expected, line {}\n{}\n--- answered\n{}", same + 1, show(&expected), show(&played))
}

/// Finds `kubectl` 1.32: by that name, by its versioned name, or beside the `kubectl` of the path.
pub(crate) fn find_kubectl() -> Result<PathBuf, String> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in &folders {
        found.push(folder.join(format!("kubectl.1.{MINOR}")));
        let plain = folder.join("kubectl");
        if let Some(home) = plain.canonicalize().ok().and_then(|real| real.parent().map(Path::to_owned)) {
            found.push(home.join(format!("kubectl.1.{MINOR}")));
        }
        found.push(plain);
    }
    let fits = |program: &PathBuf| program.is_file() && minor(program).is_some_and(|minor| minor == MINOR);
    found.into_iter().find(fits).ok_or_else(|| format!("no kubectl 1.{MINOR} on the path"))
}

fn minor(program: &Path) -> Option<String> {
    let output = Command::new(program).args(["version", "--client", "-o", "json"]).output().ok()?;
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    version["clientVersion"]["minor"].as_str().map(|minor| minor.trim_end_matches('+').to_owned())
}
