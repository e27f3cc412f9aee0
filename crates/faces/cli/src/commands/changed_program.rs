//! A program that was changed since its job started: nothing in the manifest tells, so the file is looked at.
//!
//! Only on the machine where the job runs, which is the one that has its logs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use kobel_kubernetes::kinds::Served;
use serde_json::Value;

use super::client::Session;
use super::reported::Reported;
use super::target::Target;

/// The fact that names the directory of the logs.
const LOG_DIRECTORY: &str = "log-directory";

/// What to say of an object of which nothing is to be changed, though its program has changed.
pub(crate) fn hint(session: &Session, served: &Served, object: &Value) -> Option<String> {
    let path = changed(object)?;
    let target = Target { served: served.clone(), object: object.clone() };
    Some(sentence(&path, &target.typed(session)))
}

fn sentence(path: &Path, words: &str) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    format!("`{name}` has changed since the job started; `kobel restart {words}` takes it over")
}

/// The file of the program, if it was written since the job started that is to run.
fn changed(object: &Value) -> Option<PathBuf> {
    let job =
        object.pointer("/spec/job").filter(|job| job.get("state").and_then(Value::as_str) != Some("suspended"))?;
    let reported = Reported::of(object);
    if !reported.fact(LOG_DIRECTORY).is_some_and(|directory| Path::new(directory).is_dir()) {
        return None;
    }
    let path = local(job.get("jarURI")?.as_str()?)?;
    let started: u64 = reported.started()?.parse().ok()?;
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
    (written > UNIX_EPOCH.checked_add(Duration::from_millis(started))?).then_some(path)
}

/// The path of a `local:` or `file:` address. One that is spelled with `%` is left out: it is seldom, and only a hint.
pub(crate) fn local(uri: &str) -> Option<PathBuf> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_local = ["local", "file"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    (is_local && path.starts_with('/') && !path.contains('%')).then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_has_changed_if_it_was_written_after_the_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("count.sql");
        fs::write(&path, "SELECT 1;").unwrap();
        let now = fs::metadata(&path).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let here = directory.path().to_str().unwrap();
        for (started, state, logs, name, expected) in [
            (now - 5_000, "running", here, "count.sql", true),
            (now + 5_000, "running", here, "count.sql", false),
            (now - 5_000, "suspended", here, "count.sql", false),
            (now - 5_000, "running", "/of/another/machine", "count.sql", false),
            (now - 5_000, "running", here, "absent.sql", false),
        ] {
            let object = json!({
                "spec": {"job": {"jarURI": format!("local://{here}/{name}"), "state": state}},
                "status": {"jobStatus": {"startTime": started.to_string()}, "clusterInfo": {"log-directory": logs}},
            });
            assert_eq!(changed(&object).is_some(), expected, "{object}");
        }
    }

    #[test]
    fn the_words_name_the_file_and_what_to_do() {
        let expected = "`count.sql` has changed since the job started; `kobel restart orders -n team` takes it over";
        assert_eq!(sentence(Path::new("/srv/count.sql"), "orders -n team"), expected);
    }

    #[test]
    fn only_a_path_of_this_machine_is_looked_at() {
        for (uri, expected) in [
            ("local:///a/b.sql", Some("/a/b.sql")),
            ("FILE:/a/b.sql", Some("/a/b.sql")),
            ("file:///a/b.sql#part", Some("/a/b.sql")),
            ("file:///a%20b.sql", None),
            ("file://host/b.sql", None),
            ("https:///a/b.sql", None),
            ("/a/b.sql", None),
        ] {
            assert_eq!(local(uri), expected.map(PathBuf::from), "{uri}");
        }
    }
}
