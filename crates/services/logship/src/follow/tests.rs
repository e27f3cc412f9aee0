//! Files that grow, are renamed, cut off and deleted, as Flink's logs are.

use std::io::Write as _;

use super::*;

const MOST: u64 = 1 << 20;

struct Case {
    folder: tempfile::TempDir,
    follower: Follower,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let follower = Follower::new(folder.path(), Vec::new(), 2);
        Self { folder, follower }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// All that is new, each chunk as `stream: text`, with `!` if it is the last of its file.
    fn new_chunks(&mut self) -> Vec<String> {
        let mut chunks = Vec::new();
        self.follower.look().unwrap();
        let mut take = |chunk: Chunk<'_>| {
            let text = String::from_utf8_lossy(chunk.bytes).replace('\n', ";");
            chunks.push(format!("{}: {text}{}", chunk.stream, if chunk.end == End::Final { "!" } else { "" }));
            Ok(chunk.bytes.len())
        };
        self.follower.read(Phase::Running, MOST, &mut take).unwrap();
        chunks
    }

    /// The agent ends and is started again.
    fn restart(&mut self) {
        let positions = self.follower.positions().unwrap();
        self.follower = Follower::new(self.folder.path(), positions, 2);
    }
}

#[test]
fn what_is_appended_is_read_once_over_rotation_and_restarts() {
    let mut case = Case::new();
    case.append("flink-a.log", "one\n");
    assert_eq!(case.new_chunks(), ["log: one;"]);
    assert_eq!(case.new_chunks(), [""; 0]);
    case.append("flink-a.log", "two\n");
    case.rename("flink-a.log", "flink-a.log.1");
    case.append("flink-a.log", "three\n");
    assert_eq!(case.new_chunks(), ["log: two;!", "log: three;"]);
    case.restart();
    case.append("flink-a.log", "four\n");
    case.rename("flink-a.log.1", "flink-a.log.2");
    case.rename("flink-a.log", "flink-a.log.1");
    case.append("flink-a.log", "five\n");
    assert_eq!(case.new_chunks(), ["log: four;!", "log: five;"]);
}

#[test]
fn a_deleted_file_is_read_to_its_end() {
    let mut case = Case::new();
    case.append("flink-a.out", "one\n");
    assert_eq!(case.new_chunks(), ["stdout: one;"]);
    case.append("flink-a.out", "two");
    fs::remove_file(case.path("flink-a.out")).unwrap();
    assert_eq!(case.new_chunks(), ["stdout: two!"]);
    assert_eq!(case.follower.files.len(), 0);
}

#[test]
fn a_file_that_is_cut_off_or_is_another_one_is_read_from_its_beginning() {
    let mut case = Case::new();
    case.append("flink-a.log", "one one one\n");
    assert_eq!(case.new_chunks(), ["log: one one one;"]);
    fs::write(case.path("flink-a.log"), "two\n").unwrap();
    assert_eq!(case.new_chunks(), ["log: two;"]);
    case.restart();
    // The number of the file stays, but not what it begins with.
    fs::write(case.path("flink-a.log"), "other and longer\n").unwrap();
    assert_eq!(case.new_chunks(), ["log: other and longer;"]);
}

#[test]
fn what_is_not_taken_is_given_again_and_an_error_loses_nothing() {
    let mut case = Case::new();
    case.append("flink-a.log", "one\ntwo");
    case.follower.look().unwrap();
    let mut first = |chunk: Chunk<'_>| Ok(if chunk.bytes == b"one\ntwo" { 4 } else { 0 });
    assert_eq!(case.follower.read(Phase::Running, MOST, &mut first).unwrap(), Progress::Some);
    let mut fails = |_: Chunk<'_>| Err(Error::invalid("no"));
    assert!(case.follower.read(Phase::Running, MOST, &mut fails).is_err());
    assert_eq!(case.new_chunks(), ["log: two"]);
    case.append("flink-a.log", " and more\n");
    let mut one = |_: Chunk<'_>| Ok(1);
    assert_eq!(case.follower.read(Phase::Running, 3, &mut one).unwrap(), Progress::More);
    assert_eq!(case.new_chunks(), ["log: d more;"]);
}

#[test]
fn links_and_files_of_the_agent_are_no_logs_and_folders_of_multilog_are_streams() {
    let mut case = Case::new();
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("token"), "hunter2\n").unwrap();
    std::os::unix::fs::symlink(secret.path().join("token"), case.path("flink-b.log")).unwrap();
    for folder in ["stdout", ".kobel-logship"] {
        fs::create_dir(case.path(folder)).unwrap();
        case.append(&format!("{folder}/current"), "one\n");
    }
    case.append("stdout/lock", "x");
    assert_eq!(case.new_chunks(), ["stdout: one;"]);
}

#[test]
fn not_every_deleted_file_is_kept_open_for_a_destination_that_is_away() {
    let mut case = Case::new();
    for name in ["1", "2", "3", "4"] {
        case.append(&format!("flink-{name}.log"), name);
    }
    case.follower.look().unwrap();
    for name in ["1", "2", "3", "4"] {
        fs::remove_file(case.path(&format!("flink-{name}.log"))).unwrap();
    }
    assert_eq!(case.new_chunks().len(), 2);
}
