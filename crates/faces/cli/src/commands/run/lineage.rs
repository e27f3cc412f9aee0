//! Which jobs the last run of a script started, so that `--recover` never takes a snapshot of an older run.
//!
//! A small file beside the checkpoints, `<script>.run`, lists the jobs of the run and the savepoints they were stopped
//! with. A fresh start replaces it as soon as its first job is ready; a recovered run goes on with it. Where there is
//! no such file every job of the directory counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::ids::JobId;
use kobel_model::{Error, Result};
use kobel_storage::file::write_atomically;

/// The jobs of a run, by directory of checkpoints.
#[derive(Debug)]
pub(crate) struct Lineage {
    file_name: String,
    records: BTreeMap<PathBuf, Record>,
}

/// What one directory holds of the run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Record {
    /// Each with the position of its statement.
    jobs: Vec<(JobId, usize)>,
    savepoints: Vec<PathBuf>,
}

impl Lineage {
    /// A new run of the script with this stem.
    pub(crate) fn fresh(stem: &str) -> Self {
        Self { file_name: format!("{stem}.run"), records: BTreeMap::new() }
    }

    /// The last run, as the files in `directories` tell.
    pub(crate) fn last<'a>(stem: &str, directories: impl Iterator<Item = &'a PathBuf>) -> Self {
        let mut lineage = Self::fresh(stem);
        for directory in directories {
            if let Ok(text) = fs::read_to_string(directory.join(&lineage.file_name)) {
                lineage.records.insert(directory.clone(), Record::decode(&text));
            }
        }
        lineage
    }

    /// Whether a job of this directory belongs to the run.
    pub(crate) fn holds(&self, directory: &Path, job: JobId) -> bool {
        self.records.get(directory).is_none_or(|record| record.jobs.iter().any(|(known, _)| *known == job))
    }

    /// The job that ran a statement last. One that left no snapshot begins again under the same id, so that its sinks
    /// find what it left behind.
    pub(crate) fn job_of(&self, directory: &Path, statement: usize) -> Option<JobId> {
        let jobs = &self.records.get(directory)?.jobs;
        jobs.iter().rev().find(|(_, of)| *of == statement).map(|(job, _)| *job)
    }

    /// The savepoints that jobs of this directory were stopped with, oldest first.
    pub(crate) fn savepoints(&self, directory: &Path) -> &[PathBuf] {
        self.records.get(directory).map(|record| record.savepoints.as_slice()).unwrap_or_default()
    }

    /// Notes that a job begins. Without the directory it takes no checkpoints, and there is nothing to note.
    ///
    /// # Errors
    /// Denied or Unavailable if the file cannot be written.
    pub(crate) fn add_job(&mut self, directory: &Path, job: JobId, statement: usize) -> Result<()> {
        let record = self.records.entry(directory.to_owned()).or_default();
        if !record.jobs.contains(&(job, statement)) {
            record.jobs.push((job, statement));
        }
        self.write(directory)
    }

    /// Notes that a job was stopped with a savepoint.
    ///
    /// # Errors
    /// As [`Lineage::add_job`].
    pub(crate) fn add_savepoint(&mut self, directory: &Path, savepoint: &Path) -> Result<()> {
        let savepoint = std::path::absolute(savepoint).unwrap_or_else(|_| savepoint.to_owned());
        let savepoints = &mut self.records.entry(directory.to_owned()).or_default().savepoints;
        savepoints.retain(|known| *known != savepoint);
        savepoints.push(savepoint);
        let failed = |error| Error::io(format!("cannot make `{}`", directory.display()), error);
        fs::create_dir_all(directory).map_err(failed)?;
        self.write(directory)
    }

    fn write(&self, directory: &Path) -> Result<()> {
        match self.records.get(directory) {
            Some(record) if directory.is_dir() => {
                write_atomically(&directory.join(&self.file_name), record.encode().as_bytes())
            }
            _ => Ok(()),
        }
    }
}

impl Record {
    fn encode(&self) -> String {
        let mut text = String::new();
        for (job, statement) in &self.jobs {
            text.push_str(&format!("job {job} {statement}\n"));
        }
        for savepoint in &self.savepoints {
            text.push_str(&format!("savepoint {}\n", savepoint.display()));
        }
        text
    }

    /// Lines that mean nothing are passed over.
    fn decode(text: &str) -> Self {
        let mut record = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("job", job)) => record.jobs.extend(
                    job.split_once(' ').and_then(|(id, statement)| Some((id.parse().ok()?, statement.parse().ok()?))),
                ),
                Some(("savepoint", path)) => record.savepoints.push(PathBuf::from(path)),
                _ => {}
            }
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovered_run_knows_its_jobs_and_a_fresh_one_forgets_older_ones() {
        let directory = tempfile::tempdir().expect("a directory");
        let (dir, old, new) = (directory.path().to_owned(), JobId::from_bytes([1; 16]), JobId::from_bytes([2; 16]));
        assert!(Lineage::last("s", [&dir].into_iter()).holds(&dir, old), "no file: every job counts");
        let mut first = Lineage::fresh("s");
        first.add_job(&dir, old, 3).expect("writes");
        first.add_savepoint(&dir, Path::new("/save/point 1")).expect("writes");
        let mut second = Lineage::last("s", [&dir].into_iter());
        assert!(second.holds(&dir, old) && !second.holds(&dir, new));
        assert_eq!(second.savepoints(&dir), [PathBuf::from("/save/point 1")]);
        second.add_job(&dir, new, 4).expect("writes");
        let again = Lineage::last("s", [&dir].into_iter());
        assert!(again.holds(&dir, old));
        assert_eq!((again.job_of(&dir, 3), again.job_of(&dir, 5)), (Some(old), None));
        let mut third = Lineage::fresh("s");
        third.add_job(&dir, new, 3).expect("writes");
        assert!(!Lineage::last("s", [&dir].into_iter()).holds(&dir, old));
    }
}
