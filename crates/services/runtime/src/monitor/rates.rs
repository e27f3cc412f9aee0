//! How fast counters grow: the increase over the last minute divided by the time it really took.
//!
//! Flink's `MeterView` divides by a whole minute even when only a few seconds have passed; here the first minute is
//! right as well. A window holds a sample every few seconds and the latest one, so its memory is bounded.
//!
//! # Invariants
//! Samples are in order of time. No counter of a sample is smaller than that of the one before: such a sample, or one
//! of another shape, empties the window first.

use std::collections::VecDeque;
use std::time::Duration;

/// The time that rates are over.
const SPAN: Duration = Duration::from_secs(60);
/// The least time between samples that are kept behind the latest.
const SPACING: Duration = Duration::from_secs(5);

/// Milliseconds of each second that a task spends working, waiting for room, and waiting for input.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TimesPerSecond {
    /// It works.
    pub(crate) busy_ms: f64,
    /// It waits for those behind it.
    pub(crate) back_pressured_ms: f64,
    /// It has no input.
    pub(crate) idle_ms: f64,
}

impl TimesPerSecond {
    /// From nanoseconds per second; where clocks disagree and make them more than a second, they share the second.
    pub(crate) fn from_ns(busy: f64, back_pressured: f64, idle: f64) -> Self {
        const NS_PER_MS: f64 = 1e6;
        let whole = (busy + back_pressured + idle).max(1e9) / 1e9;
        let ms = |ns: f64| ns / whole / NS_PER_MS;
        Self { busy_ms: ms(busy), back_pressured_ms: ms(back_pressured), idle_ms: ms(idle) }
    }
}

/// All counters at one moment.
#[derive(Debug, Clone)]
struct Sample {
    at: Duration,
    counters: Box<[u64]>,
}

/// The samples of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The oldest first; all but the latest at least [`SPACING`] apart.
    samples: VecDeque<Sample>,
    /// The sample right before the latest.
    previous: Option<Sample>,
}

impl Window {
    /// Adds a sample; `at` is the time of a monotonic clock.
    pub(crate) fn push(&mut self, at: Duration, counters: Vec<u64>) {
        let counters = counters.into_boxed_slice();
        if self.samples.back().is_some_and(|last| !last.is_followed_by(at, &counters)) {
            self.samples.clear();
            self.previous = None;
        }
        self.previous = match self.samples.len() {
            0 => None,
            count if count >= 2 && self.is_latest_close() => self.samples.pop_back(),
            _ => self.samples.back().cloned(),
        };
        self.samples.push_back(Sample { at, counters });
        while self.samples.len() > 2 && self.samples.front().is_some_and(|oldest| at.saturating_sub(oldest.at) > SPAN) {
            self.samples.pop_front();
        }
    }

    /// Whether the latest sample is too close to the one before it to be kept.
    fn is_latest_close(&self) -> bool {
        let mut newest = self.samples.iter().rev();
        match (newest.next(), newest.next()) {
            (Some(latest), Some(before)) => latest.at.saturating_sub(before.at) < SPACING,
            _ => false,
        }
    }

    /// How much a counter grows per second, over the last minute; 0 before there are two samples.
    pub(crate) fn rate(&self, counter: usize) -> f64 {
        match (self.samples.front(), self.samples.back()) {
            (Some(oldest), Some(latest)) => latest.rate_since(oldest, counter),
            _ => 0.0,
        }
    }

    /// How much a counter grows per second, between the last two samples; 0 before there are two samples.
    pub(crate) fn recent_rate(&self, counter: usize) -> f64 {
        match (&self.previous, self.samples.back()) {
            (Some(previous), Some(latest)) => latest.rate_since(previous, counter),
            _ => 0.0,
        }
    }
}

impl Sample {
    fn is_followed_by(&self, at: Duration, counters: &[u64]) -> bool {
        at > self.at
            && counters.len() == self.counters.len()
            && self.counters.iter().zip(counters).all(|(before, after)| before <= after)
    }

    fn rate_since(&self, earlier: &Self, counter: usize) -> f64 {
        let elapsed = self.at.saturating_sub(earlier.at).as_secs_f64();
        match (earlier.counters.get(counter), self.counters.get(counter)) {
            (Some(before), Some(after)) if elapsed > 0.0 => after.saturating_sub(*before) as f64 / elapsed,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TimesPerSecond, Window};
    use std::time::Duration;

    fn window(samples: &[(u64, u64)]) -> Window {
        let mut window = Window::default();
        for (seconds, counter) in samples {
            window.push(Duration::from_secs(*seconds), vec![*counter]);
        }
        window
    }

    #[test]
    fn one_sample_has_no_rate() {
        assert_eq!(window(&[]).rate(0), 0.0);
        assert_eq!(window(&[(1, 500)]).rate(0), 0.0);
        assert_eq!(window(&[(1, 0), (2, 10)]).rate(7), 0.0, "a counter that is not there");
    }

    #[test]
    fn the_first_minute_is_divided_by_the_time_that_passed() {
        assert_eq!(window(&[(1, 0), (2, 10)]).rate(0), 10.0);
        assert_eq!(window(&[(1, 0), (2, 10), (5, 20)]).rate(0), 5.0);
    }

    #[test]
    fn only_the_last_minute_counts() {
        let mut window = Window::default();
        // A thousand a second for two minutes, then nothing for two.
        for second in 0..240u64 {
            window.push(Duration::from_secs(second), vec![second.min(120) * 1_000]);
            assert!(window.samples.len() <= 14, "{} samples", window.samples.len());
            if second == 119 {
                assert_eq!(window.rate(0), 1_000.0);
                assert_eq!(window.recent_rate(0), 1_000.0);
            }
        }
        assert_eq!(window.rate(0), 0.0);
        let span = window.samples.back().unwrap().at - window.samples.front().unwrap().at;
        assert!((55..=60).contains(&span.as_secs()), "{span:?}");
    }

    #[test]
    fn the_recent_rate_is_that_between_the_last_two_samples() {
        let samples = [(0, 0), (1, 100), (2, 100), (7, 600), (8, 610)];
        let expected = [0.0, 100.0, 0.0, 100.0, 10.0];
        for (count, expected) in (1..).zip(expected) {
            assert_eq!(window(&samples[..count]).recent_rate(0), expected, "{count} samples");
        }
    }

    #[test]
    fn a_counter_that_goes_back_starts_anew() {
        let mut window = window(&[(1, 100), (2, 200), (3, 50)]);
        assert_eq!((window.rate(0), window.recent_rate(0)), (0.0, 0.0));
        window.push(Duration::from_secs(4), vec![80]);
        assert_eq!(window.rate(0), 30.0);
        window.push(Duration::from_secs(5), vec![90, 1]);
        assert_eq!(window.rate(0), 0.0, "another shape");
        window.push(Duration::from_secs(5), vec![91, 2]);
        assert_eq!(window.rate(0), 0.0, "no time has passed");
    }

    #[test]
    fn a_stall_of_the_sampler_gives_the_mean_over_the_stall() {
        assert_eq!(window(&[(0, 0), (1, 10), (601, 6_010)]).rate(0), 10.0);
    }

    #[test]
    fn the_times_of_a_second_share_the_second() {
        let cases = [
            ((500e6, 250e6, 250e6), (500.0, 250.0, 250.0)),
            ((1_000e6, 0.0, 1_000e6), (500.0, 0.0, 500.0)),
            ((100e6, 0.0, 0.0), (100.0, 0.0, 0.0)),
            ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ];
        for ((busy, back_pressured, idle), (busy_ms, back_pressured_ms, idle_ms)) in cases {
            let times = TimesPerSecond::from_ns(busy, back_pressured, idle);
            assert_eq!(times, TimesPerSecond { busy_ms, back_pressured_ms, idle_ms });
        }
    }
}
