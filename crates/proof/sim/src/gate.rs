//! The gate: every call of the controller goes through it, is numbered there, and can fail there in every way.
//!
//! # Invariants
//! * A call has its effect in one moment, in which nothing else happens.
//! * The controller of a life that is over has no effect: its calls never come through, whatever of it is still there.
//! * Whatever happens between a crash and the end of its runtime is not part of the run: what is kept is the world of
//!   the moment of the crash, so a run that is gone on with from a [`Mark`] is the run in which the crash was aimed there.
//!   The one exception is what is still on the wire ([`Fault::Ghost`]): that is not data, so it is kept beside the
//!   world, and no marks are made as long as there is any.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use crate::call::{Call, Port};
use crate::entry::Entry;
use crate::fault::{Fault, Side};
use crate::world::{Rules as _, World, time_of_day};

/// A place where the controller could have been killed.
#[derive(Clone)]
pub struct Mark {
    /// The call at which.
    pub n: u32,
    /// On which side of it.
    pub side: Side,
    /// Whether the call has left the world as it was, so that this is the world on its other side too.
    pub is_both: bool,
    /// The call.
    pub call: Call,
    /// The world as a crash there leaves it.
    pub world: World,
}

impl Mark {
    /// The sides of the call on which the world is this one.
    pub fn sides(&self) -> impl Iterator<Item = Side> + use<> {
        std::iter::once(self.side).chain(self.is_both.then_some(Side::After))
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed<T> {
    /// It was answered.
    Answered(T),
    /// The connection ended before the answer.
    Lost,
    /// No answer ever comes. Who can wait is left waiting, so only calls to the host are told.
    Silent,
    /// It was refused with this HTTP status.
    Refused(u16),
    /// The disk did not work.
    Broken,
    /// Nobody waits for the answer any more: the caller is dead. Again, only calls to the host are told.
    Dead,
}

/// Why a stretch of a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The controller was killed.
    Crashed,
    /// An invariant does not hold.
    Broken,
}

/// A call of a dead life that is still on the wire.
type Ghost = Box<dyn FnOnce(&mut World) + Send>;

/// What outlives a stretch of a run.
pub(crate) struct Left {
    /// The world.
    pub(crate) world: World,
    /// The places where the controller could have been killed; absent if nobody wants to know.
    pub(crate) marks: Option<Vec<Mark>>,
    ghosts: BTreeMap<(i64, u32), Ghost>,
}

impl Left {
    /// A world with nothing beside it.
    pub(crate) fn new(world: World, marks: Option<Vec<Mark>>) -> Self {
        Self { world, marks, ghosts: BTreeMap::new() }
    }

    fn next_due(&self) -> Option<i64> {
        let ghost = self.ghosts.first_key_value().map(|((at, _), _)| *at);
        self.world.next_due().into_iter().chain(ghost).min()
    }

    /// Goes on to this time.
    fn advance(&mut self, to_ms: i64) {
        while let Some(ghost) = self.ghosts.first_entry().filter(|ghost| ghost.key().0 <= to_ms) {
            let ((at_ms, _), act) = ghost.remove_entry();
            self.world.advance(at_ms);
            act(&mut self.world);
        }
        self.world.advance(to_ms);
    }

    /// Lets a call of a dead life have its effect later.
    fn haunt(&mut self, in_ms: i64, act: Ghost) {
        // Not at once: it comes out of the past of the next life.
        self.ghosts.insert((self.world.now_ms.saturating_add(in_ms.max(1)), self.world.calls), act);
    }

    /// A call that nothing goes wrong with.
    fn unharmed<T>(&mut self, n: u32, call: &Call, act: impl FnOnce(&mut World) -> T) -> T {
        if self.marks.is_none() || !self.ghosts.is_empty() {
            return act(&mut self.world);
        }
        let mark = |side: Side, world: World| Mark { n, side, is_both: false, call: call.clone(), world };
        let before = self.world.clone();
        let is_start = call.port == Port::Host && call.name == "start";
        if is_start {
            self.world.keep_start();
        }
        let done = act(&mut self.world);
        if !call.changes() && self.world.is_as(&before) {
            self.keep(Mark { is_both: true, ..mark(Side::Before, before) });
            return done;
        }
        self.keep(mark(Side::Before, before));
        if is_start {
            for (spawned, world) in self.world.end_start().into_iter().enumerate() {
                self.keep(mark(Side::Within(u8::try_from(spawned).unwrap_or(u8::MAX)), world));
            }
        }
        self.keep(mark(Side::After, self.world.clone()));
        done
    }

    /// Keeps a place where the controller could be killed.
    fn keep(&mut self, mut mark: Mark) {
        if let Some(marks) = &mut self.marks {
            crash(&mut mark.world, mark.n, mark.side);
            marks.push(mark);
        }
    }

    /// A call that something goes wrong with; also tells how much later than usual its answer comes.
    fn harmed<T>(&mut self, n: u32, hit: (&Call, &Fault), act: impl FnOnce(&mut World) -> T) -> (Passed<T>, i64) {
        let (world, (call, fault)) = (&mut self.world, hit);
        if let Fault::Crash(side) = fault {
            partly(world, *side, act);
            // Told behind the effect, as a mark tells it.
            crash(world, n, *side);
            return (Passed::Dead, 0);
        }
        world.tell(Entry::Fault { n, fault: fault.clone() });
        let passed = match fault {
            // Nothing of a call to the host is on a wire, and what is on a wire has its effect later.
            Fault::Crash(_) | Fault::Ghost { .. } => {
                world.end_life();
                Passed::Dead
            }
            Fault::Lost => {
                act(world);
                Passed::Lost
            }
            Fault::Silent(side) => {
                partly(world, *side, act);
                Passed::Silent
            }
            Fault::Refuse(status) => Passed::Refused(*status),
            Fault::DiskError => Passed::Broken,
            Fault::Late { ms } => return (Passed::Answered(act(world)), *ms),
            Fault::Conflict => {
                if call.port == Port::Api {
                    world.touch(&call.about);
                }
                Passed::Answered(act(world))
            }
            Fault::Stale { .. } | Fault::Close410 | Fault::CloseWatch | Fault::Hold | Fault::Twice => {
                world.strike(fault);
                Passed::Answered(act(world))
            }
        };
        (passed, 0)
    }
}

/// Has as much of its effect as lies before this side.
fn partly<T>(world: &mut World, side: Side, act: impl FnOnce(&mut World) -> T) {
    match side {
        Side::Before => {}
        Side::After => drop(act(world)),
        Side::Within(processes) => {
            world.limit_start(processes);
            act(world);
            world.end_start();
        }
    }
}

/// The controller is killed at this call.
fn crash(world: &mut World, n: u32, side: Side) {
    world.tell(Entry::Fault { n, fault: Fault::Crash(side) });
    world.end_life();
}

struct State {
    left: Left,
    /// The world at the moment of the crash.
    crashed: Option<Box<World>>,
    halt: Option<Halt>,
    /// Whether the virtual clock of this stretch is gone, so that it cannot be asked any more.
    is_over: bool,
}

impl State {
    /// What others may wait for: what has happened, and when something will.
    fn glance(&self) -> (usize, Option<i64>) {
        (self.left.world.history.len(), self.left.next_due())
    }

    /// Does something, and sees whether that ends the stretch.
    fn act<T>(&mut self, act: impl FnOnce(&mut Left) -> T) -> T {
        let was_up = self.left.world.is_up();
        let done = act(&mut self.left);
        if was_up && !self.left.world.is_up() && self.crashed.is_none() {
            self.crashed = Some(Box::new(self.left.world.clone()));
            self.halt.get_or_insert(Halt::Crashed);
        }
        self.left.world.look_through();
        if self.left.world.broken.is_some() {
            self.halt = Some(Halt::Broken);
        }
        done
    }
}

struct Inner {
    state: Mutex<State>,
    begun: Instant,
    /// The time of the world when this stretch of the run began.
    base_ms: i64,
    /// Something has happened.
    stirred: Notify,
    /// Something is due at another time than before.
    retimed: Notify,
    halted: Notify,
}

/// A world that is gone on with: everybody's access to it, and its clock. Clones share it.
///
/// It lives on the paused clock of one runtime on one thread, and has to be made in it.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

impl Shared {
    /// Goes on with a world, from its time on.
    pub fn new(world: World) -> Self {
        Self::of(Left::new(world, None))
    }

    /// Goes on with what is left of an earlier stretch.
    pub(crate) fn of(left: Left) -> Self {
        let (base_ms, halt) = (left.world.now_ms, left.world.broken.as_ref().map(|_| Halt::Broken));
        let state = Mutex::new(State { left, crashed: None, halt, is_over: false });
        let (stirred, retimed, halted) = (Notify::new(), Notify::new(), Notify::new());
        Self(Arc::new(Inner { state, begun: Instant::now(), base_ms, stirred, retimed, halted }))
    }

    /// Does something with the world as it is now: what is due has happened, and what happens is looked through.
    /// It is not called from within itself.
    pub fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.with_left(|left| act(&mut left.world))
    }

    fn with_left<T>(&self, act: impl FnOnce(&mut Left) -> T) -> T {
        let mut state = self.lock();
        let before = state.glance();
        let now = if state.is_over { state.left.world.now_ms } else { self.now_ms() };
        state.act(|left| left.advance(now));
        let done = state.act(act);
        let (after, is_halted) = (state.glance(), state.halt.is_some());
        drop(state);
        if after != before {
            self.0.stirred.notify_waiters();
        }
        if after.1 != before.1 {
            self.0.retimed.notify_one();
        }
        if is_halted {
            self.0.halted.notify_one();
        }
        done
    }

    /// The virtual time, in milliseconds.
    pub fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.0.base_ms.saturating_add(elapsed)
    }

    /// The virtual time of day.
    pub fn timestamp(&self) -> Timestamp {
        time_of_day(self.now_ms())
    }

    /// Waits until a virtual time; if it is over, not at all.
    pub async fn sleep_until(&self, at_ms: i64) {
        let ahead = u64::try_from(at_ms.saturating_sub(self.0.base_ms)).unwrap_or(0);
        sleep_until(self.0.begun + Duration::from_millis(ahead)).await;
    }

    /// Waits until something has happened. Nothing is missed between a look with [`Shared::with`] and this, if there is
    /// no other wait between them.
    pub async fn stirred(&self) {
        self.0.stirred.notified().await;
    }

    /// A clone of the world as it is now.
    pub fn take(&self) -> World {
        self.with(|world| world.clone())
    }

    /// The world as it is in the end.
    pub fn into_world(self) -> World {
        self.into_left().world
    }

    /// Lets happen what is due, when it is due, though nobody looks.
    pub(crate) async fn tick(&self) -> Infallible {
        loop {
            let next = self.lock().left.next_due();
            let rest = async {
                match next {
                    Some(at) => self.sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.0.retimed.notified() => {}
                () = rest => self.with(|_| ()),
            }
        }
    }

    /// Waits until this stretch of the run is over.
    pub(crate) async fn halted(&self) -> Halt {
        loop {
            if let Some(halt) = self.lock().halt {
                return halt;
            }
            self.0.halted.notified().await;
        }
    }

    /// The clock of this stretch goes: from here on its time stands still.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
    }

    /// What is left when everything else of this stretch is gone.
    pub(crate) fn into_left(self) -> Left {
        let (left, crashed) = match Arc::try_unwrap(self.0) {
            Ok(inner) => {
                let state = inner.state.into_inner().unwrap_or_else(PoisonError::into_inner);
                (state.left, state.crashed)
            }
            Err(shared) => {
                let mut state = lock(&shared);
                let (marks, ghosts) = (state.left.marks.take(), std::mem::take(&mut state.left.ghosts));
                (Left { world: state.left.world.clone(), marks, ghosts }, state.crashed.take())
            }
        };
        match crashed {
            // What was found out counts, even if it was at the very moment of the crash.
            Some(world) if left.world.broken.is_none() => Left { world: *world, ..left },
            _ => left,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

/// What panics in it ends the run as broken, so that the state may be half of something does no harm.
fn lock(inner: &Inner) -> MutexGuard<'_, State> {
    inner.state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The way into the world for one life of the controller. Clones are the same way.
#[derive(Debug, Clone)]
pub struct Gate {
    shared: Shared,
    life: u32,
}

impl Gate {
    /// The gate of this life.
    pub fn new(shared: &Shared, life: u32) -> Self {
        Self { shared: shared.clone(), life }
    }

    /// Makes a call over a wire: it is under way, has its effect, and its answer is under way. Who is dead or is not
    /// answered waits for ever.
    pub async fn pass<T: Send>(&self, call: Call, act: impl FnOnce(&mut World) -> T + Send + 'static) -> Passed<T> {
        self.rest(0).await;
        let (passed, late_ms) = self.shared.with_left(|left| match self.meet(left, &call) {
            None => (Passed::Dead, 0),
            Some((n, None)) => (Passed::Answered(left.unharmed(n, &call, act)), 0),
            Some((n, Some(Fault::Ghost { ms }))) => {
                left.world.tell(Entry::Fault { n, fault: Fault::Ghost { ms } });
                left.world.end_life();
                left.haunt(ms, Box::new(move |world: &mut World| drop(act(world))));
                (Passed::Dead, 0)
            }
            Some((n, Some(fault))) => left.harmed(n, (&call, &fault), act),
        });
        if matches!(passed, Passed::Dead | Passed::Silent) {
            return pending().await;
        }
        self.rest(late_ms).await;
        passed
    }

    /// Makes a call to the host, which is there and then.
    pub fn pass_now<T>(&self, call: Call, act: impl FnOnce(&mut World) -> T) -> Passed<T> {
        self.shared.with_left(|left| match self.meet(left, &call) {
            None => Passed::Dead,
            Some((n, None)) => Passed::Answered(left.unharmed(n, &call, act)),
            Some((n, Some(fault))) => left.harmed(n, (&call, &fault), act).0,
        })
    }

    /// The world behind it.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Whether its life is the one that is lived.
    pub fn is_alive(&self) -> bool {
        self.shared.lock().left.world.lives(self.life)
    }

    /// Waits as long as something is under way, and so much longer; for ever if the caller dies meanwhile.
    pub(crate) async fn rest(&self, longer_ms: i64) {
        let drawn = self.shared.with(|world| world.lives(self.life).then(|| world.latency()));
        let Some(latency) = drawn else { return pending().await };
        match u64::try_from(latency.saturating_add(longer_ms)) {
            Ok(0) | Err(_) => {}
            Ok(ms) => sleep(Duration::from_millis(ms)).await,
        }
        if !self.is_alive() {
            pending::<()>().await;
        }
    }

    /// Something that was never given before; what a dead one gets, it can do nothing with.
    pub(crate) fn fresh(&self) -> u128 {
        self.shared.with(|world| {
            if !world.lives(self.life) {
                return 0;
            }
            (u128::from(world.chance.draw()) << 64) | u128::from(world.chance.draw())
        })
    }

    /// Numbers a call, and takes the fault that hits it; nothing if the caller is dead.
    fn meet(&self, left: &mut Left, call: &Call) -> Option<(u32, Option<Fault>)> {
        if !left.world.lives(self.life) {
            return None;
        }
        let n = left.world.call(self.life, call);
        Some((n, left.world.fault_at_call(n, call)))
    }
}

#[cfg(test)]
mod tests;
