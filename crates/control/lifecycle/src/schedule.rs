//! When something is done again and again: after an interval, or at the times of a Quartz cron expression, in UTC.
//!
//! A schedule knows no clock: it answers with the first time after the one it is given.

mod cron;

use std::time::Duration;

use kobel_model::quantity::{DURATION_FORMS, parse_duration};
use kobel_model::{Error, Result};

pub use cron::Cron;

/// The fewest fields of a cron expression.
const CRON_FIELDS_MIN: usize = 6;

/// When something is done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// So long after the last time; zero is never.
    Every(Duration),
    /// At the times of an expression.
    Cron(Cron),
}

impl Schedule {
    /// Reads a duration or a Quartz cron expression.
    ///
    /// # Errors
    /// `Invalid` if the text is neither, or an expression that no time matches.
    pub fn parse(text: &str) -> Result<Self> {
        if let Ok(interval) = parse_duration(text) {
            return Ok(Self::Every(interval));
        }
        if text.split_whitespace().count() >= CRON_FIELDS_MIN {
            return Cron::parse(text).map(Self::Cron);
        }
        let expected = format!("a duration ({DURATION_FORMS}) or a Quartz cron expression of 6 or 7 fields");
        Err(Error::invalid(format!("`{}` is no schedule: expected {expected}", text.trim())))
    }

    /// The first time after `last_ms`, in milliseconds since the epoch; `None` if there is none.
    pub fn next_after(&self, last_ms: i64) -> Option<i64> {
        match self {
            Self::Every(interval) => {
                let interval = i64::try_from(interval.as_millis()).ok().filter(|interval| *interval > 0)?;
                last_ms.checked_add(interval)
            }
            Self::Cron(expression) => expression.next_after(last_ms),
        }
    }
}

#[cfg(test)]
mod tests;
