//! How a job gets on, once a second: a line that is rewritten on a terminal, a line every ten seconds elsewhere, a
//! summary at the end.
//!
//! Numbers come from the runtime; only rates are computed here, from one look to the next.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kobel_model::chain;
use kobel_runtime::job::{Progress, Restart};

use super::{Terminal, Verbosity};

/// Time between two lines where lines cannot be rewritten.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Shows the progress of one job.
pub(crate) struct ProgressMeter {
    terminal: Arc<Terminal>,
    last: Totals,
    /// What attempts before this one did.
    earlier: Totals,
    attempt: u32,
    next_line: Duration,
    failed_checkpoints: u64,
}

/// What a job has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Totals {
    elapsed: Duration,
    rows_in: u64,
    rows_out: u64,
    late_rows: u64,
    checkpoints: u64,
}

impl ProgressMeter {
    /// For a job that is about to start.
    pub(crate) fn new(terminal: Arc<Terminal>) -> Self {
        Self {
            terminal,
            last: Totals::default(),
            earlier: Totals::default(),
            attempt: 0,
            next_line: LINE_INTERVAL,
            failed_checkpoints: 0,
        }
    }

    /// Takes a look.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        self.warn_of_failures(progress);
        if let Some(restart) = &progress.restart {
            self.tell_restart(restart);
            return;
        }
        if progress.attempt != self.attempt {
            (self.attempt, self.earlier) = (progress.attempt, self.last);
        }
        let totals = Totals::of(progress, self.earlier);
        let before = std::mem::replace(&mut self.last, totals);
        if progress.is_last || self.terminal.verbosity() == Verbosity::Quiet {
            return;
        }
        if self.terminal.rewrites_lines() {
            self.terminal.show_status(&line(progress, totals, before));
        } else if progress.elapsed >= self.next_line {
            self.next_line = progress.elapsed + LINE_INTERVAL;
            self.terminal.inform(&line(progress, totals, before));
        }
    }

    /// What the job did in all: `1.2 s: 27,004 rows in, 2,050 rows out, 12 late, 3 checkpoints`.
    pub(crate) fn summary(&self) -> String {
        let totals = self.last;
        let mut text = format!(
            "{}: {} in, {} out",
            duration(totals.elapsed),
            counted(totals.rows_in, "row"),
            counted(totals.rows_out, "row")
        );
        if totals.late_rows > 0 {
            text.push_str(&format!(", {} late", number(totals.late_rows)));
        }
        if totals.checkpoints > 0 {
            text.push_str(&format!(", {}", counted(totals.checkpoints, "checkpoint")));
        }
        text
    }

    /// The job failed and is about to go on.
    fn tell_restart(&mut self, restart: &Restart<'_>) {
        let from = match restart.checkpoint {
            Some(id) => format!("from checkpoint {id}"),
            None => "from the beginning".to_owned(),
        };
        let delay = kobel_model::quantity::show_duration(restart.delay);
        self.terminal.warn(&format!("the job failed: {}; restarting {from} in {delay}", chain(restart.failure)));
    }

    /// A checkpoint that failed and was tolerated is told at once.
    fn warn_of_failures(&mut self, progress: &Progress<'_>) {
        if progress.checkpoints.failed > self.failed_checkpoints {
            self.failed_checkpoints = progress.checkpoints.failed;
            let reason = progress.checkpoints.last_failure.as_deref().unwrap_or("a checkpoint failed");
            self.terminal.warn(reason);
        }
    }
}

impl Totals {
    /// What all attempts did; each has counters of its own.
    fn of(progress: &Progress<'_>, earlier: Self) -> Self {
        Self {
            elapsed: progress.elapsed,
            rows_in: earlier.rows_in + progress.metrics.rows_in(),
            rows_out: earlier.rows_out + progress.metrics.rows_out(),
            late_rows: earlier.late_rows + progress.metrics.late_rows(),
            checkpoints: progress.checkpoints.completed,
        }
    }
}

fn line(progress: &Progress<'_>, totals: Totals, before: Totals) -> String {
    let since = totals.elapsed.saturating_sub(before.elapsed);
    let mut parts = vec![
        duration(totals.elapsed),
        format!("in {} ({})", counted(totals.rows_in, "row"), rate(totals.rows_in, before.rows_in, since)),
        format!("out {} ({})", counted(totals.rows_out, "row"), rate(totals.rows_out, before.rows_out, since)),
    ];
    if let Some(watermark) = progress.metrics.watermark() {
        parts.push(format!("watermark {}", event_time(watermark)));
    }
    if totals.late_rows > 0 {
        parts.push(format!("late {}", number(totals.late_rows)));
    }
    let groups = progress.metrics.groups();
    if groups > 0 {
        parts.push(format!("groups {}", number(groups)));
    }
    if let Some(id) = progress.checkpoints.last_id {
        let took = duration(progress.checkpoints.last_duration);
        parts.push(format!("checkpoint {id} ({took}, {})", size(progress.checkpoints.last_bytes)));
    }
    parts.join(" | ")
}

/// `2,250/s`
fn rate(now: u64, before: u64, since: Duration) -> String {
    let millis = since.as_millis().max(1);
    let per_second = u128::from(now.saturating_sub(before)) * 1_000 / millis;
    format!("{}/s", number(u64::try_from(per_second).unwrap_or(u64::MAX)))
}

/// A watermark as a time; the end of event time has no date.
fn event_time(millis: i64) -> String {
    if millis == i64::MAX {
        return "at the end".to_owned();
    }
    match Timestamp::from_millisecond(millis) {
        Ok(timestamp) => TimeZone::UTC.to_datetime(timestamp).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => millis.to_string(),
    }
}

/// `1 row`, `27,004 rows`
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

/// `27,004`
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `12 ms`, `1.2 s`, `2 min 5 s`, `3 h 20 min`
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.subsec_millis()),
        1..60 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// `512 B`, `1.5 KiB`, `20.0 MiB`
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (27_004, "27,004"), (1_234_567, "1,234,567")]
        {
            assert_eq!(number(value), expected);
        }
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn durations_and_sizes_have_a_fitting_unit() {
        for (millis, expected) in [(12, "12 ms"), (1_250, "1.2 s"), (125_000, "2 min 5 s"), (12_000_000, "3 h 20 min")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), expected);
        }
        for (bytes, expected) in [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (20 << 20, "20.0 MiB")] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn watermarks_are_times() {
        for (millis, expected) in
            [(1_357_016_400_123, "2013-01-01 05:00:00"), (i64::MAX, "at the end"), (i64::MIN, "-9223372036854775808")]
        {
            assert_eq!(event_time(millis), expected);
        }
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(rate(3_000, 1_000, Duration::from_millis(500)), "4,000/s");
        assert_eq!(rate(1, 1, Duration::ZERO), "0/s");
    }
}
