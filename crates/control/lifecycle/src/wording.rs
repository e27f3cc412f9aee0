//! How spans of time and what is awaited are put into words, and how soon is looked again.

use std::time::Duration;

use jiff::Timestamp;

use crate::decision::{Act, Wait};

/// How soon is looked again while a cluster or a job starts or ends.
pub const SOON: Duration = Duration::from_secs(1);

/// How soon is looked again while a savepoint is taken.
pub const AT_ONCE: Duration = Duration::from_millis(500);

/// How soon is looked again at what could not be seen.
pub const UNSEEN: Duration = Duration::from_secs(5);

/// Begins every error that tells that the savepoint for a stop failed; the next attempt is paused after it.
pub const SAVEPOINT_FAILED: &str = "the savepoint to stop with failed";

/// Ends every error that tells no more than that the job is not there.
pub const NOT_FOUND: &str = "is not found any more";

/// What is done and what is awaited.
#[derive(Debug)]
pub struct Verdict {
    /// What is done.
    pub act: Option<Act>,
    /// What is awaited.
    pub wait: Wait,
}

impl Verdict {
    /// Does nothing and waits.
    pub fn wait(reason: &'static str, message: String, again: Duration) -> Self {
        Self { act: None, wait: Wait { reason, message, again } }
    }

    /// Does `act`, whose effect is looked for soon.
    pub fn act(act: Act, reason: &'static str, message: String) -> Self {
        Self { act: Some(act), wait: Wait { reason, message, again: SOON } }
    }
}

/// Milliseconds in words: `850 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`.
pub fn span(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1_000;
    let (large, large_unit, small, small_unit) = match seconds {
        0 => return format!("{} ms", milliseconds.max(0)),
        1..60 => return format!("{seconds} s"),
        60..3_600 => (seconds / 60, "min", seconds % 60, "s"),
        _ => (seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
    };
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

/// A moment in words: `2026-11-23 00:29:16 UTC`. What is told again and again names moments and not spans, so that it
/// stays the same while nothing happens.
pub fn moment(at_ms: Option<i64>) -> String {
    let moment = at_ms.and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok());
    moment.map_or_else(|| "an unknown time".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A span of time in words.
pub fn span_of(duration: Duration) -> String {
    span(milliseconds(duration))
}

/// A span of time in milliseconds.
pub fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_the_second() {
        assert_eq!(moment(Some(1_000)), "1970-01-01 00:00:01 UTC");
        assert_eq!(moment(None), "an unknown time");
        assert_eq!(moment(Some(i64::MAX)), "an unknown time");
    }

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        for (milliseconds, text) in [
            (-5, "0 ms"),
            (850, "850 ms"),
            (12_999, "12 s"),
            (60_000, "1 min"),
            (185_000, "3 min 5 s"),
            (7_800_000, "2 h 10 min"),
        ] {
            assert_eq!(span(milliseconds), text);
        }
    }
}
