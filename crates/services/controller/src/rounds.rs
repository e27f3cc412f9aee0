//! The loop: what happens says which object to look at, and each object is looked at by one round at a time.
//!
//! An event only says which object to look at. What is wrong with one object is told and tried again; it never ends the
//! loop, and never delays another object.

use std::pin::pin;
use std::time::Duration;

use futures::stream::{SelectAll, StreamExt as _};
use kobel_model::deployment::Identity;
use kobel_model::{Result, chain};
use kube::runtime::watcher;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::agenda::Agenda;
use crate::key::{Key, Kind};
use crate::objects::Change;
use crate::round::{self, Next};
use crate::snapshot_round;
use crate::world::{Refusals, World};

/// The most rounds at a time.
const ROUNDS_MAX: usize = 16;
/// The longest that one round may take; fetching a program may take minutes.
const ROUND_MAX: Duration = Duration::from_secs(900);

/// What wakes the loop.
#[derive(Debug)]
enum Event {
    /// An object is there, or has changed.
    Seen(Key),
    /// An object is gone.
    Left(Key),
    /// A process has ended.
    Ended(Identity),
    /// The watch of a kind failed; it begins again by itself.
    Broken(Kind, Box<watcher::Error>),
    /// A round has ended.
    Round(Key, Result<Next>),
    /// An object is due.
    Due(Key),
}

/// Handles events until there is none to come, which is never.
pub(crate) async fn run(world: &World, mut ends: mpsc::UnboundedReceiver<Identity>) {
    let mut agenda = Agenda::default();
    for of in world.local.processes.all().unwrap_or_default() {
        // Whether it is still declared is found out by looking.
        agenda.wake(&Key { kind: Kind::Deployment, namespace: of.namespace, name: of.name }, Instant::now());
    }
    let mut rounds: JoinSet<(Key, Result<Next>)> = JoinSet::new();
    let mut changes = SelectAll::new();
    for kind in Kind::ALL {
        changes.push(Box::pin(world.objects.changes(kind).map(move |change| (kind, change))));
    }
    let mut changes = pin!(changes);
    loop {
        let event = tokio::select! {
            Some((kind, change)) = changes.next() => seen(kind, change),
            Some(of) = ends.recv() => Some(Event::Ended(of)),
            Some(ended) = rounds.join_next(), if !rounds.is_empty() => ended.ok().map(|(key, next)| Event::Round(key, next)),
            key = agenda.due(), if rounds.len() < ROUNDS_MAX => Some(Event::Due(key)),
            else => break,
        };
        match event {
            Some(Event::Due(key)) => {
                let world = world.clone();
                rounds.spawn(async move {
                    let next = look(&world, &key).await;
                    (key, next)
                });
            }
            Some(event) => handle(event, &mut agenda, &world.refusals),
            None => {}
        }
    }
    tracing::error!(target: "kobel.controller", "the watch ended; nothing is looked after any more");
}

async fn look(world: &World, key: &Key) -> Result<Next> {
    let round = async {
        match key.kind {
            Kind::Deployment | Kind::SessionJob => round::round(world, key).await,
            Kind::Snapshot => snapshot_round::round(world, key).await,
        }
    };
    let late =
        || kobel_model::Error::new(kobel_model::ErrorKind::Unavailable, format!("a round of {key} took too long"));
    tokio::time::timeout(ROUND_MAX, round).await.unwrap_or_else(|_| Err(late()))
}

fn seen(kind: Kind, change: Change) -> Option<Event> {
    match change {
        Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
            Some(Event::Seen(Key::of(kind, &object)))
        }
        Ok(watcher::Event::Delete(object)) => Some(Event::Left(Key::of(kind, &object))),
        Ok(watcher::Event::Init | watcher::Event::InitDone) => None,
        Err(error) => Some(Event::Broken(kind, Box::new(error))),
    }
}

fn handle(event: Event, agenda: &mut Agenda, refusals: &Refusals) {
    let now = Instant::now();
    match event {
        Event::Seen(key) | Event::Due(key) => agenda.wake(&key, now),
        // The round finds it gone, and ends what is left of it.
        Event::Left(key) => agenda.wake(&key, now),
        Event::Ended(of) => {
            let key = Key { kind: Kind::Deployment, namespace: of.namespace, name: of.name };
            agenda.wake(&key, now);
        }
        Event::Broken(kind, error) => {
            tracing::warn!(target: "kobel.controller", kind = kind.name(), %error, "cannot watch");
        }
        Event::Round(key, Ok(Next::Again(again))) => agenda.settled(&key, again, now),
        Event::Round(key, Ok(Next::Gone)) => {
            refusals.forget(&key);
            agenda.forget(&key);
        }
        Event::Round(key, Err(error)) => {
            tracing::warn!(target: "kobel.controller", object = %key, cause = %chain(&error), "tried again later");
            agenda.failed(&key, now);
        }
    }
}
