//! No row is lost and none counts twice when a running job is rescaled, or fails and goes on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use kobel_testkit::http::{Request, ask, get_json};
use serde_json::{Value, json};

use crate::native::Native;

/// Rows that the source makes.
const ROWS: u64 = 60_000;

/// Rows as they are, and counted in windows of a second.
fn script(folder: &Path) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    format!(
        "CREATE TABLE numbers (k BIGINT, v BIGINT, ts AS CAST(TO_TIMESTAMP_LTZ(v, 3) AS TIMESTAMP(3)), \
           WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'datagen', 'rows-per-second' = '15000', \
           'fields.v.kind' = 'sequence', 'fields.v.start' = '1', 'fields.v.end' = '{ROWS}', \
           'fields.k.min' = '0', 'fields.k.max' = '9'); \
         CREATE TABLE kept (v BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'); \
         CREATE TABLE counted (k BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'); \
         EXECUTE STATEMENT SET BEGIN \
         INSERT INTO kept SELECT v FROM numbers; \
         INSERT INTO counted SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '1' SECOND)) \
           GROUP BY k, window_start, window_end; \
         END;",
        path("kept"),
        path("counted")
    )
}

/// The committed lines of a table.
fn lines(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let files = entries.map(|entry| entry.expect("an entry").path());
    let committed =
        files.filter(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
    let text = committed.map(|path| fs::read_to_string(path).expect("a file of text"));
    text.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn assert_each_row_counts_once(folder: &Path) {
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for line in lines(&folder.join("kept")) {
        *seen.entry(line.parse().expect("a number")).or_default() += 1;
    }
    let wrong: Vec<_> = (1..=ROWS).filter(|row| seen.get(row) != Some(&1)).take(10).collect();
    assert!(wrong.is_empty(), "rows lost or doubled, the first of them {wrong:?}");
    assert_eq!(seen.len() as u64, ROWS);
    let count = |line: String| line.rsplit(',').next().and_then(|n| n.parse::<u64>().ok()).expect("a count");
    assert_eq!(lines(&folder.join("counted")).into_iter().map(count).sum::<u64>(), ROWS, "rows in windows");
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(600), "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Gives the vertices of the job so many subtasks each, in turn.
fn rescale(native: &Native, job: &str, widths: &[usize]) {
    let path = format!("/jobs/{job}/resource-requirements");
    let detail = native.wait_for_job("RUNNING");
    let ids = detail["vertices"].as_array().expect("vertices").iter().map(|vertex| vertex["id"].as_str());
    let wanted: Value = ids
        .zip(widths.iter().cycle())
        .map(|(id, width)| {
            let bounds = json!({"parallelism": {"lowerBound": 1, "upperBound": width}});
            (id.expect("an id").to_owned(), bounds)
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let answer = ask(native.port, &Request::put(&path, &wanted)).expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    until("job of that width", || {
        let detail = get_json(native.port, &format!("/jobs/{job}")).expect("the job");
        let vertices = detail["vertices"].as_array().expect("vertices");
        let fits = vertices.iter().zip(widths.iter().cycle()).all(|(vertex, width)| vertex["parallelism"] == *width);
        (fits && detail["state"] == "RUNNING").then_some(())
    });
}

#[test]
fn a_rescaled_job_neither_loses_nor_doubles_a_row() {
    for (interval, name) in [("100 ms", "with checkpoints"), ("1 h", "long before the first checkpoint")] {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = [("execution.checkpointing.interval", interval)];
        let native = Native::start(&script(folder.path()), &settings);
        let job = native.job_id();
        for widths in [[2, 3], [3, 1], [1, 4], [2, 2]] {
            rescale(&native, &job, &widths);
        }
        native.wait_for_job("FINISHED");
        let history = get_json(native.port, &format!("/jobs/{job}/rescales/history")).expect("the rescales");
        let is_done = |rescale: &&Value| {
            rescale["triggerCause"] == "UPDATE_REQUIREMENT" && rescale["terminalState"] == "COMPLETED"
        };
        let done = history.as_array().expect("a list").iter().filter(is_done).count();
        assert_eq!(done, 4, "{name}: {history}");
        assert_each_row_counts_once(folder.path());
    }
}

#[test]
fn a_job_that_fails_and_goes_on_neither_loses_nor_doubles_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [
        ("execution.checkpointing.interval", "100 ms"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "1000"),
        ("restart-strategy.fixed-delay.delay", "50 ms"),
        ("parallelism.default", "2"),
    ];
    let native = Native::start(&script(folder.path()), &settings);
    let job = native.job_id();
    let (table, aside) = (folder.path().join("kept"), folder.path().join("aside"));
    until("committed row", || (!lines(&table).is_empty()).then_some(()));
    // The directory of the table goes away, and comes back after the job has failed on it some times.
    fs::rename(&table, &aside).expect("the directory moves");
    fs::write(&table, "in the way").expect("a file in its place");
    let exceptions = format!("/jobs/{job}/exceptions");
    until("third failure", || {
        let history = get_json(native.port, &exceptions).expect("exceptions");
        let entries = history["exceptionHistory"]["entries"].as_array().map_or(0, Vec::len);
        (entries >= 3).then_some(())
    });
    let detail = get_json(native.port, &format!("/jobs/{job}")).expect("the job");
    assert_eq!(detail["state"], "RESTARTING");
    fs::remove_file(&table).expect("the file goes");
    fs::rename(&aside, &table).expect("the directory comes back");
    native.wait_for_job("FINISHED");
    assert_each_row_counts_once(folder.path());
}

/// Asks for a snapshot, and waits until it is there.
fn take(native: &Native, path: &str, body: &Value) {
    let asked = ask(native.port, &Request::post(path, body)).expect("an answer");
    let id = asked.expect_json(202).expect("a trigger")["request-id"].clone();
    let path = format!("{path}/{}", id.as_str().expect("an id"));
    until("snapshot", || {
        let told = get_json(native.port, &path).expect("what became of it");
        assert_eq!(told["operation"]["failure-cause"], Value::Null, "{told}");
        (told["status"]["id"] == "COMPLETED").then_some(())
    });
}

#[test]
fn flip_203_a_savepoint_makes_nothing_visible_that_the_job_may_do_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (table, savepoints) = (folder.path().join("kept"), folder.path().join("savepoints"));
    let script = format!(
        "CREATE TABLE numbers (v BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000'); \
         CREATE TABLE kept (v BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', \
           'sink.rolling-policy.rollover-interval' = '1 ms'); \
         INSERT INTO kept SELECT v FROM numbers;",
        table.display()
    );
    let native = Native::start(&script, &[("execution.checkpointing.interval", "1 h")]);
    let job = native.job_id();
    native.wait_for_job("RUNNING");
    until("row", || fs::read_dir(&table).is_ok_and(|mut files| files.next().is_some()).then_some(()));
    let to = json!({"target-directory": savepoints.display().to_string(), "cancel-job": false});
    take(&native, &format!("/jobs/{job}/savepoints"), &to);
    // The job would come back from its beginning, and write these rows once more.
    assert!(lines(&table).is_empty(), "rows became visible with a savepoint");
    take(&native, &format!("/jobs/{job}/checkpoints"), &json!({}));
    until("committed row", || (!lines(&table).is_empty()).then_some(()));
}
