//! `kobel up`: the resource API of this machine, on the data directory, and its control loop, until somebody ends it.
//!
//! Everything the API needs is made at the first start and kept in the data directory: the store, the certificates, the
//! administrator's token, and the port, so that a kubeconfig stays good over restarts.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use kobel_apiserver::auth::secret_file;
use kobel_apiserver::embedded::Embedded;
use kobel_controller::{Controller, Machine};
use kobel_logs::{Format, Level, LogOptions, Scrubber};
use kobel_model::{Error, ErrorKind, Result, chain};

use super::background::{Announcement, Background};
use super::down::is_in_use;
use super::shell_word::quoted;
use super::{data, detach, left_running};
use crate::args::resources::UpArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The bytes after which the log of the control loop is rotated.
const LOG_BYTES: u64 = 16 << 20;
/// How many files of it are kept.
const LOG_FILES: usize = 4;

/// Starts the API and reports what goes wrong.
pub(crate) fn run(arguments: &UpArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let start =
        || if arguments.detaching.detach { detach::start(arguments, &terminal) } else { up(arguments, &terminal) };
    terminal.conclude(match arguments.listen {
        Some(address) => check_address(address, arguments.data_dir.as_deref()).and_then(|()| start()),
        None => start(),
    })
}

fn up(arguments: &UpArguments, terminal: &Terminal) -> Result<Exit> {
    let begun = Instant::now();
    if arguments.detaching.detached {
        detach::leave_session()?;
    }
    // Huge pages make a process that holds little half as large again. Where they cannot be refused, it is only larger.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let directory = data::prepare(arguments.data_dir.as_deref())?;
    // Signals are heard before anything is open, so that no early one leaves something half open.
    let ended = listen_for_the_end()?;
    let address = arguments.listen.unwrap_or_else(|| usual_address(&directory));
    let api = Embedded::start(&directory, address).map_err(|error| taken(error, &directory))?;
    let address = api.address();
    secret_file::write(&directory.join("port"), &address.port().to_string())?;
    let path = directory.join("kubeconfig");
    api.write_kubeconfig(&path)?;
    let took = begun.elapsed().as_millis();
    terminal.say(&format!("ready in {took} ms: https://{address}, data in {}", directory.display()));
    terminal.say(&format!("kubeconfig {}", path.display()));
    terminal.say(&format!("export KUBECONFIG={} && kubectl get flinkdeployments", quoted(&path.to_string_lossy())));
    let controller = if arguments.api_only { None } else { control(&directory, terminal) };
    let metrics = controller.as_ref().map(Controller::metrics).unwrap_or_default();
    api.give_metrics(move || metrics.text());
    let announcement = arguments.detaching.detached.then(|| Announcement::make(&directory)).transpose()?;
    // The channel ends only with the process, so an error means the same.
    let _ = ended.recv();
    terminal.inform("stopping");
    // The loop is a client of the API, so it goes first.
    drop(controller);
    drop(api);
    drop(announcement);
    // One in the background is ended by `kobel down`, which says this.
    if !arguments.detaching.detached {
        terminal.inform(&left_running::told(&directory, arguments.data_dir.as_deref()));
    }
    Ok(Exit::Done)
}

/// Makes sure that an address can be listened at before anything is made on the disk.
fn check_address(address: SocketAddr, data_dir: Option<&Path>) -> Result<()> {
    // Whoever has the directory may have the address, too; that it runs already is told where it is found out.
    if data::directory(data_dir).is_some_and(|directory| is_in_use(&directory)) {
        return Ok(());
    }
    TcpListener::bind(address).map(drop).map_err(|error| {
        Error::io(format!("cannot listen at `{address}`"), error)
            .with_hint("any free port of this machine is taken with `kobel up --listen 127.0.0.1:0`")
    })
}

/// That the data directory has its `kobel up` already, if that is why another cannot start.
fn taken(error: Error, directory: &Path) -> Error {
    if error.kind() != ErrorKind::Conflict || !is_in_use(directory) {
        return error;
    }
    let mut message = format!("`kobel up` runs already on `{}`", directory.display());
    // Only one in the background says which process it is.
    let end = match Background::find(directory) {
        Ok(Some(running)) => {
            message.push_str(&format!(", as process {}", running.pid()));
            format!("end it with `kobel down --data-dir {}`", quoted(&directory.to_string_lossy()))
        }
        _ => "end it with Ctrl-C where it was started".to_owned(),
    };
    Error::new(ErrorKind::Conflict, message).with_hint(format!("use it: `kobel apply -f FILE`; or {end}"))
}

/// Starts the control loop. The API is of use without it, so a failure is told and not more.
fn control(directory: &Path, terminal: &Terminal) -> Option<Controller> {
    let started = log(directory).and_then(|()| {
        let kobel =
            std::env::current_exe().map_err(|error| Error::io("cannot find the program of this process", error))?;
        Controller::start(&directory.join("kubeconfig"), &Machine { data: directory.to_owned(), kobel })
    });
    match started {
        Ok(controller) => Some(controller),
        Err(error) => {
            terminal.warn(&format!("no resource is carried out: {}", chain(&error)));
            None
        }
    }
}

/// What the control loop says of itself goes to a file.
fn log(directory: &Path) -> Result<()> {
    let options = LogOptions {
        directory: directory.join("log"),
        file_stem: "kobel-up".to_owned(),
        rotation_size: LOG_BYTES,
        max_files: LOG_FILES,
        level: Level::Info,
        format: Format::Text,
    };
    kobel_logs::start(options, Arc::new(Scrubber::new())).map(drop)
}

/// The port of the last time on this machine's own address if it is free, else any.
fn usual_address(directory: &Path) -> SocketAddr {
    let remembered = fs::read_to_string(directory.join("port")).ok();
    let port = remembered.and_then(|text| text.trim().parse::<u16>().ok()).unwrap_or(0);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if TcpListener::bind(address).is_ok() { address } else { SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) }
}

/// A channel that tells of SIGINT and SIGTERM.
pub(super) fn listen_for_the_end() -> Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody listens any more once the end has begun.
        let _ = sender.send(());
    })
    .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot listen for Ctrl-C").with_source(error))?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use kobel_apiserver::embedded::STORE_FILE;

    use super::*;

    #[test]
    fn a_second_process_on_the_same_data_is_told_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let refused = || Error::new(ErrorKind::Conflict, "it is locked");
        assert_eq!(taken(refused(), directory.path()).to_string(), "it is locked");
        let lock = fs::File::create(directory.path().join(format!("{STORE_FILE}.lock"))).unwrap();
        lock.lock().unwrap();
        let told = taken(refused(), directory.path());
        assert!(told.to_string().starts_with("`kobel up` runs already on `"), "{told}");
        assert!(told.hint().is_some_and(|hint| hint.contains("Ctrl-C")), "{told:?}");
        let announcement = Announcement::make(directory.path()).unwrap();
        let told = taken(refused(), directory.path());
        assert!(told.to_string().ends_with(&format!(", as process {}", std::process::id())), "{told}");
        assert!(told.hint().is_some_and(|hint| hint.contains("`kobel down --data-dir ")), "{told:?}");
        drop(announcement);
    }

    #[test]
    fn an_address_that_is_taken_is_refused_before_a_directory_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let error = check_address(address, Some(&data)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().is_some_and(|hint| hint.contains("--listen 127.0.0.1:0")), "{error:?}");
        assert!(!data.exists());
        drop(taken);
        assert!(check_address(address, Some(&data)).is_ok());
    }

    #[test]
    fn the_port_of_the_last_time_is_taken_if_it_is_free() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(usual_address(directory.path()).port(), 0);
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        secret_file::write(&directory.path().join("port"), &port.to_string()).unwrap();
        assert_eq!(usual_address(directory.path()).port(), 0, "the port is taken");
        drop(taken);
        assert_eq!(usual_address(directory.path()).port(), port);
    }
}
