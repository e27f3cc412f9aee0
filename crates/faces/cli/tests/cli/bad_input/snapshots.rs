//! Directories that cannot be written, and snapshots that were changed behind the back of the job.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use super::{assert_explained, assert_refused};
use crate::kobel::{Ended, Running, kobel, numbers, start_kobel};

const METADATA: &str = "_metadata";

/// Writes a script `counts.sql` that counts for ever, with a checkpoint every 20 ms.
fn counts() -> TempDir {
    let directory = tempdir().expect("a directory");
    let sql = "SET 'execution.checkpointing.interval' = '20 ms';
               SET 'execution.checkpointing.num-retained' = '4';\n"
        .to_owned()
        + &numbers(1_000_000_000)
        + "SELECT MOD(id, 7), COUNT(*) FROM numbers GROUP BY MOD(id, 7);";
    fs::write(directory.path().join("counts.sql"), sql).expect("a file");
    directory
}

/// The first row after the head of the table.
fn first_row(running: &mut Running) -> Vec<String> {
    (0..3).for_each(|_| drop(running.line()));
    running.row()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The files of state pages in a directory whose names begin like this.
fn page_files(directory: &Path, start: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let is_meant = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(start) && name != METADATA
    };
    names.filter(is_meant).collect()
}

/// How a file is damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    FirstByte,
    MiddleByte,
    LastByte,
    Cut,
    Emptied,
    Removed,
}

impl Damage {
    fn inflict(self, file: &Path) {
        let mut bytes = fs::read(file).expect("a file");
        let last = bytes.len() - 1;
        match self {
            Self::FirstByte => bytes[0] ^= 1,
            Self::MiddleByte => bytes[last / 2] ^= 1,
            Self::LastByte => bytes[last] ^= 1,
            Self::Cut => bytes.truncate(last / 2),
            Self::Emptied => bytes.clear(),
            Self::Removed => return fs::remove_file(file).expect("a file to remove"),
        }
        fs::write(file, bytes).expect("a damaged file");
    }
}

#[test]
fn a_damaged_savepoint_is_refused_by_the_name_of_its_file() {
    let directory = counts();
    let mut running = start_kobel(directory.path(), &["run", "--quiet", "counts.sql"]);
    drop(first_row(&mut running));
    running.interrupt();
    let ended = running.end();
    let savepoint = ended.stderr.lines().find_map(|line| line.strip_prefix("Savepoint: ")).expect("a savepoint");
    let savepoint = directory.path().join(savepoint);
    let pages = page_files(&savepoint, "").pop().expect("state");
    let pages = pages.file_name().and_then(|name| name.to_str()).expect("a name");
    let checksum = format!("caused by: state file `bad/{pages}` is damaged: the checksum of the page at byte ");
    let short = format!("caused by: state file `bad/{pages}` is damaged: it is shorter than its manifest says\n");
    let gone = format!("caused by: cannot read state file `bad/{pages}`\n  caused by: ");
    for (file, damage, part) in [
        (METADATA, Damage::FirstByte, "caused by: the manifest is damaged: it was not written by Kobel\n"),
        (METADATA, Damage::MiddleByte, "caused by: the manifest is damaged: length or checksum do not match"),
        (METADATA, Damage::LastByte, "caused by: the manifest is damaged: length or checksum do not match"),
        (METADATA, Damage::Cut, "caused by: the manifest is damaged: length or checksum do not match"),
        (METADATA, Damage::Emptied, "caused by: the manifest is damaged: its first line is missing\n"),
        (METADATA, Damage::Removed, "error: `bad` is no snapshot: it has no file `_metadata`\n  hint: "),
        (pages, Damage::FirstByte, &checksum),
        (pages, Damage::MiddleByte, &checksum),
        (pages, Damage::LastByte, &checksum),
        (pages, Damage::Cut, &short),
        (pages, Damage::Emptied, &short),
        (pages, Damage::Removed, &gone),
    ] {
        let bad = directory.path().join("bad");
        copy(&savepoint, &bad);
        damage.inflict(&bad.join(file));
        let ended = kobel(directory.path(), &["run", "--quiet", "counts.sql", "--from-savepoint", "bad"]);
        assert_refused(&ended, &format!("{damage:?} of {file}"), &["`bad`", part]);
        fs::remove_dir_all(bad).expect("a directory to remove");
    }
    let ended = kobel(directory.path(), &["run", "--quiet", "counts.sql", "--from-savepoint", "nowhere"]);
    assert_refused(&ended, "nowhere", &["error: `nowhere` is no snapshot: it has no file `_metadata`\n  hint: "]);
}

/// The complete checkpoints below a directory, oldest first.
fn checkpoints(directory: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(jobs) = fs::read_dir(directory.join(".kobel/checkpoints/counts")) else { return Vec::new() };
    let mut found = Vec::new();
    for job in jobs.map(|job| job.expect("an entry").path()).filter(|path| path.is_dir()) {
        for entry in fs::read_dir(job).expect("a directory") {
            let entry = entry.expect("an entry");
            let id: Option<u64> = entry.file_name().to_str().and_then(|name| name.strip_prefix("chk-")?.parse().ok());
            if let Some(id) = id
                && entry.path().join(METADATA).is_file()
            {
                found.push((id, entry.path()));
            }
        }
    }
    found.sort();
    found
}

/// The pages that only the newest checkpoint points at.
fn newest_pages(directory: &Path) -> Option<PathBuf> {
    let (id, newest) = checkpoints(directory).pop()?;
    page_files(&newest.with_file_name("shared"), &format!("{id}-")).pop()
}

/// A run that was killed after some checkpoints, the last of which changed the state.
fn killed() -> TempDir {
    loop {
        let directory = counts();
        let mut running = start_kobel(directory.path(), &["run", "--quiet", "counts.sql"]);
        // Each key has been counted before the checkpoints that are looked at later begin.
        for _ in 0..20 {
            drop(running.line());
        }
        let newest = || checkpoints(directory.path()).pop().map_or(0, |(id, _)| id);
        let counted = newest();
        while newest() < counted + 3 {
            drop(running.line());
        }
        running.kill();
        if newest_pages(directory.path()).is_some() {
            return directory;
        }
    }
}

#[test]
fn a_recovery_passes_over_a_damaged_checkpoint_and_says_so() {
    let original = killed();
    for (of_manifest, damage, part) in [
        (true, Damage::LastByte, "is damaged (cannot use snapshot `<newest>`: the manifest is damaged: "),
        (true, Damage::Cut, "is damaged (cannot use snapshot `<newest>`: the manifest is damaged: "),
        (false, Damage::MiddleByte, "is damaged (cannot use snapshot `<newest>`: state file `<newest>/../shared/"),
        (
            false,
            Damage::Removed,
            "is gone (cannot use snapshot `<newest>`: cannot read state file `<newest>/../shared/",
        ),
    ] {
        let directory = tempdir().expect("a directory");
        copy(original.path(), directory.path());
        let found = checkpoints(directory.path());
        let [.., (_, before), (_, newest)] = found.as_slice() else { panic!("several checkpoints, found {found:?}") };
        let pages = newest_pages(directory.path()).expect("pages of the newest checkpoint");
        damage.inflict(&if of_manifest { newest.join(METADATA) } else { pages });

        let mut running = start_kobel(directory.path(), &["run", "counts.sql", "--recover"]);
        // Each key has been counted before, so the first thing that is said takes back a count.
        assert_eq!(first_row(&mut running)[0], "-U");
        running.interrupt();
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let shown = |path: &Path| path.strip_prefix(directory.path()).expect("a path in it").display().to_string();
        let (before, newest) = (shown(before), shown(newest));
        for part in [
            format!("warning: snapshot `{newest}` {}", part.replace("<newest>", &newest)),
            format!("; using `{before}`\nnote: recovering statement 4 from `{before}`\n"),
        ] {
            assert!(ended.stderr.contains(&part), "`{part}` is missing for {damage:?} in\n{}", ended.stderr);
        }
    }
}

#[test]
fn a_recovery_with_damaged_checkpoints_only_is_refused() {
    let directory = killed();
    let found = checkpoints(directory.path());
    for (_, checkpoint) in &found {
        Damage::MiddleByte.inflict(&checkpoint.join(METADATA));
    }
    let ended = kobel(directory.path(), &["run", "--quiet", "counts.sql", "--recover"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("; no other is left\n").count(), found.len(), "{}", ended.stderr);
    let error = "error: cannot recover: every snapshot of the last run is damaged\n  hint: ";
    assert!(ended.stderr.contains(error), "{}", ended.stderr);
}

/// Whether another attempt may succeed depends on what is wrong with the directory.
fn may_be_the_code(ended: &Ended) -> bool {
    matches!(ended.code, Some(1 | 3))
}

/// Directories that nobody can write to; the permissions of `locked` do not bind a superuser.
fn unwritable(directory: &Path) -> Vec<String> {
    fs::write(directory.join("file"), "").expect("a file");
    let mut names = vec!["file".to_owned(), "file/below".to_owned()];
    if Path::new("/proc/self").exists() {
        names.push("/proc/kobel".to_owned());
    }
    let locked = directory.join("locked");
    fs::create_dir(&locked).expect("a directory");
    fs::set_permissions(&locked, Permissions::from_mode(0o555)).expect("permissions");
    match File::create(locked.join("probe")) {
        Ok(_) => fs::remove_file(locked.join("probe")).expect("a file to remove"),
        Err(_) => names.push("locked".to_owned()),
    }
    names
}

#[test]
fn a_checkpoint_directory_that_cannot_be_written_is_named_before_anything_runs() {
    let directory = counts();
    for name in unwritable(directory.path()) {
        let setting = format!("execution.checkpointing.dir={name}");
        let ended = kobel(directory.path(), &["run", "--quiet", "--set", &setting, "counts.sql"]);
        let part = format!("cannot use the checkpoint directory\n  caused by: cannot write to directory `{name}/");
        let hint = "\n  hint: set 'execution.checkpointing.dir' to a directory that can be written\n";
        assert!(may_be_the_code(&ended), "{ended:?}");
        assert_explained(&ended, &setting, &["error: cannot start job `collect`\n  caused by: ", &part, hint]);
    }
}

#[test]
fn a_job_whose_savepoint_cannot_be_written_says_so_and_goes_on() {
    let directory = counts();
    for name in unwritable(directory.path()) {
        let setting = format!("execution.checkpointing.savepoint-dir={name}");
        let mut running = start_kobel(directory.path(), &["run", "--quiet", "--set", &setting, "counts.sql"]);
        drop(first_row(&mut running));
        running.interrupt();
        let warning = format!("warning: cannot make a savepoint: cannot write to directory `{name}/savepoint-");
        let line = running.error_line();
        assert!(line.starts_with(&warning), "`{warning}` is not the start of `{line}`");
        drop(running.row());
        running.interrupt();
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    }
}

#[test]
fn an_output_directory_that_cannot_be_written_is_named() {
    let directory = tempdir().expect("a directory");
    for name in unwritable(directory.path()) {
        let sql = format!(
            "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{name}', 'format' = 'csv');
             INSERT INTO t VALUES (1);"
        );
        fs::write(directory.path().join("write.sql"), sql).expect("a file");
        let place = format!("`{name}`");
        let parts =
            ["caused by: cannot open sink `Sink: t`\n  caused by: ", &place, "hint: the option `path` must name a "];
        let ended = kobel(directory.path(), &["run", "--quiet", "write.sql"]);
        assert!(may_be_the_code(&ended), "{ended:?}");
        assert_explained(&ended, &name, &parts);
    }
}
