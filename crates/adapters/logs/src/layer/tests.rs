//! Events on their way into the file: one line each, with the values of their spans, without secrets.

use std::fmt;
use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::options::{Format, Level};

const SECRET: &str = "s3cr\"t/päss wörd";

/// Runs `log` under a layer of its own; answers the lines that it wrote.
fn lines_of(format: Format, level: Level, log: impl FnOnce()) -> Vec<String> {
    let directory = TempDir::new().unwrap();
    let options = LogOptions {
        directory: directory.path().to_owned(),
        file_stem: "kobel".to_owned(),
        rotation_size: 2 << 20,
        max_files: 2,
        level,
        format,
    };
    let files = Arc::new(LogFiles::open(options).unwrap());
    let scrubber = Arc::new(Scrubber::new());
    scrubber.add(SECRET);
    scrubber.add("918273645");
    let subscriber = Registry::default().with(layer(files, scrubber));
    tracing::subscriber::with_default(subscriber, log);
    let text = fs::read_to_string(directory.path().join("kobel.log")).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines().map(str::to_owned).collect()
}

/// An error that tells too much, with a cause that does so too.
#[derive(Debug)]
struct Chatty(Option<Box<Chatty>>);

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to `kafka://joe:hunter2@host`\nwith {SECRET}")
    }
}

impl std::error::Error for Chatty {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

/// One event for each place in which a secret may stand; answers their number.
fn log_secrets() -> usize {
    let chatty = Chatty(Some(Box::new(Chatty(None))));
    let error: &(dyn std::error::Error + 'static) = &chatty;
    tracing::info!("the password is {SECRET}, and password=hunter2");
    tracing::info!(value = SECRET, "in a field");
    tracing::info!(value = ?Some(SECRET), "in a printed value");
    tracing::info!(sasl.password = "hunter2", token = 918_273, "in fields of secret names");
    tracing::info!(number = 918_273_645, "in a number");
    tracing::info!(error, "in an error");
    tracing::info!(body = r#"{"password":"hunter2","a":1}"#, "in JSON");
    tracing::info!("in JSON {}", serde_json::Value::from(SECRET));
    tracing::info!("in a URL http://host/?x=s3cr%22t%2Fp%C3%A4ss+w%C3%B6rd and https://joe:hunter2@host/");
    tracing::info!(header = "Authorization: Bearer hunter2", "in a header");
    let span = tracing::info_span!("job", who = SECRET, late = tracing::field::Empty);
    span.record("late", "password: hunter2");
    span.in_scope(|| tracing::info!("in a span"));
    11
}

#[test]
fn secrets_never_reach_the_file_and_an_event_is_one_line() {
    for format in [Format::Text, Format::Json] {
        let mut count = 0;
        let lines = lines_of(format, Level::Info, || count = log_secrets());
        assert_eq!(lines.len(), count, "{lines:#?}");
        for line in lines {
            for secret in ["s3cr", "wörd", "hunter2", "918273"] {
                assert!(!line.contains(secret), "`{secret}` is in {line}");
            }
            assert!(line.contains("******"), "{line}");
            if format == Format::Json {
                assert!(serde_json::from_str::<Value>(&line).is_ok_and(|value| value.is_object()), "{line}");
            }
        }
    }
}

#[test]
fn json_lines_hold_values_as_what_they_are() {
    let lines = lines_of(Format::Json, Level::Info, || {
        let outer = tracing::info_span!("job", id = "a", rows = 1).entered();
        tracing::info_span!("vertex", rows = 2).in_scope(|| {
            tracing::warn!(
                target: "kobel_runtime::job",
                whole = -7, ratio = 0.5, endless = f64::INFINITY, done = true, level = "high",
                "two\nlines"
            );
        });
        drop(outer);
    });
    let [line] = lines.as_slice() else {
        panic!("{lines:#?}");
    };
    let mut found: Value = serde_json::from_str(line).unwrap();
    let object = found.as_object_mut().unwrap();
    let time = object.remove("timestamp").unwrap();
    let time = time.as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with('Z') && time.parse::<Timestamp>().is_ok(), "{time}");
    assert!(object.remove("thread").unwrap().as_str().is_some_and(|thread| !thread.is_empty()));
    let expected = serde_json::json!({
        "level": "WARN",
        "logger": "kobel_runtime.job",
        "message": "two\nlines",
        "spans": ["job", "vertex"],
        "whole": -7,
        "ratio": 0.5,
        "endless": "inf",
        "done": true,
        "field.level": "high",
        "rows": 2,
        "id": "a",
    });
    assert_eq!(found, expected);
}

#[test]
fn only_events_of_the_chosen_level_are_written() {
    for (level, count) in [(Level::Error, 1), (Level::Warn, 2), (Level::Info, 3), (Level::Debug, 4), (Level::Trace, 5)]
    {
        let lines = lines_of(Format::Text, level, || {
            tracing::error!("a");
            tracing::warn!("a");
            tracing::info!("a");
            tracing::debug!("a");
            tracing::trace!("a");
        });
        assert_eq!(lines.len(), count, "at {level:?}");
    }
}

#[test]
fn lines_of_many_threads_do_not_mix() {
    let lines = lines_of(Format::Text, Level::Info, || {
        tracing::dispatcher::get_default(|dispatch| {
            std::thread::scope(|scope| {
                for thread in 0..8 {
                    scope.spawn(move || {
                        tracing::dispatcher::with_default(dispatch, || {
                            (0..100).for_each(|number| tracing::info!(thread, number, "{}", "x".repeat(200)));
                        });
                    });
                }
            });
        });
    });
    assert_eq!(lines.len(), 800);
    for line in lines {
        assert!(line.contains(" [] - xxx") && line.contains("x thread=") && line.contains(" number="), "{line}");
    }
}
