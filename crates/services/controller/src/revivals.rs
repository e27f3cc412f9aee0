//! When processes were started again that have ended, so that one that does not stay is not started without pause.

use std::collections::BTreeMap;
use std::time::Duration;

use kobel_model::deployment::Identity;
use tokio::time::Instant;

/// The pause before a process is started a second time; each further one is twice as long, up to 64 times.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a process must have stayed for its earlier ends to be forgotten.
const STAYS: Duration = Duration::from_secs(60);

/// When processes were started again, by whose they are and by what they are. A launch that is over is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Revivals {
    known: BTreeMap<Identity, BTreeMap<String, Revival>>,
}

/// When a process was started again last, and how often without staying.
#[derive(Debug, Clone, Copy)]
struct Revival {
    times: u32,
    at: Instant,
}

impl Revivals {
    /// Whether a process that has ended is to be started again now; if so, that is noted.
    pub(crate) fn is_due(&mut self, of: &Identity, role: &str, now: Instant) -> bool {
        let times = match self.known.get(of).and_then(|roles| roles.get(role)) {
            None => 1,
            Some(last) => {
                let pause = PAUSE.saturating_mul(1 << last.times.min(6));
                let passed = now.saturating_duration_since(last.at);
                if passed < pause {
                    return false;
                }
                if passed > STAYS + pause { 1 } else { last.times.saturating_add(1) }
            }
        };
        self.known.entry(of.clone()).or_default().insert(role.to_owned(), Revival { times, at: now });
        true
    }

    /// The launch of an application is over.
    pub(crate) fn forget(&mut self, of: &Identity) {
        self.known.remove(of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Identity {
        Identity { namespace: "default".to_owned(), name: name.to_owned() }
    }

    /// The seconds at which a process is started again that ends at once, looked at each second.
    fn starts(revivals: &mut Revivals, begun: Instant, seconds: std::ops::Range<u64>) -> Vec<u64> {
        let is_due = |second: &u64| revivals.is_due(&of("a"), "taskmanager-1", begun + Duration::from_secs(*second));
        seconds.filter(is_due).collect()
    }

    #[test]
    fn pauses_grow_while_a_process_does_not_stay() {
        let (mut revivals, begun) = (Revivals::default(), Instant::now());
        assert_eq!(starts(&mut revivals, begun, 0..200), [0, 2, 6, 14, 30, 62, 126, 190]);
        assert_eq!(starts(&mut revivals, begun, 1_000..1_008), [1_000, 1_002, 1_006], "it has stayed");
    }

    #[test]
    fn each_process_has_its_own_pauses_and_a_new_launch_has_none() {
        let (mut revivals, now) = (Revivals::default(), Instant::now());
        assert!(revivals.is_due(&of("a"), "taskmanager-1", now) && !revivals.is_due(&of("a"), "taskmanager-1", now));
        assert!(revivals.is_due(&of("a"), "taskmanager-2", now) && revivals.is_due(&of("b"), "taskmanager-1", now));
        revivals.forget(&of("a"));
        assert_eq!(revivals.known.len(), 1, "nothing of it stays in memory");
        assert!(revivals.is_due(&of("a"), "taskmanager-1", now));
    }
}
