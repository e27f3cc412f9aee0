//! Starting the log of a whole process, which can be done once: this file has a process of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kobel_logs::{Format, Level, LogOptions, Scrubber, start};
use kobel_model::ErrorKind;

fn options(directory: &Path) -> LogOptions {
    LogOptions {
        directory: directory.join("logs"),
        file_stem: "kobel".to_owned(),
        rotation_size: 2048,
        max_files: 2,
        level: Level::Info,
        format: Format::Text,
    }
}

#[test]
fn every_thread_writes_to_the_log_and_a_second_start_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let scrubber = Arc::new(Scrubber::new());
    let files = start(options(directory.path()), Arc::clone(&scrubber)).unwrap();
    // A secret that becomes known later is hidden too.
    scrubber.add("hunter2");
    std::thread::spawn(|| tracing::info!("hello hunter2")).join().unwrap();
    let error = start(options(directory.path()), Arc::new(Scrubber::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    tracing::info!("still here");
    let text = fs::read_to_string(directory.path().join("logs").join(files.main_name())).unwrap();
    let messages: Vec<_> = text.lines().filter_map(|line| line.split_once(" [] - ")).map(|(_, rest)| rest).collect();
    assert_eq!(messages, ["hello ******", "still here"]);
}
