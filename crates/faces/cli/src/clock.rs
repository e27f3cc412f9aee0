//! Processing time of this machine, for the runtime and for expressions.

use std::time::{SystemTime, UNIX_EPOCH};

use kobel_runtime::job::Clock;
use kobel_sql::lower::EvaluationClock;

/// The clock of this machine; each look at it is handed on to the expressions.
#[derive(Debug)]
pub(crate) struct SystemClock {
    expressions: EvaluationClock,
}

impl SystemClock {
    /// A clock that keeps `expressions` in time.
    pub(crate) fn new(expressions: EvaluationClock) -> Self {
        let clock = Self { expressions };
        clock.now_ms();
        clock
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let now = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        };
        self.expressions.set(now);
        now
    }
}
