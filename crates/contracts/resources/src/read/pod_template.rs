//! What a pod template must not open: the machine below it, and the rights of others.
//!
//! Whoever may create a deployment may not thereby do more than its service account may. Volumes of harmless paths of
//! the machine, sidecars and init containers stay allowed: documented manifests have them.

use serde_json::Value;

use super::findings::Findings;
use super::part::Part;
use crate::problem::Problem;

/// Directories of the machine that open it; what lies in them opens it as well.
const SENSITIVE: [&str; 13] = [
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/root",
    "/home",
    "/run",
    "/var/run",
    "/var/log",
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/docker",
];
/// Directories above those; they open the machine themselves, and not everything in them does.
const ABOVE_SENSITIVE: [&str; 3] = ["/", "/var", "/var/lib"];
/// Switches of a pod that give it what belongs to the machine or to other containers.
const POD_SWITCHES: [&str; 4] = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"];
/// Lists of containers.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// Capabilities with which a container can leave its bounds.
const CAPABILITIES: [&str; 9] =
    ["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "NET_ADMIN", "DAC_READ_SEARCH", "BPF", "SYS_BOOT"];

/// Checks every pod template of a cluster.
pub(super) fn check(spec: &Part<'_>, findings: &mut Findings) {
    let account = spec.text("serviceAccount");
    for owner in [spec.clone(), spec.field_or_nothing("jobManager"), spec.field_or_nothing("taskManager")] {
        let pod = owner.field_or_nothing("podTemplate").field_or_nothing("spec");
        switches(&pod, findings);
        accounts(&pod, account, findings);
        for volume in pod.items("volumes") {
            host_path(&volume, findings);
        }
        for list in CONTAINERS {
            for container in pod.items(list) {
                security(&container, findings);
            }
        }
    }
}

fn switches(pod: &Part<'_>, findings: &mut Findings) {
    for name in POD_SWITCHES {
        if pod.flag(name) == Some(true) {
            findings.add(Problem::invalid(pod.at(name), true, "must be `false` or absent"));
        }
    }
}

/// A template may name the account of the deployment and no other.
fn accounts(pod: &Part<'_>, account: Option<&str>, findings: &mut Findings) {
    for name in ["serviceAccountName", "serviceAccount"] {
        let Some(other) = pod.text(name).filter(|other| Some(*other) != account) else {
            continue;
        };
        let detail = match account {
            Some(account) => format!("must be `{account}`, the service account of the deployment, or absent"),
            None => "must be absent; set the `serviceAccount` of the deployment instead".to_owned(),
        };
        findings.add(Problem::invalid(pod.at(name), other, detail));
    }
}

fn host_path(volume: &Part<'_>, findings: &mut Findings) {
    let host = volume.field_or_nothing("hostPath");
    let Some(path) = host.text("path") else {
        return;
    };
    let is_socket = path.trim_end_matches('/').ends_with(".sock") || host.text("type") == Some("Socket");
    if is_socket || is_sensitive(path) {
        let detail = "must be an absolute path without `..`, outside the system directories of the machine, and no \
                      socket";
        findings.add(Problem::invalid(host.at("path"), path, detail));
    }
}

/// Whether a path of the machine opens it.
fn is_sensitive(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let plain = format!("/{}", parts.join("/"));
    let is_in =
        |directory: &&str| plain.strip_prefix(*directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !path.starts_with('/')
        || parts.contains(&"..")
        || ABOVE_SENSITIVE.contains(&plain.as_str())
        || SENSITIVE.iter().any(is_in)
}

/// Checks what a container may do beyond its bounds.
fn security(container: &Part<'_>, findings: &mut Findings) {
    let context = container.field_or_nothing("securityContext");
    if context.flag("privileged") == Some(true) {
        findings.add(Problem::invalid(context.at("privileged"), true, "must be `false` or absent"));
    }
    if let Some(kind) = context.text("procMount").filter(|kind| *kind != "Default") {
        findings.add(Problem::invalid(context.at("procMount"), kind, "must be `Default` or absent"));
    }
    for added in context.field_or_nothing("capabilities").items("add") {
        let name = added.value().as_str().unwrap_or_default().to_ascii_uppercase();
        if CAPABILITIES.contains(&name.strip_prefix("CAP_").unwrap_or(&name)) {
            let detail = format!("must be none of `{}`", CAPABILITIES.join("`, `"));
            findings.add(Problem::invalid(added.path(), Value::from(name), detail));
        }
    }
}
