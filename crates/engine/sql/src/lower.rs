//! From the typed plan to operators: [`job::lower_job`] makes the graph, [`expression::lower_expr`] the expressions.

pub mod expression;
pub mod job;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::tz::TimeZone;

/// Processing time as expressions see it, in epoch milliseconds; the runtime sets it, nothing here reads a clock.
#[derive(Debug, Clone, Default)]
pub struct EvaluationClock(Arc<AtomicI64>);

impl EvaluationClock {
    /// The time that the runtime set last.
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the time.
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

/// What the meaning of an expression depends on beside its arguments.
#[derive(Debug, Clone)]
pub struct ExprContext {
    /// `table.local-time-zone`
    pub time_zone: TimeZone,
    /// Processing time.
    pub clock: EvaluationClock,
}
