//! How anybody reaches the thread that runs a job.

use std::fmt;
use std::sync::mpsc::Sender;

use crate::control::{Control, Reply, Request};
use crate::event::Event;

/// Sends controls to a job from any thread.
#[derive(Clone)]
pub struct Controller {
    events: Sender<Event>,
}

impl Controller {
    /// A controller of the job that reads these events.
    pub(crate) fn new(events: Sender<Event>) -> Self {
        Self { events }
    }

    /// Asks; a job that has ended does not hear it.
    pub fn send(&self, control: Control) {
        // An ended job has closed its queue, which is what the caller wants to achieve.
        let _ = self.events.send(Event::Control(Request { control, reply: None }));
    }

    /// Asks, and is told what came of it: `reply` is called exactly once, by another thread.
    pub fn ask(&self, control: Control, reply: Reply) {
        // If the job has ended the request comes back and is answered as it is dropped.
        let _ = self.events.send(Event::Control(Request { control, reply: Some(reply) }));
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Controller")
    }
}
