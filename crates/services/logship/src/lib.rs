//! The log agent beside Flink: follows the files that the containers of a pod log to, and ships what they hold to Amazon
//! S3, to the log streams of CloudWatch, or to both.
//!
//! ```text
//! files of Flink ─▶ follow (positions) ─▶ spool (gzip, rotate) ─▶ objects      <path>/<pod>/<stream>.gz
//!                └▶ follow (positions) ─▶ batch (lines, limits) ─▶ log streams  <prefix>/<pod>/<stream>
//! ```
//!
//! # Invariants
//! * Each destination has a position of its own in each file, kept beside the logs: a restart loses nothing that is still
//!   on the disk. What goes to S3 is never doubled; of what goes to CloudWatch at most
//!   what one turn reads is.
//! * A file of Flink is never changed, and one that was renamed or deleted is read to its end.
//! * What piles up while a destination is away is bounded; what is dropped is said.

mod batch;
mod cloudwatch;
mod destination;
mod follow;
mod names;
mod pace;
mod positions;
mod s3;
mod settings;
mod ship;
mod spool;

pub use settings::{CloudWatch, Rotation, S3, Settings};
pub use ship::run;
