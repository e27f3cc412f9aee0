//! Writing exactly once: whatever a process does after a snapshot, the next one puts it right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch};
use kobel_model::ErrorKind;
use kobel_sql::catalog::Connectors;
use kobel_sql::types::TypeKind;
use tempfile::TempDir;

use super::*;
use crate::tests::{connectors, table};

/// What a row is, which is what comes of an undisturbed run.
const ROWS: std::ops::Range<i32> = 0..60;

/// A format that finishes a file at each checkpoint, one that goes on, one that goes on but rolls by size.
const FORMATS: [(&str, &str); 3] = [("csv", "1 gb"), ("json", "1 gb"), ("json", "40 b")];

fn sink(path: &Path, (format, size): (&str, &str)) -> Arc<dyn Sink> {
    let options = [
        ("connector", "filesystem"),
        ("path", path.to_str().unwrap()),
        ("format", format),
        ("sink.rolling-policy.file-size", size),
    ];
    connectors().0.sink(&table(&[("a", TypeKind::Int.not_null())], &options)).unwrap()
}

fn batch(values: std::ops::Range<i32>) -> Batch {
    let column: Arc<dyn arrow_array::Array> = Arc::new(Int32Array::from_iter_values(values));
    Batch::insert_only(RecordBatch::try_from_iter([("a", column)]).unwrap())
}

fn context(subtask: usize, parallelism: usize, last_checkpoint_id: u64) -> WriterContext {
    WriterContext { subtask, parallelism, lineage: "run-1".to_owned(), last_checkpoint_id }
}

/// The visible lines of a directory, sorted.
fn visible(path: &Path) -> Vec<i32> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with("part-") {
            let text = fs::read_to_string(entry.path()).unwrap();
            lines.extend(text.lines().map(|line| {
                let digits = line.trim_start_matches("{\"a\":").trim_end_matches('}');
                digits.parse::<i32>().unwrap_or_else(|_| panic!("torn line `{line}`"))
            }));
        }
    }
    lines.sort_unstable();
    lines
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

/// A run of one job: some subtasks that write rows in turn and take checkpoints together.
struct Run {
    writers: Vec<Box<dyn SinkWriter>>,
    next_row: i32,
    checkpoint: u64,
}

/// A checkpoint that is complete: what all writers answered and where the input stood.
#[derive(Clone)]
struct Checkpoint {
    id: u64,
    states: Vec<Vec<u8>>,
    next_row: i32,
}

impl Run {
    fn start(sink: &dyn Sink, parallelism: usize, from: Option<&Checkpoint>) -> Self {
        let restored = from.map(|from| RestoredSink {
            checkpoint_id: from.id,
            triggered_ms: i64::MAX,
            states: from.states.clone(),
        });
        sink.open("run-1", restored.as_ref()).unwrap();
        // Opening twice must not hurt: a process can die right after it.
        sink.open("run-1", restored.as_ref()).unwrap();
        let id = from.map_or(0, |from| from.id);
        let states = from.map(|from| from.states.clone()).unwrap_or_default();
        let writer = |subtask: usize| {
            let own = states.iter().enumerate().filter(|(old, _)| old % parallelism == subtask);
            let own = own.map(|(_, state)| state.clone()).collect();
            sink.writer(context(subtask, parallelism, id), own).unwrap()
        };
        let writers = (0..parallelism).map(writer).collect();
        Self { writers, next_row: from.map_or(ROWS.start, |from| from.next_row), checkpoint: id }
    }

    fn write(&mut self, rows: i32) {
        for row in self.next_row..(self.next_row + rows).min(ROWS.end) {
            let writers = self.writers.len();
            let writer = &mut self.writers[usize::try_from(row).unwrap() % writers];
            writer.write(&batch(row..row + 1)).unwrap();
            if row % 3 == 0 {
                writer.flush().unwrap();
            }
            self.next_row = row + 1;
        }
    }

    fn snapshot(&mut self) -> Checkpoint {
        self.checkpoint += 1;
        let id = self.checkpoint;
        let states = self.writers.iter_mut().map(|writer| writer.snapshot(id, 1_000).unwrap()).collect();
        Checkpoint { id, states, next_row: self.next_row }
    }

    fn commit(&mut self, writers: usize) {
        let id = self.checkpoint;
        for writer in self.writers.iter_mut().take(writers) {
            writer.commit(id).unwrap();
            writer.commit(id).unwrap();
        }
    }

    fn finish(mut self) {
        self.write(ROWS.end);
        for writer in &mut self.writers {
            writer.finish().unwrap();
        }
        self.snapshot();
        let all = self.writers.len();
        self.commit(all);
    }
}

/// Steps of a run; a crash may follow each of them.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Write(i32),
    Snapshot,
    CommitSome,
    Commit,
}

const SCRIPT: [Act; 10] = [
    Act::Write(7),
    Act::Snapshot,
    Act::Commit,
    Act::Write(9),
    // This checkpoint is committed by the next one.
    Act::Snapshot,
    Act::Write(1),
    Act::Snapshot,
    Act::CommitSome,
    Act::Commit,
    Act::Write(8),
];

/// Runs the first `steps` of the script; answers the checkpoints that were taken.
fn die_after(run: &mut Run, steps: usize) -> Vec<Checkpoint> {
    let mut checkpoints = Vec::new();
    for act in &SCRIPT[..steps] {
        match act {
            Act::Write(rows) => run.write(*rows),
            Act::Snapshot => checkpoints.push(run.snapshot()),
            Act::CommitSome => run.commit(1),
            Act::Commit => run.commit(usize::MAX),
        }
    }
    checkpoints
}

#[test]
fn a_crash_after_any_step_loses_and_repeats_nothing() {
    for format in FORMATS {
        for steps in 0..=SCRIPT.len() {
            // The newest checkpoint may be lost with the process that took it: then an older one is restored, and what
            // was committed after it is taken back.
            for forgotten in 0..3 {
                for (before, after) in [(3, 1), (1, 3), (3, 2)] {
                    let directory = TempDir::new().unwrap();
                    let sink = sink(directory.path(), format);
                    let mut run = Run::start(sink.as_ref(), before, None);
                    let mut checkpoints = die_after(&mut run, steps);
                    drop(run);
                    checkpoints.truncate(checkpoints.len().saturating_sub(forgotten));
                    let Some(last) = checkpoints.last() else { continue };
                    let case = format!("{format:?}, {steps} steps, {forgotten} forgotten, {before} to {after}");
                    let second = Run::start(sink.as_ref(), after, Some(last));
                    assert!(visible(directory.path()).iter().max() < Some(&last.next_row), "{case}");
                    second.finish();
                    assert_eq!(visible(directory.path()), ROWS.collect::<Vec<_>>(), "{case}");
                    // Beside the output there may be the note that output of a forgotten checkpoint was taken back.
                    let hidden = names(directory.path()).into_iter().filter(|name| name.starts_with('.'));
                    assert!(hidden.into_iter().all(|name| name.ends_with(".rewinds")), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_second_crash_is_survived_and_one_to_three_to_one_keeps_every_row() {
    for format in FORMATS {
        for steps in 2..=SCRIPT.len() {
            let directory = TempDir::new().unwrap();
            let sink = sink(directory.path(), format);
            let mut from: Option<Checkpoint> = None;
            for parallelism in [3, 1, 3] {
                let mut run = Run::start(sink.as_ref(), parallelism, from.as_ref());
                from = die_after(&mut run, steps).pop().or(from);
            }
            Run::start(sink.as_ref(), 1, from.as_ref()).finish();
            assert_eq!(visible(directory.path()), ROWS.collect::<Vec<_>>(), "{format:?} after {steps} steps");
        }
    }
}

#[test]
fn csv_is_visible_after_each_checkpoint_and_json_when_it_rolls() {
    for (format, expected) in [(FORMATS[0], 10), (FORMATS[1], 0)] {
        let directory = TempDir::new().unwrap();
        let mut run = Run::start(sink(directory.path(), format).as_ref(), 1, None);
        run.write(10);
        run.snapshot();
        assert_eq!(visible(directory.path()).len(), 0, "nothing is visible before the commit");
        run.commit(1);
        assert_eq!(visible(directory.path()).len(), expected);
        let hidden = names(directory.path()).into_iter().filter(|name| name.starts_with(".part-run-1-0-0-0.json"));
        assert_eq!(hidden.count(), usize::from(expected == 0));
        run.finish();
        assert_eq!(visible(directory.path()), ROWS.collect::<Vec<_>>());
    }
}

#[test]
fn files_roll_by_age_and_inactivity() {
    for (option, idle_snapshots, is_rolled) in [
        ("sink.rolling-policy.rollover-interval", 1, false),
        ("sink.rolling-policy.rollover-interval", 2, true),
        ("sink.rolling-policy.inactivity-interval", 1, false),
        ("sink.rolling-policy.inactivity-interval", 2, true),
    ] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().to_str().unwrap();
        let options = [("connector", "filesystem"), ("path", path), ("format", "json"), (option, "1 s")];
        let sink = connectors().0.sink(&table(&[("a", TypeKind::Int.nullable())], &options)).unwrap();
        sink.open("l", None).unwrap();
        let mut writer = sink.writer(WriterContext { lineage: "l".to_owned(), ..context(0, 1, 0) }, vec![]).unwrap();
        let start = 100_000_000_000_000;
        writer.snapshot(1, start).unwrap();
        writer.write(&batch(0..1)).unwrap();
        for snapshot in 0..=idle_snapshots {
            writer.snapshot(2 + snapshot, start + i64::try_from(snapshot).unwrap() * 600).unwrap();
        }
        writer.commit(99).unwrap();
        assert_eq!(visible(directory.path()).len(), usize::from(is_rolled), "{option} after {idle_snapshots}");
    }
}

#[test]
fn no_rows_make_no_file_and_other_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let others: BTreeMap<&str, &str> = [
        ("part-run-0-0-9-0.json", "{\"a\":1}\n"),
        ("part-run-1-1-0-9-0.json", "{\"a\":2}\n"),
        (".part-run-2-0-9-0.json.inprogress", "x"),
        ("part-run-1-0-9-0.csv", "3\n"),
        ("part-run-1-0-09-0.json", "{\"a\":4}\n"),
        ("notes.txt", "x"),
    ]
    .into();
    for (name, content) in &others {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let sink = sink(directory.path(), FORMATS[1]);
    let mut run = Run::start(sink.as_ref(), 2, None);
    run.next_row = ROWS.end;
    let checkpoint = run.snapshot();
    run.commit(2);
    let run = Run::start(sink.as_ref(), 2, Some(&checkpoint));
    run.finish();
    assert_eq!(names(directory.path()), {
        let mut expected: Vec<_> = others.keys().map(|name| (*name).to_owned()).collect();
        expected.sort();
        expected
    });
}

#[test]
fn lost_or_cut_output_is_reported() {
    for format in FORMATS {
        let directory = TempDir::new().unwrap();
        let sink = sink(directory.path(), format);
        let mut run = Run::start(sink.as_ref(), 1, None);
        run.write(10);
        let checkpoint = run.snapshot();
        drop(run);
        let restored = RestoredSink { checkpoint_id: checkpoint.id, triggered_ms: i64::MAX, states: checkpoint.states };
        let file = directory.path().join(&names(directory.path())[0]);
        let content = fs::read(&file).unwrap();
        fs::write(&file, &content[..content.len() - 1]).unwrap();
        assert_eq!(sink.open("run-1", Some(&restored)).unwrap_err().kind(), ErrorKind::Corrupt, "{format:?} cut");
        fs::remove_file(&file).unwrap();
        let error = sink.open("run-1", Some(&restored)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{format:?} lost");
        assert!(error.to_string().contains("part-run-1-0-0-0"), "{error}");
    }
}

#[test]
fn a_path_that_is_no_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = sink(&file, FORMATS[0]).open("l", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().ends_with("/file` is no directory"), "{error}");
    let below = sink(&file.join("below"), FORMATS[0]).open("l", None).unwrap_err();
    assert!(below.to_string().starts_with("cannot write to output directory"), "{below}");
}

#[test]
#[cfg(unix)]
fn a_read_only_directory_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may write anywhere; then there is nothing to see.
    let is_superuser = fs::write(directory.path().join("probe"), "").is_ok();
    let opened = sink(directory.path(), FORMATS[0]).open("l", None);
    assert_eq!(opened.is_ok(), is_superuser);
    if let Err(error) = opened {
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    }
}

#[test]
fn null_in_a_not_null_column_is_refused() {
    let directory = TempDir::new().unwrap();
    let sink = sink(directory.path(), FORMATS[0]);
    sink.open("l", None).unwrap();
    let mut writer = sink.writer(context(0, 1, 0), Vec::new()).unwrap();
    let column: Arc<dyn arrow_array::Array> = Arc::new(Int32Array::from(vec![Some(1), None]));
    let batch = Batch::insert_only(RecordBatch::try_from_iter_with_nullable([("a", column, true)]).unwrap());
    let error = writer.write(&batch).unwrap_err();
    assert!(error.to_string().starts_with("Column 'a' is NOT NULL"), "{error}");
    assert_eq!(error.hint(), Some("filter the rows with `IS NOT NULL`"));
}

#[test]
fn a_snapshot_whose_output_was_taken_back_is_refused() {
    let directory = TempDir::new().unwrap();
    let output = OutputDirectory::new(directory.path(), "run-1", "csv").unwrap();
    let restored = |checkpoint_id: u64, triggered_ms: i64| RestoredSink { checkpoint_id, triggered_ms, states: vec![] };
    for tag in [0, 1] {
        fs::write(directory.path().join(format!("part-run-1-0-{tag}-0.csv")), "1\n").unwrap();
    }
    output.restore(&restored(1, 50), &[], 100).unwrap();
    assert!(directory.path().join("part-run-1-0-0-0.csv").exists());
    let error = output.restore(&restored(2, 60), &[], 200).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("was taken back when the job was resumed from snapshot 1"), "{error}");
    output.restore(&restored(1, 50), &[], 300).unwrap();
    output.restore(&restored(2, 150), &[], 400).unwrap();
}
