//! `kobel doctor`: whether this machine has what the product needs, check by check, each with what to do.
//!
//! Nothing is changed but for files that are made to see whether they can be made.

use std::fs;
use std::path::{Path, PathBuf};

use kobel_distributions::{Distributions, Installed, java};
use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_processes::{Limits, Processes};
use kobel_resources::API_VERSION;

use super::client::{Session, complete, print};
use super::columns::Columns;
use super::data;
use super::target::DEPLOYMENT;
use crate::args::machine::DoctorArguments;
use crate::args::resources::ApiArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// With less room than this a snapshot may not fit.
const ROOM_MIN: u64 = 256 << 20;
/// With less room than this it is soon too little.
const ROOM_WANTED: u64 = 2 << 30;

/// Examines the machine and reports what goes wrong.
pub(crate) fn run(arguments: &DoctorArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, doctor(arguments, &terminal))
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// It is as it should be.
    Ok,
    /// Something does not work, which not everybody needs.
    Warn,
    /// Something is wrong.
    Fail,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    what: &'static str,
    text: String,
    advice: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Ok, what, text: text.into(), advice: None }
    }

    fn warn(what: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warn, what, text: text.into(), advice: Some(advice.into()) }
    }

    fn fail(what: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Fail, what, text: text.into(), advice: Some(advice.into()) }
    }

    /// An error of a check, with the advice that it carries.
    fn of(level: Level, what: &'static str, error: &Error) -> Self {
        Self { level, what, text: chain(error), advice: error.hint().map(str::to_owned) }
    }
}

async fn doctor(arguments: &DoctorArguments, terminal: &Terminal) -> Result<Exit> {
    let mut findings = Vec::new();
    match data::directory(arguments.data_dir.as_deref()) {
        Some(directory) => {
            findings.push(data_directory(&directory));
            findings.push(room(&directory));
            findings.push(api(&meant(arguments)).await);
            findings.extend(flink(&directory));
            findings.push(limits(&directory));
        }
        None => {
            let advice = "set it, or name a directory with `--data-dir`";
            findings.push(Finding::fail("data directory", "there is no place for it: `HOME` is not set", advice));
            findings.push(api(&arguments.api).await);
        }
    }
    print(terminal, &report(&findings))?;
    Ok(if findings.iter().any(|finding| finding.level == Level::Fail) {
        Exit::Failed(ErrorKind::Missing)
    } else {
        Exit::Done
    })
}

/// The API that is looked for: that of the directory that was named, unless another one was.
fn meant(arguments: &DoctorArguments) -> ApiArguments {
    let mut api = arguments.api.clone();
    if api.kubeconfig.is_none() && api.context.is_none() {
        let own = arguments.data_dir.as_ref().map(|directory| directory.join("kubeconfig"));
        api.kubeconfig = own.filter(|file| file.is_file());
    }
    api
}

/// The findings as they are printed.
fn report(findings: &[Finding]) -> String {
    let mut columns = Columns::default();
    let row = |finding: &Finding| {
        let word = match finding.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        // A cell is one line.
        vec![word.to_owned(), finding.what.to_owned(), finding.text.replace('\n', "; ")]
    };
    let rows: Vec<Vec<String>> = findings.iter().map(row).collect();
    let mut text = String::new();
    for (line, finding) in columns.lines(&rows).lines().zip(findings) {
        text.push_str(line);
        text.push('\n');
        if let Some(advice) = &finding.advice {
            let advice = vec![String::new(), String::new(), format!("-> {}", advice.replace('\n', "; "))];
            text.push_str(&columns.lines(&[advice]));
        }
    }
    text
}

/// Whether the directory can be written, and by nobody else be read.
fn data_directory(directory: &Path) -> Finding {
    use std::os::unix::fs::MetadataExt as _;

    let what = "data directory";
    let place = directory.display();
    let nearest = nearest(directory);
    let probe = nearest.join(probe_name());
    if let Err(error) = fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)) {
        let text = format!("cannot write to {}: {error}", nearest.display());
        return Finding::fail(what, text, "make it writable for you, or name another with `--data-dir`");
    }
    if nearest != directory {
        return Finding::ok(what, format!("{place} is not there yet; `kobel up` makes it"));
    }
    match fs::metadata(directory) {
        Ok(metadata) if metadata.mode() & 0o077 != 0 => {
            Finding::warn(what, format!("others have access to {place}"), format!("`chmod 700 {place}`"))
        }
        Ok(_) => Finding::ok(what, place.to_string()),
        Err(error) => Finding::fail(what, format!("cannot look at {place}: {error}"), "see who owns it"),
    }
}

/// Whether there is room for state.
fn room(directory: &Path) -> Finding {
    let what = "free disk";
    let place = nearest(directory);
    match rustix::fs::statvfs(&place) {
        Ok(system) => room_of(system.f_bavail.saturating_mul(system.f_frsize), &place),
        Err(error) => Finding::warn(what, format!("cannot ask for it: {error}"), "see that the disk is mounted"),
    }
}

fn room_of(bytes: u64, place: &Path) -> Finding {
    let what = "free disk";
    let text = format!("{} MiB below {}", bytes >> 20, place.display());
    let advice = "make room, or name another directory with `--data-dir`";
    match bytes {
        0..ROOM_MIN => Finding::fail(what, text, advice),
        ROOM_MIN..ROOM_WANTED => Finding::warn(what, text, advice),
        _ => Finding::ok(what, text),
    }
}

/// Whether an API answers, and knows applications.
async fn api(arguments: &ApiArguments) -> Finding {
    let what = "API";
    match Session::open(arguments).await {
        Ok(session) => {
            let text = format!("{} answers, namespace {}", session.cluster.server(), session.namespace);
            match session.kinds.of_manifest(API_VERSION, DEPLOYMENT) {
                Ok(_) => Finding::ok(what, text),
                Err(_) => {
                    let text = format!("{} does not know FlinkDeployment", session.cluster.server());
                    Finding::fail(what, text, "`kobel crd | kubectl apply -f -`")
                }
            }
        }
        // Nobody has started one yet.
        Err(error) if matches!(error.kind(), ErrorKind::Missing | ErrorKind::Unavailable) => {
            Finding::of(Level::Warn, what, &error)
        }
        Err(error) => Finding::of(Level::Fail, what, &error),
    }
}

/// Which distributions of Flink there are, and whether there is a Java for each.
fn flink(directory: &Path) -> Vec<Finding> {
    let what = "Apache Flink";
    let installed = match Distributions::open(&directory.join("flink")).list() {
        Ok(installed) => installed,
        Err(error) => return vec![Finding::of(Level::Fail, what, &error)],
    };
    if installed.is_empty() {
        let newest = FlinkVersion::NEWEST_RELEASED;
        let text = "none is installed; SQL runs on the native engine";
        let advice = format!(
            "for JARs and Python, `kobel flink install {newest}`; any line from {} to {newest} can be installed",
            FlinkVersion::OLDEST_SUPPORTED
        );
        return vec![Finding::warn(what, text, advice), java_for(newest)];
    }
    let mut findings: Vec<Finding> = installed.iter().map(distribution).collect();
    let mut lines: Vec<FlinkVersion> = installed.iter().map(|one| one.line).collect();
    lines.dedup();
    findings.extend(lines.into_iter().map(java_for));
    findings
}

fn distribution(installed: &Installed) -> Finding {
    Finding::ok("Apache Flink", format!("{} in {}", installed.version, installed.home.display()))
}

fn java_for(line: FlinkVersion) -> Finding {
    let (major, minor) = line.numbers();
    match java(line) {
        Ok(java) => {
            Finding::ok("Java", format!("{} in {}, for Flink {major}.{minor}", java.version, java.home.display()))
        }
        Err(error) => Finding::of(Level::Warn, "Java", &error),
    }
}

/// Whether limits of memory and CPU hold.
fn limits(directory: &Path) -> Finding {
    let what = "limits";
    // In a place of its own, because that of the applications belongs to `kobel up`.
    let root = nearest(directory).join(probe_name());
    let found = Processes::open(&root).map(|processes| processes.limits());
    // Nothing was started, so it is empty; whatever else is in it is somebody else's.
    let _ = fs::remove_dir(&root);
    match found {
        Ok(Limits::Enforced) => Finding::ok(what, "memory and CPU of applications are limited as their specs say"),
        Ok(Limits::NotHere(reason)) => {
            let text = format!("memory and CPU of applications are not limited: {reason}");
            Finding::warn(what, text, "applications run all the same; a delegated control group makes limits hold")
        }
        Err(error) => Finding::of(Level::Fail, what, &error),
    }
}

/// What is made to see whether it can be made.
fn probe_name() -> String {
    format!(".kobel-doctor-{}", std::process::id())
}

/// The directory itself, or the nearest above it that is there.
fn nearest(directory: &Path) -> PathBuf {
    let found = directory.ancestors().find(|one| one.is_dir());
    // Above a relative path there is the current directory.
    found.filter(|one| !one.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_of_a_named_directory_is_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let arguments = |data_dir: Option<&Path>, api: ApiArguments| {
            meant(&DoctorArguments { data_dir: data_dir.map(Path::to_owned), api }).kubeconfig
        };
        let own = directory.path().join("kubeconfig");
        assert_eq!(arguments(Some(directory.path()), ApiArguments::default()), None, "there is none");
        fs::write(&own, "").unwrap();
        assert_eq!(arguments(None, ApiArguments::default()), None);
        assert_eq!(arguments(Some(directory.path()), ApiArguments::default()), Some(own));
        let named = ApiArguments { kubeconfig: Some("named".into()), ..ApiArguments::default() };
        assert_eq!(arguments(Some(directory.path()), named), Some("named".into()));
    }

    #[test]
    fn each_finding_is_a_line_and_each_advice_another() {
        let findings = [
            Finding::ok("data directory", "/data"),
            Finding::warn("Java", "there is none", "install one"),
            Finding::fail("API", "it is\nbroken", "mend it"),
        ];
        let expected = "\
ok     data directory   /data
warn   Java             there is none
                        -> install one
fail   API              it is; broken
                        -> mend it
";
        assert_eq!(report(&findings), expected);
    }

    #[test]
    fn too_little_room_is_a_failure_and_little_a_warning() {
        for (bytes, expected) in
            [(0, Level::Fail), (ROOM_MIN - 1, Level::Fail), (ROOM_MIN, Level::Warn), (ROOM_WANTED, Level::Ok)]
        {
            assert_eq!(room_of(bytes, Path::new("/data")).level, expected, "{bytes}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_no_failure_where_it_can_be_made() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let absent = data_directory(&directory.path().join("a/b"));
        assert!(absent.level == Level::Ok && absent.text.contains("not there yet"), "{absent:?}");
        for (mode, expected) in [(0o700, Level::Ok), (0o755, Level::Warn)] {
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(data_directory(directory.path()).level, expected, "{mode:o}");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn without_a_distribution_the_native_engine_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let findings = flink(directory.path());
        assert!(findings[0].level == Level::Warn && findings[0].text.contains("native"), "{findings:?}");
        let advice = findings[0].advice.as_deref().unwrap();
        assert!(advice.contains("`kobel flink install 2.3`") && advice.contains("from 1.15 to 2.3"), "{advice}");
        assert_eq!(findings[1].what, "Java");
        let told = format!("{findings:?}");
        assert!(told.contains("Flink 2.3") && !told.contains("Flink 2.4"), "what is not released is not named: {told}");
    }
}
