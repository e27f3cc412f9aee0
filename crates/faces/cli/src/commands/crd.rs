//! `kobel crd`: the CustomResourceDefinitions as YAML, made from the same types that the embedded API serves.

use super::client::print;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Prints the definitions.
pub(crate) fn run() -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(print(&terminal, &kobel_resources::crd::yaml()).map(|()| Exit::Done))
}
