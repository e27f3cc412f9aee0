//! Turns: how many rounds read, decide and write at once, and how many of them do what may take minutes.
//!
//! A round has a turn from its beginning to its end, but for the time of its slow work, such as fetching a program: then
//! it gives its turn to another round, as it does while it waits for a job manager that does not answer at once. So slow
//! servers keep no object from being looked at. Slow work has places of its
//! own, and few may wait for one, because a round that waits keeps in memory what it has read; who finds no room is put
//! off to a later round.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kobel_model::{Error, ErrorKind, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// The most rounds that have a turn on a machine, whose processors are those of its applications.
pub(crate) const ROUNDS_MAX: usize = 2;
/// The most rounds that have a turn in a cluster: a round waits for the API server nearly all the time, and more of them at once
/// only wait for each other there.
pub(crate) const ROUNDS_OF_CLUSTER: usize = 8;
/// The most pieces of slow work at a time.
pub(crate) const SLOW_MAX: usize = 8;
/// The most pieces of slow work that wait for a place.
const WAITING_MAX: usize = 32;

/// How long an answer may take before a round that waits for it gives its turn away.
const PROMPT: Duration = Duration::from_millis(100);
/// The most rounds that wait for answers without a turn.
const PATIENT_MAX: usize = 64;

/// The turns that there are. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    rounds: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    /// Room for slow work, that which waits for its place included.
    room: Arc<Semaphore>,
    /// Room for rounds that wait for an answer without a turn.
    patient: Arc<Semaphore>,
}

impl Turns {
    /// So many turns.
    pub(crate) fn of(rounds: usize) -> Self {
        Self {
            rounds: Arc::new(Semaphore::new(rounds)),
            slow: Arc::new(Semaphore::new(SLOW_MAX)),
            room: Arc::new(Semaphore::new(SLOW_MAX + WAITING_MAX)),
            patient: Arc::new(Semaphore::new(PATIENT_MAX)),
        }
    }

    /// Waits for a turn.
    pub(crate) async fn take(&self) -> Turn {
        let turn = self.turn().await;
        let state = State {
            turns: self.clone(),
            held: Mutex::new(turn),
            spared: Mutex::default(),
            is_put_off: AtomicBool::new(false),
        };
        Turn { state: Arc::new(state) }
    }

    /// The semaphore is never closed, so there is always a turn in the end.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.rounds).acquire_owned().await.ok()
    }
}

/// The turn of one round, which ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    turns: Turns,
    /// What another round may have while this one does slow work.
    held: Mutex<Option<OwnedSemaphorePermit>>,
    /// The time that is not the round's own.
    spared: Mutex<Duration>,
    is_put_off: AtomicBool,
}

impl Turn {
    /// Does what may take minutes, without keeping others waiting.
    ///
    /// # Errors
    /// What the work says; Unavailable if there is no room for it, and then the round is put off.
    pub(crate) async fn slowly<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let state = &*self.state;
        let Ok(_room) = state.turns.room.try_acquire() else {
            state.is_put_off.store(true, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::Unavailable, "too many programs are being fetched or started at once"));
        };
        drop(lock(&state.held).take());
        self.aside(async {
            let place = state.turns.slow.acquire().await;
            let done = work.await;
            drop(place);
            let turn = state.turns.turn().await;
            *lock(&state.held) = turn;
            done
        })
        .await
    }

    /// Waits for whoever may be slow to answer; while he is, others have the turn.
    pub(crate) async fn patiently<T>(&self, wait: impl Future<Output = T>) -> T {
        let mut wait = pin!(wait);
        if let Ok(done) = timeout(PROMPT, &mut wait).await {
            return done;
        }
        let state = &*self.state;
        // Who finds no room keeps its turn, so that not everything is read at once.
        let Ok(_room) = state.turns.patient.try_acquire() else { return self.aside(wait).await };
        drop(lock(&state.held).take());
        self.aside(async {
            let done = wait.await;
            let turn = state.turns.turn().await;
            *lock(&state.held) = turn;
            done
        })
        .await
    }

    /// Waits for something in a time that does not count as the round's own.
    pub(crate) async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = wait.await;
        *lock(&self.state.spared) += begun.elapsed();
        done
    }

    /// The time so far that was not the round's own.
    pub(crate) fn spared(&self) -> Duration {
        *lock(&self.state.spared)
    }

    /// Whether the round found no room for its slow work, so that another one is to try it again.
    pub(crate) fn is_put_off(&self) -> bool {
        self.state.is_put_off.load(Ordering::Relaxed)
    }
}

/// What is locked is whole between any two statements, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn whoever_does_slow_work_has_no_turn_meanwhile() {
        let turns = Turns::of(ROUNDS_MAX);
        let mut all = Vec::new();
        for _ in 0..ROUNDS_MAX {
            all.push(turns.take().await);
        }
        assert!(timeout(MOMENT, turns.take()).await.is_err(), "every turn is taken");
        let slow = all.pop().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let work = async {
                sleep(10 * MOMENT).await;
                Ok(())
            };
            slow.slowly(work).await.unwrap();
            slow.spared()
        });
        let other = timeout(MOMENT, turns.take()).await.expect("the turn of the slow one");
        sleep(20 * MOMENT).await;
        assert!(tasks.try_join_next().is_none(), "it goes on only with a turn");
        drop(other);
        let spared = tasks.join_next().await.unwrap().unwrap();
        assert!(spared >= 20 * MOMENT, "waiting for a turn is not its own time either: {spared:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_an_answer_that_is_late_has_no_turn_meanwhile() {
        let turns = Turns::of(ROUNDS_MAX);
        let (mut all, mut tasks) = (Vec::new(), JoinSet::new());
        for _ in 1..ROUNDS_MAX {
            all.push(turns.take().await);
        }
        let waiting = turns.take().await;
        tasks.spawn(async move {
            waiting.patiently(sleep(PROMPT / 2)).await;
            let prompt = waiting.spared();
            waiting.patiently(sleep(10 * MOMENT)).await;
            (prompt, waiting.spared())
        });
        let other = timeout(MOMENT, turns.take()).await.expect("the turn of who waits");
        drop(other);
        let (prompt, late) = tasks.join_next().await.unwrap().unwrap();
        assert_eq!(prompt, Duration::ZERO);
        assert!(late >= 9 * MOMENT, "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_work_has_few_places_and_who_finds_no_room_is_put_off() {
        let turns = Turns::of(ROUNDS_MAX);
        let mut tasks = JoinSet::new();
        for _ in 0..SLOW_MAX + WAITING_MAX {
            let turn = turns.take().await;
            tasks.spawn(async move { turn.slowly(pending::<Result<()>>()).await });
            tokio::task::yield_now().await;
        }
        assert_eq!(turns.slow.available_permits(), 0);
        assert_eq!(turns.rounds.available_permits(), ROUNDS_MAX, "nobody of them has a turn");
        let late = turns.take().await;
        assert_eq!(late.slowly(ready(Ok(()))).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(late.is_put_off());
        tasks.shutdown().await;
        let next = turns.take().await;
        assert!(next.slowly(ready(Ok(()))).await.is_ok() && !next.is_put_off(), "there is room again");
    }
}
