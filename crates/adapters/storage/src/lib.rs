//! What lies outside a process: snapshots, written atomically, checksummed, found again; programs, fetched whole; objects
//! and log streams at AWS, which logs are shipped to.
//!
//! A snapshot is a directory whose `_metadata` is written last and renamed into place, so a torn one is never chosen.
//! Every page of state carries a checksum; a changed byte is found before any of it is used. A program is fetched
//! from addresses that were checked, and lies under the digest of what it holds.

mod agent;
pub mod artifacts;
pub mod aws;
pub mod checkpoints;
pub mod file;
pub mod location;
pub mod objects;
pub mod pages;
pub mod patience;
pub mod recovery;
pub mod snapshots;
