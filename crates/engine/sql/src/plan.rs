//! The typed plan: what the binder makes of a query, before it becomes operators.
//!
//! Every expression has its Flink type, every conversion is an explicit [`ExprKind::Cast`], every column is an index.
//! Nothing here can be ill-typed: the binder has refused it.

use std::sync::Arc;

pub use kobel_dataflow::graph::AggregateFunction;

use crate::error::Span;
use crate::types::SqlType;

/// What a time column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeAttribute {
    /// Event time with a watermark.
    Rowtime,
    /// Processing time (`PROCTIME()`).
    Proctime,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: SqlType,
    /// Set if it is a time attribute.
    pub time: Option<TimeAttribute>,
}

/// The columns of a relation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    /// Columns in order; names may repeat in intermediate results.
    pub columns: Vec<Column>,
}

impl Schema {
    /// The Arrow schema that carries it.
    pub fn arrow(&self) -> arrow_schema::SchemaRef {
        let fields: Vec<_> = self.columns.iter().map(|column| column.ty.field(&column.name)).collect();
        Arc::new(arrow_schema::Schema::new(fields))
    }
}

/// Which row kinds a relation can emit.
///
/// # Source
/// Flink `ChangelogMode`, `ModifyKindSet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangelogMode {
    /// Only `+I`.
    InsertOnly,
    /// `+I -U +U -D`.
    Updating,
}

/// A relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Rel {
    /// What it does.
    pub kind: RelKind,
    /// What it yields.
    pub schema: Arc<Schema>,
    /// Where it was written.
    pub span: Span,
}

/// The relational operators that the native engine runs.
#[derive(Debug, Clone, PartialEq)]
pub enum RelKind {
    /// Physical columns of a table, as its connector and format yield them.
    Scan(Scan),
    /// Literal rows (expressions without columns).
    Values(Vec<Vec<Expr>>),
    /// One expression per output column.
    Project {
        /// Input.
        input: Box<Rel>,
        /// Expressions over the input.
        exprs: Vec<Expr>,
    },
    /// Rows for which the predicate is TRUE.
    Filter {
        /// Input.
        input: Box<Rel>,
        /// BOOLEAN expression.
        predicate: Expr,
    },
    /// Gives the column `rowtime` its watermark; the schema is the input's with the attribute set.
    Watermark {
        /// Input: a scan, perhaps under a projection that computes columns.
        input: Box<Rel>,
        /// Index of the rowtime column, a TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p ≤ 3.
        rowtime: usize,
        /// Watermark strategy over the input's columns; same type as the column.
        expr: Expr,
    },
    /// All rows of all inputs, whose types are equal.
    UnionAll(Vec<Rel>),
    /// TUMBLE without aggregation: appends window_start, window_end, window_time to each row.
    Tumble {
        /// Input.
        input: Box<Rel>,
        /// Window.
        window: Window,
    },
    /// Aggregation per window and key, emitted once when the watermark passes the window; output is the keys, the
    /// aggregates, then window_start, window_end, window_time.
    WindowAggregate {
        /// Input of the window (without the window columns).
        input: Box<Rel>,
        /// Window.
        window: Window,
        /// Key columns of the input.
        keys: Vec<usize>,
        /// Aggregates over columns of the input.
        aggregates: Vec<Aggregate>,
    },
    /// Continuously updating aggregation; output is the keys, then the aggregates. Without keys there is one group.
    GroupAggregate {
        /// Input.
        input: Box<Rel>,
        /// Key columns of the input.
        keys: Vec<usize>,
        /// Aggregates over columns of the input; empty for DISTINCT.
        aggregates: Vec<Aggregate>,
    },
}

/// The scan of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The table.
    pub table: Arc<crate::catalog::Table>,
    /// Indexes into the table's physical columns, in output order.
    pub columns: Vec<usize>,
    /// The table's options with those of an `OPTIONS` hint laid over them.
    pub options: crate::catalog::TableOptions,
}

/// A tumbling event-time window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Index of the rowtime column in the input.
    pub rowtime: usize,
    /// Size in milliseconds, > 0.
    pub size_ms: i64,
    /// Offset in milliseconds, |offset| < size.
    pub offset_ms: i64,
}

/// An aggregate call.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Function.
    pub function: AggregateFunction,
    /// Column of the input, `None` for `COUNT(*)`.
    pub argument: Option<usize>,
    /// DISTINCT.
    pub distinct: bool,
    /// BOOLEAN column of the input: `FILTER (WHERE …)`.
    pub filter: Option<usize>,
    /// Result type, by Flink's rules.
    pub ty: SqlType,
}

/// A scalar expression with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: SqlType,
    /// Where it was written.
    pub span: Span,
}

/// Scalar expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A column of the input.
    Column(usize),
    /// A constant of the expression's type.
    Literal(Scalar),
    /// A function or operator. Arguments have exactly the types that the function's kernel takes.
    Call(Function, Vec<Expr>),
    /// A conversion to the expression's type.
    Cast(Box<Expr>, CastMode),
    /// `CASE WHEN condition THEN value … ELSE otherwise END`; all values have the expression's type.
    Case {
        /// Conditions and values.
        branches: Vec<(Expr, Expr)>,
        /// ELSE; a NULL literal if it was not written.
        otherwise: Box<Expr>,
    },
}

/// What a conversion does with what does not convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CastMode {
    /// CAST, and conversions that the binder inserts: an error (decimal overflow: NULL, as Flink).
    Strict,
    /// TRY_CAST: NULL.
    Try,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// NULL of any type
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// TINYINT … BIGINT
    Integer(i64),
    /// FLOAT, DOUBLE
    Float(f64),
    /// DECIMAL, unscaled
    Decimal(i128),
    /// CHAR, VARCHAR
    String(String),
    /// BINARY, VARBINARY
    Binary(Vec<u8>),
    /// DATE: days since the epoch
    Date(i32),
    /// TIME: milliseconds of the day
    Time(i32),
    /// TIMESTAMP, TIMESTAMP_LTZ: units of the type's Arrow unit since the epoch
    Timestamp(i64),
    /// INTERVAL YEAR TO MONTH: months
    Months(i32),
    /// INTERVAL DAY TO SECOND: milliseconds
    Millis(i64),
}

/// A calendar unit of EXTRACT, FLOOR, CEIL, TIMESTAMPADD, TIMESTAMPDIFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is its own word")]
pub enum TimeUnit {
    Millennium,
    Century,
    Decade,
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    /// Day of week, Sunday is 1
    Dow,
    /// ISO day of week, Monday is 1
    IsoDow,
    Doy,
    IsoYear,
    Epoch,
}

/// The scalar functions and operators. Argument types are in the comment; *same* means equal types on all arguments;
/// the result type is the expression's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    // Arithmetic. Integers wrap, as Java's. Both arguments have the expression's type, unless said.
    /// + (numbers: same as the result, DECIMAL arguments keep their own precision and scale)
    Add,
    /// -
    Subtract,
    /// *
    Multiply,
    /// / (division by zero of integers and decimals is an error)
    Divide,
    /// % and MOD; sign of the dividend
    Modulo,
    /// unary -
    Negate,
    /// ABS(number)
    Abs,
    /// CEIL(number)
    Ceil,
    /// FLOOR(number)
    Floor,
    /// ROUND(number, INT)
    Round,
    /// TRUNCATE(number, INT)
    Truncate,
    /// SIGN(number)
    Sign,
    /// POWER(DOUBLE, DOUBLE)
    Power,
    /// SQRT(DOUBLE)
    Sqrt,
    /// EXP(DOUBLE)
    Exp,
    /// LN(DOUBLE)
    Ln,
    /// LOG10(DOUBLE)
    Log10,
    /// LOG2(DOUBLE)
    Log2,
    // Comparison: two of the same comparable type (CHAR and VARCHAR of any length, DECIMAL of same type), BOOLEAN out.
    /// =
    Equal,
    /// <>
    NotEqual,
    /// <
    Less,
    /// <=
    LessOrEqual,
    /// \>
    Greater,
    /// \>=
    GreaterOrEqual,
    /// IS DISTINCT FROM
    IsDistinctFrom,
    /// IS NOT DISTINCT FROM
    IsNotDistinctFrom,
    /// value IN (list): first argument is the value, the rest the list, all the same type
    In,
    // Logic, three-valued.
    /// AND of two or more
    And,
    /// OR of two or more
    Or,
    /// NOT
    Not,
    /// IS NULL
    IsNull,
    /// IS NOT NULL
    IsNotNull,
    /// IS TRUE
    IsTrue,
    /// IS NOT TRUE
    IsNotTrue,
    /// IS FALSE
    IsFalse,
    /// IS NOT FALSE
    IsNotFalse,
    // Conditional; all value arguments have the expression's type.
    /// COALESCE(a, b, …), IFNULL
    Coalesce,
    /// GREATEST(a, b, …): NULL if any is
    Greatest,
    /// LEAST(a, b, …): NULL if any is
    Least,
    // Strings: character arguments STRING-like (Utf8), numbers INT.
    /// || and CONCAT(a, b, …): NULL if any is
    Concat,
    /// CONCAT_WS(separator, a, b, …): skips NULLs
    ConcatWs,
    /// UPPER
    Upper,
    /// LOWER
    Lower,
    /// INITCAP
    Initcap,
    /// TRIM BOTH (characters, string)
    TrimBoth,
    /// TRIM LEADING (characters, string); LTRIM
    TrimLeading,
    /// TRIM TRAILING (characters, string); RTRIM
    TrimTrailing,
    /// CHAR_LENGTH
    CharLength,
    /// SUBSTRING(string, INT [, INT])
    Substring,
    /// POSITION(needle, string)
    Position,
    /// LOCATE(needle, string [, INT])
    Locate,
    /// INSTR(string, needle)
    Instr,
    /// REPLACE(string, from, to)
    Replace,
    /// LPAD(string, INT, pad)
    Lpad,
    /// RPAD(string, INT, pad)
    Rpad,
    /// REPEAT(string, INT)
    Repeat,
    /// REVERSE
    Reverse,
    /// LEFT(string, INT)
    Left,
    /// RIGHT(string, INT)
    Right,
    /// SPLIT_INDEX(string, separator, INT)
    SplitIndex,
    /// ASCII
    Ascii,
    /// CHR(BIGINT)
    Chr,
    /// STARTSWITH(string, prefix)
    StartsWith,
    /// ENDSWITH(string, suffix)
    EndsWith,
    /// string LIKE pattern, or string LIKE pattern ESCAPE character
    Like,
    // Time. Timestamps have precision ≤ 3 unless said.
    /// EXTRACT(unit FROM date, time, timestamp or interval), BIGINT out; YEAR(x), HOUR(x) … too
    Extract(TimeUnit),
    /// FLOOR(temporal TO unit), same type out
    FloorTo(TimeUnit),
    /// CEIL(temporal TO unit), same type out
    CeilTo(TimeUnit),
    /// TIMESTAMPDIFF(unit, a, b): b − a in whole units, INT out; arguments same temporal type
    TimestampDiff(TimeUnit),
    /// temporal + INTERVAL (either kind), result has the expression's type
    AddInterval,
    /// temporal − INTERVAL
    SubtractInterval,
    /// DATE_FORMAT(timestamp, STRING)
    DateFormat,
    /// TO_TIMESTAMP(STRING [, STRING]), TIMESTAMP(3) out, NULL if it does not parse
    ToTimestamp,
    /// TO_TIMESTAMP_LTZ(BIGINT, INT precision 0 or 3)
    ToTimestampLtz,
    /// TO_DATE(STRING [, STRING])
    ToDate,
    /// FROM_UNIXTIME(BIGINT seconds [, STRING])
    FromUnixtime,
    /// UNIX_TIMESTAMP(STRING [, STRING])
    UnixTimestamp,
    /// CURRENT_TIMESTAMP, NOW(): TIMESTAMP_LTZ(3), per record in streaming
    CurrentTimestamp,
    /// LOCALTIMESTAMP: TIMESTAMP(3)
    LocalTimestamp,
    /// CURRENT_DATE
    CurrentDate,
    /// PROCTIME() when its value is asked for: TIMESTAMP_LTZ(3) NOT NULL
    Proctime,
}

impl Rel {
    /// Which row kinds it can emit.
    pub fn changelog_mode(&self) -> ChangelogMode {
        match &self.kind {
            RelKind::Scan(_) | RelKind::Values(_) | RelKind::WindowAggregate { .. } => ChangelogMode::InsertOnly,
            RelKind::GroupAggregate { aggregates, input, .. } => {
                // DISTINCT over insert-only rows emits each key once and never takes it back.
                if aggregates.is_empty() { input.changelog_mode() } else { ChangelogMode::Updating }
            }
            RelKind::Project { input, .. }
            | RelKind::Filter { input, .. }
            | RelKind::Watermark { input, .. }
            | RelKind::Tumble { input, .. } => input.changelog_mode(),
            RelKind::UnionAll(inputs) => {
                if inputs.iter().all(|input| input.changelog_mode() == ChangelogMode::InsertOnly) {
                    ChangelogMode::InsertOnly
                } else {
                    ChangelogMode::Updating
                }
            }
        }
    }
}

impl Rel {
    /// The options of the tables that it scans, with those of hints, each with its value.
    pub fn table_options(&self) -> Vec<(&str, &str)> {
        self.scans().into_iter().flat_map(|scan| pairs(&scan.options)).collect()
    }

    /// What it reads.
    pub fn scans(&self) -> Vec<&Scan> {
        match &self.kind {
            RelKind::Scan(scan) => vec![scan],
            RelKind::Values(_) => Vec::new(),
            RelKind::Project { input, .. }
            | RelKind::Filter { input, .. }
            | RelKind::Watermark { input, .. }
            | RelKind::Tumble { input, .. }
            | RelKind::WindowAggregate { input, .. }
            | RelKind::GroupAggregate { input, .. } => input.scans(),
            RelKind::UnionAll(inputs) => inputs.iter().flat_map(Self::scans).collect(),
        }
    }
}

impl JobPlan {
    /// The options of all tables that it reads and writes, with those of hints, each with its value.
    pub fn table_options(&self) -> Vec<(&str, &str)> {
        self.sinks.iter().flat_map(SinkPlan::table_options).collect()
    }

    /// What it reads.
    pub fn scans(&self) -> Vec<&Scan> {
        self.sinks.iter().flat_map(|sink| sink.input.scans()).collect()
    }
}

impl SinkPlan {
    fn table_options(&self) -> Vec<(&str, &str)> {
        let mut options = self.input.table_options();
        if let Target::Table { options: own, .. } = &self.target {
            options.extend(pairs(own));
        }
        options
    }
}

fn pairs(options: &crate::catalog::TableOptions) -> impl Iterator<Item = (&str, &str)> {
    options.iter().map(|(key, option)| (key.as_str(), option.value.as_str()))
}

/// Where the rows of a query go.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// INSERT INTO a table; the query yields its physical columns, in order.
    Table {
        /// The table.
        table: Arc<crate::catalog::Table>,
        /// Its options with those of an `OPTIONS` hint laid over them.
        options: crate::catalog::TableOptions,
    },
    /// A bare SELECT: to the terminal.
    Collect,
}

/// A query and where its rows go.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkPlan {
    /// Where to.
    pub target: Target,
    /// What.
    pub input: Rel,
}

/// One job: the INSERTs of a statement set, one INSERT, or one SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// `pipeline.name`, or a name made from the sinks as Flink does (`insert-into_default_catalog.default_database.t`).
    pub name: String,
    /// Position of the statement in the script, from 0.
    pub statement: usize,
    /// At least one.
    pub sinks: Vec<SinkPlan>,
}
