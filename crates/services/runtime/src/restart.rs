//! Whether and when a failed job is started again.
//!
//! # Source
//! Flink `RestartBackoffTimeStrategy` and its implementations, with their options and defaults.

use std::collections::VecDeque;
use std::time::Duration;

/// What happens when a job fails.
#[derive(Debug, Clone, PartialEq)]
pub enum RestartStrategy {
    /// The job has failed.
    None,
    /// It is started again, so often at the most.
    FixedDelay {
        /// How often.
        attempts: u64,
        /// Time to wait before.
        delay: Duration,
    },
    /// It is started again unless it failed too often lately.
    FailureRate {
        /// Failures that are tolerated within the interval.
        failures: usize,
        /// The interval.
        interval: Duration,
        /// Time to wait before.
        delay: Duration,
    },
    /// It is started again after a time that grows with each failure.
    ExponentialDelay(Backoff),
}

/// A delay that grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The first delay.
    pub initial: Duration,
    /// The longest.
    pub max: Duration,
    /// A delay is so many times the one before.
    pub multiplier: f64,
    /// After so long without a failure the first delay counts again.
    pub reset_after: Duration,
    /// A delay varies by this share of it, up or down.
    pub jitter: f64,
    /// Failures in a row that are tolerated; `None`: all.
    pub attempts: Option<u64>,
}

impl RestartStrategy {
    /// What it does, as the REST API shows it.
    pub fn describe(&self) -> String {
        let text = kobel_model::quantity::show_duration;
        match self {
            Self::None => "Cluster level default restart strategy: no restarts".to_owned(),
            Self::FixedDelay { attempts, delay } => {
                format!("Restart with fixed delay ({}). #{attempts} restart attempts.", text(*delay))
            }
            Self::FailureRate { failures, interval, delay } => {
                let (interval, delay) = (text(*interval), text(*delay));
                format!("Restart with maximum failure rate of {failures} in {interval} and fixed delay {delay}")
            }
            Self::ExponentialDelay(backoff) => {
                let (initial, max, multiplier) = (text(backoff.initial), text(backoff.max), backoff.multiplier);
                format!("Restart with exponential delay from {initial} to {max}, multiplied by {multiplier}")
            }
        }
    }
}

/// A strategy and what it remembers of a job's failures.
#[derive(Debug)]
pub(crate) struct Restarts {
    strategy: RestartStrategy,
    /// Since the strategy last began anew.
    failures: u64,
    /// Times of recent failures, the oldest first.
    recent: VecDeque<Duration>,
    backoff: Duration,
}

impl Restarts {
    /// For a job that has not failed.
    pub(crate) fn new(strategy: RestartStrategy) -> Self {
        Self { strategy, failures: 0, recent: VecDeque::new(), backoff: Duration::ZERO }
    }

    /// Notes a failure at `now` (since any fixed moment); the answer is how long to wait before the next attempt,
    /// `None` if there is to be none. `chance` is a random number from 0 to 1.
    pub(crate) fn on_failure(&mut self, now: Duration, chance: f64) -> Option<Duration> {
        let last = self.recent.back().copied();
        self.failures += 1;
        self.recent.push_back(now);
        match &self.strategy {
            RestartStrategy::None => None,
            RestartStrategy::FixedDelay { attempts, delay } => (self.failures <= *attempts).then_some(*delay),
            RestartStrategy::FailureRate { failures, interval, delay } => {
                while self.recent.front().is_some_and(|at| now.saturating_sub(*at) > *interval) {
                    self.recent.pop_front();
                }
                (self.recent.len() <= *failures).then_some(*delay)
            }
            RestartStrategy::ExponentialDelay(backoff) => {
                self.recent.drain(..self.recent.len() - 1);
                let is_calm = last.is_none_or(|last| now.saturating_sub(last) >= backoff.reset_after + self.backoff);
                if is_calm {
                    (self.failures, self.backoff) = (1, backoff.initial);
                } else {
                    self.backoff = self.backoff.mul_f64(backoff.multiplier).min(backoff.max);
                }
                if backoff.attempts.is_some_and(|attempts| self.failures > attempts) {
                    return None;
                }
                let varied = 1.0 + backoff.jitter * (2.0 * chance - 1.0);
                let delay = self.backoff.mul_f64(varied).min(backoff.max);
                Some(Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The delays in seconds after failures at these seconds; -1 ends the job.
    fn delays(strategy: RestartStrategy, failures: &[u64]) -> Vec<i64> {
        let mut restarts = Restarts::new(strategy);
        let delay = |at: &u64| restarts.on_failure(s(*at), 0.5).map_or(-1, |delay| delay.as_secs() as i64);
        failures.iter().map(delay).collect()
    }

    #[test]
    fn each_strategy_gives_up_and_waits_as_flink_does() {
        assert_eq!(delays(RestartStrategy::None, &[1]), [-1]);
        let fixed = RestartStrategy::FixedDelay { attempts: 2, delay: s(3) };
        assert_eq!(delays(fixed, &[1, 1_000, 2_000]), [3, 3, -1]);
        let rate = RestartStrategy::FailureRate { failures: 2, interval: s(60), delay: s(1) };
        assert_eq!(delays(rate, &[0, 10, 70, 80, 90]), [1, 1, 1, 1, -1]);
        let backoff =
            Backoff { initial: s(1), max: s(10), multiplier: 3.0, reset_after: s(100), jitter: 0.1, attempts: None };
        let growing = RestartStrategy::ExponentialDelay(backoff.clone());
        assert_eq!(delays(growing, &[0, 10, 20, 30, 200, 210]), [1, 3, 9, 10, 1, 3]);
        let limited = RestartStrategy::ExponentialDelay(Backoff { attempts: Some(2), ..backoff });
        assert_eq!(delays(limited, &[0, 10, 20, 500]), [1, 3, -1, 1]);
    }

    #[test]
    fn a_delay_varies_by_its_jitter_and_never_exceeds_the_longest() {
        let backoff =
            Backoff { initial: s(10), max: s(10), multiplier: 2.0, reset_after: s(1), jitter: 0.5, attempts: None };
        let first = |chance| Restarts::new(RestartStrategy::ExponentialDelay(backoff.clone())).on_failure(s(0), chance);
        assert_eq!(first(0.0), Some(s(5)));
        assert_eq!(first(1.0), Some(s(10)));
    }
}
