//! What is said about options: unknown, refused, missing, malformed.

use kobel_sql::catalog::{Connectors, OptionProblem, Usage};
use kobel_sql::plan::ChangelogMode;
use kobel_sql::types::{STRING, TypeKind};

use super::*;
use crate::tests::{connectors, table};

const READ: Usage = Usage::Source;
const WRITE: Usage = Usage::Sink(ChangelogMode::InsertOnly);
const FILES: [(&str, &str); 3] = [("connector", "filesystem"), ("path", "in"), ("format", "csv")];

fn check(options: &[(&str, &str)], usage: Usage) -> Result<(), OptionProblem> {
    let columns = [("a", TypeKind::Int.nullable()), ("b", STRING.not_null())];
    connectors().0.check(&table(&columns, options), usage)
}

fn files(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    FILES.iter().chain(more).copied().collect()
}

#[test]
fn connectors_are_known_or_named() {
    for (connector, message, hint) in [
        ("filesystm", "unknown connector `filesystm`", "did you mean `filesystem`?"),
        ("zzz", "unknown connector `zzz`", "connectors of the native engine: `blackhole`, `datagen`, "),
        ("kafka", "connector `kafka` is not supported by the native engine", "run this script with Apache Flink"),
        ("jdbc", "connector `jdbc` is not supported by the native engine", "run this script with Apache Flink"),
    ] {
        let problem = check(&[("connector", connector)], READ).unwrap_err();
        assert_eq!((problem.key.as_deref(), problem.concerns_value), (Some("connector"), true));
        assert_eq!(problem.message, message);
        assert!(problem.hint.as_deref().is_some_and(|text| text.starts_with(hint)), "{:?}", problem.hint);
    }
    let problem = check(&[("path", "in")], READ).unwrap_err();
    assert_eq!((problem.key, problem.message.as_str()), (None, "option `connector` of table `t` is missing"));
    let problem = check(&[("conector", "datagen")], READ).unwrap_err();
    assert_eq!((problem.key.as_deref(), problem.message.as_str()), (Some("conector"), "unknown option `conector`"));
    assert_eq!(problem.hint.as_deref(), Some("did you mean `connector`?"));
}

#[test]
fn complete_tables_are_accepted() {
    for options in [
        files(&[]),
        files(&[("csv.field-delimiter", "\\t"), ("csv.null-literal", ""), ("csv.ignore-parse-errors", "TRUE")]),
        files(&[("sink.rolling-policy.file-size", "1 mb"), ("sink.rolling-policy.rollover-interval", "10 s")]),
        files(&[("source.report-statistics", "NONE"), ("property-version", "1"), ("auto-compaction", "false")]),
    ] {
        for usage in [READ, WRITE] {
            assert_eq!(check(&options, usage), Ok(()), "for {options:?}");
        }
    }
    assert_eq!(check(&[("connector", "print"), ("print-identifier", "x"), ("standard-error", "true")], WRITE), Ok(()));
    assert_eq!(check(&[("connector", "blackhole")], Usage::Sink(ChangelogMode::Updating)), Ok(()));
    let datagen = [("connector", "datagen"), ("fields.a.min", "-5"), ("fields.a.null-rate", "0.5")];
    assert_eq!(check(&datagen, READ), Ok(()));
}

#[test]
fn wrong_keys_are_refused_with_advice() {
    for (key, value, message, hint) in [
        ("pth", "in", "unknown option `pth` of connector `filesystem`", "did you mean `path`?"),
        ("csv.field-delimeter", ";", "unknown option `csv.field-delimeter` of connector `filesystem`", "did you mean"),
        ("json.ignore-parse-errors", "true", "unknown option `json.ignore-parse-errors`", "did you mean"),
        ("abcdefghijkl", "1", "unknown option `abcdefghijkl`", "supported options: `connector`, "),
        (
            "source.monitor-interval",
            "1 s",
            "option `source.monitor-interval` is not supported",
            "leave it out: the files",
        ),
        ("sink.parallelism", "2", "option `sink.parallelism` is not supported", "leave it out: `parallelism.default`"),
        (
            "sink.partition-commit.delay",
            "1 s",
            "option `sink.partition-commit.delay` is not",
            "partitioned tables need",
        ),
        ("auto-compaction", "true", "option `auto-compaction` is not supported by the native engine", "leave it out"),
    ] {
        let options: Vec<_> = FILES.iter().copied().chain([(key, value)]).collect();
        let problem = check(&options, WRITE).unwrap_err();
        assert_eq!(problem.key.as_deref(), Some(key));
        assert!(!problem.concerns_value, "for `{key}`");
        assert!(problem.message.starts_with(message), "{}", problem.message);
        let given = problem.hint.unwrap_or_default();
        assert!(given.starts_with(hint), "{given}");
    }
}

#[test]
fn wrong_values_are_refused_with_the_allowed_form() {
    for (key, value, reason) in [
        ("format", "parquet", "expected `csv` or `json`"),
        ("csv.ignore-parse-errors", "maybe", "expected `true` or `false`"),
        ("csv.field-delimiter", "||", "expected one ASCII character or an escape such as `\\t` or `\\u0001`"),
        ("csv.field-delimiter", "§", "expected one ASCII character or an escape such as `\\t` or `\\u0001`"),
        ("csv.field-delimiter", "\n", "line ends separate rows"),
        ("csv.field-delimiter", "\"", "the quote or escape character is the same"),
        ("csv.quote-character", "ab", "expected one ASCII character"),
        ("sink.rolling-policy.file-size", "big", "`big` is no memory size"),
        ("sink.rolling-policy.file-size", "0", "it must be greater than 0"),
        ("sink.rolling-policy.rollover-interval", "1 parsec", "`1 parsec` is no duration"),
        ("path", "s3://bucket/in", "scheme `s3` is not supported by the native engine"),
        ("property-version", "one", "expected a whole number"),
        ("property-version", "99999999999999999999", "expected a whole number from -9223372036854775808 to "),
    ] {
        let mut options: std::collections::BTreeMap<&str, &str> = FILES.into();
        options.insert(key, value);
        let options: Vec<_> = options.into_iter().collect();
        let problem = check(&options, READ).unwrap_err();
        assert_eq!((problem.key.as_deref(), problem.concerns_value), (Some(key), true), "{problem:?}");
        let expected = format!("`{value}` is no value of option `{key}`: {reason}");
        assert!(problem.message.starts_with(&expected), "{}", problem.message);
    }
    let both = files(&[("csv.disable-quote-character", "true"), ("csv.quote-character", "'")]);
    assert!(check(&both, READ).unwrap_err().message.contains("`csv.quote-character` cannot be set"));
}

#[test]
fn what_is_missing_is_named() {
    for (missing, rest) in [("path", [FILES[0], FILES[2]]), ("format", [FILES[0], FILES[1]])] {
        let problem = check(&rest, READ).unwrap_err();
        assert_eq!((problem.key, problem.message), (None, format!("required option `{missing}` is missing")));
    }
}

#[test]
fn tables_are_used_as_their_connector_allows() {
    let updating = Usage::Sink(ChangelogMode::Updating);
    for (options, usage, message) in [
        (files(&[]), updating, "table sink `t` doesn't support consuming update changes"),
        (vec![("connector", "print")], READ, "connector `print` can only be used as a sink"),
        (vec![("connector", "blackhole")], READ, "connector `blackhole` can only be used as a sink"),
        (vec![("connector", "datagen")], WRITE, "connector `datagen` can only be used as a source"),
    ] {
        assert_eq!(check(&options, usage).unwrap_err().message, message);
    }
    let mut partitioned = table(&[("a", TypeKind::Int.nullable())], &FILES);
    partitioned.partitioned_by.push("a".to_owned());
    let problem = connectors().0.check(&partitioned, WRITE).unwrap_err();
    assert_eq!(problem.message, "`PARTITIONED BY` is not supported by the native engine");
    let interval = table(&[("d", TypeKind::IntervalMillis.nullable())], &FILES);
    assert!(connectors().0.check(&interval, WRITE).unwrap_err().message.contains("which no connector can carry"));
}

#[test]
fn options_of_datagen_are_checked_against_the_columns() {
    for (key, value, message) in [
        ("fields.aa.min", "1", "option `fields.aa.min` names column `aa`, which table `t` does not have"),
        ("fields.a.length", "5", "option `fields.a.length` has no meaning for a random `INT`"),
        ("fields.a.min", "x", "`x` is no value of option `fields.a.min`: expected a number"),
        ("fields.a.max", "3000000000", "`3000000000` is no value of option `fields.a.max`: expected a number"),
        ("fields.a.kind", "linear", "`linear` is no value of option `fields.a.kind`: expected `random` or `sequence`"),
        ("fields.a.kind", "sequence", "option `fields.a.start` of a sequence is missing"),
        (
            "fields.a.null-rate",
            "1.5",
            "`1.5` is no value of option `fields.a.null-rate`: expected a number from 0 to 1",
        ),
        ("fields.b.null-rate", "0.5", "`0.5` is no value of option `fields.b.null-rate`: the column is NOT NULL"),
        ("fields.b.length", "0", "`0` is no value of option `fields.b.length`: expected a number from 1 to"),
        ("fields.a.nope", "1", "unknown option `fields.a.nope` of connector `datagen`"),
        ("rows-per-second", "0", "`0` is no value of option `rows-per-second`: it must be greater than 0"),
        ("number-of-rows", "-1", "`-1` is no value of option `number-of-rows`: it must not be negative"),
    ] {
        let problem = check(&[("connector", "datagen"), (key, value)], READ).unwrap_err();
        assert!(problem.message.starts_with(message), "{}", problem.message);
        assert_eq!(problem.key.as_deref(), Some(key));
    }
    let crossed = [("connector", "datagen"), ("fields.a.min", "5"), ("fields.a.max", "1")];
    assert!(check(&crossed, READ).unwrap_err().message.contains("must not be less than `fields.a.min`"));
}

#[test]
fn every_default_of_the_catalogue_is_a_value_of_its_option() {
    use super::catalogue::{BLACKHOLE, CSV, DATAGEN, FILESYSTEM, JSON, PRINT, SINK, SOURCE, TABLE};
    for spec in [TABLE, SOURCE, SINK, FILESYSTEM, CSV, JSON, DATAGEN, PRINT, BLACKHOLE].concat() {
        if let Some(default) = spec.default {
            assert_eq!(check_kind(&spec, spec.key, default), Ok(()), "for `{}`", spec.key);
        }
        assert!(!(spec.required && spec.default.is_some()), "`{}` is required and has a default", spec.key);
    }
}
