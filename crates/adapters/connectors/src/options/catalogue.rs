//! Every option of every connector and format, as data: what is checked, documented and suggested comes from here.
//!
//! # Source
//! Apache Flink 2.3: `FileSystemConnectorOptions`, `CsvFormatOptions`, `JsonFormatOptions`,
//! `DataGenConnectorOptions`, `PrintConnectorOptions`, `FactoryUtil`.

use super::{OptionKind as Kind, OptionSpec};

/// Options of every table.
pub const TABLE: &[OptionSpec] = &[
    OptionSpec::new("connector", Kind::Text, "connector of the table").required(),
    OptionSpec::new("property-version", Kind::Whole, "version of the option names").or("1").without_effect(),
];

/// Options that Flink takes for every source; watermarks and parallelism are set for the whole job here.
pub const SOURCE: &[OptionSpec] = &[
    OptionSpec::new("scan.parallelism", Kind::Whole, "parallelism of this source").refused(),
    OptionSpec::new("scan.watermark.emit.strategy", Kind::Text, "when watermarks are emitted").refused(),
    OptionSpec::new("scan.watermark.alignment.group", Kind::Text, "watermark alignment group").refused(),
    OptionSpec::new("scan.watermark.alignment.max-drift", Kind::Duration, "largest drift in a group").refused(),
    OptionSpec::new("scan.watermark.alignment.update-interval", Kind::Duration, "interval of alignment").refused(),
    OptionSpec::new("scan.watermark.idle-timeout", Kind::Duration, "time until a source counts as idle").refused(),
];

/// Options that Flink takes for every sink.
pub const SINK: &[OptionSpec] =
    &[OptionSpec::new("sink.parallelism", Kind::Whole, "parallelism of this sink").refused()];

/// Options of `filesystem`.
pub const FILESYSTEM: &[OptionSpec] = &[
    OptionSpec::new("path", Kind::Text, "file or directory to read, directory to write").required(),
    OptionSpec::new("format", Kind::Choice(&["csv", "json"]), "format of the files").required(),
    OptionSpec::new("source.monitor-interval", Kind::Duration, "interval of the search for new files").refused(),
    OptionSpec::new("source.report-statistics", Kind::Choice(&["ALL", "NONE"]), "statistics for the planner")
        .or("ALL")
        .without_effect(),
    OptionSpec::new("source.path.regex-pattern", Kind::Text, "filter of the files to read").refused(),
    OptionSpec::new("sink.rolling-policy.file-size", Kind::Memory, "size at which a file is finished").or("128 mb"),
    OptionSpec::new("sink.rolling-policy.rollover-interval", Kind::Duration, "age at which a file is finished")
        .or("30 min"),
    OptionSpec::new(
        "sink.rolling-policy.inactivity-interval",
        Kind::Duration,
        "time without rows after which a file is finished",
    )
    .or("30 min"),
    OptionSpec::new(
        "sink.rolling-policy.check-interval",
        Kind::Duration,
        "interval of the check for finished files; here every checkpoint checks",
    )
    .or("1 min")
    .without_effect(),
    OptionSpec::new("sink.shuffle-by-partition.enable", Kind::Boolean, "shuffle by partition").or("false").refused(),
    OptionSpec::new("auto-compaction", Kind::Boolean, "merge small files").or("false").refused(),
    OptionSpec::new("compaction.file-size", Kind::Memory, "size of merged files").refused(),
    OptionSpec::new("compaction.parallelism", Kind::Whole, "parallelism of merging").refused(),
    OptionSpec::new("partition.default-name", Kind::Text, "partition of NULL").refused(),
    OptionSpec::new("partition.time-extractor.kind", Kind::Text, "how partitions tell time").refused(),
    OptionSpec::new("partition.time-extractor.class", Kind::Text, "class of the extractor").refused(),
    OptionSpec::new("partition.time-extractor.timestamp-formatter", Kind::Text, "format of the time").refused(),
    OptionSpec::new("partition.time-extractor.timestamp-pattern", Kind::Text, "pattern of the time").refused(),
    OptionSpec::new("sink.partition-commit.trigger", Kind::Text, "when partitions are announced").refused(),
    OptionSpec::new("sink.partition-commit.delay", Kind::Duration, "delay of the announcement").refused(),
    OptionSpec::new("sink.partition-commit.watermark-time-zone", Kind::Text, "zone of the watermark").refused(),
    OptionSpec::new("sink.partition-commit.policy.kind", Kind::Text, "how partitions are announced").refused(),
    OptionSpec::new("sink.partition-commit.policy.class", Kind::Text, "class of the policy").refused(),
    OptionSpec::new("sink.partition-commit.policy.class.parameters", Kind::Text, "its parameters").refused(),
    OptionSpec::new("sink.partition-commit.success-file.name", Kind::Text, "name of the success file").refused(),
];

/// Options of format `csv`.
pub const CSV: &[OptionSpec] = &[
    OptionSpec::new("csv.field-delimiter", Kind::Delimiter, "character between fields").or(","),
    OptionSpec::new("csv.disable-quote-character", Kind::Boolean, "quotes have no meaning").or("false"),
    OptionSpec::new("csv.quote-character", Kind::Character, "character that encloses values; `\"` if not set"),
    OptionSpec::new("csv.allow-comments", Kind::Boolean, "lines that start with `#` and empty lines are skipped")
        .or("false"),
    OptionSpec::new("csv.ignore-parse-errors", Kind::Boolean, "bad fields are NULL and bad rows are skipped")
        .or("false"),
    OptionSpec::new("csv.array-element-delimiter", Kind::Text, "text between elements of an array")
        .or(";")
        .without_effect(),
    OptionSpec::new("csv.escape-character", Kind::Character, "character that escapes the next one"),
    OptionSpec::new("csv.null-literal", Kind::Text, "text that stands for NULL"),
    OptionSpec::new("csv.write-bigdecimal-in-scientific-notation", Kind::Boolean, "100000 is written as 1E+5")
        .or("true"),
    OptionSpec::new("csv.trim-spaces", Kind::Boolean, "blanks around unquoted values are dropped").or("false"),
    OptionSpec::new("csv.ignore-trailing-unmappable", Kind::Boolean, "extra fields at the end are ignored").or("false"),
    OptionSpec::new("csv.allow-trailing-comma", Kind::Boolean, "one delimiter may follow the last field").or("true"),
    OptionSpec::new("csv.fail-on-missing-columns", Kind::Boolean, "a row with too few fields is an error").or("false"),
    OptionSpec::new("csv.empty-string-as-null", Kind::Boolean, "an empty field is NULL").or("false"),
];

/// Options of format `json`.
pub const JSON: &[OptionSpec] = &[
    OptionSpec::new("json.fail-on-missing-field", Kind::Boolean, "a missing field is an error").or("false"),
    OptionSpec::new("json.ignore-parse-errors", Kind::Boolean, "bad fields are NULL and bad rows are skipped")
        .or("false"),
    OptionSpec::new("json.timestamp-format.standard", Kind::Choice(&["SQL", "ISO-8601"]), "form of timestamps")
        .or("SQL"),
    OptionSpec::new("json.map-null-key.mode", Kind::Choice(&["FAIL", "DROP", "LITERAL"]), "NULL keys of maps")
        .or("FAIL")
        .without_effect(),
    OptionSpec::new("json.map-null-key.literal", Kind::Text, "key in place of NULL").or("null").without_effect(),
    OptionSpec::new("json.encode.decimal-as-plain-number", Kind::Boolean, "1E+5 is written as 100000").or("false"),
    OptionSpec::new("json.encode.ignore-null-fields", Kind::Boolean, "fields that are NULL are left out").or("false"),
    OptionSpec::new("json.decode.json-parser.enabled", Kind::Boolean, "choice of Flink's parser")
        .or("true")
        .without_effect(),
];

/// Options of `datagen`; `#` stands for a column.
pub const DATAGEN: &[OptionSpec] = &[
    OptionSpec::new("rows-per-second", Kind::Whole, "rows per second of all subtasks together").or("10000"),
    OptionSpec::new("number-of-rows", Kind::Whole, "rows in all; without end if not set"),
    OptionSpec::new("fields.#.kind", Kind::Choice(&["random", "sequence"]), "generator of the column").or("random"),
    OptionSpec::new("fields.#.min", Kind::Text, "smallest random number"),
    OptionSpec::new("fields.#.max", Kind::Text, "largest random number"),
    OptionSpec::new("fields.#.max-past", Kind::Duration, "how far back random timestamps go").or("0 ms"),
    OptionSpec::new("fields.#.length", Kind::Whole, "length of random strings and bytes"),
    OptionSpec::new("fields.#.var-len", Kind::Boolean, "lengths are random up to `length`").or("false"),
    OptionSpec::new("fields.#.start", Kind::Text, "first value of a sequence"),
    OptionSpec::new("fields.#.end", Kind::Text, "last value of a sequence"),
    OptionSpec::new("fields.#.null-rate", Kind::Rate, "share of NULL").or("0"),
];

/// Options of `print`.
pub const PRINT: &[OptionSpec] = &[
    OptionSpec::new("print-identifier", Kind::Text, "text before each row"),
    OptionSpec::new("standard-error", Kind::Boolean, "rows go to standard error").or("false"),
];

/// Options of `blackhole`.
pub const BLACKHOLE: &[OptionSpec] = &[];
