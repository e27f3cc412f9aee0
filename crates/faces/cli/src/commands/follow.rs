//! Following an object until a change is carried out, with a word to the person about what is awaited.
//!
//! The watch tells every change at once; nothing is asked in a loop. Whoever ends the command ends the waiting, not the
//! change.

use std::pin::pin;
use std::time::{Duration, Instant};

use kobel_kubernetes::objects::{Selection, metadata};
use kobel_kubernetes::watch::{Shape, Watch};
use kobel_model::{Error, ErrorKind, Result};
use serde_json::Value;

use super::age::span;
use super::client::Session;
use super::settling::Step;
use super::target::{SNAPSHOT, Target};
use crate::terminal::Terminal;
use crate::terminal::escape::push_escaped;

/// How often the time that has passed is shown.
const TICK: Duration = Duration::from_secs(1);
/// Time between two lines about the same wait where lines cannot be rewritten.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// What is followed, and how long.
pub(crate) struct Follow<'a> {
    pub(crate) session: &'a Session,
    /// The object as it is after the change.
    pub(crate) target: &'a Target,
    pub(crate) timeout: Duration,
    pub(crate) terminal: &'a Terminal,
}

impl Follow<'_> {
    /// Waits until `judge` finds the object done; the answer is the object as it is then.
    ///
    /// # Errors
    /// What `judge` finds, Missing if the object is deleted, Unavailable if it takes too long.
    pub(crate) async fn until(&self, judge: impl Fn(&Value) -> Step) -> Result<Value> {
        let ended = self.watch(judge).await;
        self.terminal.clear_status();
        ended
    }

    async fn watch(&self, judge: impl Fn(&Value) -> Step) -> Result<Value> {
        let mut object = self.target.object.clone();
        let selection = Selection {
            namespace: self.target.namespace().map(str::to_owned),
            labels: None,
            fields: Some(format!("metadata.name={}", self.target.name())),
        };
        let version = metadata(&object, "resourceVersion");
        let cluster = &self.session.cluster;
        let mut watch = Watch::after(cluster, &self.target.served, selection, Shape::Objects, version);
        watch.knows(&object);
        let mut meter = Meter::new(self.terminal);
        loop {
            let waits = match judge(&object) {
                Step::Going(waits) => waits,
                Step::Done => return Ok(object),
                Step::Failed { kind, message } => return Err(self.error(kind, &message)),
            };
            object = self.change(&mut watch, &mut meter, &waits).await?;
        }
    }

    /// Waits for the next version of the object.
    async fn change(&self, watch: &mut Watch, meter: &mut Meter<'_>, waits: &str) -> Result<Value> {
        let mut next = pin!(watch.next());
        loop {
            meter.show(waits);
            let left = self.timeout.saturating_sub(meter.elapsed());
            if left.is_zero() {
                let seconds = self.timeout.as_secs();
                return Err(self.error(ErrorKind::Unavailable, &format!("not done after {seconds} s: {waits}")));
            }
            let Ok(change) = tokio::time::timeout(left.min(TICK), next.as_mut()).await else { continue };
            let change = change?;
            let is_another = metadata(&change.object, "uid") != metadata(&self.target.object, "uid");
            if change.kind == "DELETED" || is_another {
                return Err(self.error(ErrorKind::Missing, "it was deleted meanwhile"));
            }
            return Ok(change.object);
        }
    }

    fn error(&self, kind: ErrorKind, message: &str) -> Error {
        let error = Error::new(kind, format!("`{}`: {message}", self.target.name()));
        match advice(kind, &self.target.served.kind, &self.target.typed(self.session)) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// Where more is told of an object of a kind.
fn advice(error: ErrorKind, kind: &str, words: &str) -> Option<String> {
    // Only what has a job is explained, and has logs.
    let more = if kind == SNAPSHOT { format!("kobel describe {words}") } else { format!("kobel explain {words}") };
    match error {
        ErrorKind::Missing => None,
        ErrorKind::Unavailable => Some(format!("it goes on without this command; `{more}` tells how")),
        _ if kind == SNAPSHOT => Some(format!("`{more}` tells more")),
        _ => Some(format!("`{more}` and `kobel logs {words}` tell more")),
    }
}

/// Tells what is awaited: on a line that is rewritten, or on a line for each new wait.
struct Meter<'a> {
    terminal: &'a Terminal,
    begun: Instant,
    told: Told,
}

impl<'a> Meter<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        Self { terminal, begun: Instant::now(), told: Told::default() }
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn show(&mut self, waits: &str) {
        let elapsed = self.elapsed();
        if self.terminal.rewrites_lines() {
            let seconds = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
            let mut line = format!("{} | ", span(seconds));
            push_escaped(&mut line, waits);
            self.terminal.show_status(&line);
        } else if self.told.is_news(waits, elapsed) {
            self.terminal.inform(waits);
        }
    }
}

/// What was told last, and when.
#[derive(Debug, Default)]
struct Told {
    last: Option<(String, Duration)>,
}

impl Told {
    /// Whether it is worth a line. Numbers in it grow with the time and make no news.
    fn is_news(&mut self, waits: &str, now: Duration) -> bool {
        let words: String = waits.chars().filter(|c| !c.is_ascii_digit()).collect();
        let is_old = self.last.as_ref().is_some_and(|(last, at)| *last == words && now < *at + LINE_INTERVAL);
        if !is_old {
            self.last = Some((words, now));
        }
        !is_old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_take_the_kind_are_advised() {
        for (error, kind, expected) in [
            (ErrorKind::Missing, SNAPSHOT, None),
            (ErrorKind::Invalid, SNAPSHOT, Some("`kobel describe a` tells more")),
            (ErrorKind::Invalid, "FlinkDeployment", Some("`kobel explain a` and `kobel logs a` tell more")),
            (
                ErrorKind::Unavailable,
                "FlinkSessionJob",
                Some("it goes on without this command; `kobel explain a` tells how"),
            ),
        ] {
            assert_eq!(advice(error, kind, "a").as_deref(), expected, "{error:?} {kind}");
        }
    }

    #[test]
    fn a_wait_is_told_once_and_again_after_a_while() {
        let mut told = Told::default();
        for (second, waits, expected) in [
            (0, "waits for a savepoint, 0 s so far", true),
            (1, "waits for a savepoint, 1 s so far", false),
            (2, "UPGRADING", true),
            (3, "UPGRADING", false),
            (31, "UPGRADING", false),
            (32, "UPGRADING", true),
            (33, "waits for a savepoint, 2 s so far", true),
        ] {
            assert_eq!(told.is_news(waits, Duration::from_secs(second)), expected, "{second}");
        }
    }
}
