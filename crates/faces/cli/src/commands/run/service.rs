//! What the outside sees of a run: REST API, metrics for Prometheus, the log. All of it is off unless asked for.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kobel_logs::{Format, Level, LogFiles, LogOptions, Scrubber};
use kobel_model::settings::options::{self, LogFormat, LogLevel};
use kobel_model::settings::{Settings, is_secret};
use kobel_model::{Error, Result, chain};
use kobel_runtime::job::Control;
use kobel_runtime::rest::server::{Server, ServerOptions, TlsFiles};
use kobel_runtime::view::cluster::{Cluster, ClusterFacts};
use kobel_runtime::view::job::JobView;
use kobel_sql::ast::{PropertyAssignment, Statement, StatementKind};
use kobel_storage::location::local_path;

use super::script::Script;
use super::settings::{data_directory, shown};
use crate::terminal::Terminal;

/// The most ports of a range that are tried.
const PORTS_MAX: usize = 1_000;
/// The longest token that is read, in bytes.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// What the outside sees.
pub(crate) struct Service {
    cluster: Arc<Cluster>,
    server: Option<Server>,
    stays: bool,
}

impl Service {
    /// Starts what the settings ask for, if they ask for anything.
    ///
    /// # Errors
    /// Invalid if a setting is wrong, Denied or Unavailable if an address or a file cannot be used.
    pub(crate) fn start(
        settings: &Settings,
        script: &Script,
        statements: &[Statement],
        terminal: &Terminal,
    ) -> Result<Option<Self>> {
        let logs = log_options(settings, script)?;
        if !wants_rest(settings) && settings.get(&options::PROMETHEUS_PORT).is_none() && logs.is_none() {
            return Ok(None);
        }
        let scrubber = Arc::new(Scrubber::new());
        secrets(settings, statements).for_each(|secret| scrubber.add(secret));
        let options = server_options(settings)?;
        if let Some(token) = &options.token {
            scrubber.add(token);
        }
        let logs = logs.map(|logs| kobel_logs::start(logs, Arc::clone(&scrubber))).transpose()?;
        let cluster = Arc::new(Cluster::new(facts(settings, script, logs, scrubber)));
        let server = if options.rest.is_some() || options.metrics.is_some() {
            let server = Server::start(options, Arc::clone(&cluster))?;
            let scheme = if server.is_tls() { "https" } else { "http" };
            if let Some(address) = server.address() {
                terminal.inform(&format!("REST API on {scheme}://{address}"));
            }
            if let Some(address) = server.metrics_address() {
                terminal.inform(&format!("metrics on {scheme}://{address}/metrics"));
            }
            Some(server)
        } else {
            None
        };
        Ok(Some(Self { cluster, server, stays: !settings.get(&options::SHUTDOWN_ON_FINISH) }))
    }

    /// A job begins.
    pub(crate) fn add(&self, job: Arc<JobView>) {
        let controller = job.controller().clone();
        self.cluster.add(job);
        if self.is_end_wanted() {
            // Who asked did not see this job yet.
            controller.send(Control::Cancel);
        }
    }

    /// Keeps the secrets among the options of tables out of logs and answers.
    pub(crate) fn hide<'a>(&self, options: impl Iterator<Item = (&'a str, &'a str)>) {
        options.filter(|(key, _)| is_secret(key)).for_each(|(_, value)| self.cluster.facts.scrubber.add(value));
    }

    /// Whether somebody wants no further job to begin.
    pub(crate) fn is_end_wanted(&self) -> bool {
        let application = self.cluster.application();
        application.is_shutdown_wanted || application.is_cancel_wanted
    }

    /// Whether the process goes on answering when its script has ended; there must have been a job to ask about.
    pub(crate) fn stays(&self) -> bool {
        let may_stay = self.stays && self.server.is_some() && !self.cluster.application().is_shutdown_wanted;
        may_stay && !self.cluster.jobs().is_empty()
    }

    /// The script has ended: whoever waits for an answer gets it first, unless `stop` says that it is enough.
    pub(crate) fn end(&self, failure: Option<&Error>, terminal: &Terminal, stop: &dyn Fn() -> bool) {
        let outcome = match failure {
            None => Ok(()),
            Some(error) => Err(chain(error)),
        };
        self.cluster.note(|application| application.ended = Some((now_ms(), outcome)));
        let Some(server) = &self.server else { return };
        if self.stays() {
            server.wait_for_shutdown(stop);
        }
        if server.has_unread() {
            terminal
                .inform("waiting for whoever asked for a savepoint or checkpoint to ask what came of it (Ctrl-C ends)");
        }
        server.wait_until_read(stop);
    }
}

fn facts(settings: &Settings, script: &Script, logs: Option<Arc<LogFiles>>, scrubber: Arc<Scrubber>) -> ClusterFacts {
    let suffix: [u8; 3] = rand::random();
    let id = u128::from_be_bytes(rand::random());
    let suffix: String = suffix.iter().map(|byte| format!("{byte:02x}")).collect();
    ClusterFacts {
        application_id: format!("{id:032x}"),
        application_name: script.stem.clone(),
        task_manager_id: format!("localhost:{}-{suffix}", std::process::id() % 65_536),
        started_ms: now_ms(),
        slots: settings.get(&options::TASK_SLOTS),
        settings: shown(settings),
        logs,
        scrubber,
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The REST API is served once somebody names a port for it.
fn wants_rest(settings: &Settings) -> bool {
    [options::REST_PORT.key(), options::REST_BIND_PORT.key()].iter().any(|key| settings.raw(key).is_some())
}

/// The log that is wanted, if one is.
fn log_options(settings: &Settings, script: &Script) -> Result<Option<LogOptions>> {
    let directory = match settings.get(&options::LOG_DIR) {
        Some(text) => local_path(options::LOG_DIR.key(), &text)?,
        None if wants_rest(settings) => data_directory(settings)?.join("log"),
        None => return Ok(None),
    };
    let stem = script.stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(100);
    let options = LogOptions {
        directory,
        file_stem: format!("kobel-{}", stem.collect::<String>()),
        rotation_size: settings.get(&options::LOG_ROTATION_SIZE),
        max_files: settings.get(&options::LOG_FILES),
        level: match settings.get(&options::LOG_LEVEL) {
            LogLevel::Error => Level::Error,
            LogLevel::Warn => Level::Warn,
            LogLevel::Info => Level::Info,
            LogLevel::Debug => Level::Debug,
            LogLevel::Trace => Level::Trace,
        },
        format: match settings.get(&options::LOG_FORMAT) {
            LogFormat::Text => Format::Text,
            LogFormat::Json => Format::Json,
        },
    };
    options.check()?;
    Ok(Some(options))
}

fn server_options(settings: &Settings) -> Result<ServerOptions> {
    let host = settings.get(&options::REST_BIND_ADDRESS);
    let rest_ports = match settings.get(&options::REST_BIND_PORT) {
        Some(text) => ports(options::REST_BIND_PORT.key(), &text)?,
        None => vec![u16::try_from(settings.get(&options::REST_PORT)).unwrap_or_default()],
    };
    let metrics = settings.get(&options::PROMETHEUS_PORT);
    let metrics = metrics.map(|text| ports(options::PROMETHEUS_PORT.key(), &text)).transpose()?;
    Ok(ServerOptions {
        rest: wants_rest(settings).then(|| (host.clone(), rest_ports)),
        metrics: metrics.map(|ports| (host, ports)),
        address: settings.get(&options::REST_ADDRESS),
        token: settings.get(&options::REST_TOKEN_FILE).map(|path| token(&path)).transpose()?,
        is_open: settings.get(&options::REST_UNPROTECTED),
        tls: tls(settings)?,
        body_max: settings.get(&options::REST_BODY_MAX),
        result_kept: settings.get(&options::REST_STORE_DURATION),
    })
}

fn tls(settings: &Settings) -> Result<Option<TlsFiles>> {
    let certificate = settings.get(&options::REST_TLS_CERTIFICATE).map(PathBuf::from);
    let key = settings.get(&options::REST_TLS_KEY).map(PathBuf::from);
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        _ => {
            let (certificate, key) = (options::REST_TLS_CERTIFICATE.key(), options::REST_TLS_KEY.key());
            Err(Error::invalid(format!("TLS needs both `{certificate}` and `{key}`")))
        }
    }
}

/// The first line of the file; the file is the secret, its path is not.
fn token(path: &str) -> Result<String> {
    let key = options::REST_TOKEN_FILE.key();
    let what = format!("cannot read `{path}` (`{key}`)");
    let file = local_path(key, path)?;
    let size = fs::metadata(&file).map_err(|error| Error::io(what.clone(), error))?.len();
    if size > TOKEN_BYTES_MAX {
        return Err(Error::invalid(format!("{what}: a token has at most {TOKEN_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(&file).map_err(|error| Error::io(what.clone(), error))?;
    match text.lines().next().map(str::trim) {
        Some(token) if token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token.to_owned()),
        _ => Err(Error::invalid(format!("{what}: its first line is no token"))
            .with_hint("write at least 16 visible ASCII characters, such as those of `openssl rand -hex 32`")),
    }
}

/// `8081`, `50100-50200`, or a list of these.
fn ports(key: &str, text: &str) -> Result<Vec<u16>> {
    let wrong = || {
        let message = format!("cannot set `{key}` to `{text}`: expected ports");
        Error::invalid(message).with_hint("write a port, a range such as `50100-50200`, or a list of these")
    };
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong());
        let (first, last) = (port(first)?, port(last)?);
        if first > last {
            return Err(wrong());
        }
        ports.extend((first..=last).take(PORTS_MAX));
    }
    Ok(ports)
}

/// What must never be seen: values of settings and of table options whose keys say so.
fn secrets<'a>(settings: &'a Settings, statements: &'a [Statement]) -> impl Iterator<Item = &'a str> {
    let of =
        |assignment: &'a PropertyAssignment| is_secret(&assignment.key.name).then_some(assignment.value.name.as_str());
    let in_script = statements.iter().flat_map(move |statement| match &statement.kind {
        StatementKind::CreateTable(table) => table.options.iter().filter_map(of).collect(),
        StatementKind::Set(Some(assignment)) => of(assignment).into_iter().collect(),
        _ => Vec::new(),
    });
    let is_path = |key: &str| key == options::REST_TOKEN_FILE.key();
    let set = settings.iter().filter(move |(key, _)| is_secret(key) && !is_path(key)).map(|(_, value)| value);
    set.chain(in_script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_one_some_or_a_range() {
        for (text, expected) in [
            ("8081", Some(vec![8081])),
            ("1-3, 9", Some(vec![1, 2, 3, 9])),
            ("0", Some(vec![0])),
            ("3-1", None),
            ("x", None),
            ("", None),
            ("70000", None),
        ] {
            assert_eq!(ports("rest.bind-port", text).ok(), expected, "{text}");
        }
        assert_eq!(ports("k", "1-65535").expect("a range").len(), PORTS_MAX);
    }

    #[test]
    fn a_token_is_the_first_line_of_its_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).expect("a file");
            path.display().to_string()
        };
        assert_eq!(token(&path("a", "0123456789abcdef\nmore\n")).expect("a token"), "0123456789abcdef");
        for text in ["", "short", "0123456789 abcdef", "\n0123456789abcdef"] {
            let error = token(&path("b", text)).expect_err(text);
            assert!(error.to_string().contains("no token") && error.hint().is_some(), "{error:?}");
            assert!(text.trim().is_empty() || !format!("{error:?}").contains(text.trim()), "{error:?}");
        }
        assert!(token("/nowhere/at/all").is_err());
    }
}
