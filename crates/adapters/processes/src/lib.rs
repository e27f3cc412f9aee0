//! Applications as child processes of one machine: started once, found again after a crash, ended whole.
//!
//! **A process is a pid, the tick it was started at, and the boot.** A pid alone is never believed and never signalled:
//! it may have gone to somebody else's process.
//!
//! **The record comes first.** A launch is written down before its first process is spawned, with a random token for
//! each of them, and the token is in the environment of the process as `KOBEL_PROCESS`. Whoever dies between the spawn
//! and the next write leaves a token behind that the successor looks for in `/proc`. A record is replaced whole, and
//! one of another boot, or of another container, speaks of processes that are dead.
//!
//! **A launch stands until it was ended.** Dead processes stay in it, with how they ended and their last words, until
//! [`Processes::end`] has seen that nothing of it is left: neither a process that it spawned nor a child of one.
//!
//! **Children outlive the terminal.** Each process leads a process group of its own, and has `/dev/null` for input and
//! a file for output. No session of its own is needed for that: the terminal sends Ctrl-C to its foreground group only;
//! a hang-up goes to the leader of the session and to the foreground group; a shell passes it on to the groups of its
//! own jobs, and it knows none of these. With a group, unlike with a session that another program would have to make,
//! there is no moment at which the child still belongs to the terminal, and a program that cannot be executed is an
//! error of the spawn.
//!
//! One program uses a root at a time, so records are read once and kept in memory. Waiting costs nothing: one thread
//! sleeps until the kernel says that a process ended.

mod application;
mod ask;
mod cgroups;
mod file;
mod handle;
mod kernel;
mod output;
mod ports;
mod processes;
mod record;
mod seen;
mod spawn;
mod watch;

pub use ask::ask;
pub use processes::{Processes, running};
pub use seen::{Label, Limits, ProcessState, Seen, SeenProcess};
