//! Real processes: shells and sleeps. Each test has a root of its own and ends what it started.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use kobel_manifest::launch::{File, Process};
use kobel_model::ErrorKind;
use serde_json::Value;

use super::*;
use crate::seen::{ProcessState, SeenProcess};

/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(300);
const NO_GRACE: Duration = Duration::ZERO;
const LONG_GRACE: Duration = Duration::from_secs(600);

/// A root with one application in it. What runs is ended when it is dropped, also by a test that fails.
struct Room {
    root: tempfile::TempDir,
    of: Identity,
}

impl Room {
    fn new() -> Self {
        let of = Identity { namespace: "default".to_owned(), name: "orders".to_owned() };
        Self { root: tempfile::tempdir().expect("a directory"), of }
    }

    fn open(&self) -> Processes {
        Processes::open(self.root.path()).expect("opened")
    }

    /// A launch of shells, by role and script.
    fn launch(&self, scripts: &[(&str, &str)]) -> Launch {
        let directory = self.folder();
        let processes = scripts.iter().map(|(role, script)| Process {
            role: (*role).to_owned(),
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), (*script).to_owned()],
            environment: vec![("GREETING".to_owned(), "hello".to_owned())],
            directory: directory.clone(),
            memory: None,
            cpu_millis: None,
            rest_port: (*role == "jobmanager-2").then_some(22_000),
        });
        Launch { files: Vec::new(), processes: processes.collect(), rest_port: 21_999, ports: vec![21_998] }
    }

    fn folder(&self) -> PathBuf {
        let root = self.root.path().canonicalize().expect("there");
        root.join(&self.of.namespace).join(&self.of.name)
    }

    fn record(&self) -> Value {
        let text = fs::read(self.folder().join(record::NAME)).expect("a record");
        serde_json::from_slice(&text).expect("JSON")
    }

    fn write_record(&self, record: &Value) {
        fs::write(self.folder().join(record::NAME), record.to_string()).expect("written");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap_or_default()
    }

    /// The pid that a script has written into a file.
    fn pid_in(&self, name: &str) -> u32 {
        eventually("a pid is written", || self.text(name).ends_with('\n'));
        self.text(name).trim().parse().expect("a pid")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Ok(processes) = Processes::open(self.root.path()) {
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until && matches!(processes.end(&self.of, NO_GRACE), Ok(false)) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn label(generation: i64) -> Label {
    Label { generation, job_id: Some("0a1b".to_owned()) }
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn seen(processes: &Processes, of: &Identity) -> Vec<SeenProcess> {
    processes.observe(of).expect("observed").map(|seen| seen.processes).unwrap_or_default()
}

fn first(processes: &Processes, of: &Identity) -> SeenProcess {
    seen(processes, of).into_iter().next().expect("a process")
}

fn is_alive(pid: u32) -> bool {
    ProcessId::of(pid).expect("a look").is_some_and(ProcessId::is_alive)
}

fn kill(pid: u32) {
    let id = ProcessId::of(pid).expect("a look").expect("alive");
    crate::handle::signal_one(id, rustix::process::Signal::KILL);
}

/// Waits until the first process has ended, and says how, and with which last words.
fn end_of(processes: &Processes, of: &Identity) -> (String, String) {
    eventually("it ends", || first(processes, of).state != ProcessState::Running);
    match first(processes, of).state {
        ProcessState::Ended { how, last_words } => (how, last_words),
        ProcessState::Running => unreachable!("it has ended"),
    }
}

fn end(processes: &Processes, of: &Identity, grace: Duration) {
    eventually("nothing is left", || processes.end(of, grace).expect("ended"));
}

#[test]
fn a_launch_is_seen_as_it_was_started_and_leads_a_group_of_its_own() {
    let room = Room::new();
    let processes = room.open();
    assert_eq!(processes.observe(&room.of).expect("observed"), None);
    let launch = room.launch(&[("jobmanager", "exec sleep 300"), ("taskmanager-1", "exec sleep 300")]);
    processes.start(&room.of, &label(3), &launch).expect("started");
    let seen = processes.observe(&room.of).expect("observed").expect("a launch");
    assert_eq!((seen.label, seen.rest_port, seen.is_ending), (label(3), 21_999, false));
    let roles: Vec<&str> = seen.processes.iter().map(|process| process.role.as_str()).collect();
    assert_eq!(roles, ["jobmanager", "taskmanager-1"]);
    for process in &seen.processes {
        assert_eq!(process.state, ProcessState::Running);
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.pid)).expect("alive");
        let group = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)).expect("a group");
        assert_eq!(group, process.pid.to_string());
    }
    assert_eq!(processes.all().expect("listed"), std::slice::from_ref(&room.of));
    assert_eq!(running(room.root.path()).expect("looked"), std::slice::from_ref(&room.of));
    end(&processes, &room.of, LONG_GRACE);
    assert!(running(room.root.path()).expect("looked").is_empty());
    assert_eq!(processes.observe(&room.of).expect("observed"), None);
    assert!(processes.all().expect("listed").is_empty());
    assert!(seen.processes.iter().all(|process| !is_alive(process.pid)));
    assert!(processes.end(&room.of, LONG_GRACE).expect("ended"), "to end it again is fine");
}

#[test]
fn the_same_label_is_started_once_and_another_one_not_while_it_lives() {
    let room = Room::new();
    let processes = room.open();
    let launch = room.launch(&[("application", "echo started >> starts; exec sleep 300")]);
    processes.start(&room.of, &label(1), &launch).expect("started");
    let pid = first(&processes, &room.of).pid;
    processes.start(&room.of, &label(1), &launch).expect("nothing to do");
    let error = processes.start(&room.of, &label(2), &launch).expect_err("another one is alive");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(first(&processes, &room.of).pid, pid);
    eventually("it has started", || !room.text("starts").is_empty());
    kill(pid);
    eventually("it ends", || first(&processes, &room.of).state != ProcessState::Running);
    processes.start(&room.of, &label(1), &launch).expect("it was started once already");
    assert_ne!(first(&processes, &room.of).state, ProcessState::Running);
    processes.start(&room.of, &label(2), &launch).expect("the other one is dead");
    assert_eq!(first(&processes, &room.of).state, ProcessState::Running);
    eventually("it has started twice", || room.text("starts").lines().count() == 2);
}

#[test]
fn an_end_is_told_within_a_second_with_code_and_last_words_and_leaves_no_zombie() {
    for (script, expected_how, expected_words) in [
        ("echo $GREETING; echo oops >&2; exit 3", "exit code 3", "hello\noops"),
        ("echo over; exit 0", "exit code 0", "over"),
        ("echo '+I[1]'; echo oops; echo '+I[2]'; exit 1", "exit code 1", "oops"),
        ("echo all is well; kill -9 $$", "killed by SIGKILL", ""),
    ] {
        let room = Room::new();
        let processes = room.open();
        let changes = processes.changes();
        let launch = room.launch(&[("application", &format!("sleep 0.1; {script}"))]);
        processes.start(&room.of, &label(1), &launch).expect("started");
        let pid = first(&processes, &room.of).pid;
        assert_eq!(changes.recv_timeout(PATIENCE), Ok(room.of.clone()), "{script}");
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "it is reaped");
        assert_eq!(end_of(&processes, &room.of), (expected_how.to_owned(), expected_words.to_owned()));
        // A successor is told the same.
        drop(processes);
        assert_eq!(end_of(&room.open(), &room.of).0, expected_how);
    }
}

#[test]
fn a_kill_is_told() {
    let room = Room::new();
    let processes = room.open();
    processes.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    let changes = processes.changes();
    assert!(changes.recv_timeout(Duration::from_millis(50)).is_err(), "nothing has ended");
    kill(first(&processes, &room.of).pid);
    // By far sooner than anybody who looks from time to time.
    assert_eq!(changes.recv_timeout(Duration::from_secs(30)), Ok(room.of.clone()));
}

#[test]
fn a_successor_finds_what_runs_and_notices_its_end() {
    let room = Room::new();
    let before = room.open();
    before.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    let pid = first(&before, &room.of).pid;
    drop(before);
    let after = room.open();
    assert_eq!(after.all().expect("listed"), std::slice::from_ref(&room.of));
    let found = after.observe(&room.of).expect("observed").expect("a launch");
    assert_eq!(found.label, label(1));
    assert_eq!((first(&after, &room.of).pid, first(&after, &room.of).state), (pid, ProcessState::Running));
    let changes = after.changes();
    kill(pid);
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(room.of.clone()));
    assert!(end_of(&after, &room.of).0.contains("not known"));
    assert!(after.end(&room.of, LONG_GRACE).expect("ended"));
}

#[test]
fn a_crash_between_the_spawn_and_the_record_loses_no_process() {
    let room = Room::new();
    let before = room.open();
    let launch = room.launch(&[("application", "echo started >> starts; exec sleep 300")]);
    before.start(&room.of, &label(1), &launch).expect("started");
    let pid = first(&before, &room.of).pid;
    drop(before);
    let mut record = room.record();
    record["processes"][0]["id"] = Value::Null;
    room.write_record(&record);
    let after = room.open();
    assert_eq!((first(&after, &room.of).pid, first(&after, &room.of).state), (pid, ProcessState::Running));
    after.start(&room.of, &label(1), &launch).expect("nothing to do");
    assert_eq!(first(&after, &room.of).pid, pid);
    let changes = after.changes();
    eventually("it has started", || !room.text("starts").is_empty());
    kill(pid);
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(room.of.clone()));
    assert_eq!(room.text("starts").lines().count(), 1);
}

#[test]
fn a_crash_between_the_record_and_the_spawn_is_no_launch_and_can_be_started() {
    let room = Room::new();
    let before = room.open();
    let launch = room.launch(&[("application", "exec sleep 300")]);
    before.start(&room.of, &label(1), &launch).expect("started");
    let mut record = room.record();
    end(&before, &room.of, LONG_GRACE);
    drop(before);
    record["processes"][0]["id"] = Value::Null;
    room.write_record(&record);
    let after = room.open();
    assert_eq!(after.observe(&room.of).expect("observed"), None);
    assert_eq!(after.all().expect("listed"), std::slice::from_ref(&room.of));
    after.start(&room.of, &label(1), &launch).expect("started");
    assert_eq!(first(&after, &room.of).state, ProcessState::Running);
}

#[test]
fn a_crash_between_two_spawns_is_mended_by_the_same_start() {
    let room = Room::new();
    let before = room.open();
    let launch = room.launch(&[("jobmanager", "exec sleep 300"), ("taskmanager-1", "exec sleep 300")]);
    before.start(&room.of, &label(1), &launch).expect("started");
    let found = seen(&before, &room.of);
    drop(before);
    kill(found[1].pid);
    eventually("it is gone", || !is_alive(found[1].pid));
    let mut record = room.record();
    record["processes"][1]["id"] = Value::Null;
    room.write_record(&record);
    let after = room.open();
    let ProcessState::Ended { how, .. } = &seen(&after, &room.of)[1].state else { panic!("it does not run") };
    assert_eq!(how, "it was never started");
    after.start(&room.of, &label(1), &launch).expect("mended");
    let mended = seen(&after, &room.of);
    assert_eq!(mended[0], found[0]);
    assert_eq!(mended[1].state, ProcessState::Running);
    assert_ne!(mended[1].pid, found[1].pid);
}

#[test]
fn a_process_that_was_given_the_pid_is_neither_seen_nor_killed() {
    let room = Room::new();
    let before = room.open();
    before.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    let own = first(&before, &room.of).pid;
    drop(before);
    let mut stranger = Command::new("/bin/sleep");
    let mut stranger = stranger.arg("300").stdin(Stdio::null()).process_group(0).spawn().expect("spawned");
    let mut record = room.record();
    let start = record["processes"][0]["id"]["start"].as_u64().expect("a tick");
    record["processes"][0]["id"] = serde_json::json!({ "pid": stranger.id(), "start": start + 100_000 });
    room.write_record(&record);
    let after = room.open();
    assert_ne!(first(&after, &room.of).state, ProcessState::Running);
    end(&after, &room.of, NO_GRACE);
    assert_eq!(stranger.try_wait().expect("a look"), None, "the stranger lives");
    assert!(!is_alive(own), "its own process was found by its token");
    stranger.kill().expect("killed");
    stranger.wait().expect("reaped");
}

#[test]
fn what_does_not_listen_is_killed_after_its_grace() {
    let room = Room::new();
    let processes = room.open();
    let script = "trap '' TERM; echo > ready; while :; do sleep 0.05; done";
    processes.start(&room.of, &label(1), &room.launch(&[("application", script)])).expect("started");
    eventually("it does not listen", || !room.text("ready").is_empty());
    let grace = Duration::from_millis(400);
    let begun = Instant::now();
    assert!(!processes.end(&room.of, grace).expect("asked"));
    let asked = processes.observe(&room.of).expect("observed").expect("a launch");
    assert!(asked.is_ending);
    let error = processes.start(&room.of, &label(2), &room.launch(&[("application", "true")])).expect_err("ending");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    end(&processes, &room.of, grace);
    // The clock of the grace has steps of ten milliseconds.
    assert!(begun.elapsed() + Duration::from_millis(20) >= grace, "it had its grace");
    assert!(!is_alive(asked.processes[0].pid));
}

#[test]
fn a_grace_goes_on_after_a_restart() {
    let room = Room::new();
    let before = room.open();
    let script = "trap '' TERM; echo > ready; while :; do sleep 0.05; done";
    before.start(&room.of, &label(1), &room.launch(&[("application", script)])).expect("started");
    eventually("it does not listen", || !room.text("ready").is_empty());
    assert!(!before.end(&room.of, LONG_GRACE).expect("asked"));
    drop(before);
    let after = room.open();
    assert!(after.observe(&room.of).expect("observed").expect("a launch").is_ending);
    assert!(!after.end(&room.of, LONG_GRACE).expect("asked"));
    end(&after, &room.of, NO_GRACE);
}

#[test]
fn children_are_ended_with_it_even_if_they_left_its_group_or_it_died_first() {
    for is_killed_first in [false, true] {
        let room = Room::new();
        let processes = room.open();
        let script = "setsid sleep 300 & echo $! > away; sleep 300 & echo $! > near; wait";
        processes.start(&room.of, &label(1), &room.launch(&[("application", script)])).expect("started");
        let children = [room.pid_in("away"), room.pid_in("near")];
        assert!(children.iter().all(|child| is_alive(*child)));
        if is_killed_first {
            kill(first(&processes, &room.of).pid);
            eventually("it ends", || first(&processes, &room.of).state != ProcessState::Running);
            let launch = room.launch(&[("application", "true")]);
            let error = processes.start(&room.of, &label(2), &launch).expect_err("its children live");
            assert_eq!(error.kind(), ErrorKind::Conflict);
        }
        end(&processes, &room.of, LONG_GRACE);
        assert!(children.iter().all(|child| !is_alive(*child)), "killed first: {is_killed_first}");
    }
}

#[test]
fn a_dead_process_is_started_again_and_its_neighbour_left_alone() {
    let room = Room::new();
    let processes = room.open();
    let script = "echo started >> starts; exec sleep 300";
    let launch = room.launch(&[("jobmanager", "exec sleep 300"), ("taskmanager-1", script)]);
    processes.start(&room.of, &label(1), &launch).expect("started");
    let found = seen(&processes, &room.of);
    processes.revive(&room.of, "taskmanager-1").expect("it runs");
    assert_eq!(seen(&processes, &room.of), found);
    eventually("it has started", || !room.text("starts").is_empty());
    kill(found[1].pid);
    eventually("it ends", || seen(&processes, &room.of)[1].state != ProcessState::Running);
    drop(processes);
    let processes = room.open();
    processes.revive(&room.of, "taskmanager-1").expect("started again");
    let revived = seen(&processes, &room.of);
    assert_eq!((&revived[0], &revived[1].state), (&found[0], &ProcessState::Running));
    eventually("it has started twice", || room.text("starts").lines().count() == 2);
    let error = processes.revive(&room.of, "taskmanager-7").expect_err("no such role");
    assert_eq!(error.kind(), ErrorKind::Missing);
    let changes = processes.changes();
    kill(revived[1].pid);
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(room.of.clone()));
}

#[test]
fn a_record_of_another_boot_is_dead() {
    let room = Room::new();
    let before = room.open();
    let launch = room.launch(&[("application", "exec sleep 300")]);
    before.start(&room.of, &label(1), &launch).expect("started");
    let mut record = room.record();
    end(&before, &room.of, LONG_GRACE);
    drop(before);
    record["boot"] = Value::from("another");
    // A process that is alive has the very number.
    record["processes"][0]["id"]["pid"] = Value::from(std::process::id());
    room.write_record(&record);
    let after = room.open();
    assert_eq!(end_of(&after, &room.of).0, "the machine or its container was restarted");
    assert_eq!(after.revive(&room.of, "application").expect_err("it is over").kind(), ErrorKind::Conflict);
    after.start(&room.of, &label(1), &launch).expect("started anew");
    assert_eq!(first(&after, &room.of).state, ProcessState::Running);
}

#[test]
fn a_program_that_is_not_there_is_told_and_nothing_is_left_of_it() {
    let room = Room::new();
    let processes = room.open();
    let mut launch = room.launch(&[("jobmanager", "true"), ("taskmanager-1", "true")]);
    launch.processes[0].program = PathBuf::from("/nowhere/java");
    let error = processes.start(&room.of, &label(1), &launch).expect_err("it is not there");
    assert_eq!(error.kind(), ErrorKind::Missing);
    let found = seen(&processes, &room.of);
    let ProcessState::Ended { how, .. } = &found[0].state else { panic!("it does not run") };
    assert!(how.contains("`/nowhere/java`"), "{how}");
    assert_eq!(found[1].pid, 0, "what comes after it was not started");
    assert!(processes.end(&room.of, LONG_GRACE).expect("ended"));
}

#[test]
fn files_are_private_and_stay_below_the_folder() {
    let room = Room::new();
    let processes = room.open();
    let mut launch = room.launch(&[("application", "exec cat conf/flink-conf.yaml")]);
    launch.files = vec![File { path: "conf/flink-conf.yaml".into(), text: "a: b\n".to_owned() }];
    processes.start(&room.of, &label(1), &launch).expect("started");
    assert_eq!(end_of(&processes, &room.of), ("exit code 0".to_owned(), "a: b".to_owned()));
    for file in ["conf/flink-conf.yaml", record::NAME, "log/application.out"] {
        let mode = fs::metadata(room.folder().join(file)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    end(&processes, &room.of, LONG_GRACE);
    for path in ["../other", "/etc/passwd", "a/../../b", "", record::NAME] {
        launch.files = vec![File { path: path.into(), text: String::new() }];
        let error = processes.start(&room.of, &label(2), &launch).expect_err("it leaves the folder");
        assert_eq!(error.kind(), ErrorKind::Bug, "{path}");
    }
    for (namespace, name) in [("..", "a"), ("a", ".."), ("", "a"), ("a/b", "c"), ("a", "/etc")] {
        let of = Identity { namespace: namespace.to_owned(), name: name.to_owned() };
        assert_eq!(processes.observe(&of).expect_err("no name").kind(), ErrorKind::Invalid, "{namespace}/{name}");
    }
}

#[test]
fn by_design_what_is_forgotten_keeps_its_snapshots() {
    let room = Room::new();
    let processes = room.open();
    processes.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    assert_eq!(processes.forget(&room.of).expect_err("it runs").kind(), ErrorKind::Conflict);
    end(&processes, &room.of, LONG_GRACE);
    let folder = processes.folder(&room.of);
    for directory in ["checkpoints", "savepoints/one", "conf"] {
        fs::create_dir_all(folder.join(directory)).expect("made");
    }
    processes.forget(&room.of).expect("forgotten");
    assert_eq!(names(&folder).expect("listed"), ["savepoints"]);
    assert!(folder.join("savepoints/one").exists());
    fs::remove_dir_all(folder.join("savepoints")).expect("removed");
    processes.forget(&room.of).expect("forgotten");
    assert!(!folder.exists());
    processes.forget(&room.of).expect("to forget it again is fine");
}

#[test]
fn a_damaged_record_is_refused_and_hides_no_other_application() {
    let room = Room::new();
    let other = Identity { namespace: "default".to_owned(), name: "damaged".to_owned() };
    let before = room.open();
    before.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    fs::create_dir_all(before.folder(&other)).expect("made");
    fs::write(before.folder(&other).join(record::NAME), "{").expect("written");
    drop(before);
    let after = room.open();
    assert_eq!(first(&after, &room.of).state, ProcessState::Running);
    assert_eq!(after.observe(&other).expect_err("damaged").kind(), ErrorKind::Corrupt);
}

#[test]
fn recorded_ports_are_not_given_again() {
    let room = Room::new();
    let processes = room.open();
    let ports = processes.free_ports().expect("ports");
    assert!(ports.rest != ports.rpc && ports.rpc != ports.blob && ports.rest != ports.blob);
    processes.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    assert_eq!(processes.shared.recorded_ports(), [21_998, 21_999].into());
}

#[test]
fn flink_27569_what_a_launch_leaves_of_its_scratch_files_goes_with_the_next() {
    let room = Room::new();
    let processes = room.open();
    let launch = room.launch(&[("application", "exec sleep 300")]);
    processes.start(&room.of, &label(1), &launch).expect("started");
    let results = room.folder().join("tmp/job-results");
    fs::create_dir_all(&results).expect("made");
    fs::write(results.join("a.json"), "{}").expect("written");
    fs::create_dir_all(room.folder().join("checkpoints/a/chk-1")).expect("made");
    processes.start(&room.of, &label(1), &launch).expect("it is the same launch");
    assert!(results.join("a.json").exists(), "it may still be asked for");
    end(&processes, &room.of, LONG_GRACE);
    processes.start(&room.of, &label(2), &launch).expect("started");
    assert!(!results.exists(), "it was of another launch");
    assert!(room.folder().join("checkpoints/a/chk-1").exists());
}

#[test]
fn flink_30437_a_neighbour_whose_name_begins_alike_is_neither_seen_nor_ended_nor_forgotten() {
    let mut room = Room::new();
    room.of.name = "orders-2".to_owned();
    let processes = room.open();
    processes.start(&room.of, &label(1), &room.launch(&[("application", "exec sleep 300")])).expect("started");
    let checkpoint = room.folder().join("checkpoints/a/chk-1");
    fs::create_dir_all(&checkpoint).expect("made");
    let namespace = room.of.namespace.clone();
    for (namespace, name) in [
        (namespace.clone(), "orders"),
        (namespace.clone(), "orders-"),
        (namespace.clone(), "orders-22"),
        (format!("{namespace}-2"), "orders-2"),
        (namespace[..3].to_owned(), "orders-2"),
    ] {
        let of = Identity { namespace, name: name.to_owned() };
        assert!(processes.observe(&of).expect("looked at").is_none(), "{of:?}");
        assert!(processes.end(&of, NO_GRACE).expect("nothing is left"), "{of:?}");
        processes.forget(&of).expect("nothing is there");
    }
    assert_eq!(first(&processes, &room.of).state, ProcessState::Running);
    assert!(checkpoint.exists());
}

#[test]
fn the_rest_api_answers_where_a_process_of_it_runs() {
    let room = Room::new();
    let processes = room.open();
    let launch = room.launch(&[("jobmanager-2", "exec sleep 300"), ("taskmanager-1", "exec sleep 300")]);
    processes.start(&room.of, &label(1), &launch).expect("started");
    let seen = processes.observe(&room.of).expect("looked at").expect("there");
    assert_eq!(seen.rest_ports(), [22_000]);
    drop(processes);
    let mut older = room.record();
    older.as_object_mut().expect("fields").remove("ports");
    for process in older["processes"].as_array_mut().expect("processes") {
        process.as_object_mut().expect("fields").remove("rest_port");
    }
    room.write_record(&older);
    let seen = room.open().observe(&room.of).expect("looked at").expect("there");
    assert_eq!(seen.rest_ports(), [21_999], "an earlier version told of one port");
}
