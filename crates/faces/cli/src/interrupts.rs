//! Ctrl-C, SIGTERM and SIGHUP: the first stops the running job with a savepoint, the second stops it at once. The job of
//! an application is stopped at once by the first: its controller has asked for a savepoint before, if it wanted one.
//!
//! While no job runs, and at the third time, the process ends where it stands. The handler is installed with the first
//! job; before that the signals have their usual effect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kobel_model::{Error, Result};
use kobel_runtime::job::{Control, Controller, StopMode};

use crate::args::Role;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// What the person wants of the running job.
pub(crate) struct Interrupts {
    terminal: Arc<Terminal>,
    role: Role,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_installed: bool,
    controller: Option<Controller>,
    /// Signals since the job began.
    signals: u32,
    /// No job runs, and the process stays for those who ask about the last one.
    lingers: bool,
}

impl Interrupts {
    /// No handler is installed yet.
    pub(crate) fn new(terminal: Arc<Terminal>, role: Role) -> Arc<Self> {
        Arc::new(Self { terminal, role, state: Mutex::default() })
    }

    /// From here on signals go to this job.
    ///
    /// # Errors
    /// Unavailable if the handler cannot be installed.
    pub(crate) fn attach(self: &Arc<Self>, controller: Controller) -> Result<()> {
        let mut state = self.state();
        if !state.is_installed {
            let handler = Arc::clone(self);
            ctrlc::set_handler(move || handler.on_signal()).map_err(|error| {
                Error::new(kobel_model::ErrorKind::Unavailable, "cannot listen for Ctrl-C").with_source(error)
            })?;
            state.is_installed = true;
        }
        state.signals = 0;
        state.controller = Some(controller);
        Ok(())
    }

    /// The job has ended; the answer is whether there was a signal while it ran.
    pub(crate) fn detach(&self) -> bool {
        let mut state = self.state();
        state.controller = None;
        state.signals > 0
    }

    /// From here on a signal ends the wait for those who still ask, also one that has stopped the job.
    pub(crate) fn linger(&self) {
        self.state().lingers = true;
    }

    /// Whether a signal came while the process stayed.
    pub(crate) fn was_left(&self) -> bool {
        let state = self.state();
        state.lingers && state.signals > 0
    }

    fn on_signal(&self) {
        let mut state = self.state();
        state.signals += 1;
        if state.lingers && state.signals == 1 {
            return;
        }
        match (&state.controller, state.signals) {
            (Some(controller), 1) if self.role == Role::Person => {
                self.terminal.drop_unread_rows();
                controller.send(Control::StopWithSavepoint { directory: None, end: StopMode::Suspend });
                self.terminal.inform("stopping with a savepoint (Ctrl-C again to stop at once)");
            }
            (Some(controller), 1 | 2) => {
                controller.send(Control::Cancel);
                self.terminal.inform("stopping at once");
            }
            _ => leave(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "no job is left whose files could stay unflushed, or it does not answer")]
fn leave() {
    std::process::exit(Exit::Canceled.code().into());
}
