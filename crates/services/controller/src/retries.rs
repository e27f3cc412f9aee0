//! What failed and is tried again: each time after a longer pause, up to a limit.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::key::Key;

/// The pause after the first failure.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The objects that are tried again, each at its time.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    waiting: BTreeMap<Key, Retry>,
}

#[derive(Debug)]
struct Retry {
    at: Instant,
    pause: Duration,
}

impl Retries {
    /// Tries an object again after a pause, which is longer than the last one if there was one.
    pub(crate) fn put_off(&mut self, key: Key, now: Instant) {
        let last = self.waiting.get(&key).map(|retry| retry.pause);
        let pause = last.map_or(PAUSE_MIN, |pause| (pause * 2).min(PAUSE_MAX));
        self.waiting.insert(key, Retry { at: now + pause, pause });
    }

    /// Forgets an object: it is as it should be, or gone.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.waiting.remove(key);
    }

    /// Waits until an object is due; for ever if none waits. The object stays until it is forgotten or put off again.
    pub(crate) async fn due(&self) -> Key {
        let Some((key, at)) = self.next() else { return pending().await };
        sleep_until(at).await;
        key
    }

    fn next(&self) -> Option<(Key, Instant)> {
        let (key, retry) = self.waiting.iter().min_by_key(|(_, retry)| retry.at)?;
        Some((key.clone(), retry.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { namespace: "default".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn pauses_grow_up_to_a_limit_and_begin_anew() {
        let (mut retries, now) = (Retries::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..9 {
            retries.put_off(key("a"), now);
            pauses.push((retries.next().unwrap().1 - now).as_millis());
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        retries.forget(&key("a"));
        assert_eq!(retries.next(), None);
        retries.put_off(key("a"), now);
        assert_eq!(retries.next(), Some((key("a"), now + PAUSE_MIN)));
    }

    #[test]
    fn whatever_is_due_first_comes_first() {
        let (mut retries, now) = (Retries::default(), Instant::now());
        retries.put_off(key("a"), now);
        retries.put_off(key("a"), now);
        retries.put_off(key("b"), now);
        assert_eq!(retries.next(), Some((key("b"), now + PAUSE_MIN)));
    }
}
