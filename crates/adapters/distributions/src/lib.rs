//! Distributions of Apache Flink on this machine: fetched, checked, installed whole or not at all, and found again.
//!
//! An installation is built in a folder of its own, under a lock, and renamed to its place when it is complete, so that
//! whoever finds one may use it. Only here does the program speak to release archives and package managers.

mod archive;
pub mod checksum;
mod download;
pub mod installed;
pub mod java;
mod layout;
mod local;
mod packages;
mod programs;
pub mod progress;
mod runner;
mod scratch;
pub mod store;
mod unpack;
pub mod version;

pub use archive::APACHE_ARCHIVE;
pub use installed::Installed;
pub use java::{Java, java};
pub use progress::Progress;
pub use store::{Distributions, Source};
