//! What was triggered and takes its time: whether it goes on, and how it ended, until the client has asked.
//!
//! # Invariants
//! An operation is begun once: whoever triggers it again with the same id gets the one that there is. It ends once.
//! Their number is bounded, and one that goes on is never forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kobel_logs::Scrubber;
use kobel_model::ids::JobId;

use crate::control::Outcome;

/// More than anybody triggers in the time that results are kept.
const OPERATIONS_MAX: usize = 1_024;

/// What an operation does; those of different kinds may have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OperationKind {
    /// A savepoint, or a stop with one.
    Savepoint,
    /// A checkpoint.
    Checkpoint,
    /// The removal of a savepoint.
    Disposal,
    /// The removal of a cached data set.
    DataSet,
}

/// The identity of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OperationKey {
    /// What it does.
    pub(crate) kind: OperationKind,
    /// The job that it is of, if it is of one.
    pub(crate) job: Option<JobId>,
    /// 32 hexadecimal digits in small letters.
    pub(crate) id: String,
}

impl OperationKey {
    /// An operation with the id that the client chose, or else a new one.
    pub(crate) fn new(kind: OperationKind, job: Option<JobId>, chosen: Option<String>) -> Self {
        let id = chosen.map_or_else(|| format!("{:032x}", rand::random::<u128>()), |id| id.to_ascii_lowercase());
        Self { kind, job, id }
    }
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class of the exception that Flink would throw.
    pub(crate) class: &'static str,
    /// The message and the causes, a line each.
    pub(crate) text: String,
}

/// How far an operation has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    InProgress,
    /// It has ended.
    Ended(Result<Outcome, Failure>),
}

/// Whether a trigger began something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It did, and the caller is to do it.
    Now,
    /// It had been begun before.
    Before,
    /// There are too many that go on.
    Refused,
}

struct Operation {
    progress: Progress,
    ended: Option<Instant>,
    is_read: bool,
}

impl Operation {
    fn new() -> Self {
        Self { progress: Progress::InProgress, ended: None, is_read: false }
    }

    /// Whether it goes on, or has ended so lately that its result is still kept.
    fn is_kept(&self, kept: Duration) -> bool {
        self.ended.is_none_or(|ended| ended.elapsed() < kept)
    }
}

/// The operations of a process.
pub(crate) struct Operations {
    kept: Duration,
    scrubber: Arc<Scrubber>,
    known: Mutex<HashMap<OperationKey, Operation>>,
}

impl Operations {
    /// Results are remembered for `kept`; their texts go through `scrubber`.
    pub(crate) fn new(kept: Duration, scrubber: Arc<Scrubber>) -> Self {
        Self { kept, scrubber, known: Mutex::default() }
    }

    /// Begins an operation unless there is one of this key.
    pub(crate) fn begin(&self, key: &OperationKey) -> Begun {
        let mut known = self.lock();
        known.retain(|_, operation| operation.is_kept(self.kept));
        if known.contains_key(key) {
            return Begun::Before;
        }
        if known.len() >= OPERATIONS_MAX {
            let by_age = |(key, operation): (&OperationKey, &Operation)| {
                operation.ended.map(|ended| (!operation.is_read, ended, key.clone()))
            };
            let oldest = known.iter().filter_map(by_age).min_by_key(|(is_unread, ended, _)| (*is_unread, *ended));
            let Some((_, _, oldest)) = oldest else {
                return Begun::Refused;
            };
            known.remove(&oldest);
        }
        known.insert(key.clone(), Operation::new());
        Begun::Now
    }

    /// Notes how an operation ended.
    pub(crate) fn end(&self, key: &OperationKey, mut result: Result<Outcome, Failure>) {
        if let Err(failure) = &mut result {
            failure.text = self.scrubber.scrub(&failure.text).into_owned();
        }
        if let Some(operation) = self.lock().get_mut(key)
            && operation.ended.is_none()
        {
            operation.ended = Some(Instant::now());
            operation.progress = Progress::Ended(result);
        }
    }

    /// How far an operation has come, if there is one; notes that the client has asked.
    pub(crate) fn read(&self, key: &OperationKey) -> Option<Progress> {
        let mut known = self.lock();
        let operation = known.get_mut(key)?;
        operation.is_read |= operation.ended.is_some();
        Some(operation.progress.clone())
    }

    /// Whether there is an operation that goes on, or whose end is still kept and nobody has asked for.
    pub(crate) fn has_unread(&self) -> bool {
        self.lock().values().any(|operation| !operation.is_read && operation.is_kept(self.kept))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OperationKey, Operation>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(kept: Duration) -> Operations {
        let scrubber = Scrubber::new();
        scrubber.add("hunter22");
        Operations::new(kept, Arc::new(scrubber))
    }

    fn key(kind: OperationKind, id: &str) -> OperationKey {
        OperationKey::new(kind, Some(JobId::from_bytes([1; 16])), Some(id.to_owned()))
    }

    fn outcome(id: u64) -> Outcome {
        Outcome { checkpoint_id: Some(id), directory: None }
    }

    #[test]
    fn an_operation_goes_on_until_it_has_ended_and_is_unread_until_asked_for() {
        let operations = operations(Duration::from_secs(600));
        let key = key(OperationKind::Savepoint, "ab");
        assert!(!operations.has_unread());
        assert_eq!(operations.read(&key), None);
        assert_eq!(operations.begin(&key), Begun::Now);
        assert_eq!(operations.read(&key), Some(Progress::InProgress));
        assert!(operations.has_unread(), "its end is still to come");
        operations.end(&key, Ok(outcome(7)));
        assert!(operations.has_unread());
        assert_eq!(operations.read(&key), Some(Progress::Ended(Ok(outcome(7)))));
        assert!(!operations.has_unread());
        assert_eq!(operations.read(&key), Some(Progress::Ended(Ok(outcome(7)))), "it may be asked for again");
    }

    #[test]
    fn the_same_id_begins_nothing_new_and_ends_once() {
        let operations = operations(Duration::from_secs(600));
        let one = key(OperationKind::Savepoint, "AB");
        assert_eq!(one, key(OperationKind::Savepoint, "ab"));
        assert_eq!(operations.begin(&one), Begun::Now);
        assert_eq!(operations.begin(&one), Begun::Before);
        operations.end(&one, Ok(outcome(1)));
        operations.end(&one, Ok(outcome(2)));
        assert_eq!(operations.begin(&one), Begun::Before);
        assert_eq!(operations.read(&one), Some(Progress::Ended(Ok(outcome(1)))));
    }

    #[test]
    fn kinds_and_jobs_are_kept_apart() {
        let operations = operations(Duration::from_secs(600));
        assert_eq!(operations.begin(&key(OperationKind::Savepoint, "ab")), Begun::Now);
        assert_eq!(operations.read(&key(OperationKind::Checkpoint, "ab")), None);
        let other = OperationKey { job: None, ..key(OperationKind::Savepoint, "ab") };
        assert_eq!(operations.read(&other), None);
    }

    #[test]
    fn results_are_forgotten_after_their_time_and_running_ones_are_not() {
        let operations = operations(Duration::ZERO);
        let (done, running) = (key(OperationKind::Savepoint, "d0"), key(OperationKind::Savepoint, "aa"));
        for key in [&done, &running] {
            assert_eq!(operations.begin(key), Begun::Now);
        }
        operations.end(&done, Ok(outcome(1)));
        assert!(operations.has_unread(), "one goes on");
        assert_eq!(operations.begin(&done), Begun::Now, "the old one was forgotten");
        assert_eq!(operations.begin(&running), Begun::Before);
    }

    #[test]
    fn nobody_is_waited_for_once_the_result_is_no_longer_kept() {
        let operations = operations(Duration::ZERO);
        let key = key(OperationKind::Savepoint, "ab");
        operations.begin(&key);
        assert!(operations.has_unread());
        operations.end(&key, Ok(outcome(1)));
        assert!(!operations.has_unread());
    }

    #[test]
    fn their_number_is_bounded_and_those_that_were_asked_for_go_first() {
        let operations = operations(Duration::from_secs(600));
        let keys: Vec<_> = (0..OPERATIONS_MAX).map(|i| key(OperationKind::Checkpoint, &format!("{i:032x}"))).collect();
        for key in &keys {
            assert_eq!(operations.begin(key), Begun::Now);
        }
        let late = key(OperationKind::Checkpoint, "f0f0");
        assert_eq!(operations.begin(&late), Begun::Refused);
        operations.end(&keys[3], Ok(outcome(3)));
        operations.end(&keys[5], Ok(outcome(5)));
        operations.read(&keys[5]);
        assert_eq!(operations.begin(&late), Begun::Now);
        assert_eq!(operations.read(&keys[5]), None);
        assert!(operations.read(&keys[3]).is_some());
    }

    #[test]
    fn failures_are_kept_without_secrets() {
        let operations = operations(Duration::from_secs(600));
        let key = key(OperationKind::Disposal, "ab");
        operations.begin(&key);
        operations.end(&key, Err(Failure { class: "E", text: "cannot read `hunter22`".to_owned() }));
        let Some(Progress::Ended(Err(failure))) = operations.read(&key) else {
            panic!("it failed");
        };
        assert_eq!(failure.text, "cannot read `******`");
    }

    #[test]
    fn ids_that_nobody_chose_are_random() {
        let new = || OperationKey::new(OperationKind::Savepoint, None, None).id;
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
