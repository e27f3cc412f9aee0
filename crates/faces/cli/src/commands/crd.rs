//! `kobel crd`: the CustomResourceDefinitions as YAML, made from the same types that the embedded API serves.

use super::client::print;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Prints the definitions.
pub(crate) fn run() -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    match print(&terminal, &kobel_resources::crd::yaml()) {
        Ok(()) => Exit::Done,
        Err(_) if terminal.is_stdout_closed() => Exit::Done,
        Err(error) => {
            terminal.error(&error);
            Exit::Failed(error.kind())
        }
    }
}
