//! What a round speaks to: the objects of an API, and the place where they run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kobel_flink_client::FlinkClient;
use tokio::time::Instant;

use crate::declared::Declarations;
use crate::key::Key;
use crate::metrics::Metrics;
use crate::objects::Objects;
use crate::substrate::Substrate;
use crate::surroundings::Surroundings;
use crate::turns::Turn;

/// What all rounds share.
pub(crate) struct Site {
    /// The objects.
    pub(crate) objects: Objects,
    /// Where they run.
    pub(crate) substrate: Substrate,
    /// Who asks what runs.
    pub(crate) flink: FlinkClient,
    /// What objects declare.
    pub(crate) declarations: Declarations,
    /// What was found out about changes.
    pub(crate) refusals: Refusals,
    /// What is measured.
    pub(crate) metrics: Metrics,
    /// The time and chance.
    pub(crate) surroundings: Arc<dyn Surroundings>,
}

impl Site {
    /// What the round with this turn speaks to.
    pub(crate) fn world(&self, turn: Turn) -> World {
        World {
            objects: self.objects.during(&turn),
            substrate: self.substrate.clone(),
            flink: self.flink.clone(),
            declarations: self.declarations.clone(),
            refusals: self.refusals.clone(),
            metrics: self.metrics.clone(),
            surroundings: Arc::clone(&self.surroundings),
            turn,
        }
    }
}

/// What a round speaks to.
pub(crate) struct World {
    /// The objects.
    pub(crate) objects: Objects,
    /// Where they run.
    pub(crate) substrate: Substrate,
    /// Who asks what runs.
    pub(crate) flink: FlinkClient,
    /// What objects declare.
    pub(crate) declarations: Declarations,
    /// What was found out about changes.
    pub(crate) refusals: Refusals,
    /// What is measured.
    pub(crate) metrics: Metrics,
    /// The time and chance.
    pub(crate) surroundings: Arc<dyn Surroundings>,
    /// The round's turn.
    pub(crate) turn: Turn,
}

impl World {
    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.surroundings.now()
    }

    /// An id that nobody has, 32 hexadecimal digits.
    pub(crate) fn fresh_id(&self) -> String {
        format!("{:032x}", self.surroundings.fresh())
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.declarations.forget(key);
        self.refusals.forget(key);
        self.metrics.forget(key);
    }
}

/// What is asked about a change; the second asks for the first too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// Whether its program can be run.
    Program,
    /// Whether it can go on from the state that is there.
    State,
}

/// About which generation what is asked.
type Question = (i64, About);

/// What was found out, and when.
type Finding = (Question, Instant, Option<String>);

/// A state that is asked for to check a change with.
#[derive(Debug)]
struct Asked {
    /// For which generation.
    generation: i64,
    /// Since when.
    since: Instant,
    /// Under which id.
    trigger_id: String,
    /// Where it was written down, by which job.
    written: Option<(String, String)>,
}

/// How long a finding stands: what a program says may change under the same name.
pub(crate) const STANDS: Duration = Duration::from_secs(10);

/// Which generations of which objects cannot go on from the state that is there; finding it out takes a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    known: Arc<Mutex<BTreeMap<Key, Finding>>>,
    /// Under which id, and since when, the state is asked for that a generation is to go on from.
    asked: Arc<Mutex<BTreeMap<Key, Asked>>>,
    /// Of which object of a name it was found out.
    uids: Arc<Mutex<BTreeMap<Key, String>>>,
}

impl Refusals {
    /// Forgets what was found out about another object of this name, which may have been replaced unseen.
    pub(crate) fn meet(&self, key: &Key, uid: &str) {
        let known = self.uids.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), uid.to_owned());
        if known.is_some_and(|known| known != uid) {
            self.forget_findings(key);
        }
    }

    /// What was found out about this generation. What speaks against it does so whatever is asked; that nothing does counts
    /// only if no less was asked.
    pub(crate) fn of(&self, key: &Key, (generation, about): Question) -> Option<Option<String>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = |(question, at, refusal): &&Finding| {
            question.0 == generation && at.elapsed() < STANDS && (refusal.is_some() || question.1 >= about)
        };
        known.get(key).filter(answers).map(|(_, _, refusal)| refusal.clone())
    }

    /// Notes what was found out; earlier findings are forgotten.
    pub(crate) fn note(&self, key: &Key, question: Question, refusal: Option<String>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.clone(), (question, Instant::now(), refusal));
    }

    /// The id under which the state is asked for that this generation is to go on from, and for how long it is; `fresh`
    /// from now on, if it was not.
    pub(crate) fn asked(&self, key: &Key, generation: i64, fresh: &str) -> (String, Duration) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = || Asked { generation, since: Instant::now(), trigger_id: fresh.to_owned(), written: None };
        let known = asked.entry(key.clone()).or_insert_with(begun);
        if known.generation != generation {
            *known = begun();
        }
        (known.trigger_id.clone(), known.since.elapsed())
    }

    /// Notes where a job has written down the state that was asked for. It stays there as long as the job does, while
    /// whoever was asked forgets it.
    pub(crate) fn written(&self, key: &Key, job_id: &str, path: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get_mut(key) {
            known.written = Some((job_id.to_owned(), path.to_owned()));
        }
    }

    /// Where this job has written down the state that was asked for because of this generation.
    pub(crate) fn state_of(&self, key: &Key, generation: i64, job_id: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let (job, path) = asked.get(key).filter(|known| known.generation == generation)?.written.as_ref()?;
        (job == job_id).then(|| path.clone())
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.uids.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.forget_findings(key);
    }

    fn forget_findings(&self, key: &Key) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Kind;

    #[test]
    fn a_finding_answers_what_asks_for_no_more() {
        let key = Key { kind: Kind::Deployment, namespace: "default".to_owned(), name: "a".to_owned() };
        let refusals = Refusals::default();
        for (noted, refusal, asked, is_known) in [
            ((1, About::Program), None, (1, About::Program), true),
            ((1, About::Program), None, (1, About::State), false),
            ((1, About::Program), Some("no"), (1, About::State), true),
            ((1, About::State), None, (1, About::Program), true),
            ((1, About::State), Some("no"), (2, About::State), false),
        ] {
            refusals.note(&key, noted, refusal.map(str::to_owned));
            assert_eq!(refusals.of(&key, asked).is_some(), is_known, "{noted:?} {refusal:?} {asked:?}");
        }
    }

    #[test]
    fn the_state_is_asked_for_once_for_each_generation() {
        let key = Key { kind: Kind::Deployment, namespace: "default".to_owned(), name: "a".to_owned() };
        let refusals = Refusals::default();
        let id = |generation, fresh| refusals.asked(&key, generation, fresh).0;
        assert_eq!([id(1, "a"), id(1, "b")], ["a", "a"]);
        refusals.written(&key, "job-1", "/s/1");
        assert_eq!(refusals.state_of(&key, 1, "job-1").as_deref(), Some("/s/1"));
        assert_eq!(refusals.state_of(&key, 1, "job-2"), None, "it is another job's");
        assert_eq!([id(2, "c"), id(2, "d")], ["c", "c"]);
        refusals.meet(&key, "u");
        assert_eq!(id(2, "e"), "c");
        refusals.meet(&key, "another");
        assert_eq!(id(2, "f"), "f", "it is another object's change");
        assert_eq!(refusals.state_of(&key, 2, "job-1"), None, "another change is checked with a newer state");
    }
}
