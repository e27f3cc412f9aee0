//! The loop: what happens says which object to look at, and each object is looked at by one round at a time.
//!
//! An event only says which object to look at. What is wrong with one object is told and tried again, even if the round
//! panics; it never ends the loop, and never delays another object.

use std::any::Any;
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures::stream::{self, BoxStream, SelectAll, Stream, StreamExt as _};
use kobel_model::deployment::Identity;
use kobel_model::{Error, ErrorKind, Result, chain};
use kube::runtime::watcher;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::agenda::{Agenda, Belief};
use crate::blue_green_round;
use crate::key::{Key, Kind};
use crate::metrics::{Metrics, Outcome};
use crate::news::News;
use crate::objects::Change;
use crate::round::{self, Next};
use crate::snapshot_round;
use crate::substrate::Substrate;
use crate::turns::{Turn, Turns};
use crate::world::{Site, World};

/// The longest that one round may take; fetching a program may take minutes.
const ROUND_MAX: Duration = Duration::from_secs(900);
/// How soon it is looked again what runs here, if that could not be told.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How soon a round is tried again that was put off.
const PUT_OFF: Duration = Duration::from_secs(5);

/// What wakes the loop from outside.
#[derive(Debug)]
enum Event {
    /// An object is there, has changed, or is gone: looking tells which.
    Stirred(Key),
    /// The watch of a kind failed; it begins again by itself.
    Broken(Kind, Box<watcher::Error>),
}

/// Handles events until there is none to come, which is never.
pub(crate) async fn run(site: &Site) {
    let stirs = site.substrate.stirs();
    let look = |key: Key, turn: Turn, belief: Belief| {
        let world = site.world(turn);
        async move { look_at(&world, &key, belief).await }
    };
    let (agenda, turns, metrics) = (Agenda::default(), Turns::of(site.substrate.rounds()), site.metrics.clone());
    let rounds = Rounds { agenda, look, turns, metrics, under_way: UnderWay::default() };
    rounds.run(events(site, stirs)).await;
    tracing::error!(target: "kobel.controller", "the watch ended; nothing is looked after any more");
}

/// What runs here, once it can be told.
async fn running(substrate: Substrate) -> Vec<Identity> {
    loop {
        match substrate.all().await {
            Ok(all) => return all,
            Err(error) => {
                tracing::warn!(target: "kobel.controller", cause = %chain(&error), "cannot see what runs here");
                sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// What happens to objects and to processes. What runs at first counts too: whether it is still declared is found out by
/// looking.
fn events(site: &Site, stirs: BoxStream<'static, Identity>) -> impl Stream<Item = Event> + use<> {
    let mut changes = SelectAll::new();
    for kind in Kind::ALL {
        for watch in site.objects.changes(kind) {
            // A status that is written here need not be looked at here once more.
            let mut news = (kind == Kind::Deployment && site.substrate.tells_of_readiness()).then(News::default);
            changes.push(Box::pin(watch.flat_map(move |change| {
                let is_news = change.as_ref().is_ok_and(|told| news.as_mut().is_none_or(|news| news.of(told)));
                let is_heard =
                    move |event: &Event| is_news || !matches!(event, Event::Stirred(key) if key.kind == kind);
                stream::iter(seen(kind, change).into_iter().filter(is_heard))
            })));
        }
    }
    let found = stream::once(running(site.substrate.clone())).flat_map(stream::iter);
    stream::select(changes, stream::select(Box::pin(found), stirs).map(|of| Event::Stirred(owner(of))))
}

/// What a watch tells. That one begins anew, or has told all that is there, says nothing of any object: there are
/// several watches, and whether an object is gone is found out by asking for it.
fn seen(kind: Kind, change: Change) -> Vec<Event> {
    match change {
        Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object) | watcher::Event::Delete(object)) => {
            let key = Key::of(kind, &object);
            // What becomes of a deployment concerns the pair that it may belong to.
            let pair = blue_green_round::pair_of(&key).map(Event::Stirred);
            std::iter::once(Event::Stirred(key)).chain(pair).collect()
        }
        Ok(watcher::Event::Init | watcher::Event::InitDone) => Vec::new(),
        Err(error) => vec![Event::Broken(kind, Box::new(error))],
    }
}

/// The object whose processes these are.
fn owner(of: Identity) -> Key {
    Key { kind: Kind::Deployment, namespace: of.namespace, name: of.name }
}

async fn look_at(world: &World, key: &Key, belief: Belief) -> Result<Next> {
    let round = async {
        match key.kind {
            Kind::Deployment | Kind::SessionJob => round::round(world, key).await,
            Kind::Snapshot => snapshot_round::round(world, key).await,
            Kind::BlueGreen => blue_green_round::round(world, key).await,
        }
    };
    let late = || Error::new(ErrorKind::Unavailable, format!("a round of {key} took too long"));
    let next = timeout(ROUND_MAX, round).await.unwrap_or_else(|_| Err(late()))?;
    if next != Next::Missing || belief == Belief::There {
        return Ok(next);
    }
    // Somebody may have taken it away by force: what is left of it is ended here.
    if !round::is_ended(world, key).await? {
        return Ok(Next::Missing);
    }
    world.forget(key);
    Ok(Next::Gone)
}

/// What a round came to, and how long it took without what was not its own time.
type Came = (Result<Next>, Duration);

/// A round that is under way.
struct Begun {
    key: Key,
    turn: Turn,
    at: Instant,
}

/// The rounds that are under way.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<Came>,
    begun: HashMap<Id, Begun>,
}

/// The loop itself; what a round does is given to it.
struct Rounds<L> {
    agenda: Agenda,
    look: L,
    turns: Turns,
    metrics: Metrics,
    under_way: UnderWay,
}

impl<L, F> Rounds<L>
where
    L: Fn(Key, Turn, Belief) -> F,
    F: Future<Output = Result<Next>> + Send + 'static,
{
    async fn run(mut self, events: impl Stream<Item = Event>) {
        let mut events = pin!(events);
        loop {
            self.metrics.load(self.under_way.tasks.len(), self.agenda.waiting(Instant::now()));
            tokio::select! {
                // In this order, so that the same course of things gives the same rounds. Rounds are few, so events have
                // their turn in the end.
                biased;
                Some(joined) = self.under_way.tasks.join_next_with_id(), if !self.under_way.tasks.is_empty() => {
                    self.join(joined);
                }
                (key, waited, turn) = self.agenda.due(self.turns.take()) => {
                    self.metrics.begun(key.kind, waited);
                    self.begin(key, turn);
                }
                event = events.next() => match event {
                    Some(event) => self.hear(event),
                    None => return,
                },
            }
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Stirred(key) => self.agenda.wake(&key, Instant::now()),
            Event::Broken(kind, error) => {
                tracing::warn!(target: "kobel.controller", kind = kind.name(), %error, "cannot watch");
            }
        }
    }

    fn begin(&mut self, key: Key, turn: Turn) {
        let at = Instant::now();
        let belief = self.agenda.belief(&key, at);
        let (round, own) = ((self.look)(key.clone(), turn.clone(), belief), turn.clone());
        let task = async move {
            let next = round.await;
            (next, at.elapsed().saturating_sub(own.spared()))
        };
        let id = self.under_way.tasks.spawn(task).id();
        self.under_way.begun.insert(id, Begun { key, turn, at });
    }

    fn join(&mut self, joined: Result<(Id, Came), JoinError>) {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(begun) = self.under_way.begun.remove(&id) else { return };
        let (next, took) = joined.map_or_else(|error| (Err(broken_off(error)), begun.at.elapsed()), |(_, came)| came);
        let (key, now) = (&begun.key, Instant::now());
        match next {
            Ok(Next::Again(again)) => self.agenda.settled(key, again, now),
            Ok(Next::Missing) => self.agenda.not_found(key, now),
            Ok(Next::Gone) => self.agenda.over(key, now),
            Err(_) if begun.turn.is_put_off() => self.agenda.settled(key, PUT_OFF, now),
            Err(error) => {
                tracing::warn!(target: "kobel.controller", object = %key, cause = %chain(&error), "tried again later");
                self.agenda.failed(key, now);
                return self.metrics.ended(key.kind, Outcome::Error, took);
            }
        }
        self.metrics.ended(key.kind, Outcome::Ok, took);
    }
}

/// Why a round came to nothing.
fn broken_off(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => Error::bug(format!("a round panicked: {}", words(&*panic))),
        Err(_) => Error::new(ErrorKind::Unavailable, "a round was broken off"),
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it left no words")
}

#[cfg(test)]
mod tests;
