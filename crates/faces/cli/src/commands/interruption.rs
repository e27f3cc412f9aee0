//! Ctrl-C while a command waits for what it asked for: the waiting ends, what was asked for goes on, and that is said.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::exit::Exit;
use crate::terminal::Terminal;

/// Ctrl-C, SIGTERM and SIGHUP.
pub(crate) struct Interruption {
    came: Arc<Notify>,
}

impl Interruption {
    /// Listens from here on. Where nobody can listen, the signals end the process without a word, as they usually do.
    pub(crate) fn listen() -> Self {
        let came = Arc::new(Notify::new());
        let sender = Arc::clone(&came);
        // It fails if somebody listens already.
        let _ = ctrlc::set_handler(move || sender.notify_one());
        Self { came }
    }

    /// Waits for `work`; the answer is absent if a signal came before that was done.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            // What is done is done, whatever came at the same moment.
            biased;
            done = work => Some(done),
            () = self.came.notified() => None,
        }
    }
}

/// Says that the command was left and what it asked for goes on, and by which `command` to see how.
pub(crate) fn left(terminal: &Terminal, command: &str) -> Exit {
    terminal.clear_status();
    terminal.inform(&goes_on(command));
    Exit::Canceled
}

fn goes_on(command: &str) -> String {
    format!("it goes on without this command; `{command}` tells how")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_ends_the_waiting_and_not_what_is_done() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let interruption = Interruption { came: Arc::new(Notify::new()) };
        runtime.block_on(async {
            assert_eq!(interruption.or(async { 1 }).await, Some(1));
            interruption.came.notify_one();
            assert_eq!(interruption.or(std::future::pending::<i32>()).await, None);
            interruption.came.notify_one();
            assert_eq!(interruption.or(async { 2 }).await, Some(2));
        });
    }

    #[test]
    fn whoever_leaves_is_told_that_it_goes_on() {
        let told = goes_on("kobel explain orders");
        assert_eq!(told, "it goes on without this command; `kobel explain orders` tells how");
    }
}
