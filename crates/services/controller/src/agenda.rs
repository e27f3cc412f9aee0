//! When each object is looked at next: at once if something happened, later if something is awaited, after a growing
//! pause if something failed.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::key::Key;

/// The pause after the first failure.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// For how long an object must be missing before it is believed to be gone: an API server that lags behind its store says
/// so of one that was just created, and nothing else would have it looked at again.
pub(crate) const MISSING_MIN: Duration = Duration::from_secs(10);
/// How soon it is looked again at what is left of an object that is gone.
const LEAVING: Duration = Duration::from_millis(500);

/// When each object is looked at next. One that is being looked at is not given out a second time.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    at: BTreeMap<Key, Instant>,
    order: BTreeSet<(Instant, Key)>,
    pauses: BTreeMap<Key, Duration>,
    missing: BTreeMap<Key, Instant>,
    busy: BTreeMap<Key, Wake>,
}

/// What is believed of an object before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belief {
    /// It may be there.
    There,
    /// It was missing long ago, and has not been found since.
    Gone,
}

/// Whether something happened to an object while it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    No,
    Yes,
}

impl Agenda {
    /// Something happened to the object.
    pub(crate) fn wake(&mut self, key: &Key, now: Instant) {
        if let Some(wake) = self.busy.get_mut(key) {
            *wake = Wake::Yes;
        } else {
            self.set(key, now);
        }
    }

    /// The object was looked at and is to be looked at again after this time at the latest.
    pub(crate) fn settled(&mut self, key: &Key, again: Duration, now: Instant) {
        self.pauses.remove(key);
        self.missing.remove(key);
        let woken = self.busy.remove(key) == Some(Wake::Yes);
        self.set(key, if woken { now } else { now + again });
    }

    /// Looking at the object, or doing what was decided, failed.
    pub(crate) fn failed(&mut self, key: &Key, now: Instant) {
        // It may have been there.
        self.missing.remove(key);
        let pause = self.pauses.get(key).map_or(PAUSE_MIN, |pause| (*pause * 2).min(PAUSE_MAX));
        // Something happened in between, so the cause may be gone.
        let pause = if self.busy.remove(key) == Some(Wake::Yes) { PAUSE_MIN } else { pause };
        self.pauses.insert(key.clone(), pause);
        self.set(key, now + pause);
    }

    /// The object was looked for and is not there. It is looked for once more before it is believed to be gone, then until
    /// nothing is left of it, and at once if something happened to it since: another may have its name by now.
    pub(crate) fn not_found(&mut self, key: &Key, now: Instant) {
        self.pauses.remove(key);
        let woken = self.busy.remove(key) == Some(Wake::Yes);
        let since = *self.missing.entry(key.clone()).or_insert(now);
        self.set(key, if woken { now } else { (now + LEAVING).max(since + MISSING_MIN) });
    }

    /// Nothing is left of an object that is gone.
    pub(crate) fn over(&mut self, key: &Key, now: Instant) {
        self.pauses.remove(key);
        self.missing.remove(key);
        if self.busy.remove(key) == Some(Wake::Yes) {
            self.set(key, now);
        }
    }

    /// What is believed of an object that is looked at now.
    pub(crate) fn belief(&self, key: &Key, now: Instant) -> Belief {
        let is_gone = self.missing.get(key).is_some_and(|since| now >= *since + MISSING_MIN);
        if is_gone { Belief::Gone } else { Belief::There }
    }

    /// Waits until an object is due, for ever if none is, and then for a turn; it counts as being looked at from then on.
    /// Tells how long it has waited since it was due. Dropping the future loses nothing.
    pub(crate) async fn due<T>(&mut self, turn: impl Future<Output = T>) -> (Key, Duration, T) {
        let Some((at, _)) = self.order.first() else { return pending().await };
        sleep_until(*at).await;
        let turn = turn.await;
        let Some((at, key)) = self.order.pop_first() else { return pending().await };
        self.at.remove(&key);
        self.busy.insert(key.clone(), Wake::No);
        (key, at.elapsed(), turn)
    }

    /// How many objects are due and not looked at yet.
    pub(crate) fn waiting(&self, now: Instant) -> usize {
        self.order.iter().take_while(|(at, _)| *at <= now).count()
    }

    fn set(&mut self, key: &Key, at: Instant) {
        // What is due sooner stays due sooner.
        let at = self.at.get(key).map_or(at, |known| at.min(*known));
        if let Some(known) = self.at.insert(key.clone(), at) {
            self.order.remove(&(known, key.clone()));
        }
        self.order.insert((at, key.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::time::sleep;

    use super::*;
    use crate::key::Kind;

    fn key(name: &str) -> Key {
        Key { kind: Kind::Deployment, namespace: "default".to_owned(), name: name.to_owned() }
    }

    async fn due(agenda: &mut Agenda) -> Key {
        agenda.due(ready(())).await.0
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_is_due_first_comes_first_and_only_once_at_a_time() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.settled(&key("later"), Duration::from_secs(5), now);
        agenda.wake(&key("a"), now);
        assert_eq!(due(&mut agenda).await, key("a"));
        agenda.wake(&key("a"), now);
        assert_eq!(due(&mut agenda).await, key("later"), "the other is being looked at");
        assert_eq!(now.elapsed(), Duration::from_secs(5));
        agenda.settled(&key("a"), Duration::from_secs(60), Instant::now());
        assert_eq!(due(&mut agenda).await, key("a"), "it was woken in between");
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_missing_is_looked_for_once_more_and_then_forgotten() {
        let (mut agenda, begun) = (Agenda::default(), Instant::now());
        agenda.wake(&key("a"), begun);
        assert_eq!(due(&mut agenda).await, key("a"));
        agenda.wake(&key("a"), begun);
        agenda.not_found(&key("a"), begun);
        assert_eq!(due(&mut agenda).await, key("a"), "there may be another of its name");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(agenda.belief(&key("a"), begun), Belief::There);
        agenda.not_found(&key("a"), begun);
        assert_eq!(due(&mut agenda).await, key("a"), "who was asked may have been behind");
        assert_eq!(begun.elapsed(), MISSING_MIN);
        assert_eq!(agenda.belief(&key("a"), Instant::now()), Belief::Gone);
        agenda.not_found(&key("a"), Instant::now());
        assert_eq!(due(&mut agenda).await, key("a"), "something is left of it");
        assert_eq!(begun.elapsed(), MISSING_MIN + LEAVING);
        agenda.over(&key("a"), Instant::now());
        assert!(tokio::time::timeout(Duration::from_secs(600), due(&mut agenda)).await.is_err());
        assert_eq!(agenda.belief(&key("a"), Instant::now()), Belief::There);
        assert!(agenda.missing.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_found_again_counts_as_never_missed() {
        let (mut agenda, begun) = (Agenda::default(), Instant::now());
        agenda.wake(&key("a"), begun);
        assert_eq!(due(&mut agenda).await, key("a"));
        agenda.not_found(&key("a"), begun);
        assert_eq!(due(&mut agenda).await, key("a"));
        agenda.settled(&key("a"), Duration::from_secs(60), Instant::now());
        assert_eq!(due(&mut agenda).await, key("a"));
        agenda.not_found(&key("a"), Instant::now());
        assert_eq!(due(&mut agenda).await, key("a"));
        assert_eq!(begun.elapsed(), MISSING_MIN + Duration::from_secs(60) + MISSING_MIN);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_a_limit_and_begin_anew() {
        let mut agenda = Agenda::default();
        let mut pauses = Vec::new();
        agenda.wake(&key("a"), Instant::now());
        for _ in 0..9 {
            assert_eq!(due(&mut agenda).await, key("a"));
            let now = Instant::now();
            agenda.failed(&key("a"), now);
            pauses.push(agenda.at[&key("a")].duration_since(now).as_millis());
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(due(&mut agenda).await, key("a"));
        agenda.settled(&key("a"), Duration::ZERO, Instant::now());
        assert_eq!(due(&mut agenda).await, key("a"));
        let now = Instant::now();
        agenda.failed(&key("a"), now);
        assert_eq!(agenda.at[&key("a")], now + PAUSE_MIN);
    }

    #[tokio::test(start_paused = true)]
    async fn java_operator_sdk_2046_a_round_that_fails_at_once_is_not_made_in_a_storm() {
        let (mut agenda, begun) = (Agenda::default(), Instant::now());
        agenda.wake(&key("a"), begun);
        for _ in 0..20 {
            assert_eq!(due(&mut agenda).await, key("a"));
            agenda.failed(&key("a"), Instant::now());
        }
        assert!(begun.elapsed() > Duration::from_secs(360), "20 rounds in {:?}", begun.elapsed());
        assert_eq!(due(&mut agenda).await, key("a"));
        let now = Instant::now();
        agenda.wake(&key("a"), now);
        agenda.failed(&key("a"), now);
        assert_eq!(agenda.at[&key("a")], now + PAUSE_MIN, "not even if it changes all the time");
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_waits_for_a_turn_is_told_how_long_it_has_waited() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.settled(&key("later"), Duration::from_secs(60), now);
        agenda.settled(&key("a"), Duration::from_secs(5), now);
        assert_eq!(agenda.waiting(now), 0);
        let turn = sleep(Duration::from_secs(12));
        let (first, waited, ()) = agenda.due(turn).await;
        assert_eq!((first, waited), (key("a"), Duration::from_secs(7)));
        assert_eq!(agenda.waiting(Instant::now()), 0, "it is being looked at");
        assert_eq!(agenda.waiting(now + Duration::from_secs(60)), 1);
    }
}
