//! The syntax tree of Flink SQL: what was written, with the place of every node; no meaning.

mod operator;

use crate::error::Span;
use crate::types::SqlType;

pub use operator::{BinaryOperator, IsTest, TrimSide, UnaryOperator};

/// An identifier as written; case is kept and matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// Text without backticks.
    pub name: String,
    /// Place.
    pub span: Span,
}

/// A dotted name: `catalog.database.table`, `t.c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// At least one part.
    pub parts: Vec<Ident>,
    /// Place of all parts.
    pub span: Span,
}

impl ObjectName {
    /// The parts joined with dots.
    pub fn dotted(&self) -> String {
        self.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".")
    }
}

/// A statement with its place in the script.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Place, without the final semicolon.
    pub span: Span,
}

/// The statements that are understood.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `SET 'key' = 'value'`, or bare `SET` (lists all): `None`
    Set(Option<PropertyAssignment>),
    /// `RESET 'key'` or bare `RESET`
    Reset(Option<Ident>),
    /// `CREATE [TEMPORARY] TABLE`
    CreateTable(CreateTable),
    /// `CREATE [TEMPORARY] VIEW`
    CreateView(CreateView),
    /// `DROP [TEMPORARY] TABLE | VIEW [IF EXISTS] name`
    Drop(Drop),
    /// `SHOW …`
    Show(Show),
    /// `DESCRIBE | DESC name`
    Describe(ObjectName),
    /// `EXPLAIN [PLAN FOR] statement`
    Explain(Box<Statement>),
    /// `INSERT INTO`
    Insert(Insert),
    /// `EXECUTE STATEMENT SET BEGIN … END` (also `BEGIN STATEMENT SET; … END`)
    StatementSet(Vec<Insert>),
    /// A bare query.
    Query(Query),
}

/// A key and a value, each with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyAssignment {
    /// Key.
    pub key: Ident,
    /// Value without quotes.
    pub value: Ident,
}

/// `CREATE TABLE`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// TEMPORARY was written.
    pub temporary: bool,
    /// IF NOT EXISTS was written.
    pub if_not_exists: bool,
    /// Name.
    pub name: ObjectName,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// `WATERMARK FOR column AS expr`; several are kept so that the binder can refuse the second.
    pub watermarks: Vec<WatermarkDef>,
    /// `PRIMARY KEY (…) NOT ENFORCED`, from the table or from a column.
    pub primary_keys: Vec<PrimaryKeyDef>,
    /// `COMMENT '…'`
    pub comment: Option<String>,
    /// `PARTITIONED BY (…)`
    pub partitioned_by: Vec<Ident>,
    /// `WITH (…)`
    pub options: Vec<PropertyAssignment>,
}

/// A column of `CREATE TABLE`.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    /// Name.
    pub name: Ident,
    /// What fills it.
    pub kind: ColumnKind,
    /// `COMMENT '…'`
    pub comment: Option<String>,
}

/// What fills a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnKind {
    /// `name TYPE`
    Physical(TypeName),
    /// `name AS expr`
    Computed(Expr),
    /// `name TYPE METADATA [FROM 'key'] [VIRTUAL]`
    Metadata(TypeName, Option<String>),
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    /// The type, or the name of a constructed type (`ARRAY`, `MAP`, `ROW`, `MULTISET`, `RAW`, `VARIANT` …) to refuse.
    pub ty: Result<SqlType, String>,
    /// Place.
    pub span: Span,
}

/// `WATERMARK FOR column AS expr`
#[derive(Debug, Clone, PartialEq)]
pub struct WatermarkDef {
    /// The rowtime column.
    pub column: ObjectName,
    /// The watermark strategy.
    pub expr: Expr,
    /// Place.
    pub span: Span,
}

/// `PRIMARY KEY (columns) NOT ENFORCED`
#[derive(Debug, Clone, PartialEq)]
pub struct PrimaryKeyDef {
    /// Columns.
    pub columns: Vec<Ident>,
    /// NOT ENFORCED was written (Flink requires it).
    pub not_enforced: bool,
    /// Place.
    pub span: Span,
}

/// `CREATE VIEW`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// TEMPORARY was written.
    pub temporary: bool,
    /// IF NOT EXISTS was written.
    pub if_not_exists: bool,
    /// Name.
    pub name: ObjectName,
    /// Column names, empty if not written.
    pub columns: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// `DROP TABLE` or `DROP VIEW`.
#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    /// VIEW instead of TABLE.
    pub is_view: bool,
    /// TEMPORARY was written.
    pub temporary: bool,
    /// IF EXISTS was written.
    pub if_exists: bool,
    /// Name.
    pub name: ObjectName,
}

/// `SHOW …`
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// SHOW TABLES
    Tables,
    /// SHOW VIEWS
    Views,
    /// SHOW FUNCTIONS
    Functions,
    /// SHOW CATALOGS
    Catalogs,
    /// SHOW DATABASES
    Databases,
    /// SHOW CREATE TABLE | VIEW name
    Create(ObjectName),
    /// SHOW COLUMNS FROM name
    Columns(ObjectName),
}

/// `INSERT INTO name [(columns)] query`
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// OVERWRITE instead of INTO.
    pub overwrite: bool,
    /// Target.
    pub target: ObjectName,
    /// `/*+ OPTIONS(…) */` after the target.
    pub hints: Vec<Hint>,
    /// Columns, empty if not written.
    pub columns: Vec<Ident>,
    /// What is inserted.
    pub query: Query,
    /// Place.
    pub span: Span,
}

/// `/*+ NAME('key' = 'value', …) */`
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// Name as written.
    pub name: Ident,
    /// Key-value pairs; a bare argument has an empty key.
    pub options: Vec<PropertyAssignment>,
}

/// A query expression with its CTEs.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// `WITH name [(columns)] AS (query)`
    pub ctes: Vec<Cte>,
    /// The body.
    pub body: QueryBody,
    /// `ORDER BY`
    pub order_by: Vec<OrderItem>,
    /// `LIMIT` / `FETCH FIRST n ROWS ONLY`
    pub limit: Option<Expr>,
    /// `OFFSET`
    pub offset: Option<Expr>,
    /// Place.
    pub span: Span,
}

/// `WITH name AS (query)`
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// Name.
    pub name: Ident,
    /// Column names, empty if not written.
    pub columns: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// The body of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryBody {
    /// SELECT
    Select(Box<Select>),
    /// VALUES (…), (…)
    Values(Vec<Vec<Expr>>, Span),
    /// left UNION/INTERSECT/EXCEPT right
    SetOperation {
        /// Which.
        operator: SetOperator,
        /// ALL was written.
        all: bool,
        /// Left side.
        left: Box<Query>,
        /// Right side.
        right: Box<Query>,
        /// Place of the operator.
        span: Span,
    },
    /// ( query )
    Nested(Box<Query>),
}

/// UNION, INTERSECT, EXCEPT
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// UNION
    Union,
    /// INTERSECT
    Intersect,
    /// EXCEPT
    Except,
}

/// `SELECT …`
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// DISTINCT was written.
    pub distinct: bool,
    /// `/*+ … */` after SELECT.
    pub hints: Vec<Hint>,
    /// The select list.
    pub items: Vec<SelectItem>,
    /// `FROM`, if written.
    pub from: Option<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `GROUP BY`
    pub group_by: Vec<GroupItem>,
    /// `HAVING`
    pub having: Option<Expr>,
    /// A clause that is parsed only to be refused by name: QUALIFY, WINDOW.
    pub refused: Option<(String, Span)>,
    /// Place.
    pub span: Span,
}

/// An item of the select list.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*`
    Wildcard(Span),
    /// `t.*`
    QualifiedWildcard(ObjectName),
    /// `expr [AS alias]`
    Expr(Expr, Option<Ident>),
}

/// An item of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupItem {
    /// An expression.
    Expr(Expr),
    /// GROUPING SETS, ROLLUP, CUBE: refused by name.
    Refused(String, Span),
}

/// An item of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// Expression.
    pub expr: Expr,
    /// DESC was written.
    pub descending: bool,
    /// NULLS FIRST (true) or LAST (false), if written.
    pub nulls_first: Option<bool>,
}

/// What stands in FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum TableRef {
    /// A table, view or CTE.
    Named {
        /// Name.
        name: ObjectName,
        /// `/*+ OPTIONS(…) */`
        hints: Vec<Hint>,
        /// Alias.
        alias: Option<TableAlias>,
    },
    /// ( query )
    Derived {
        /// Query.
        query: Box<Query>,
        /// Alias.
        alias: Option<TableAlias>,
        /// LATERAL was written.
        lateral: bool,
    },
    /// `TABLE(TUMBLE(…))` or `TUMBLE(…)`: a windowing or process table function.
    Function {
        /// Name as written, e.g. `TUMBLE`.
        name: ObjectName,
        /// Arguments.
        args: Vec<TableArg>,
        /// Alias.
        alias: Option<TableAlias>,
        /// Place.
        span: Span,
    },
    /// left JOIN right; parsed so that it can be refused (or later bound) with its place.
    Join {
        /// Left.
        left: Box<TableRef>,
        /// Right.
        right: Box<TableRef>,
        /// As written: `JOIN`, `LEFT JOIN`, `CROSS JOIN`, `,` …
        operator: String,
        /// ON
        on: Option<Expr>,
        /// Place of the operator.
        span: Span,
    },
    /// Something else that Flink knows: `UNNEST`, `MATCH_RECOGNIZE`, `FOR SYSTEM_TIME AS OF`, PIVOT …; refused by name.
    Refused(String, Span),
}

/// `AS name [(columns)]`
#[derive(Debug, Clone, PartialEq)]
pub struct TableAlias {
    /// Name.
    pub name: Ident,
    /// Column names, empty if not written.
    pub columns: Vec<Ident>,
}

/// An argument of a table function, with its name if written as `NAME => value`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableArg {
    /// `DATA`, `TIMECOL`, `SIZE`, `OFFSET` …
    pub name: Option<Ident>,
    /// Value.
    pub value: TableArgValue,
}

/// The value of an argument of a table function.
#[derive(Debug, Clone, PartialEq)]
pub enum TableArgValue {
    /// `TABLE name` or `(query)`
    Table(TableRef),
    /// `DESCRIPTOR(column, …)`
    Descriptor(Vec<Ident>, Span),
    /// A scalar.
    Expr(Expr),
}

/// An expression with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Place.
    pub span: Span,
}

/// The expressions that are understood.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `c`, `t.c`
    Column(ObjectName),
    /// A literal.
    Literal(Literal),
    /// `- x`, `+ x`, `NOT x`
    Unary(UnaryOperator, Box<Expr>),
    /// `x + y`, `x = y`, `x AND y` …
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `x IS [NOT] NULL | TRUE | FALSE | UNKNOWN`
    Is(Box<Expr>, IsTest, /** negated */ bool),
    /// `x IS [NOT] DISTINCT FROM y`
    IsDistinctFrom(Box<Expr>, Box<Expr>, /** negated */ bool),
    /// `x [NOT] BETWEEN [SYMMETRIC] low AND high`
    Between {
        /// x
        value: Box<Expr>,
        /// low
        low: Box<Expr>,
        /// high
        high: Box<Expr>,
        /// NOT
        negated: bool,
        /// SYMMETRIC
        symmetric: bool,
    },
    /// `x [NOT] IN (a, b)`
    InList(Box<Expr>, Vec<Expr>, /** negated */ bool),
    /// `x [NOT] LIKE pattern [ESCAPE c]`; `SIMILAR TO` when `similar`
    Like {
        /// x
        value: Box<Expr>,
        /// pattern
        pattern: Box<Expr>,
        /// ESCAPE
        escape: Option<Box<Expr>>,
        /// NOT
        negated: bool,
        /// SIMILAR TO
        similar: bool,
    },
    /// `CASE [operand] WHEN … THEN … ELSE … END`
    Case {
        /// operand
        operand: Option<Box<Expr>>,
        /// WHEN, THEN
        branches: Vec<(Expr, Expr)>,
        /// ELSE
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS t)`, `TRY_CAST(x AS t)`
    Cast {
        /// x
        input: Box<Expr>,
        /// t
        ty: TypeName,
        /// TRY_CAST
        is_try: bool,
    },
    /// `EXTRACT(unit FROM x)`
    Extract(Ident, Box<Expr>),
    /// `FLOOR(x TO unit)` / `CEIL(x TO unit)`; the identifier is the unit
    FloorTo(Box<Expr>, Ident),
    /// See [`ExprKind::FloorTo`].
    CeilTo(Box<Expr>, Ident),
    /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM x)`; plain `TRIM(x)` is BOTH without characters
    Trim(TrimSide, Option<Box<Expr>>, Box<Expr>),
    /// `f(args)`. SUBSTRING(x FROM a FOR b), POSITION(a IN b), OVERLAY(…) arrive here with their arguments in the order
    /// of the comma form: SUBSTRING(x, a, b), POSITION(a, b).
    Call(Call),
    /// `( query )` as a value, `EXISTS (query)`, `x IN (query)`: refused by the name given.
    Subquery(String),
    /// Anything else that Flink knows: `ARRAY[…]`, `MAP[…]`, `ROW(…)`, `a[1]`, OVERLAPS …: refused by the name given.
    Refused(String),
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Name as written.
    pub name: ObjectName,
    /// Arguments; for `TIMESTAMPDIFF(MINUTE, a, b)` and the like the unit is a [`ExprKind::Column`].
    pub args: Vec<Expr>,
    /// `f(*)`
    pub star: bool,
    /// `f(DISTINCT …)`
    pub distinct: bool,
    /// `FILTER (WHERE …)`
    pub filter: Option<Box<Expr>>,
    /// `OVER …` was written (place); refused.
    pub over: Option<Span>,
}

/// A literal as written; the binder gives it a type.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// NULL
    Null,
    /// TRUE, FALSE
    Boolean(bool),
    /// Digits without point or exponent, unsigned, e.g. `42`
    Integer(String),
    /// Digits with a point, e.g. `1.5`
    Decimal(String),
    /// With an exponent, e.g. `1e3`
    Double(String),
    /// `'it''s'`, unescaped
    String(String),
    /// `X'CAFE'`, decoded
    Binary(Vec<u8>),
    /// `DATE '2013-01-01'`
    Date(String),
    /// `TIME '12:00:00'`
    Time(String),
    /// `TIMESTAMP '2013-01-01 12:00:00'`
    Timestamp(String),
    /// `INTERVAL [-] '5' MINUTE`, `INTERVAL '1 02:03' DAY TO MINUTE`
    Interval {
        /// Text between the quotes, with a leading `-` if the sign stood before them.
        value: String,
        /// First unit, upper case and singular (`MINUTES` is `MINUTE`).
        from: Ident,
        /// Second unit of `… TO …`.
        to: Option<Ident>,
    },
}
