//! The functions that Flink has and this engine does not run; they are refused by name instead of called unknown.
//!
//! # Source
//! Flink 2.3 `SHOW FUNCTIONS` and the documentation of its built-in functions.

/// Aggregate and window functions.
#[rustfmt::skip]
const AGGREGATES: &[&str] = &[
    "APPROX_COUNT_DISTINCT", "ARRAY_AGG", "BITMAP_AND_AGG", "BITMAP_BUILD_AGG", "BITMAP_OR_AGG", "BITMAP_XOR_AGG",
    "COLLECT", "CUME_DIST", "DENSE_RANK", "FIRST_VALUE", "GROUPING", "GROUPING_ID", "GROUP_ID", "JSON_ARRAYAGG",
    "JSON_OBJECTAGG", "LAG", "LAST_VALUE", "LEAD", "LISTAGG", "NTILE", "PERCENTILE", "PERCENT_RANK", "RANK",
    "ROW_NUMBER", "SINGLE_VALUE", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "SUM0", "VARIANCE", "VAR_POP", "VAR_SAMP",
];

/// Scalar functions.
#[rustfmt::skip]
const SCALARS: &[&str] = &[
    "ACOS", "ARRAY", "ARRAY_APPEND", "ARRAY_CONCAT", "ARRAY_CONTAINS", "ARRAY_DISTINCT", "ARRAY_EXCEPT",
    "ARRAY_INTERSECT", "ARRAY_JOIN", "ARRAY_MAX", "ARRAY_MIN", "ARRAY_POSITION", "ARRAY_PREPEND", "ARRAY_REMOVE",
    "ARRAY_REVERSE", "ARRAY_SLICE", "ARRAY_SORT", "ARRAY_UNION", "ASIN", "ATAN", "ATAN2", "BIN", "BITMAP_AND",
    "BITMAP_ANDNOT", "BITMAP_BUILD", "BITMAP_CARDINALITY", "BITMAP_FROM_BYTES", "BITMAP_OR", "BITMAP_TO_ARRAY",
    "BITMAP_TO_BYTES", "BITMAP_TO_STRING", "BITMAP_XOR", "CARDINALITY", "CONVERT_TZ", "COS", "COSH", "COT",
    "CURRENT_CATALOG", "CURRENT_DATABASE", "CURRENT_TIME", "CURRENT_WATERMARK", "DECODE", "DEGREES", "ELEMENT",
    "ELT", "ENCODE", "FROM_BASE64", "GROUPING", "HASH_CODE", "HEX", "INET_ATON", "INET_NTOA", "IS_ALPHA",
    "IS_DECIMAL", "IS_DIGIT", "IS_JSON", "JSON", "JSON_ARRAY", "JSON_EXISTS", "JSON_OBJECT", "JSON_QUERY",
    "JSON_QUOTE", "JSON_STRING", "JSON_UNQUOTE", "JSON_VALUE", "LOCALTIME", "MAP", "MAP_ENTRIES", "MAP_FROM_ARRAYS",
    "MAP_KEYS", "MAP_UNION", "MAP_VALUES", "MD5", "OBJECT_OF", "OBJECT_UPDATE", "OVERLAY", "PARSE_JSON",
    "PARSE_URL", "PRINTF", "RADIANS", "RAND", "RAND_INTEGER", "REGEXP", "REGEXP_COUNT", "REGEXP_EXTRACT",
    "REGEXP_EXTRACT_ALL", "REGEXP_INSTR", "REGEXP_REPLACE", "REGEXP_SUBSTR", "ROW", "SHA1", "SHA2", "SHA224",
    "SHA256", "SHA384", "SHA512", "SIN", "SINH", "SOURCE_WATERMARK", "SPLIT", "STR_TO_MAP", "TAN", "TANH",
    "TO_BASE64", "TRANSLATE", "TRY_PARSE_JSON", "TYPEOF", "UNHEX", "URL_DECODE", "URL_ENCODE", "UUID",
];

/// Group windows of the form `GROUP BY TUMBLE(…)`, and what reads their bounds.
#[rustfmt::skip]
const GROUP_WINDOWS: &[&str] = &[
    "CUMULATE", "HOP", "HOP_END", "HOP_PROCTIME", "HOP_ROWTIME", "HOP_START", "SESSION", "SESSION_END",
    "SESSION_PROCTIME", "SESSION_ROWTIME", "SESSION_START", "TUMBLE", "TUMBLE_END", "TUMBLE_PROCTIME",
    "TUMBLE_ROWTIME", "TUMBLE_START",
];

/// Whether Flink has a function of this name, given in upper case.
pub(super) fn is_flink_function(upper: &str) -> bool {
    AGGREGATES.contains(&upper) || SCALARS.contains(&upper)
}

/// Whether it belongs to the old windows of GROUP BY.
pub(super) fn is_group_window(upper: &str) -> bool {
    GROUP_WINDOWS.contains(&upper)
}

/// Table functions that Flink has and this engine does not run.
#[rustfmt::skip]
pub(super) const TABLE_FUNCTIONS: &[&str] = &[
    "CUMULATE", "FROM_CHANGELOG", "HOP", "ML_EVALUATE", "ML_PREDICT", "SESSION", "TO_CHANGELOG", "UNNEST",
    "VECTOR_SEARCH",
];
