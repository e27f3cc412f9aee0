//! The catalogue against its own rules, the handles against the catalogue, and settings as a user sets them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

fn notices_of(settings: &mut Settings, key: &str, value: &str) -> Vec<String> {
    settings.set(key, value).unwrap().iter().map(Notice::to_string).collect()
}

#[test]
fn every_entry_keeps_the_rules_of_the_catalogue() {
    let mut spellings = BTreeSet::new();
    for entry in catalogue() {
        let key = &entry.key;
        for spelling in entry.deprecated.iter().chain([key]) {
            assert!(spellings.insert(spelling.as_str()), "`{spelling}` stands twice");
        }
        for text in entry.default.iter().chain(&entry.native_values) {
            assert!(entry.parse(text).is_ok(), "`{text}` is no value of `{key}`");
        }
        for bound in entry.min.iter().chain(&entry.max) {
            assert!(entry.parse(bound).is_ok(), "`{bound}` is no bound of `{key}`");
        }
        assert_eq!(entry.kind == ValueKind::Enum, !entry.values.is_empty(), "values of `{key}`");
        assert!(entry.description.ends_with('.'), "the description of `{key}` is a sentence");
        assert!(!entry.honoured_by.is_empty(), "`{key}` acts on some engine");
        let default_works = entry.default_value().is_none_or(|value| entry.native_honours(&value));
        assert!(default_works || !entry.honoured_by.contains(&Engine::Native), "the default of `{key}` is honoured");
    }
}

#[test]
fn the_catalogue_is_written_in_order_of_key() {
    let written: Vec<&str> =
        include_str!("catalogue.toml").lines().filter_map(|line| line.strip_prefix("key = ")).collect();
    assert!(written.is_sorted(), "{written:#?}");
    assert_eq!(written.len(), catalogue().len());
}

#[test]
fn every_typed_handle_reads_its_default() {
    let keys = options::read_all(&Settings::new());
    assert!(keys.contains(&"parallelism.default"));
    for key in keys {
        assert_eq!(entry(key).map(|entry| entry.key.as_str()), Some(key));
    }
}

#[test]
fn choices_are_spelled_as_in_the_catalogue() {
    fn values_of(key: &str) -> Vec<&'static str> {
        entry(key).unwrap().values.iter().map(String::as_str).collect()
    }
    let modes: Vec<&str> = options::RuntimeMode::ALL.iter().map(|mode| mode.as_str()).collect();
    let engines: Vec<&str> = options::EngineChoice::ALL.iter().map(|engine| engine.as_str()).collect();
    let enforcers: Vec<&str> = options::NotNullEnforcer::ALL.iter().map(|enforcer| enforcer.as_str()).collect();
    assert_eq!(modes, values_of("execution.runtime-mode"));
    assert_eq!(engines, values_of("kobel.engine"));
    assert_eq!(enforcers, values_of("table.exec.sink.not-null-enforcer"));
    let recoveries: Vec<&str> = options::RecoveryChoice::ALL.iter().map(|recovery| recovery.as_str()).collect();
    assert_eq!(recoveries, values_of("kobel.recovery"));
}

#[test]
fn what_is_set_is_read_and_what_is_reset_is_the_default_again() {
    let mut settings = Settings::new();
    assert_eq!(settings.get(&options::PARALLELISM), 1);
    assert_eq!(settings.get(&options::CHECKPOINTING_INTERVAL), None);
    assert!(settings.set("parallelism.default", " 3 ").unwrap().is_empty());
    assert!(settings.set("execution.checkpointing.interval", "1min").unwrap().is_empty());
    assert!(settings.set("execution.runtime-mode", "streaming").unwrap().is_empty());
    assert_eq!(settings.get(&options::PARALLELISM), 3);
    assert_eq!(settings.get(&options::CHECKPOINTING_INTERVAL), Some(Duration::from_secs(60)));
    assert_eq!(settings.get(&options::RUNTIME_MODE), options::RuntimeMode::Streaming);
    assert!(settings.reset("parallelism.default"));
    assert!(!settings.reset("parallelism.default"));
    assert_eq!(settings.get(&options::PARALLELISM), 1);
    settings.reset_all();
    assert_eq!(settings, Settings::new());
}

#[test]
fn a_value_that_is_not_allowed_is_refused_and_changes_nothing() {
    let mut settings = Settings::new();
    settings.set("parallelism.default", "2").unwrap();
    for (key, value, allowed) in [
        ("parallelism.default", "0", "a whole number from 1 to 32768"),
        ("parallelism.default", "32769", "a whole number from 1 to 32768"),
        ("parallelism.default", "two", "a whole number from 1 to 32768"),
        ("kobel.batch-size", "65537", "a whole number from 1 to 65536"),
        ("execution.checkpointing.num-retained", "0", "a whole number from 1 to 1000"),
        ("execution.checkpointing.interval", "9 ms", "of at least 10 ms"),
        ("execution.checkpointing.interval", "soon", "such as `10 s`"),
        ("execution.runtime-mode", "burst", "one of `STREAMING`, `BATCH`, `AUTOMATIC`"),
        ("table.dml-sync", "yes", "`true` or `false`"),
        ("taskmanager.memory.process.size", "much", "such as `64 mb`"),
    ] {
        let error = settings.set(key, value).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot set `{key}` to `{value}`: expected ")), "{error}");
        assert!(error.contains(allowed), "{error}");
    }
    assert_eq!(settings.iter().collect::<Vec<_>>(), [("parallelism.default", "2")]);
}

#[test]
fn an_unknown_key_is_kept_and_reported_with_a_suggestion() {
    let mut settings = Settings::new();
    assert_eq!(
        notices_of(&mut settings, "execution.checkpointing.intervall", "1 s"),
        ["unknown option `execution.checkpointing.intervall` is kept but read by nothing; \
          did you mean `execution.checkpointing.interval`?"]
    );
    assert_eq!(notices_of(&mut settings, "x.y", "1"), ["unknown option `x.y` is kept but read by nothing"]);
    assert_eq!(settings.raw("x.y"), Some("1"));
}

#[test]
fn a_deprecated_key_sets_the_new_one() {
    let mut settings = Settings::new();
    assert_eq!(
        notices_of(&mut settings, "state.checkpoints.dir", "/data"),
        ["option `state.checkpoints.dir` is deprecated; use `execution.checkpointing.dir`"]
    );
    assert_eq!(settings.raw("execution.checkpointing.dir"), Some("/data"));
    assert_eq!(settings.raw("state.checkpoints.dir"), Some("/data"));
    assert_eq!(settings.get(&options::CHECKPOINTS_DIR).as_deref(), Some("/data"));
    assert!(settings.reset("state.checkpoints.dir"));
}

#[test]
fn what_the_native_engine_does_not_honour_is_reported() {
    let mut settings = Settings::new();
    assert!(notices_of(&mut settings, "table.exec.state.ttl", "0").is_empty());
    assert_eq!(
        notices_of(&mut settings, "table.exec.state.ttl", "1 h"),
        ["the native engine honours only `0 ms` for option `table.exec.state.ttl`"]
    );
    assert_eq!(
        notices_of(&mut settings, "table.exec.mini-batch.enabled", "true"),
        ["option `table.exec.mini-batch.enabled` has no effect in the native engine"]
    );
}

#[test]
fn debug_output_hides_secrets() {
    let mut settings = Settings::new();
    settings.set("s3.secret-key", "hunter2").unwrap();
    assert_eq!(format!("{settings:?}"), r#"{"s3.secret-key": "******"}"#);
}
