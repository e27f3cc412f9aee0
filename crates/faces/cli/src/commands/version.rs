//! `kobel version`: the same line as `kobel --version`.

use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Prints name and version.
pub(crate) fn run() -> Exit {
    let terminal = Terminal::new(Verbosity::Quiet);
    // A closed standard output is silent, as everywhere.
    let _ = terminal.rows(concat!("kobel ", env!("CARGO_PKG_VERSION"), "\n"));
    Exit::Done
}
