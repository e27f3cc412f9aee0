//! The loop: one event after the other, each handled to its end.
//!
//! An event only says which object to look at. What is wrong with one object is told in the log and tried again; it
//! never ends the loop.

use std::pin::pin;

use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use kobel_model::{Result, chain};
use kube::api::DynamicObject;
use kube::runtime::watcher;
use serde_json::Value;
use tokio::time::Instant;

use crate::decide::{Decision, Why, decide};
use crate::deployments::{Change, Deployments, Written, manifest};
use crate::key::Key;
use crate::retries::Retries;

/// What wakes the loop.
#[derive(Debug)]
enum Event {
    /// A deployment is there, or has changed.
    Seen(Box<DynamicObject>),
    /// A deployment is gone.
    Gone(Key),
    /// A deployment that could not be handled is to be looked at again.
    Due(Key),
    /// The watch failed; it begins again by itself.
    Broken(Box<watcher::Error>),
}

/// Handles events until there is none to come, which is never.
pub(crate) async fn run(deployments: &Deployments) {
    let mut changes = pin!(deployments.changes());
    let mut retries = Retries::default();
    while let Some(event) = next(&mut changes, &retries).await {
        handle(event, deployments, &mut retries).await;
    }
    tracing::error!(target: "kobel.controller", "the watch ended; nothing is reported any more");
}

/// Gathers: waits for whatever comes first.
async fn next(changes: &mut (impl Stream<Item = Change> + Unpin), retries: &Retries) -> Option<Event> {
    loop {
        let change = tokio::select! {
            change = changes.next() => change?,
            key = retries.due() => return Some(Event::Due(key)),
        };
        match change {
            Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                return Some(Event::Seen(Box::new(object)));
            }
            Ok(watcher::Event::Delete(object)) => return Some(Event::Gone(Key::of(&object))),
            Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
            Err(error) => return Some(Event::Broken(Box::new(error))),
        }
    }
}

async fn handle(event: Event, deployments: &Deployments, retries: &mut Retries) {
    let (key, found) = match event {
        Event::Seen(object) => (Key::of(&object), manifest(&object).map(Some)),
        Event::Gone(key) => (key, Ok(None)),
        Event::Due(key) => {
            let found = deployments.get(&key).await;
            (key, found)
        }
        Event::Broken(error) => {
            tracing::warn!(target: "kobel.controller", %error, "cannot watch deployments");
            return;
        }
    };
    let settled = match found {
        Ok(Some(object)) => settle(&key, &object, deployments).await,
        Ok(None) => Ok(Written::Gone),
        Err(error) => Err(error),
    };
    match settled {
        Ok(Written::Done | Written::Gone) => retries.forget(&key),
        // The newer state is on its way; if it is lost, the object is looked at all the same.
        Ok(Written::Stale) => retries.put_off(key, Instant::now()),
        Err(error) => {
            tracing::warn!(target: "kobel.controller", cause = %chain(&error), "a deployment is looked at again later");
            retries.put_off(key, Instant::now());
        }
    }
}

/// Decides on one deployment as it stands, and does what was decided.
async fn settle(key: &Key, object: &Value, deployments: &Deployments) -> Result<Written> {
    let why = match decide(object, Timestamp::now()) {
        Decision::Report(condition) => {
            let written = deployments.report(key, object, &condition).await?;
            tracing::debug!(target: "kobel.controller", deployment = %key, ?condition, ?written, "reported");
            return Ok(written);
        }
        Decision::Nothing(why) => why,
    };
    if let Why::Unreadable(problems) = &why {
        let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        tracing::warn!(target: "kobel.controller", deployment = %key, %problems, "a deployment cannot be read");
    } else {
        tracing::debug!(target: "kobel.controller", deployment = %key, ?why, "nothing to do");
    }
    Ok(Written::Done)
}
