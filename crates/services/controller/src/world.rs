//! What a round speaks to: the objects of an API, and the place where they run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::key::Key;
use crate::local::Local;
use crate::metrics::Metrics;
use crate::objects::Objects;
use crate::turns::Turn;

/// What all rounds share.
pub(crate) struct Site {
    /// The objects.
    pub(crate) objects: Objects,
    /// Where they run.
    pub(crate) local: Local,
    /// What was found out about changes.
    pub(crate) refusals: Refusals,
    /// What is measured.
    pub(crate) metrics: Metrics,
}

impl Site {
    /// What the round with this turn speaks to.
    pub(crate) fn world(&self, turn: Turn) -> World {
        World {
            objects: self.objects.during(&turn),
            local: self.local.clone(),
            refusals: self.refusals.clone(),
            metrics: self.metrics.clone(),
            turn,
        }
    }
}

/// What a round speaks to.
pub(crate) struct World {
    /// The objects.
    pub(crate) objects: Objects,
    /// Where they run.
    pub(crate) local: Local,
    /// What was found out about changes.
    pub(crate) refusals: Refusals,
    /// What is measured.
    pub(crate) metrics: Metrics,
    /// The round's turn.
    pub(crate) turn: Turn,
}

impl World {
    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.refusals.forget(key);
        self.metrics.forget(key);
    }
}

/// What was found out about a generation.
type Finding = (i64, Instant, Option<String>);

/// How long a finding stands: what a program says may change under the same name.
pub(crate) const STANDS: Duration = Duration::from_secs(10);

/// Which generations of which objects cannot go on from the state that is there; finding it out takes a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    known: Arc<Mutex<BTreeMap<Key, Finding>>>,
    /// Since when it is tried to find out about a generation.
    asked: Arc<Mutex<BTreeMap<Key, (i64, Instant)>>>,
}

impl Refusals {
    /// What was found out about this generation.
    pub(crate) fn of(&self, key: &Key, generation: i64) -> Option<Option<String>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = |(of, at, _): &&Finding| *of == generation && at.elapsed() < STANDS;
        known.get(key).filter(stands).map(|(_, _, refusal)| refusal.clone())
    }

    /// Notes what was found out; earlier generations are forgotten.
    pub(crate) fn note(&self, key: &Key, generation: i64, refusal: Option<String>) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), (generation, Instant::now(), refusal));
    }

    /// For how long it is tried to find out about this generation; from now on, if it was not.
    pub(crate) fn asked(&self, key: &Key, generation: i64) -> Duration {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = asked.entry(key.clone()).or_insert_with(|| (generation, Instant::now()));
        if known.0 != generation {
            *known = (generation, Instant::now());
        }
        known.1.elapsed()
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
