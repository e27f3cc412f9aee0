//! Settings of the command line and of the script: which win, which the native engine refuses, what zones mean.
//!
//! The command line wins: its settings are in place before the first statement and again after every statement that
//! changes settings.

use std::path::PathBuf;

use jiff::tz::{Offset, TimeZone};
use kobel_model::settings::options::{self, EngineChoice, NotNullEnforcer, RestartChoice, RuntimeMode};
use kobel_model::settings::{Notice, Settings, redact};
use kobel_model::{Error, Result};
use kobel_runtime::job::{Backoff, RestartStrategy};
use kobel_storage::location::local_path;

use crate::args::{Engine, RunArguments};

/// What was set on the command line.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pairs: Vec<(String, String)>,
}

impl Overrides {
    /// `--set`, and the flags that stand for a setting.
    pub(crate) fn new(arguments: &RunArguments) -> Self {
        let mut pairs = arguments.settings.clone();
        if let Some(parallelism) = arguments.parallelism {
            pairs.push((options::PARALLELISM.key().to_owned(), parallelism.to_string()));
        }
        if let Some(engine) = arguments.engine {
            let choice = match engine {
                Engine::Native => EngineChoice::Native,
                Engine::Flink => EngineChoice::Flink,
            };
            pairs.push((options::ENGINE.key().to_owned(), choice.as_str().to_owned()));
        }
        if let Some((host, port)) = &arguments.rest {
            // The ports of which one is taken would win over the port.
            pairs.push((options::REST_PORT.key().to_owned(), port.to_string()));
            pairs.push((options::REST_BIND_PORT.key().to_owned(), port.to_string()));
            pairs.extend(host.iter().map(|host| (options::REST_BIND_ADDRESS.key().to_owned(), host.clone())));
        }
        if arguments.allow_non_restored_state {
            pairs.push((options::IGNORE_UNCLAIMED_STATE.key().to_owned(), "true".to_owned()));
        }
        Self { pairs }
    }

    /// Lays them over `settings`.
    ///
    /// # Errors
    /// Invalid if a value is not allowed.
    pub(crate) fn apply(&self, settings: &mut Settings) -> Result<Vec<Notice>> {
        let mut notices = Vec::new();
        for (key, value) in &self.pairs {
            notices.extend(settings.set(key, value)?);
        }
        Ok(notices)
    }
}

/// Refuses settings under which the native engine would give other results than were asked for.
///
/// # Errors
/// Unsupported or Invalid, naming the key.
pub(crate) fn check(settings: &Settings) -> Result<()> {
    if settings.get(&options::ENGINE) == EngineChoice::Flink {
        let message = format!("engine `flink` (`{}`) is not in this version", options::ENGINE.key());
        return Err(Error::unsupported(message).with_hint("use `native`, the default"));
    }
    let mode = settings.get(&options::RUNTIME_MODE);
    if mode != RuntimeMode::Streaming {
        return Err(refused(
            options::RUNTIME_MODE.key(),
            mode.as_str(),
            "use `STREAMING`; a job ends when its input ends",
        ));
    }
    let ttl = settings.get(&options::STATE_TTL);
    if !ttl.is_zero() {
        let value = kobel_model::quantity::show_duration(ttl);
        return Err(refused(options::STATE_TTL.key(), &value, "leave it out: state is kept, and results stay exact"));
    }
    let enforcer = settings.get(&options::NOT_NULL_ENFORCER);
    if enforcer != NotNullEnforcer::Error {
        let hint = "filter the rows with `WHERE … IS NOT NULL`";
        return Err(refused(options::NOT_NULL_ENFORCER.key(), enforcer.as_str(), hint));
    }
    for option in [&options::CHECKPOINTS_DIR, &options::SAVEPOINTS_DIR, &options::RECOVERY_PATH] {
        if let Some(text) = settings.get(option) {
            local_path(option.key(), &text)?;
        }
    }
    local_path(options::DATA_DIR.key(), &settings.get(&options::DATA_DIR))?;
    time_zone(settings).map(drop)
}

/// What was set, fit to be shown.
pub(crate) fn shown(settings: &Settings) -> Vec<(String, String)> {
    settings.iter().map(|(key, value)| (key.to_owned(), redact(key, value).to_owned())).collect()
}

/// Where everything goes that has no directory of its own.
///
/// # Errors
/// Unsupported or Invalid if the setting names no local directory.
pub(crate) fn data_directory(settings: &Settings) -> Result<PathBuf> {
    local_path(options::DATA_DIR.key(), &settings.get(&options::DATA_DIR))
}

/// What the settings say about restarts.
pub(crate) fn restart_strategy(settings: &Settings) -> RestartStrategy {
    match settings.get(&options::RESTART_STRATEGY) {
        RestartChoice::None | RestartChoice::Off | RestartChoice::Disable => RestartStrategy::None,
        RestartChoice::FixedDelay => RestartStrategy::FixedDelay {
            attempts: settings.get(&options::FIXED_DELAY_ATTEMPTS),
            delay: settings.get(&options::FIXED_DELAY),
        },
        RestartChoice::FailureRate => RestartStrategy::FailureRate {
            failures: settings.get(&options::FAILURE_RATE_MAX),
            interval: settings.get(&options::FAILURE_RATE_INTERVAL),
            delay: settings.get(&options::FAILURE_RATE_DELAY),
        },
        RestartChoice::ExponentialDelay => RestartStrategy::ExponentialDelay(Backoff {
            initial: settings.get(&options::BACKOFF_INITIAL),
            max: settings.get(&options::BACKOFF_MAX),
            multiplier: settings.get(&options::BACKOFF_MULTIPLIER),
            reset_after: settings.get(&options::BACKOFF_RESET),
            jitter: settings.get(&options::BACKOFF_JITTER),
            attempts: settings.get(&options::BACKOFF_ATTEMPTS),
        }),
    }
}

fn refused(key: &str, value: &str, hint: &str) -> Error {
    Error::unsupported(format!("`{key}` = `{value}` is not supported by the native engine")).with_hint(hint)
}

/// `table.local-time-zone` as a zone; `default` is the zone of the machine, UTC if that is unknown.
///
/// # Errors
/// Invalid if there is no such zone.
pub(crate) fn time_zone(settings: &Settings) -> Result<TimeZone> {
    let name = settings.get(&options::LOCAL_TIME_ZONE);
    if name.eq_ignore_ascii_case("default") {
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        return Ok(if is_utc(&zone) { TimeZone::UTC } else { zone });
    }
    if let Some(zone) = fixed_zone(&name) {
        return Ok(zone);
    }
    match TimeZone::get(&name) {
        Ok(zone) if is_utc(&zone) => Ok(TimeZone::UTC),
        Ok(zone) => Ok(zone),
        Err(_) => {
            let message = format!("`{}` names no time zone: `{name}`", options::LOCAL_TIME_ZONE.key());
            let hint = "use a name such as `Europe/Berlin`, an offset such as `GMT-08:00`, or `default`";
            Err(Error::invalid(message).with_hint(hint))
        }
    }
}

/// Whether a zone is UTC under one of its names, or unknown.
fn is_utc(zone: &TimeZone) -> bool {
    const NAMES: [&str; 6] = ["UTC", "Etc/UTC", "Etc/Zulu", "Zulu", "GMT", "Etc/GMT"];
    zone.is_unknown() || zone.iana_name().is_some_and(|name| NAMES.contains(&name))
}

/// An offset as Java writes it: `GMT-08:00`, `UTC+1`, `+05:30`.
fn fixed_zone(name: &str) -> Option<TimeZone> {
    let offset = ["GMT", "UTC", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, offset.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let is_number = |text: &str| !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, value: &str) -> Settings {
        let mut settings = Settings::new();
        settings.set(key, value).expect("an allowed value");
        settings
    }

    #[test]
    fn settings_that_would_change_results_are_refused() {
        for (key, value) in [
            ("kobel.engine", "flink"),
            ("execution.runtime-mode", "batch"),
            ("execution.runtime-mode", "AUTOMATIC"),
            ("table.exec.state.ttl", "1 h"),
            ("table.exec.sink.not-null-enforcer", "DROP"),
            ("execution.checkpointing.dir", "s3://bucket/a"),
            ("execution.checkpointing.savepoint-dir", "hdfs://a/b"),
            ("table.local-time-zone", "Mars/Olympus"),
        ] {
            let error = check(&with(key, value)).expect_err(value);
            assert!(error.to_string().contains(key), "{error:?}");
            assert!(error.hint().is_some(), "{error:?}");
        }
        for (key, value) in [
            ("restart-strategy.type", "fixed-delay"),
            ("table.exec.state.ttl", "0"),
            ("table.local-time-zone", "Europe/Berlin"),
            ("execution.checkpointing.dir", "file:///tmp/a"),
        ] {
            check(&with(key, value)).expect(value);
        }
    }

    #[test]
    fn zones_have_names_or_offsets() {
        for (name, expected) in [
            ("GMT-08:00", -8 * 3_600),
            ("GMT+1", 3_600),
            ("UTC+0530", 5 * 3_600 + 1_800),
            ("+05:30", 5 * 3_600 + 1_800),
            ("UTC", 0),
            ("Asia/Tokyo", 9 * 3_600),
        ] {
            let zone = time_zone(&with("table.local-time-zone", name)).expect(name);
            assert_eq!(zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds(), expected, "{name}");
        }
        for name in ["GMT-25:00", "GMT+1:5", "+", "nowhere", ""] {
            assert!(time_zone(&with("table.local-time-zone", name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_restart_strategy_is_read_with_its_options() {
        let mut settings = with("restart-strategy.type", "exponential-delay");
        settings.set("restart-strategy.exponential-delay.backoff-multiplier", "2").expect("a number");
        let RestartStrategy::ExponentialDelay(backoff) = restart_strategy(&settings) else { panic!("another") };
        assert_eq!((backoff.multiplier, backoff.jitter, backoff.attempts), (2.0, 0.1, None));
        assert_eq!(restart_strategy(&Settings::new()), RestartStrategy::None);
        assert_eq!(restart_strategy(&with("restart-strategy", "off")), RestartStrategy::None);
    }
}
