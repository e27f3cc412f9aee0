//! The `kobel` command from the outside: what is typed, what comes out on which stream, with which exit code.
//!
//! Each test has a directory of its own as working directory. Nothing waits for a time: a test goes on when it has read
//! what it waits for, or when the process has ended.

mod bad_input;
mod command_line;
mod crash;
mod errors;
mod fetch;
mod kobel;
mod mistakes;
mod plans;
mod recovery;
mod results;
