//! What an installation tells while it runs, and how whoever listens ends it.

use std::ops::ControlFlow;

use kobel_model::{Error, ErrorKind, Result};

/// Where an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Another installation of the same line is waited for.
    Waiting,
    /// The newest release of a line is looked up.
    Looking,
    /// The release is there already, and nothing is to be done.
    AlreadyThere,
    /// A file is coming.
    Downloading {
        /// Its name.
        file: &'a str,
        /// How much of it is here.
        bytes: u64,
        /// How large it is, if the server says so.
        total: Option<u64>,
    },
    /// The package manager fetches a package.
    Fetching {
        /// The package with its version.
        package: &'a str,
    },
    /// The checksum of a file is compared.
    Checking {
        /// Its name.
        file: &'a str,
    },
    /// An archive is unpacked.
    Unpacking {
        /// Its name.
        file: &'a str,
    },
    /// A folder is copied.
    Copying,
    /// What was installed is written out to the disk.
    Settling,
}

/// Who listens; `Break` ends the installation, which leaves nothing behind.
pub type Watch<'a> = dyn Fn(Progress<'_>) -> ControlFlow<()> + 'a;

/// Tells; the error says that the listener wants no more.
pub(crate) fn tell(watch: &Watch<'_>, progress: Progress<'_>) -> Result<()> {
    match watch(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(ErrorKind::Unavailable, "the installation was ended")),
    }
}
