//! The commands, one file each.

pub(crate) mod apply;
mod check;
mod client;
mod columns;
pub(crate) mod crd;
mod data;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod get;
mod hide;
pub(crate) mod run;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod version;
