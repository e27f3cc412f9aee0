//! When something is due again: at its interval, or later and later while it fails.

use std::time::{Duration, Instant};

/// The first pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// When something is due again.
#[derive(Debug)]
pub(crate) struct Pace {
    every: Duration,
    next: Instant,
    failures: u32,
}

impl Pace {
    /// Due at once.
    pub(crate) fn new(every: Duration, now: Instant) -> Self {
        Self { every, next: now, failures: 0 }
    }

    /// Whether it is due.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// It was done.
    pub(crate) fn succeeded(&mut self, now: Instant) {
        self.failures = 0;
        self.next = now + self.every;
    }

    /// It failed; gives how long it rests.
    pub(crate) fn failed(&mut self, now: Instant) -> Duration {
        let pause = PAUSE.saturating_mul(1 << self.failures.min(10)).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
        self.next = now + pause;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_rests_longer_and_longer_until_it_succeeds() {
        let now = Instant::now();
        let mut pace = Pace::new(Duration::from_secs(1), now);
        assert!(pace.is_due(now));
        let pauses: Vec<u64> = (0..7).map(|_| pace.failed(now).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        assert!(!pace.is_due(now + Duration::from_secs(59)) && pace.is_due(now + Duration::from_secs(60)));
        pace.succeeded(now);
        assert!(!pace.is_due(now) && pace.is_due(now + Duration::from_secs(1)));
        assert_eq!(pace.failed(now), PAUSE);
    }
}
