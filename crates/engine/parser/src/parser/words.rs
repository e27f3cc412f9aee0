//! Which words are keywords: reserved ones, which need backticks to be names, and those that begin a clause.
//!
//! Any keyword that is not listed here is a name like any other where a name may stand.

/// The words that are no identifiers without backticks, sorted.
///
/// # Source
/// The tokens of Calcite's parser and the `keywords` of Flink's `Parser.tdd`, without the `nonReservedKeywords` and
/// `nonReservedKeywordsToAdd` of the latter.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ABS", "ALL", "ALLOCATE", "ALLOW", "ALTER", "AND", "ANY", "ARE", "ARRAY", "ARRAY_MAX_CARDINALITY", "AS",
    "ASENSITIVE", "ASYMMETRIC", "AT", "ATOMIC", "AUTHORIZATION", "AVG", "BEGIN", "BEGIN_FRAME", "BEGIN_PARTITION",
    "BETWEEN", "BIGINT", "BINARY", "BIT", "BLOB", "BOOLEAN", "BOTH", "BUCKETS", "BY", "BYTES", "CALL", "CALLED",
    "CARDINALITY", "CASCADED", "CASE", "CAST", "CATALOGS", "CEIL", "CEILING", "CHAR", "CHARACTER",
    "CHARACTER_LENGTH", "CHAR_LENGTH", "CHECK", "CLASSIFIER", "CLOB", "CLOSE", "COALESCE", "COLLATE", "COLLECT",
    "COLUMN", "COMMENT", "COMMIT", "CONDITION", "CONNECT", "CONNECTIONS", "CONSTRAINT", "CONTAINS", "CONTINUOUS",
    "CONVERT", "CORR", "CORRESPONDING", "COUNT", "COVAR_POP", "COVAR_SAMP", "CREATE", "CROSS", "CUBE",
    "CUME_DIST", "CURRENT", "CURRENT_CATALOG", "CURRENT_DATE", "CURRENT_DEFAULT_TRANSFORM_GROUP", "CURRENT_PATH",
    "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_TRANSFORM_GROUP_FOR_TYPE",
    "CURRENT_USER", "CURSOR", "CYCLE", "DATABASES", "DATE", "DATETIME", "DAY", "DEALLOCATE", "DEC", "DECIMAL",
    "DECLARE", "DEFAULT", "DEFINE", "DELETE", "DENSE_RANK", "DEREF", "DESCRIBE", "DETERMINISTIC", "DISALLOW",
    "DISCONNECT", "DISTINCT", "DISTRIBUTED", "DISTRIBUTION", "DOUBLE", "DROP", "DYNAMIC", "EACH", "ELEMENT",
    "ELSE", "EMPTY", "END", "END_FRAME", "END_PARTITION", "EQUALS", "ESCAPE", "EVERY", "EXCEPT", "EXEC",
    "EXECUTE", "EXISTS", "EXP", "EXPLAIN", "EXTEND", "EXTENDED", "EXTERNAL", "EXTRACT", "FALSE", "FETCH",
    "FILTER", "FIRST_VALUE", "FLOAT", "FLOOR", "FOR", "FOREIGN", "FRAME_ROW", "FREE", "FRESHNESS", "FRIDAY",
    "FROM", "FULL", "FUNCTION", "FUNCTIONS", "FUSION", "GET", "GLOBAL", "GRANT", "GROUP", "GROUPING", "GROUPS",
    "HASH", "HAVING", "HOLD", "HOUR", "IDENTITY", "ILIKE", "IMPORT", "IN", "INDICATOR", "INITIAL", "INNER",
    "INOUT", "INSENSITIVE", "INSERT", "INT", "INTEGER", "INTERSECT", "INTERSECTION", "INTERVAL", "INTO", "IS",
    "JOIN", "JSON_ARRAY", "JSON_ARRAYAGG", "JSON_EXISTS", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_QUERY",
    "JSON_SCOPE", "JSON_VALUE", "LAG", "LANGUAGE", "LARGE", "LAST_VALUE", "LATERAL", "LEAD", "LEADING", "LEFT",
    "LIKE", "LIKE_REGEX", "LIMIT", "LN", "LOCAL", "LOCALTIME", "LOCALTIMESTAMP", "LOWER", "MATCH", "MATCHES",
    "MATCH_NUMBER", "MATCH_RECOGNIZE", "MATERIALIZED", "MAX", "MEASURE", "MEASURES", "MEMBER", "MERGE", "METHOD",
    "MIN", "MINUS", "MINUTE", "MOD", "MODELS", "MODIFIES", "MODIFY", "MODULE", "MODULES", "MONDAY", "MONTH",
    "MULTISET", "NATIONAL", "NATURAL", "NCHAR", "NCLOB", "NEW", "NEXT", "NO", "NONE", "NORMALIZE", "NOT",
    "NTH_VALUE", "NTILE", "NULL", "NULLIF", "NUMERIC", "OCCURRENCES_REGEX", "OCTET_LENGTH", "OF", "OFFSET", "OLD",
    "OMIT", "ON", "ONE", "ONLY", "OPEN", "OR", "ORDER", "OUT", "OUTER", "OVER", "OVERLAPS", "OVERLAY",
    "PARAMETER", "PARTITION", "PATTERN", "PER", "PERCENT", "PERCENTILE_CONT", "PERCENTILE_DISC", "PERCENT_RANK",
    "PERIOD", "PERMUTE", "PIVOT", "PORTION", "POSITION", "POSITION_REGEX", "POWER", "PRECEDES", "PRECISION",
    "PREPARE", "PREV", "PRIMARY", "PROCEDURE", "PROCEDURES", "QUALIFY", "RANGE", "RANK", "RAW", "READS", "REAL",
    "RECURSIVE", "REF", "REFERENCES", "REFERENCING", "REFRESH", "REFRESH_MODE", "REGR_AVGX", "REGR_AVGY",
    "REGR_COUNT", "REGR_INTERCEPT", "REGR_R2", "REGR_SLOPE", "REGR_SXX", "REGR_SXY", "REGR_SYY", "RELEASE",
    "RENAME", "RESET", "RESULT", "RESUME", "RETURN", "RETURNS", "REVOKE", "RIGHT", "RLIKE", "ROLLBACK", "ROLLUP",
    "ROW", "ROWS", "ROW_NUMBER", "RUNNING", "SAFE_CAST", "SATURDAY", "SAVEPOINT", "SCALA", "SCOPE", "SCROLL",
    "SEARCH", "SECOND", "SEEK", "SELECT", "SENSITIVE", "SESSION_USER", "SET", "SHOW", "SIMILAR", "SKIP",
    "SMALLINT", "SOME", "SPECIFIC", "SPECIFICTYPE", "SQL", "SQLEXCEPTION", "SQLSTATE", "SQLWARNING", "SQRT",
    "START", "STATEMENT", "STATIC", "STDDEV_POP", "STDDEV_SAMP", "STREAM", "STRING", "STRUCTURED", "SUBMULTISET",
    "SUBSET", "SUBSTRING", "SUBSTRING_REGEX", "SUCCEEDS", "SUM", "SUNDAY", "SUSPEND", "SYMMETRIC", "SYSTEM",
    "SYSTEM_TIME", "SYSTEM_USER", "TABLE", "TABLES", "TABLESAMPLE", "THEN", "THURSDAY", "TIME", "TIMESTAMP",
    "TIMESTAMP_LTZ", "TIMEZONE_HOUR", "TIMEZONE_MINUTE", "TINYINT", "TO", "TRAILING", "TRANSLATE",
    "TRANSLATE_REGEX", "TRANSLATION", "TREAT", "TRIGGER", "TRIM", "TRIM_ARRAY", "TRUE", "TRUNCATE", "TRY_CAST",
    "TUESDAY", "UESCAPE", "UNION", "UNIQUE", "UNKNOWN", "UNNEST", "UNPIVOT", "UPDATE", "UPPER", "UPSERT", "USE",
    "USER", "USING", "VALUE", "VALUES", "VALUE_OF", "VARBINARY", "VARCHAR", "VARYING", "VAR_POP", "VAR_SAMP",
    "VERSIONING", "VIEWS", "WATERMARK", "WATERMARKS", "WEDNESDAY", "WHEN", "WHENEVER", "WHERE", "WIDTH_BUCKET",
    "WINDOW", "WITH", "WITHIN", "WITHOUT", "YEAR",
];

/// The reserved words that name a function when a parenthesis follows.
///
/// # Source
/// Calcite `Parser.jj`, `ReservedFunctionName`.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "ABS", "AVG", "CARDINALITY", "CEIL", "CEILING", "CHAR", "CHARACTER_LENGTH", "CHAR_LENGTH", "COALESCE",
    "COLLECT", "CORR", "COUNT", "COVAR_POP", "COVAR_SAMP", "CUME_DIST", "CURRENT_DATE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "DENSE_RANK", "ELEMENT", "EVERY", "EXP", "FIRST_VALUE", "FLOOR", "FUSION", "GROUPING",
    "HOUR", "INTERSECTION", "LAG", "LAST_VALUE", "LEAD", "LEFT", "LN", "LOCALTIME", "LOCALTIMESTAMP", "LOWER",
    "MAX", "MIN", "MINUTE", "MOD", "MONTH", "NTH_VALUE", "NTILE", "NULLIF", "OCTET_LENGTH", "PERCENTILE_CONT",
    "PERCENTILE_DISC", "PERCENT_RANK", "POWER", "RANK", "REGR_COUNT", "REGR_SXX", "REGR_SYY", "RIGHT",
    "ROW_NUMBER", "SECOND", "SOME", "SQRT", "STDDEV_POP", "STDDEV_SAMP", "SUBSTRING", "SUM", "TRANSLATE",
    "TRUNCATE", "UPPER", "VAR_POP", "VAR_SAMP", "YEAR",
];

/// The words that begin or divide clauses: where a name is missing before one of them, backticks are no advice.
#[rustfmt::skip]
const CLAUSES: &[&str] = &[
    "AND", "AS", "BETWEEN", "BY", "CROSS", "ELSE", "EXCEPT", "FETCH", "FROM", "FULL", "HAVING", "IN", "INNER",
    "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "MINUS", "NATURAL", "NOT", "OFFSET", "ON",
    "OR", "RIGHT", "SELECT", "SET", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WITH",
];

/// The words of which a misspelling is likely enough to be pointed out.
const OFTEN_MISSPELT: &[&str] = &[
    "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "VALUES", "JOIN", "INTO",
    "WITH", "INSERT", "BETWEEN",
];

/// Whether `word` needs backticks to be a name.
pub(super) fn is_reserved(word: &str) -> bool {
    contains(RESERVED, word)
}

/// Whether the reserved `word` names a function when a parenthesis follows.
pub(super) fn is_function(word: &str) -> bool {
    contains(FUNCTIONS, word)
}

/// Whether `word` begins or divides clauses.
pub(super) fn is_clause(word: &str) -> bool {
    contains(CLAUSES, word)
}

/// The clause that `word` is a likely misspelling of.
///
/// A keyword is not misspelt, and neither is a plural such as `orders`: that is a name.
pub(super) fn misspelt_clause(word: &str) -> Option<&'static str> {
    let upper = word.to_ascii_uppercase();
    if upper.len() < 3 || is_reserved(&upper) {
        return None;
    }
    kobel_model::nearest(&upper, OFTEN_MISSPELT.iter().copied()).filter(|near| upper.strip_suffix('S') != Some(*near))
}

fn contains(sorted: &[&str], word: &str) -> bool {
    // No keyword is longer; a longer word need not be copied.
    const LONGEST: usize = 40;
    word.len() <= LONGEST && sorted.binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [RESERVED, FUNCTIONS, CLAUSES] {
            assert!(list.is_sorted(), "{list:?}");
            assert!(list.iter().all(|word| word.len() <= 40 && *word == word.to_ascii_uppercase()));
        }
    }

    #[test]
    fn function_words_and_clauses_are_reserved() {
        for word in FUNCTIONS.iter().chain(CLAUSES) {
            assert!(is_reserved(word), "{word}");
        }
    }

    #[test]
    fn reserved_words_are_those_of_flink() {
        for word in ["value", "USER", "order", "group", "timestamp", "date", "year", "month", "day", "hour", "minute"] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["second", "count", "language", "method", "start", "end", "result", "row", "rows", "table"] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["name", "type", "data", "key", "id", "status", "source", "version", "state", "options"] {
            assert!(!is_reserved(word), "{word}");
        }
    }

    #[test]
    fn misspelt_clauses_are_found_and_names_are_left_alone() {
        for (word, expected) in [
            ("form", Some("FROM")),
            ("SELEC", Some("SELECT")),
            ("wehre", Some("WHERE")),
            ("gropu", Some("GROUP")),
            ("orders", None),
            ("from", None),
            ("t", None),
            ("flights", None),
        ] {
            assert_eq!(misspelt_clause(word), expected, "{word}");
        }
    }
}
