//! Snapshot directories: where checkpoints and savepoints lie, which of them are whole, and when they go.
//!
//! ```text
//! <checkpoint dir>/<job id>/chk-7/_metadata      manifest of checkpoint 7
//! <checkpoint dir>/<job id>/shared/7-2-0         pages that checkpoint 7 wrote; later manifests may point at them
//! <savepoint dir>/savepoint-<job>-<suffix>/      manifest and pages together: can be moved and copied
//! ```
//! The layout is Flink's. Every file of pages is written before the manifest that names it, and removed only when no
//! retained manifest does.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kobel_model::ids::JobId;
use kobel_model::snapshot::{METADATA_FILE, Manifest, PageRef, SnapshotKind};
use kobel_model::{Error, ErrorKind, Result};

use crate::{file, pages};

/// The largest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;
const SHARED: &str = "shared";

/// Where the files of one snapshot go.
#[derive(Debug, Clone)]
pub struct SnapshotTarget {
    /// Directory of the manifest.
    directory: PathBuf,
    /// Directory of the pages.
    pages: PathBuf,
    /// What stands before the name of a page file in the manifest.
    prefix: &'static str,
}

impl SnapshotTarget {
    /// Where the manifest lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes pages to a file of this name.
    ///
    /// # Errors
    /// Denied or Unavailable if it cannot be written.
    pub fn write_pages(&self, name: &str, pages: &[pages::PageContent<'_>]) -> Result<Vec<PageRef>> {
        if pages.is_empty() {
            return Ok(Vec::new());
        }
        pages::write(&self.pages.join(name), &format!("{}{name}", self.prefix), pages)
    }

    /// Makes the snapshot valid: its manifest is the last thing that is written.
    ///
    /// # Errors
    /// Denied or Unavailable if it cannot be written.
    pub fn publish(&self, manifest: &Manifest) -> Result<()> {
        let bytes = manifest.encode()?;
        let failed = |error| Error::io(format!("cannot make `{}`", self.directory.display()), error);
        fs::create_dir_all(&self.directory).map_err(failed)?;
        file::sync_directory(&self.pages)?;
        file::write_atomically(&self.directory.join(METADATA_FILE), &bytes)?;
        self.directory.parent().map_or(Ok(()), file::sync_directory)
    }
}

/// The checkpoints of one job.
#[derive(Debug)]
pub struct CheckpointStore {
    root: PathBuf,
    /// Ids and page files of the complete checkpoints, oldest first.
    retained: Vec<(u64, HashSet<String>)>,
    retained_max: usize,
    /// Held as long as the job runs; the system releases it whatever ends the process.
    _lock: File,
}

impl CheckpointStore {
    /// Opens (and makes) the directory of a job below `directory`; keeps the newest `retained_max` checkpoints.
    ///
    /// # Errors
    /// Denied if the directory cannot be written.
    pub fn open(directory: &Path, job: JobId, retained_max: usize) -> Result<Self> {
        let root = directory.join(job.to_string());
        file::create_writable_directory(&root.join(SHARED)).map_err(|error| {
            error
                .context("cannot use the checkpoint directory")
                .with_hint("set 'execution.checkpointing.dir' to a directory that can be written")
        })?;
        let lock = lock(&root)?;
        Ok(Self { root, retained: Vec::new(), retained_max, _lock: lock })
    }

    /// Goes on from checkpoint `restored`: older ones stay, newer ones no longer describe this job and are set aside
    /// under another name.
    ///
    /// # Errors
    /// Unavailable if the directory cannot be listed or changed.
    pub fn rewind(&mut self, restored: u64) -> Result<()> {
        for (id, path) in checkpoints_of(&self.root)? {
            if id > restored {
                let aside = self.root.join(format!("abandoned-chk-{id}-after-{restored}"));
                let failed = |error| Error::io(format!("cannot set `{}` aside", path.display()), error);
                remove_directory(&aside)?;
                fs::rename(&path, &aside).map_err(failed)?;
            } else if let Ok(manifest) = load(&path) {
                self.retained.push((id, page_files(&manifest)));
            }
        }
        self.retained.sort_by_key(|(id, _)| *id);
        Ok(())
    }

    /// Where checkpoint `id` goes.
    pub fn target(&self, id: u64) -> SnapshotTarget {
        SnapshotTarget {
            directory: self.root.join(format!("chk-{id}")),
            pages: self.root.join(SHARED),
            prefix: "../shared/",
        }
    }

    /// Notes that a checkpoint is complete, and removes what is no longer needed. Nothing may be writing.
    ///
    /// # Errors
    /// Unavailable if something cannot be removed; the checkpoint is complete all the same.
    pub fn completed(&mut self, manifest: &Manifest) -> Result<()> {
        self.retained.push((manifest.checkpoint_id, page_files(manifest)));
        while self.retained.len() > self.retained_max {
            let (id, _) = self.retained.remove(0);
            remove_directory(&self.root.join(format!("chk-{id}")))?;
        }
        let shared = self.root.join(SHARED);
        let failed = |error| Error::io(format!("cannot clean `{}`", shared.display()), error);
        for entry in fs::read_dir(&shared).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !self.retained.iter().any(|(_, files)| files.contains(&name)) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Makes sure that no other process runs the job.
fn lock(root: &Path) -> Result<File> {
    let path = root.join("lock");
    let failed = |error| Error::io(format!("cannot lock `{}`", path.display()), error);
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another process runs this job: it holds `{}`", path.display());
            Err(Error::new(ErrorKind::Conflict, message)
                .with_hint("stop it first; two would write each other's output"))
        }
    }
}

/// Names of the shared page files of a manifest.
fn page_files(manifest: &Manifest) -> HashSet<String> {
    let subtasks = manifest.operators.iter().flat_map(|operator| &operator.subtasks);
    let pages = subtasks.flat_map(|subtask| &subtask.pages);
    pages.filter_map(|page| page.file.strip_prefix("../shared/")).map(str::to_owned).collect()
}

fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Makes the directory of a new savepoint below `directory`; `suffix` makes its name unique.
///
/// # Errors
/// Denied if it cannot be written.
pub fn new_savepoint(directory: &Path, job: JobId, suffix: &str) -> Result<SnapshotTarget> {
    let job = job.to_string();
    let path = directory.join(format!("savepoint-{}-{suffix}", &job[..6]));
    file::create_writable_directory(&path).map_err(|error| {
        error
            .context("cannot make a savepoint")
            .with_hint("set 'execution.checkpointing.savepoint-dir' to a directory that can be written")
    })?;
    Ok(SnapshotTarget { directory: path.clone(), pages: path, prefix: "" })
}

/// Removes a savepoint; `path` is its directory or its `_metadata` file. Nothing else is ever removed: what is no
/// savepoint is refused.
///
/// # Errors
/// Missing if there is no snapshot, Corrupt if its manifest is damaged, Invalid if it is a checkpoint, Denied or
/// Unavailable if it cannot be removed.
pub fn dispose(path: &Path) -> Result<()> {
    let manifest = load(path)?;
    let directory = directory_of(path);
    if manifest.kind != SnapshotKind::Savepoint {
        let message = format!("cannot dispose of `{}`: it is a checkpoint", directory.display());
        return Err(Error::invalid(message).with_hint("checkpoints belong to their job, which removes them itself"));
    }
    let failed = |error| Error::io(format!("cannot remove savepoint `{}`", directory.display()), error);
    // Without its manifest it is no snapshot any more, should the rest not go.
    fs::remove_file(directory.join(METADATA_FILE)).map_err(failed)?;
    fs::remove_dir_all(directory).map_err(failed)
}

/// Reads the manifest of a snapshot; `path` is its directory or its `_metadata` file. The state is not read.
///
/// # Errors
/// Missing if there is no snapshot, Corrupt if its manifest is damaged.
pub fn load(path: &Path) -> Result<Manifest> {
    let directory = directory_of(path);
    let metadata = directory.join(METADATA_FILE);
    if !metadata.is_file() {
        let message = format!("`{}` is no snapshot: it has no file `{METADATA_FILE}`", directory.display());
        let hint = "name a directory `savepoint-…` or `chk-…`";
        return Err(Error::new(ErrorKind::Missing, message).with_hint(hint));
    }
    let bytes = file::read(&metadata, MANIFEST_BYTES_MAX)?;
    Manifest::decode(&bytes).map_err(|error| error.context(format!("cannot use snapshot `{}`", directory.display())))
}

/// The directory of a snapshot that is named by it or by its `_metadata` file.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if path.file_name().is_some_and(|name| name == METADATA_FILE) => parent,
        _ => path,
    }
}

/// Reads a manifest and checks every page that it names.
///
/// # Errors
/// Missing or Corrupt, naming the file.
pub fn load_verified(path: &Path) -> Result<Manifest> {
    let manifest = load(path)?;
    let directory = directory_of(path);
    for page in manifest.operators.iter().flat_map(|operator| &operator.subtasks).flat_map(|subtask| &subtask.pages) {
        pages::verify(directory, page)
            .map_err(|error| error.context(format!("cannot use snapshot `{}`", directory.display())))?;
    }
    Ok(manifest)
}

/// The newest whole checkpoint, and the newer ones that are not.
#[derive(Debug, Default)]
pub struct Newest {
    /// Its directory and manifest; `None` if there is none.
    pub whole: Option<(PathBuf, Manifest)>,
    /// Newer ones that cannot be used, with the reason.
    pub damaged: Vec<(PathBuf, Error)>,
}

/// A checkpoint that was found.
struct Found {
    job: PathBuf,
    id: u64,
    path: PathBuf,
    written: SystemTime,
}

/// Finds the newest whole checkpoint below `directory` whose manifest is `wanted`. A directory without a manifest is no
/// checkpoint and is passed over in silence; a damaged one is reported.
///
/// Manifests say when they were taken; of one that cannot be read the id says it among those of its job, and the time of
/// its file among others.
///
/// # Errors
/// Unavailable if a directory cannot be listed.
pub fn newest(directory: &Path, wanted: impl Fn(&Manifest) -> bool) -> Result<Newest> {
    let mut all = Vec::new();
    for job in directories(directory)? {
        all.extend(found_of(&job)?);
    }
    Ok(newest_among(all, |manifest, found| wanted(manifest).then_some((manifest.triggered_ms, found.id))))
}

/// Finds the newest whole checkpoint of one job below `directory`, as [`newest`] does, but by their ids alone: each of its
/// processes goes on counting, and one may have run on a machine whose clock is behind.
///
/// # Errors
/// Unavailable if its directory cannot be listed.
pub fn newest_of(directory: &Path, job: JobId) -> Result<Newest> {
    Ok(newest_among(found_of(&directory.join(job.to_string()))?, |_, found| Some((0, found.id))))
}

/// The newest of these; `rank` tells how new one is, if it is wanted.
fn newest_among(all: Vec<Found>, rank: impl Fn(&Manifest, &Found) -> Option<(i64, u64)>) -> Newest {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for found in all {
        match load(&found.path) {
            Ok(manifest) => readable.extend(rank(&manifest, &found).map(|rank| (rank, found))),
            Err(error) => unreadable.push((found, error)),
        }
    }
    readable.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let mut newest = Newest::default();
    let mut chosen = None;
    for (_, found) in readable {
        match load_verified(&found.path) {
            Ok(manifest) => {
                newest.whole = Some((found.path.clone(), manifest));
                chosen = Some(found);
                break;
            }
            Err(error) => newest.damaged.push((found.path, error)),
        }
    }
    let is_newer = |found: &Found| match &chosen {
        None => true,
        Some(chosen) if chosen.job == found.job => found.id > chosen.id,
        Some(chosen) => found.written > chosen.written,
    };
    let newer = unreadable.into_iter().filter(|(found, _)| is_newer(found));
    newest.damaged.extend(newer.map(|(found, error)| (found.path, error)));
    newest
}

/// All directories `chk-N` of a job with a manifest, whole or not.
fn found_of(job: &Path) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    for (id, path) in checkpoints_of(job)? {
        let written = fs::metadata(path.join(METADATA_FILE)).and_then(|metadata| metadata.modified());
        if let Ok(written) = written {
            all.push(Found { job: job.to_owned(), id, path, written });
        }
    }
    Ok(all)
}

fn directories(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io(format!("cannot list `{}`", path.display()), error);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(path).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

/// The directories `chk-N` of a job with their ids.
fn checkpoints_of(job: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let id = |path: &Path| path.file_name()?.to_str()?.strip_prefix("chk-")?.parse().ok();
    Ok(directories(job)?.into_iter().filter_map(|path| Some((id(&path)?, path))).collect())
}
