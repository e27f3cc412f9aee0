//! How far a fetch may go.

use std::time::Duration;

/// What a fetch may cost, and where it may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one artifact.
    pub bytes_max: u64,
    /// The longest time of one fetch, all redirects included.
    pub time_max: Duration,
    /// Whether artifacts may lie on this machine and its neighbours; without it only public addresses are asked.
    pub allow_private: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, time_max: Duration::from_secs(5 * 60), allow_private: false }
    }
}
