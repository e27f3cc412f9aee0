//! A histogram of durations, in the text format of Prometheus.

use std::fmt::{self, Write};
use std::time::Duration;

/// The upper bounds of the buckets, with the seconds as they are written.
const BOUNDS: [(Duration, &str); 16] = [
    (Duration::from_micros(500), "0.0005"),
    (Duration::from_millis(1), "0.001"),
    (Duration::from_micros(2_500), "0.0025"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(250), "0.25"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_secs(1), "1"),
    (Duration::from_millis(2_500), "2.5"),
    (Duration::from_secs(5), "5"),
    (Duration::from_secs(10), "10"),
    (Duration::from_secs(30), "30"),
    (Duration::from_secs(60), "60"),
];

/// How often something took how long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    /// How many are within each bound and not within the one before.
    within: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    /// Counts one.
    pub(crate) fn observe(&mut self, took: Duration) {
        let place = BOUNDS.partition_point(|(bound, _)| *bound < took);
        if let Some(within) = self.within.get_mut(place) {
            *within += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// Writes its series under a name, with labels that are ready to be written.
    pub(crate) fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
        let mut so_far = 0;
        for ((_, bound), within) in BOUNDS.iter().zip(self.within) {
            so_far += within;
            writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {so_far}")?;
        }
        writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", self.count)?;
        writeln!(out, "{name}_sum{{{labels}}} {}", self.sum.as_secs_f64())?;
        writeln!(out, "{name}_count{{{labels}}} {}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_counts_what_is_within_its_bound() {
        let mut histogram = Histogram::default();
        for took in [0, 500, 501, 9_999, 10_000, 10_001, 90_000_000] {
            histogram.observe(Duration::from_micros(took));
        }
        let mut out = String::new();
        histogram.write(&mut out, "x", "a=\"b\"").unwrap();
        let of = |line: &str| out.lines().find_map(|found| found.strip_prefix(line)).map(str::to_owned);
        for (bound, count) in
            [("0.0005", "2"), ("0.001", "3"), ("0.005", "3"), ("0.01", "5"), ("0.025", "6"), ("60", "6"), ("+Inf", "7")]
        {
            assert_eq!(of(&format!("x_bucket{{a=\"b\",le=\"{bound}\"}} ")).as_deref(), Some(count), "{bound}");
        }
        assert_eq!(of("x_count{a=\"b\"} ").as_deref(), Some("7"));
        assert_eq!(of("x_sum{a=\"b\"} ").as_deref(), Some("90.031001"));
        assert_eq!(out.lines().count(), BOUNDS.len() + 3);
    }

    #[test]
    fn bounds_grow_and_are_written_as_they_are() {
        assert!(BOUNDS.is_sorted_by(|one, next| one.0 < next.0));
        for (bound, text) in BOUNDS {
            assert_eq!(text.parse::<f64>().unwrap(), bound.as_secs_f64(), "{text}");
        }
    }
}
