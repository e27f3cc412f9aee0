//! Who keeps the certificates: what is kept is served, every configuration is told to trust it, and in time it is
//! followed by the next.
//!
//! Each turn looks at everything anew, so it may end between any two lines. Replicas do the same, and agree because
//! whoever writes second is told that somebody else was first.
//!
//! Whoever deletes the Secret asks for another certificate. API servers trust the one that is shown until they are told of
//! the next, so it is followed by that as it would be in time; only where nobody remembers it, the next is served at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kobel_model::{Error, Result};
use serde_json::Value;
use tokio::time::sleep;

use crate::api::{Api, Place, Written};
use crate::certificates::{Kept, Pace, Step};
use crate::configurations::{Configurations, told};
use crate::secret::{self, Found};
use crate::shelf::Shelf;

/// The pause after something was written, or somebody else has written it.
const AGAIN: Duration = Duration::from_millis(200);
/// The longest pause while something is under way or wrong.
const SOON: Duration = Duration::from_secs(5);

/// What tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who keeps the certificates of the webhook.
pub(crate) struct Keeper {
    /// The API of the cluster.
    pub(crate) api: Api,
    /// Where replicas keep them.
    pub(crate) secret: Place,
    /// Whom they are told to trust.
    pub(crate) configurations: Configurations,
    /// What the server is called.
    pub(crate) names: Vec<String>,
    /// How long things last.
    pub(crate) pace: Pace,
    /// What tells the time.
    pub(crate) clock: Clock,
    /// Where the server takes from what it shows.
    pub(crate) shelf: Arc<Shelf>,
    /// What was seen so far.
    pub(crate) memory: Memory,
}

/// What was seen so far; nothing is lost with it but time.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The bundle that every configuration was seen to hold, and since when.
    trusted: Option<(String, Timestamp)>,
    /// What was kept the last time, and could be served.
    kept: Option<Kept>,
    /// What was complained of the last time.
    complaints: BTreeSet<String>,
}

impl Keeper {
    /// Keeps the certificates until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let pause = match self.turn().await {
                Ok(pause) => pause,
                Err(error) => {
                    self.complain(vec![told(&error)]);
                    SOON
                }
            };
            sleep(pause.min(self.pace.look)).await;
        }
    }

    /// Looks at everything once, and does what is to be done next; tells how long nothing more is to be done.
    async fn turn(&mut self) -> Result<Duration> {
        // Before the Secret: a configuration that another replica changes by a newer Secret has another version then.
        let seen = self.configurations.look(&self.api).await;
        let read = self.api.get(&self.secret).await?;
        let Some((kept, read)) = self.kept(read).await? else { return Ok(AGAIN) };
        self.shelf.put(&kept.current)?;
        self.memory.kept = Some(kept.clone());
        let bundle = kept.bundle();
        let report = self.configurations.tell(&self.api, seen, &bundle).await;
        let (is_told, is_well) = (report.lacking == 0, report.complaints.is_empty());
        self.complain(report.complaints);
        let now = (self.clock)();
        let trusted = self.memory.trusted.take().filter(|(known, _)| is_told && *known == bundle);
        self.memory.trusted = trusted.or_else(|| is_told.then_some((bundle, now)));
        let since = self.memory.trusted.as_ref().map(|(_, since)| *since);
        let step = kept.step(&self.names, since, now, &self.pace);
        let Some(after) = kept.after(step, &self.names, now, &self.pace)? else {
            let is_under_way = kept.next.is_some() || !is_told || !is_well;
            return Ok(if is_under_way { SOON } else { self.pace.look });
        };
        if self.write(&after, Some(&read)).await? == Written::Done {
            tracing::info!(target: "kobel.webhook", done = done(step), until = %after.current.until, "certificates");
            self.shelf.put(&after.current)?;
            self.memory.kept = Some(after);
        }
        Ok(AGAIN)
    }

    /// What is kept, and the Secret that it stands in; none if it had to be made, or somebody else has made it.
    async fn kept(&self, read: Option<Value>) -> Result<Option<(Kept, Value)>> {
        let read = match read.map(|secret| (secret::read(&secret), secret)) {
            Some((Found::Kept(kept), secret)) => return Ok(Some((*kept, secret))),
            Some((Found::Foreign, _)) => {
                let message = format!("{} holds something that is not of the webhook", self.secret);
                return Err(Error::invalid(message).with_hint("delete it, or give the Service another name"));
            }
            Some((Found::Nothing, secret)) => Some(secret),
            None => None,
        };
        let now = (self.clock)();
        let (made, done) = match &self.memory.kept {
            Some(kept) => (kept.after(Step::Announce, &self.names, now, &self.pace)?, done(Step::Announce)),
            None => (None, "the first one was made"),
        };
        let made = match made {
            Some(made) => made,
            None => Kept::first(&self.names, now, &self.pace)?,
        };
        if self.write(&made, read.as_ref()).await? == Written::Done {
            tracing::info!(target: "kobel.webhook", done, until = %made.current.until, "certificates");
        }
        Ok(None)
    }

    async fn write(&self, kept: &Kept, read: Option<&Value>) -> Result<Written> {
        let namespace = self.secret.namespace().unwrap_or_default();
        let secret = secret::written(kept, read, namespace, self.secret.name());
        match read {
            Some(_) => self.api.replace(&self.secret, &secret).await,
            None => self.api.create(&self.secret, &secret).await,
        }
    }

    /// Says what is wrong, once for as long as it is.
    fn complain(&mut self, complaints: Vec<String>) {
        let complaints: BTreeSet<String> = complaints.into_iter().collect();
        for complaint in complaints.difference(&self.memory.complaints) {
            tracing::warn!(target: "kobel.webhook", cause = %complaint, "API servers may not reach the webhook");
        }
        self.memory.complaints = complaints;
    }
}

/// What a step has done, for a person.
fn done(step: Step) -> &'static str {
    match step {
        Step::Stay => "nothing",
        Step::Announce => "the next one was made; its authority is announced",
        Step::Serve => "the next one is served",
        Step::Forget => "the authority before is forgotten",
    }
}
