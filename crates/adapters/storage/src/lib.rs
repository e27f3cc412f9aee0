//! Files of snapshots: written atomically, checksummed, found again.
//!
//! A snapshot is a directory whose `_metadata` is written last and renamed into place, so a torn one is never chosen.
//! Every page of state carries a checksum; a changed byte is found before any of it is used.

pub mod file;
pub mod location;
pub mod pages;
pub mod snapshots;
