//! `kobel flink`: distributions of Apache Flink on this machine, for applications that the native engine does not run.
//!
//! Folders go to standard output, what is done goes to standard error. Ctrl-C ends an installation, which then leaves
//! nothing behind.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kobel_distributions::{Distributions, Installed, Progress, Source, java};
use kobel_model::{Error, ErrorKind, Result, chain};
use serde_json::{Value, json};

use super::client::print;
use super::columns::Columns;
use super::data;
use crate::args::flink::{FlinkCommand, InstallArguments, ListArguments, ListOutput, Origin};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The folder of the data directory with the distributions.
const FOLDER: &str = "flink";
/// How often the line of progress is rewritten.
const STATUS_INTERVAL: Duration = Duration::from_millis(100);
/// How often a line is added where lines cannot be rewritten.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Runs one of the commands and reports what goes wrong.
pub(crate) fn run(command: &FlinkCommand) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(match command {
        FlinkCommand::Install(arguments) => install(arguments, &terminal),
        FlinkCommand::List(arguments) => list(arguments, &terminal),
    })
}

fn install(arguments: &InstallArguments, terminal: &Terminal) -> Result<Exit> {
    let source = source(arguments)?;
    let distributions = Distributions::open(&data::prepare(arguments.data_dir.as_deref())?.join(FOLDER));
    let interrupted = listen_for_the_end()?;
    for version in &arguments.versions {
        let shower = Shower::new(terminal, version);
        let installed = distributions.install(version, &source, &|progress| {
            if interrupted.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            shower.show(progress);
            ControlFlow::Continue(())
        });
        terminal.clear_status();
        if interrupted.load(Ordering::Relaxed) && installed.is_err() {
            terminal.inform("stopped; nothing of it is left");
            return Ok(Exit::Canceled);
        }
        let installed = installed?;
        terminal.inform(&shower.summary(&installed));
        if let Err(error) = java(installed.line) {
            terminal.warn(&chain(&error));
        }
        print(terminal, &format!("{}\n", installed.home.display()))?;
    }
    Ok(Exit::Done)
}

fn source(arguments: &InstallArguments) -> Result<Source> {
    if arguments.mirror.is_some() && arguments.from != Origin::Archive {
        return Err(Error::invalid("`--mirror` names another archive, so it does not go with `--from`"));
    }
    match &arguments.from {
        Origin::Archive => Ok(Source::Archive { mirror: arguments.mirror.clone() }),
        Origin::Pip => Ok(Source::Pip),
        Origin::Path(_) if arguments.versions.len() > 1 => {
            Err(Error::invalid("one path holds one version, and there are several on the command line"))
        }
        Origin::Path(path) => Ok(Source::Path(path.clone())),
    }
}

fn list(arguments: &ListArguments, terminal: &Terminal) -> Result<Exit> {
    // Nothing is made by looking.
    let asked = arguments.data_dir.as_deref();
    let directory = data::directory(asked).map_or_else(|| data::prepare(asked), Ok)?;
    let found = Distributions::open(&directory.join(FOLDER)).list()?;
    match arguments.output {
        ListOutput::Json => {
            let listed: Vec<Value> = found.iter().map(as_json).collect();
            print(terminal, &format!("{:#}\n", Value::Array(listed)))?;
        }
        ListOutput::Table if found.is_empty() => {
            terminal.inform("no distribution of Apache Flink is installed; `kobel flink install 2.3` installs one");
        }
        ListOutput::Table => {
            let mut rows = vec![["VERSION", "FROM", "HOME"].map(str::to_owned).to_vec()];
            rows.extend(found.iter().map(|installed| {
                vec![installed.version.clone(), installed.from.clone(), installed.home.display().to_string()]
            }));
            print(terminal, &Columns::default().lines(&rows))?;
        }
    }
    Ok(Exit::Done)
}

fn as_json(installed: &Installed) -> Value {
    let checksums: Vec<Value> =
        installed.checksums.iter().map(|checksum| json!({"file": checksum.file, "digest": checksum.digest})).collect();
    json!({
        "version": installed.version,
        "flinkVersion": installed.line.as_str(),
        "home": installed.home.to_string_lossy(),
        "from": installed.from,
        "checksums": checksums,
    })
}

/// A flag that SIGINT and SIGTERM raise.
fn listen_for_the_end() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&interrupted);
    ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed))
        .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot listen for Ctrl-C").with_source(error))?;
    Ok(interrupted)
}

/// Shows where an installation is: on a line that is rewritten, or with a line for each step.
struct Shower<'a> {
    terminal: &'a Terminal,
    version: &'a str,
    /// The step that was shown last, and when.
    step: RefCell<String>,
    shown: Cell<Option<Instant>>,
    was_there: Cell<bool>,
}

impl<'a> Shower<'a> {
    fn new(terminal: &'a Terminal, version: &'a str) -> Self {
        let (step, shown, was_there) = (RefCell::default(), Cell::new(None), Cell::new(false));
        Self { terminal, version, step, shown, was_there }
    }

    fn show(&self, progress: Progress<'_>) {
        if progress == Progress::AlreadyThere {
            self.was_there.set(true);
            return;
        }
        let (step, amount) = describe(progress);
        let is_new = *self.step.borrow() != step;
        let interval = if self.terminal.rewrites_lines() { STATUS_INTERVAL } else { LINE_INTERVAL };
        if !is_new && self.shown.get().is_some_and(|shown| shown.elapsed() < interval) {
            return;
        }
        let is_told = is_new || !amount.is_empty();
        let line = format!("Flink {}: {step}{amount}", self.version);
        if is_new {
            self.step.replace(step);
        }
        self.shown.set(Some(Instant::now()));
        if self.terminal.rewrites_lines() {
            self.terminal.show_status(&line);
        } else if is_told {
            self.terminal.inform(&line);
        }
    }

    fn summary(&self, installed: &Installed) -> String {
        let version = &installed.version;
        if self.was_there.get() {
            return format!("Flink {version} is installed already");
        }
        format!("installed Flink {version} from {}", installed.from)
    }
}

/// What is done, and how much of it is.
fn describe(progress: Progress<'_>) -> (String, String) {
    let plain = |text: &str| (text.to_owned(), String::new());
    match progress {
        Progress::Waiting => plain("waiting for another installation"),
        Progress::Looking => plain("looking for the newest release"),
        Progress::AlreadyThere => plain("installed already"),
        Progress::Downloading { file, bytes, total } => (format!("downloading {file}"), amount(bytes, total)),
        Progress::Fetching { package } => plain(&format!("pip fetches {package}")),
        Progress::Checking { file } => plain(&format!("checking {file}")),
        Progress::Unpacking { file } => plain(&format!("unpacking {file}")),
        Progress::Copying => plain("copying"),
        Progress::Settling => plain("writing to the disk"),
    }
}

/// How much is here: `, 12 of 480 MB`.
fn amount(bytes: u64, total: Option<u64>) -> String {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    match total {
        _ if bytes == 0 => String::new(),
        Some(total) => format!(", {} of {} MB", megabytes(bytes), megabytes(total)),
        None => format!(", {} MB", megabytes(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn arguments(from: Origin, mirror: Option<&str>, versions: &[&str]) -> InstallArguments {
        let versions = versions.iter().map(|version| (*version).to_owned()).collect();
        InstallArguments { versions, from, mirror: mirror.map(str::to_owned), data_dir: None }
    }

    #[test]
    fn a_mirror_and_a_path_have_their_conditions() {
        let path = || Origin::Path(PathBuf::from("/opt/flink"));
        let mirror = Some("https://mirror.example");
        for (given, is_taken) in [
            (arguments(Origin::Archive, mirror, &["2.3", "1.20"]), true),
            (arguments(Origin::Pip, None, &["2.3", "1.20"]), true),
            (arguments(Origin::Pip, mirror, &["2.3"]), false),
            (arguments(path(), None, &["2.3"]), true),
            (arguments(path(), None, &["2.3", "1.20"]), false),
        ] {
            assert_eq!(source(&given).is_ok(), is_taken, "{given:?}");
        }
    }

    #[test]
    fn a_download_tells_how_much_of_it_is_here() {
        for (bytes, total, expected) in
            [(0, Some(5_000_000), ""), (1_999_999, Some(480_000_000), ", 1 of 480 MB"), (2_000_000, None, ", 2 MB")]
        {
            let (step, amount) = describe(Progress::Downloading { file: "flink.tgz", bytes, total });
            assert_eq!((step.as_str(), amount.as_str()), ("downloading flink.tgz", expected));
        }
    }
}
