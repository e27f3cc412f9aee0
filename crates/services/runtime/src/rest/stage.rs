//! A process for tests of handlers that trigger something: what reaches its job is seen, and answered by the test.

#![cfg(test)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kobel_logs::Scrubber;
use kobel_rest::states::JobStatus;
use serde_json::Value;

use crate::control::{Control, Outcome};
use crate::controller::Controller;
use crate::event::Event;
use crate::monitor::Monitor;
use crate::rest::call::{Answer, Call, Content, Reply};
use crate::rest::fixtures::{BORN, TASK_MANAGER, attempt, job};
use crate::rest::operations::Operations;
use crate::view::cluster::{Cluster, ClusterFacts};
use crate::view::job::JobView;

/// Id of the application.
pub(crate) const APPLICATION: &str = "abababababababababababababababab";

/// What a process without jobs never changes.
pub(crate) fn facts(settings: &[(&str, &str)]) -> ClusterFacts {
    ClusterFacts {
        application_id: APPLICATION.to_owned(),
        application_name: "flights".to_owned(),
        task_manager_id: TASK_MANAGER.to_owned(),
        started_ms: BORN - 1_000,
        slots: 4,
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        logs: None,
        scrubber: Arc::new(Scrubber::new()),
    }
}

/// A process with the job of the fixtures.
pub(crate) struct Stage {
    /// The process.
    pub(crate) cluster: Arc<Cluster>,
    /// Its one job.
    pub(crate) job: Arc<JobView>,
    monitor: Monitor,
    operations: Arc<Operations>,
    events: Receiver<Event>,
}

impl Stage {
    /// A process with these settings.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let cluster = Arc::new(Cluster::new(facts(settings)));
        let (sender, events) = channel();
        let view = JobView::new(job().facts.clone(), Controller::new(sender), attempt(0, BORN));
        view.enter(JobStatus::Running, BORN + 30);
        let view = Arc::new(view);
        cluster.add(Arc::clone(&view));
        let monitor = Monitor::new(Arc::clone(&cluster));
        let operations = Arc::new(Operations::new(Duration::from_secs(60), Arc::new(Scrubber::new())));
        Self { cluster, job: view, monitor, operations, events }
    }

    /// A request with placeholders and a body.
    pub(crate) fn call<'a>(&'a self, path: &[(&'static str, &str)], body: &'a str) -> Call<'a> {
        Call {
            cluster: &self.cluster,
            monitor: &self.monitor,
            operations: &self.operations,
            path: path.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            query: Vec::new(),
            body: body.as_bytes(),
            now_ms: BORN + 60_000,
        }
    }

    /// What the job was asked for, if it was.
    pub(crate) fn asked(&self) -> Option<Control> {
        match self.events.try_recv() {
            Ok(Event::Control(request)) => Some(request.control.clone()),
            _ => None,
        }
    }

    /// Has the job do what it was asked for.
    pub(crate) fn carry_out(&self, outcome: Outcome) -> Control {
        match self.events.try_recv() {
            Ok(Event::Control(mut request)) => {
                request.answer(Ok(outcome));
                request.control.clone()
            }
            _ => panic!("the job was not asked"),
        }
    }
}

/// Status and JSON of an answer; of a refusal its first message as a string.
pub(crate) fn said(reply: Reply) -> (u16, Value) {
    match reply {
        Ok(Answer { status, content: Content::Json(text) }) => (status, serde_json::from_slice(&text).unwrap()),
        Ok(Answer { status, content }) => (status, Value::String(format!("{content:?}"))),
        Err(refusal) => (refusal.status, Value::String(refusal.messages.join("\n"))),
    }
}
