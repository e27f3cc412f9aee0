//! The commands, one file each.

pub(crate) mod run;
pub(crate) mod version;
