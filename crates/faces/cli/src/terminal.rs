//! Where the command speaks: rows to standard output, words to standard error, a line of progress that never mixes with
//! either.
//!
//! Nobody else writes to the two streams. What came from data or scripts is shown with its control characters escaped.
//! A closed standard error is ignored, a closed standard output is noted and ends the command without a message.

pub(crate) mod escape;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod value;

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kobel_model::{Error, Result};

use self::escape::push_escaped_lines;
use crate::exit::Exit;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Everything.
    Normal,
    /// Errors, warnings, and where a savepoint is.
    Quiet,
}

/// The two output streams of the process.
pub(crate) struct Terminal {
    verbosity: Verbosity,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    /// Whether a line of progress stands on the screen; whoever writes to the screen holds the lock.
    has_status: Mutex<bool>,
    is_stdout_closed: AtomicBool,
    /// Rows that nobody reads any more are dropped in silence.
    drops_unread_rows: AtomicBool,
}

impl Terminal {
    /// The streams of this process.
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        // A dumb terminal cannot rewrite a line, so it is treated as a file.
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self {
            verbosity,
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal() && !is_dumb,
            has_status: Mutex::new(false),
            is_stdout_closed: AtomicBool::new(false),
            drops_unread_rows: AtomicBool::new(false),
        }
    }

    /// Whether rows are read by a person.
    pub(crate) fn shows_rows(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether a line of progress can be rewritten.
    pub(crate) fn rewrites_lines(&self) -> bool {
        self.stderr_is_terminal
    }

    /// How much is said.
    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Whether the reader of standard output has gone.
    pub(crate) fn is_stdout_closed(&self) -> bool {
        self.is_stdout_closed.load(Ordering::Acquire)
    }

    /// From here on a closed standard output is no reason to end: Ctrl-C reaches every program of a pipeline, and the
    /// reader is gone before the savepoint is complete.
    pub(crate) fn drop_unread_rows(&self) {
        self.drops_unread_rows.store(true, Ordering::Release);
    }

    /// Writes whole lines to standard output, at once.
    ///
    /// # Errors
    /// Those of the stream.
    pub(crate) fn rows(&self, lines: &str) -> io::Result<()> {
        // Writing to a pipe may take for ever; the screen is locked only if both streams are on it.
        let screen = self.stdout_is_terminal.then(|| {
            let mut has_status = self.lock();
            self.clear(&mut has_status);
            has_status
        });
        let mut out = io::stdout().lock();
        let written = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        drop(screen);
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            if self.drops_unread_rows.load(Ordering::Acquire) {
                return Ok(());
            }
            self.is_stdout_closed.store(true, Ordering::Release);
        }
        written
    }

    /// Writes whole lines of data to standard error as they are.
    ///
    /// # Errors
    /// Those of the stream.
    pub(crate) fn rows_on_stderr(&self, lines: &str) -> io::Result<()> {
        let mut has_status = self.lock();
        self.clear(&mut has_status);
        io::stderr().lock().write_all(lines.as_bytes())
    }

    /// Says something, even to a person who asked for quiet.
    pub(crate) fn say(&self, text: &str) {
        let mut line = String::with_capacity(text.len() + 1);
        push_escaped_lines(&mut line, text);
        line.push('\n');
        // Nobody listens if standard error is closed.
        let _ = self.rows_on_stderr(&line);
    }

    /// Says something unless quiet was asked for.
    pub(crate) fn inform(&self, text: &str) {
        if self.verbosity == Verbosity::Normal {
            self.say(text);
        }
    }

    /// Says something that is good to know, unless quiet was asked for.
    pub(crate) fn note(&self, text: &str) {
        self.inform(&report::shortened(&format!("note: {text}")));
    }

    /// Says that something is wrong that does not stop the command.
    pub(crate) fn warn(&self, text: &str) {
        self.say(&report::shortened(&format!("warning: {text}")));
    }

    /// Reports an error with its causes and its hint.
    pub(crate) fn error(&self, error: &Error) {
        self.say(&report::shortened(&report::text(error)));
    }

    /// How a command ends with what came of it. An error is shown, unless whoever read the output has seen enough.
    pub(crate) fn conclude(&self, ended: Result<Exit>) -> Exit {
        match ended {
            Ok(exit) => exit,
            Err(_) if self.is_stdout_closed() => Exit::Done,
            Err(error) => {
                self.error(&error);
                Exit::Failed(error.kind())
            }
        }
    }

    /// Shows a line that the next one replaces; only where lines can be rewritten.
    pub(crate) fn show_status(&self, line: &str) {
        if !self.stderr_is_terminal || self.verbosity == Verbosity::Quiet {
            return;
        }
        let mut has_status = self.lock();
        *has_status = true;
        // Without automatic wrapping a long line is cut at the edge, and a carriage return finds its beginning.
        let _ = write!(io::stderr().lock(), "\r\x1b[K\x1b[?7l{line}\x1b[?7h");
    }

    /// Removes the line of progress.
    pub(crate) fn clear_status(&self) {
        let mut has_status = self.lock();
        self.clear(&mut has_status);
    }

    fn clear(&self, has_status: &mut bool) {
        if std::mem::take(has_status) {
            let _ = io::stderr().lock().write_all(b"\r\x1b[K");
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.has_status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
