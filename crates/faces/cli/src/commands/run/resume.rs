//! Where a run begins: at the first statement, or inside a job whose snapshot is restored; and the command that
//! resumes a run.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kobel_model::ids::JobId;
use kobel_model::settings::Settings;
use kobel_model::settings::options::{IGNORE_UNCLAIMED_STATE, JOB_ID, RECOVERY, RecoveryChoice};
use kobel_model::snapshot::Manifest;
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_runtime::job::RestoreFrom;
use kobel_storage::{recovery, snapshots};

use super::lineage::Lineage;
use crate::commands::shell_word::quoted;
use crate::terminal::Terminal;

/// A job of the script, before anything runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedJob {
    /// Position of its statement, from 0.
    pub(crate) statement: usize,
    /// Its name.
    pub(crate) name: String,
    /// Where its checkpoints are.
    pub(crate) checkpoints: PathBuf,
    /// The snapshot that its settings name.
    pub(crate) recovery_path: Option<PathBuf>,
}

/// A snapshot and the statement that goes on from it; the jobs of earlier statements have finished.
#[derive(Debug)]
pub(crate) struct Resume {
    /// Position of the statement, from 0.
    pub(crate) statement: usize,
    /// Directory of the snapshot.
    pub(crate) directory: PathBuf,
    /// Its manifest.
    pub(crate) manifest: Manifest,
}

impl Resume {
    /// The snapshot as a job with these settings goes on from it.
    pub(crate) fn restore(&self, settings: &Settings) -> RestoreFrom {
        RestoreFrom {
            directory: self.directory.clone(),
            manifest: self.manifest.clone(),
            ignore_unclaimed_state: settings.get(&IGNORE_UNCLAIMED_STATE),
        }
    }
}

/// Goes on from the snapshot in `directory`.
///
/// # Errors
/// Missing or Corrupt if it cannot be used, Invalid if it is of no job of a script with several.
pub(crate) fn from_snapshot(directory: &Path, jobs: &[PlannedJob]) -> Result<Resume> {
    let manifest = snapshots::load_verified(directory)?;
    let statement = match jobs {
        // Whoever names a snapshot means it; the only job of a script may be called otherwise by now.
        [job] => job.statement,
        _ => statement_of(&manifest, jobs)
            .map_err(|error| error.context(format!("cannot start from `{}`", directory.display())))?,
    };
    Ok(Resume { statement, directory: snapshots::directory_of(directory).to_owned(), manifest })
}

/// Whether an application that is started again goes on from the newest checkpoint of its job.
pub(crate) fn goes_on(settings: &Settings) -> bool {
    settings.get(&RECOVERY) == RecoveryChoice::Newest
}

/// The newest checkpoint of the job of an application that was started before; `None` if it has none.
///
/// # Errors
/// Conflict if the job has ended, Corrupt if all its checkpoints are damaged, Unavailable if they cannot be listed.
pub(crate) fn newest(settings: &Settings, job: &PlannedJob, terminal: &Terminal) -> Result<Option<PathBuf>> {
    let Some(id) = settings.get(&JOB_ID).filter(|_| goes_on(settings)) else { return Ok(None) };
    let newest = recovery::newest(&job.checkpoints, &id)?;
    let whole = newest.whole.map(|(directory, _)| directory);
    for (path, error) in &newest.damaged {
        terminal.warn(&format!("checkpoint `{}` is damaged ({}), and is not used", path.display(), chain(error)));
    }
    if let Some(directory) = &whole {
        terminal.note(&format!("the job has run before; it goes on from `{}`", directory.display()));
    }
    Ok(whole)
}

/// The statement whose job a snapshot is of: the one at its place, else the only one with its name.
fn statement_of(manifest: &Manifest, jobs: &[PlannedJob]) -> Result<usize> {
    let mut named = jobs.iter().filter(|job| job.name == manifest.job_name);
    if let Some(job) = named.clone().find(|job| job.statement == manifest.statement) {
        return Ok(job.statement);
    }
    if let (Some(job), None) = (named.next(), named.next()) {
        return Ok(job.statement);
    }
    let place = manifest.statement + 1;
    let found = match jobs.iter().find(|job| job.statement == manifest.statement) {
        Some(job) => format!("statement {place} of the script is job `{}`", job.name),
        None => format!("statement {place} of the script is no job"),
    };
    let message = format!("the snapshot is of job `{}`, statement {place}; {found}", manifest.job_name);
    Err(Error::invalid(message).with_hint("resume with the script that the snapshot was taken of"))
}

/// Goes on from the newest whole snapshot of the last run; `None` if it took none.
///
/// # Errors
/// Corrupt if all that there are are damaged.
pub(crate) fn from_last(jobs: &[PlannedJob], lineage: &Lineage, terminal: &Terminal) -> Result<Option<Resume>> {
    let directories: BTreeSet<&PathBuf> = jobs.iter().map(|job| &job.checkpoints).collect();
    let mut best: Option<Resume> = None;
    let mut damaged = Vec::new();
    for directory in directories {
        let (found, mut unusable) = newest_of(directory, jobs, lineage)?;
        damaged.append(&mut unusable);
        for candidate in found {
            if best.as_ref().is_none_or(|best| best.manifest.triggered_ms <= candidate.manifest.triggered_ms) {
                best = Some(candidate);
            }
        }
    }
    report_damaged(&damaged, best.as_ref(), terminal);
    if best.is_none() && !damaged.is_empty() {
        let error = Error::corrupt("cannot recover: every snapshot of the last run is damaged");
        return Err(error.with_hint("to begin again, remove what the last run wrote and start without `--recover`"));
    }
    Ok(best)
}

/// Newest snapshots of one directory, checkpoint and savepoint, and those newer ones that cannot be used.
type Found = (Vec<Resume>, Vec<(PathBuf, Error)>);

fn newest_of(directory: &Path, jobs: &[PlannedJob], lineage: &Lineage) -> Result<Found> {
    let wanted =
        |manifest: &Manifest| lineage.holds(directory, manifest.job_id) && statement_of(manifest, jobs).is_ok();
    let resume = |(path, manifest): (PathBuf, Manifest)| {
        let statement = statement_of(&manifest, jobs).ok()?;
        Some(Resume { statement, directory: path, manifest })
    };
    let newest = snapshots::newest(directory, wanted)?;
    let mut found: Vec<Resume> = newest.whole.and_then(resume).into_iter().collect();
    let is_ours = |path: &Path| job_of(path).is_none_or(|job| lineage.holds(directory, job));
    let mut damaged: Vec<_> = newest.damaged.into_iter().filter(|(path, _)| is_ours(path)).collect();
    if let Some(savepoint) = lineage.savepoints(directory).last() {
        match snapshots::load_verified(savepoint) {
            Ok(manifest) if wanted(&manifest) => found.extend(resume((savepoint.clone(), manifest))),
            Ok(_) => {}
            Err(error) => damaged.push((savepoint.clone(), error)),
        }
    }
    Ok((found, damaged))
}

/// The job of a checkpoint, from the name of the directory that it lies in.
fn job_of(checkpoint: &Path) -> Option<JobId> {
    checkpoint.parent()?.file_name()?.to_str()?.parse().ok()
}

fn report_damaged(damaged: &[(PathBuf, Error)], instead: Option<&Resume>, terminal: &Terminal) {
    for (path, error) in damaged {
        let used = match instead {
            Some(resume) => format!("using `{}`", resume.directory.display()),
            None => "no other is left".to_owned(),
        };
        let state = if error.kind() == ErrorKind::Missing { "is gone" } else { "is damaged" };
        terminal.warn(&format!("snapshot `{}` {state} ({}); {used}", path.display(), chain(error)));
    }
}

/// How to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GoOn<'a> {
    /// From this savepoint.
    FromSavepoint(&'a Path),
    /// From the last snapshot.
    Recover,
}

/// The command line that was typed, made to go on; quoted for a shell.
pub(crate) fn command(mut typed: impl Iterator<Item = OsString>, how: GoOn<'_>) -> String {
    let mut words: Vec<OsString> = Vec::new();
    let mut rest = Vec::new();
    while let Some(word) = typed.next() {
        if word == "--" {
            rest.push(word);
            rest.extend(typed);
            break;
        }
        let text = word.to_string_lossy().into_owned();
        if text == "--from-savepoint" {
            typed.next();
        } else if text != "--recover" && !text.starts_with("--from-savepoint=") {
            let takes_value = matches!(text.as_str(), "-e" | "--sql" | "--set" | "--parallelism" | "--engine");
            words.push(word);
            if takes_value {
                words.extend(typed.next());
            }
        }
    }
    match how {
        GoOn::FromSavepoint(directory) => words.extend(["--from-savepoint".into(), directory.as_os_str().to_owned()]),
        GoOn::Recover => words.push("--recover".into()),
    }
    words.extend(rest);
    words.iter().map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use kobel_model::snapshot::{FORMAT_VERSION, SnapshotKind};

    use super::*;

    fn job(statement: usize, name: &str) -> PlannedJob {
        PlannedJob { statement, name: name.to_owned(), checkpoints: PathBuf::new(), recovery_path: None }
    }

    fn manifest(statement: usize, name: &str) -> Manifest {
        Manifest {
            format: FORMAT_VERSION,
            kind: SnapshotKind::Checkpoint,
            checkpoint_id: 1,
            job_id: JobId::from_bytes([1; 16]),
            lineage: None,
            job_name: name.to_owned(),
            statement,
            triggered_ms: 0,
            max_parallelism: 128,
            finished: false,
            operators: Vec::new(),
        }
    }

    #[test]
    fn a_snapshot_finds_its_statement() {
        let jobs = [job(2, "a"), job(4, "b"), job(5, "b")];
        for (statement, name, expected) in
            [(2, "a", Some(2)), (4, "b", Some(4)), (5, "b", Some(5)), (9, "a", Some(2)), (9, "b", None), (2, "c", None)]
        {
            assert_eq!(statement_of(&manifest(statement, name), &jobs).ok(), expected, "{name} at {statement}");
        }
    }

    #[test]
    fn the_command_goes_on_from_the_new_snapshot() {
        let new = GoOn::FromSavepoint(Path::new("save point"));
        for (typed, how, expected) in [
            ("kobel|run|a.sql", new, "kobel run a.sql --from-savepoint 'save point'"),
            ("kobel|run|a.sql", GoOn::Recover, "kobel run a.sql --recover"),
            ("kobel|run|--from-savepoint|old|a.sql", GoOn::Recover, "kobel run a.sql --recover"),
            ("kobel|run|--from-savepoint=old|a.sql|--recover", GoOn::Recover, "kobel run a.sql --recover"),
            ("kobel|run|-e|SELECT 'x'", GoOn::Recover, "kobel run -e 'SELECT '\\''x'\\''' --recover"),
            ("kobel|run|-e|--recover", GoOn::Recover, "kobel run -e --recover --recover"),
            ("kobel|run|--|-a.sql", GoOn::Recover, "kobel run --recover -- -a.sql"),
            ("kobel|run|--set|a=b c|a.sql", GoOn::Recover, "kobel run --set 'a=b c' a.sql --recover"),
        ] {
            let typed = typed.split('|').map(OsString::from);
            assert_eq!(command(typed, how), expected);
        }
    }
}
