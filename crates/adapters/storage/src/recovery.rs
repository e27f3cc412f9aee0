//! How a job goes on whose process is started again as it was, under the same id: Kubernetes does that to a container that
//! has ended, and to a pod that is to make room.
//!
//! What the process was told to begin with is old by then. What is newest lies among the checkpoints of the job; and whether
//! it has ended for good stands beside them, since nobody else would know: what was written by a job that is run again after
//! its end would be written twice.

use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::ids::JobId;
use kobel_model::{Error, ErrorKind, Result};

use crate::file::write_atomically;
use crate::snapshots::{Newest, newest_of};

/// The file that says that a job has ended.
const ENDED: &str = "ended";

/// The newest whole checkpoint of the job below `directory`, with those newer ones that cannot be used; nothing if it has
/// taken none.
///
/// # Errors
/// Invalid if `job` is no id, Conflict if the job has ended, Corrupt if all of its checkpoints are damaged, Unavailable if
/// they cannot be listed.
pub fn newest(directory: &Path, job: &str) -> Result<Newest> {
    let job: JobId = job.parse()?;
    if fs::exists(ended(directory, job)).map_err(|error| failed("look for", directory, job, error))? {
        let message = format!("job `{job}` has ended, and is not run again");
        return Err(Error::new(ErrorKind::Conflict, message).with_hint("whoever started it starts another job"));
    }
    let newest = newest_of(directory, job)?;
    match newest.damaged.first() {
        Some((path, error)) if newest.whole.is_none() => {
            let message = format!("cannot go on with job `{job}`: every checkpoint of it is damaged");
            Err(Error::corrupt(message).with_source(format!("`{}`: {error}", path.display())))
        }
        _ => Ok(newest),
    }
}

/// Notes that a job has ended for good.
///
/// # Errors
/// Denied or Unavailable if it cannot be written down.
pub fn note_end(directory: &Path, job: JobId) -> Result<()> {
    let path = ended(directory, job);
    let folder = path.parent().unwrap_or(directory);
    fs::create_dir_all(folder).map_err(|error| failed("make", directory, job, error))?;
    write_atomically(&path, b"")
}

fn ended(directory: &Path, job: JobId) -> PathBuf {
    directory.join(job.to_string()).join(ENDED)
}

fn failed(what: &str, directory: &Path, job: JobId, error: std::io::Error) -> Error {
    Error::io(format!("cannot {what} `{}`", ended(directory, job).display()), error)
}

#[cfg(test)]
mod tests {
    use kobel_model::snapshot::{FORMAT_VERSION, METADATA_FILE, Manifest, SnapshotKind};

    use super::*;

    fn id(byte: u8) -> JobId {
        JobId::from_bytes([byte; 16])
    }

    fn checkpoint(directory: &Path, job: JobId, id: u64, triggered_ms: i64) -> PathBuf {
        let manifest = Manifest {
            format: FORMAT_VERSION,
            kind: SnapshotKind::Checkpoint,
            checkpoint_id: id,
            job_id: job,
            lineage: None,
            job_name: "orders".to_owned(),
            statement: 0,
            triggered_ms,
            max_parallelism: 128,
            finished: false,
            operators: Vec::new(),
        };
        let path = directory.join(job.to_string()).join(format!("chk-{id}"));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(METADATA_FILE), manifest.encode().unwrap()).unwrap();
        path
    }

    fn found(directory: &Path) -> Result<Option<PathBuf>> {
        newest(directory, &id(7).to_string()).map(|newest| newest.whole.map(|(path, _)| path))
    }

    #[test]
    fn a_job_goes_on_from_its_newest_whole_checkpoint() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path();
        assert_eq!(found(directory).unwrap(), None);
        checkpoint(directory, id(8), 90, 9);
        assert_eq!(found(directory).unwrap(), None, "that of another job is not taken");
        let eighth = checkpoint(directory, id(7), 8, 5);
        // Another machine, whose clock is behind.
        let ninth = checkpoint(directory, id(7), 9, 2);
        fs::create_dir_all(directory.join(id(7).to_string()).join("chk-10")).unwrap();
        assert_eq!(found(directory).unwrap(), Some(ninth.clone()), "one without metadata is none");
        fs::write(ninth.join(METADATA_FILE), "torn").unwrap();
        assert_eq!(found(directory).unwrap(), Some(eighth.clone()));
        assert_eq!(newest(directory, &id(7).to_string()).unwrap().damaged.len(), 1);
        fs::write(eighth.join(METADATA_FILE), "torn").unwrap();
        assert_eq!(found(directory).unwrap_err().kind(), ErrorKind::Corrupt, "it does not begin anew");
    }

    #[test]
    fn a_job_that_has_ended_is_not_run_again() {
        let root = tempfile::tempdir().unwrap();
        note_end(root.path(), id(7)).unwrap();
        note_end(root.path(), id(7)).unwrap();
        assert_eq!(found(root.path()).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(newest(root.path(), "../etc").unwrap_err().kind(), ErrorKind::Invalid);
        assert!(newest(root.path(), &id(9).to_string()).unwrap().whole.is_none());
    }
}
