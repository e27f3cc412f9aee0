//! The log of one process: structured lines, rotated files without secrets, read back by name.
//!
//! One event is one line, and no text reaches a file before the [`Scrubber`] has seen it. Writing never fails the
//! caller: lines that the disk does not take are counted, and the count is written as soon as it takes lines again.
//!
//! ```text
//! tracing event ─▶ layer ─▶ line (scrub, render) ─▶ writer (rotate, append) ─▶ <stem>.log, <stem>.log.1, …
//!                                                              REST endpoints ◀─ files (list, open)
//!                                                              `kobel logs`   ◀─ tail (follow)
//! ```

mod fields;
mod files;
mod layer;
mod line;
mod options;
mod scrub;
mod stem;
mod tail;
mod writer;

pub use files::{LogFile, LogFiles};
pub use layer::{LogLayer, layer, start, start_on_stderr};
pub use options::{Format, Level, LogOptions};
pub use scrub::Scrubber;
pub use tail::Tail;
