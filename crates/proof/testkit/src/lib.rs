//! Runs real third-party tools for tests: fetches them, starts them, and asks them over HTTP.
//!
//! [`packages`] finds or fetches a tool and says why it cannot; [`process`] starts one and ends it with the test;
//! [`http`] asks a server; [`flink`] runs Apache Flink itself; [`behaviour`] holds an API to what kube clients rely on.
//! Nothing here is used by the product, and nothing here knows the product, but for the Java class with which it runs
//! scripts of SQL on Flink, and the name of the kind that the checks of an API are made with.

pub mod behaviour;
pub mod flink;
pub mod http;
pub mod packages;
pub mod process;

use std::path::{Path, PathBuf};

/// Says loudly that a test does not run, and why; a run of all tests counts it as a failure.
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Returns the path of one of the Python scripts of this crate.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name)
}

/// Gives what a `Result` holds, or says that the test is skipped and leaves it.
#[macro_export]
macro_rules! or_skip {
    ($found:expr) => {
        match $found {
            Ok(found) => found,
            Err(why) => {
                $crate::skipped(&why);
                return;
            }
        }
    };
}
