//! The control loop: gather, read, decide, build, apply, report.
//!
//! It is driven by what is there and not by what has happened: whatever an event told, an object is decided on as it
//! stands, so the loop may end between any two lines and begin again. What decides is pure; what acts is thin, and an
//! object that is as it should be is not written.
//!
//! ```text
//! watch ─▶ Event ─▶ read, decide ─▶ build ─▶ apply
//!            ▲                                 │
//!            └──────── later, if it failed ────┘
//! ```

mod controller;
mod decide;
mod deployments;
mod key;
mod retries;
mod rounds;

pub use controller::Controller;
