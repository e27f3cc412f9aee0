//! The newest checkpoint of a job, whichever engine took it.
//!
//! Apache Flink and the native engine lay the checkpoints of a job out alike: `<directory>/<job id>/chk-N`, with a file
//! `_metadata` that is put there last. Beside them lie `shared`, and `taskowned` of Apache Flink or `lock` of the
//! native engine. The native engine sets checkpoints aside that a job has gone back behind, as
//! `abandoned-chk-N-after-M`; they are not looked at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use kobel_model::ids::JobId;
use kobel_model::snapshot::METADATA_FILE;
use kobel_model::{Error, ErrorKind, Result};

use crate::location::local_path;

/// How often a directory is listed in which checkpoints come and go.
const LISTINGS_MAX: usize = 5;

/// What was found in a directory of checkpoints.
enum Found {
    Newest(PathBuf, i64),
    Nothing,
    /// A checkpoint was removed while it was looked at, so a newer one may have come.
    Changing,
}

/// The newest complete checkpoint of a job below `checkpoints`, a path or a `file:` address, with the time at which it
/// was completed in milliseconds since 1970; `None` if the job has none. What is given is written as `checkpoints` is.
///
/// # Errors
/// Unsupported if `checkpoints` lies on no local file system, Invalid if `job_id` is none, Denied or Unavailable if the
/// directory of the job cannot be listed: then there may be a checkpoint.
pub fn newest_of_job(checkpoints: &str, job_id: &str) -> Result<Option<(String, i64)>> {
    let directory = directory(checkpoints)?;
    let id: JobId = job_id.parse()?;
    let job = directory.join(id.to_string());
    for _ in 0..LISTINGS_MAX {
        match look(&job)? {
            Found::Newest(path, at_ms) => return Ok(Some((written_as(checkpoints, &path)?, at_ms))),
            Found::Nothing => return Ok(None),
            Found::Changing => {}
        }
    }
    let message = format!("cannot find the newest checkpoint in `{}`: its checkpoints come and go", job.display());
    Err(Error::new(ErrorKind::Unavailable, message).with_hint("look again when the job has ended"))
}

/// The newest complete savepoint of a job in `savepoints`, a path or a `file:` address, that was completed at `since_ms` or
/// later, with the time at which it was; `None` if there is none. Both engines name it `savepoint-<first six digits of the
/// job's id>-…`.
///
/// # Errors
/// As [`newest_of_job`].
pub fn savepoint_since(savepoints: &str, job_id: &str, since_ms: i64) -> Result<Option<(String, i64)>> {
    let directory = directory(savepoints)?;
    let id = job_id.parse::<JobId>()?.to_string();
    let beginning = format!("savepoint-{}-", id.get(..6).unwrap_or(&id));
    let failed = |error| Error::io(format!("cannot list the savepoints in `{}`", directory.display()), error);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut newest: Option<(PathBuf, i64)> = None;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with(&beginning) {
            continue;
        }
        let Some(at_ms) = completed(&entry.path())? else { continue };
        if at_ms >= since_ms && newest.as_ref().is_none_or(|(_, known)| at_ms > *known) {
            newest = Some((entry.path(), at_ms));
        }
    }
    newest.map(|(path, at_ms)| Ok((written_as(savepoints, &path)?, at_ms))).transpose()
}

fn directory(checkpoints: &str) -> Result<PathBuf> {
    if let Some((scheme, _)) = checkpoints.trim().split_once("://")
        && !scheme.eq_ignore_ascii_case("file")
    {
        let message = format!("cannot look for checkpoints in `{scheme}`: only local directories can be listed");
        return Err(Error::unsupported(message).with_hint("name the checkpoint to start from"));
    }
    local_path("execution.checkpointing.dir", checkpoints)
}

/// The path as an address if the directory was one.
fn written_as(checkpoints: &str, path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| {
        Error::invalid(format!("cannot name the checkpoint `{}`: its path is no text", path.display()))
    })?;
    let is_address = checkpoints.trim().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:"));
    Ok(if is_address && path.is_absolute() { format!("file://{text}") } else { text.to_owned() })
}

fn look(job: &Path) -> Result<Found> {
    let failed = |error| Error::io(format!("cannot list the checkpoints in `{}`", job.display()), error);
    let entries = match fs::read_dir(job) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(failed(error)),
    };
    let mut checkpoints = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if let Some(id) = path.file_name().and_then(|name| name.to_str()).and_then(number) {
            checkpoints.push((id, path));
        }
    }
    checkpoints.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
    let mut is_changing = false;
    for (_, path) in checkpoints {
        match completed(&path)? {
            Some(at_ms) if !is_changing => return Ok(Found::Newest(path, at_ms)),
            Some(_) => return Ok(Found::Changing),
            None => is_changing |= !path.exists(),
        }
    }
    Ok(if is_changing { Found::Changing } else { Found::Nothing })
}

/// The number of a checkpoint.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("chk-")?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// When a checkpoint was completed; `None` if it is not complete, or no longer there.
fn completed(checkpoint: &Path) -> Result<Option<i64>> {
    let path = checkpoint.join(METADATA_FILE);
    let failed = |error| Error::io(format!("cannot look at `{}`", path.display()), error);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    // A power cut may leave the name without the content.
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(None);
    }
    let since = metadata.modified().map_err(failed)?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const JOB: &str = "0123456789abcdef0123456789abcdef";

    /// Makes a checkpoint with this much in its `_metadata`; `None` makes none.
    fn checkpoint(job: &Path, name: &str, bytes: Option<&[u8]>) {
        let path = job.join(name);
        fs::create_dir_all(&path).unwrap();
        if let Some(bytes) = bytes {
            fs::write(path.join(METADATA_FILE), bytes).unwrap();
        }
    }

    #[test]
    fn pr_245_a_savepoint_that_nobody_heard_of_is_found() {
        let root = tempfile::tempdir().unwrap();
        let text = root.path().to_str().unwrap();
        assert_eq!(savepoint_since(&format!("{text}/none"), JOB, 0).unwrap(), None);
        checkpoint(root.path(), "savepoint-012345-a", Some(b"x"));
        checkpoint(root.path(), "savepoint-012345-half", None);
        checkpoint(root.path(), "savepoint-ffffff-other", Some(b"x"));
        let (path, at_ms) = savepoint_since(text, JOB, 0).unwrap().unwrap();
        assert!(path.ends_with("savepoint-012345-a"), "{path}");
        assert_eq!(savepoint_since(text, JOB, at_ms + 1).unwrap(), None, "it is an older one");
    }

    #[test]
    fn the_highest_number_with_metadata_is_the_newest() {
        let root = tempfile::tempdir().unwrap();
        let job = root.path().join(JOB);
        for name in ["shared", "taskowned", "chk-", "chk-x", "chk-+99", "abandoned-chk-80-after-7"] {
            checkpoint(&job, name, Some(b"x"));
        }
        fs::write(job.join("lock"), "").unwrap();
        fs::write(job.join("chk-70"), "no directory").unwrap();
        checkpoint(&job, "chk-9", Some(b"x"));
        checkpoint(&job, "chk-10", Some(b"x"));
        checkpoint(&job, "chk-11", None);
        checkpoint(&job, "chk-12", Some(b""));
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567);
        let metadata = fs::File::options().write(true).open(job.join("chk-10").join(METADATA_FILE)).unwrap();
        metadata.set_modified(at).unwrap();

        let path = job.join("chk-10").to_str().unwrap().to_owned();
        let root = root.path().to_str().unwrap();
        for (directory, expected) in [
            (root.to_owned(), path.clone()),
            (format!("{root}/"), path.clone()),
            (format!("file://{root}"), format!("file://{path}")),
            (format!("file:{root}"), format!("file://{path}")),
        ] {
            assert_eq!(newest_of_job(&directory, JOB).unwrap(), Some((expected, 1_234_567)), "for `{directory}`");
        }
        let upper = JOB.to_ascii_uppercase();
        assert!(newest_of_job(root, &upper).unwrap().is_some(), "an id in capitals is the same id");
    }

    #[test]
    fn a_job_without_a_complete_checkpoint_has_none() {
        let root = tempfile::tempdir().unwrap();
        let text = root.path().to_str().unwrap();
        assert_eq!(newest_of_job(&format!("{text}/absent"), JOB).unwrap(), None);
        assert_eq!(newest_of_job(text, JOB).unwrap(), None);
        checkpoint(&root.path().join(JOB), "chk-1", None);
        assert_eq!(newest_of_job(text, JOB).unwrap(), None);
        checkpoint(&root.path().join("fedcba9876543210fedcba9876543210"), "chk-2", Some(b"x"));
        assert_eq!(newest_of_job(text, JOB).unwrap(), None, "the checkpoint of another job is not taken");
    }

    #[test]
    fn flink_30437_checkpoints_of_look_alikes_are_not_those_of_the_job() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join(JOB);
        checkpoint(&own, "chk-3", Some(b"x"));
        checkpoint(root.path(), "chk-99", Some(b"x"));
        let part = &JOB[..31];
        for neighbour in
            [format!("{JOB}-old"), format!("{JOB}0"), format!(".{JOB}"), part.to_owned(), format!("{part}0")]
        {
            checkpoint(&root.path().join(neighbour), "chk-98", Some(b"x"));
        }
        checkpoint(&own.join("shared"), "chk-97", Some(b"x"));
        let found = newest_of_job(root.path().to_str().unwrap(), JOB).unwrap().unwrap();
        assert_eq!(found.0, own.join("chk-3").to_str().unwrap());
    }

    #[test]
    fn flink_30408_what_only_looks_like_a_snapshot_is_none() {
        let root = tempfile::tempdir().unwrap();
        let text = root.path().to_str().unwrap();
        for name in ["chk-95-tmp", "chk-94.bak", "xchk-93", "CHK-92", "chk--91", "chk-9a", "abandoned-chk-80-after-7"] {
            checkpoint(&root.path().join(JOB), name, Some(b"x"));
        }
        assert_eq!(newest_of_job(text, JOB).unwrap(), None);
        for name in ["savepoint-0123456-a", "savepoint-01234-a", "my-savepoint-012345-a", "savepoint-012345"] {
            checkpoint(root.path(), name, Some(b"x"));
        }
        assert_eq!(savepoint_since(text, JOB, 0).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_looked_at_is_an_error_and_not_nothing() {
        let root = tempfile::tempdir().unwrap();
        let text = root.path().to_str().unwrap();
        fs::write(root.path().join(JOB), "a file where the directory of the job should be").unwrap();
        for (directory, id, kind) in [
            (text, JOB, ErrorKind::Invalid),
            (text, "../../etc", ErrorKind::Invalid),
            (text, "", ErrorKind::Invalid),
            ("s3://bucket/checkpoints", JOB, ErrorKind::Unsupported),
            ("hdfs://host/checkpoints", JOB, ErrorKind::Unsupported),
            ("file://host/checkpoints", JOB, ErrorKind::Invalid),
            ("", JOB, ErrorKind::Invalid),
        ] {
            assert_eq!(newest_of_job(directory, id).unwrap_err().kind(), kind, "for `{directory}` and `{id}`");
        }
        let error = newest_of_job("s3://key:hunter2@bucket/c", JOB).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
