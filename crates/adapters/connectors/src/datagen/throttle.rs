//! Keeps the rate of a reader, as a bucket of tokens that fills with processing time.

use std::time::Duration;

/// From this rate on nothing is held back.
const UNLIMITED: u64 = 1_000_000_000;
/// The least time between two batches of a throttled source, so that batches do not become single rows.
const PAUSE: Duration = Duration::from_millis(5);

/// A bucket that holds the rows of one second.
pub(super) struct Throttle {
    /// Rows per millisecond, unless unlimited.
    rate: Option<f64>,
    tokens: f64,
    last_ms: Option<i64>,
}

impl Throttle {
    /// The share of a reader in the rate of the table.
    pub fn new(rows_per_second: u64, share: f64) -> Self {
        let rate = (rows_per_second < UNLIMITED).then(|| rows_per_second as f64 * share / 1_000.0);
        // The first row comes at once.
        Self { rate, tokens: 1.0, last_ms: None }
    }

    /// Rows that may be made at a time.
    pub fn allowed(&mut self, now_ms: i64) -> u64 {
        let Some(rate) = self.rate else { return u64::MAX };
        if let Some(last_ms) = self.last_ms {
            let passed = now_ms.saturating_sub(last_ms).max(0) as f64;
            self.tokens = (self.tokens + passed * rate).min((rate * 1_000.0).max(1.0));
        }
        self.last_ms = Some(self.last_ms.map_or(now_ms, |last_ms| last_ms.max(now_ms)));
        self.tokens as u64
    }

    /// Takes rows that were allowed.
    pub fn take(&mut self, rows: usize) {
        if self.rate.is_some() {
            self.tokens = (self.tokens - rows as f64).max(0.0);
        }
    }

    /// Time until the next row is allowed.
    pub fn wait(&self) -> Duration {
        let missing = (1.0 - self.tokens).max(0.0);
        let millis = self.rate.map_or(0.0, |rate| missing / rate);
        Duration::from_millis(millis.ceil().min(1_000.0) as u64).max(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_second_are_the_rate_and_pauses_are_not_made_up_for() {
        let mut throttle = Throttle::new(1_000, 0.5);
        let mut made = 0;
        for now in 0..=2_000 {
            let allowed = throttle.allowed(now);
            throttle.take(usize::try_from(allowed).unwrap());
            made += allowed;
        }
        assert_eq!(made, 1_001, "two seconds of half the rate, and the first row");
        assert_eq!(throttle.allowed(1_000_000), 500, "one second of it");
    }

    #[test]
    fn the_wait_ends_when_a_row_is_allowed() {
        let mut throttle = Throttle::new(125, 1.0);
        assert_eq!(throttle.allowed(0), 1);
        throttle.take(1);
        assert_eq!(throttle.allowed(0), 0);
        assert_eq!(throttle.wait(), Duration::from_millis(8));
        assert_eq!((throttle.allowed(7), throttle.allowed(8)), (0, 1));
        assert_eq!(Throttle::new(u64::MAX, 1.0).allowed(0), u64::MAX);
    }
}
