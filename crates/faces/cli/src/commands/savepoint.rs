//! `kobel savepoint`: takes a savepoint of a running job, as a FlinkStateSnapshot, and prints where it lies.

use std::path::Path;

use jiff::Timestamp;
use kobel_model::{Error, ErrorKind, Result};
use kobel_resources::API_VERSION;
use serde_json::{Value, json};

use super::change::{is_suspended, job_of};
use super::client::{Session, complete, explained, print};
use super::finding;
use super::follow::Follow;
use super::interruption::{self, Interruption};
use super::reported::Reported;
use super::settling::judge_snapshot;
use super::target::{SNAPSHOT, Target};
use super::wanted::Wanted;
use crate::args::lifecycle::{Format, SavepointArguments};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Takes a savepoint and reports what goes wrong.
pub(crate) fn run(arguments: &SavepointArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, savepoint(arguments, &terminal))
}

async fn savepoint(arguments: &SavepointArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let target = finding::job(&session, &Wanted::new("savepoint", &arguments.target.typed())).await?;
    job_of(&target)?;
    if is_suspended(&target) {
        return Err(suspended(&target, &session));
    }
    if let Some(error) = at_rest(&target, &target.typed(&session)) {
        return Err(error);
    }
    let asked = snapshot(&target, arguments, Timestamp::now().as_millisecond());
    let served = session.kinds.of_manifest(API_VERSION, SNAPSHOT)?.clone();
    let made = session.cluster.create(&served, target.namespace(), None, &asked).await.map_err(explained)?;
    let snapshot = Target { served, object: made };
    if arguments.wait.no_wait {
        print(terminal, &format!("{} created\n", snapshot.shown()))?;
        return Ok(Exit::Done);
    }
    terminal.drop_unread_rows();
    let follow = Follow { session: &session, target: &snapshot, timeout: arguments.wait.timeout, terminal };
    let Some(done) = Interruption::listen().or(follow.until(judge_snapshot)).await else {
        return Ok(interruption::left(terminal, &format!("kobel describe {}", snapshot.typed(&session))));
    };
    let done = done?;
    let Some(path) = done.pointer("/status/path").and_then(Value::as_str) else {
        let message = format!("the savepoint `{}` is complete, and nothing says where it lies", snapshot.name());
        return Err(Error::new(ErrorKind::Bug, message));
    };
    terminal.note(&format!("`kobel delete flinkstatesnapshot/{}` deletes its files", snapshot.name()));
    print(terminal, &format!("{path}\n"))?;
    Ok(Exit::Done)
}

/// A suspended job has nothing to take a savepoint of but what it goes on from.
fn suspended(target: &Target, session: &Session) -> Error {
    let mut hint = format!("`kobel resume {}` starts it", target.typed(session));
    if let Some(path) = Reported::of(&target.object).restore_path() {
        hint.push_str(&format!("; it goes on from `{path}`"));
    }
    Error::invalid(format!("`{}` is suspended, so there is no savepoint to take", target.name())).with_hint(hint)
}

/// That a job which does not run at the moment has no savepoint to be taken of. Asking for one all the same would leave
/// a snapshot behind that was given up.
fn at_rest(target: &Target, words: &str) -> Option<Error> {
    let state = Reported::of(&target.object).job_state();
    if state == Some("RUNNING") {
        return None;
    }
    let how = state.map_or_else(|| "it was not started yet".to_owned(), |state| format!("its job is {state}"));
    let message = format!("`{}` does not run ({how}), so there is no savepoint to take", target.name());
    Some(Error::invalid(message).with_hint(format!("`kobel explain {words}` tells why")))
}

/// A directory as the API takes it: a path of this machine is made whole, for whoever reads it stands elsewhere.
fn whole(directory: &Path) -> String {
    let text = directory.to_string_lossy();
    if text.contains(':') || directory.as_os_str().is_empty() {
        return text.into_owned();
    }
    std::path::absolute(directory).map_or_else(|_| text.into_owned(), |path| path.to_string_lossy().into_owned())
}

/// The snapshot to ask for. It is tried once, because somebody waits for it.
fn snapshot(target: &Target, arguments: &SavepointArguments, now_ms: i64) -> Value {
    let mut savepoint = json!({});
    if let Some(path) = &arguments.path {
        savepoint["path"] = whole(path).into();
    }
    if let Some(format) = arguments.format {
        savepoint["formatType"] = word(format).into();
    }
    json!({
        "apiVersion": API_VERSION,
        "kind": SNAPSHOT,
        "metadata": {"name": format!("{}-manual-{now_ms}", target.name()), "namespace": target.namespace()},
        "spec": {
            "jobReference": {"kind": target.served.kind, "name": target.name()},
            "savepoint": savepoint,
            "backoffLimit": 0,
        },
    })
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Canonical => "CANONICAL",
        Format::Native => "NATIVE",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kobel_kubernetes::kinds::Served;

    use super::*;
    use crate::args::lifecycle::WaitArguments;
    use crate::args::resources::ApiArguments;
    use crate::args::target::TargetArguments;

    #[test]
    fn a_snapshot_names_its_job_and_only_what_was_asked_for() {
        let served = Served {
            group: "flink.apache.org".to_owned(),
            version: "v1beta1".to_owned(),
            plural: "flinksessionjobs".to_owned(),
            singular: "flinksessionjob".to_owned(),
            kind: "FlinkSessionJob".to_owned(),
            short_names: Vec::new(),
            is_namespaced: true,
            verbs: Vec::new(),
        };
        let target = Target { served, object: json!({"metadata": {"name": "delays", "namespace": "team"}}) };
        let mut arguments = SavepointArguments {
            target: TargetArguments { target: "delays".to_owned(), name: None },
            path: None,
            format: None,
            wait: WaitArguments { no_wait: false, timeout: Duration::from_secs(1) },
            api: ApiArguments::default(),
        };
        let plain = snapshot(&target, &arguments, 5);
        assert_eq!(plain["metadata"], json!({"name": "delays-manual-5", "namespace": "team"}));
        assert_eq!(plain["spec"]["jobReference"], json!({"kind": "FlinkSessionJob", "name": "delays"}));
        assert_eq!(plain["spec"]["savepoint"], json!({}));
        (arguments.path, arguments.format) = (Some("file:///s".into()), Some(Format::Native));
        let full = snapshot(&target, &arguments, 5);
        assert_eq!(full["spec"]["savepoint"], json!({"path": "file:///s", "formatType": "NATIVE"}));
    }

    #[test]
    fn no_savepoint_is_asked_for_of_what_does_not_run() {
        for (status, expected) in [
            (json!({"jobStatus": {"state": "RUNNING"}}), None),
            (
                json!({"jobStatus": {"state": "RECONCILING"}}),
                Some("`s1` does not run (its job is RECONCILING), so there is no savepoint to take"),
            ),
            (json!({}), Some("`s1` does not run (it was not started yet), so there is no savepoint to take")),
        ] {
            let object = json!({"metadata": {"name": "s1"}, "status": status});
            let error = at_rest(&Target::deployment(object), "s1 -n team");
            assert_eq!(error.as_ref().map(ToString::to_string).as_deref(), expected);
            if let Some(error) = error {
                assert_eq!(error.hint(), Some("`kobel explain s1 -n team` tells why"));
            }
        }
    }

    #[test]
    fn a_directory_of_this_machine_is_made_whole() {
        let here = std::env::current_dir().unwrap();
        let below = here.join("backup/a").to_string_lossy().into_owned();
        for (given, expected) in
            [("backup/a", below.as_str()), ("/a", "/a"), ("s3://b/a", "s3://b/a"), ("file:/a", "file:/a")]
        {
            assert_eq!(whole(Path::new(given)), expected);
        }
    }
}
