//! Statements by their first word, and the small ones whole: SET, RESET, SHOW, DESCRIBE, EXPLAIN, INSERT, sets.

use super::Parser;
use crate::ast::{Ident, Insert, PropertyAssignment, Show, Statement, StatementKind};
use crate::error::{Span, SqlError, SqlResult};
use crate::lexer::TokenKind;

/// The first words of the statements that are understood.
#[rustfmt::skip]
const UNDERSTOOD: &[&str] = &[
    "BEGIN", "CREATE", "DESC", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN", "INSERT", "RESET", "SELECT", "SET", "SHOW",
    "VALUES", "WITH",
];

/// The first words of the statements that Flink knows and that are refused.
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "ADD", "ALTER", "ANALYZE", "CALL", "CLEAR", "COMPILE", "DELETE", "EXIT", "HELP", "LOAD", "MERGE", "QUIT", "REMOVE",
    "REPLACE", "SOURCE", "STOP", "TABLE", "TRUNCATE", "UNLOAD", "UPDATE", "UPSERT", "USE",
];

/// The second words that belong to the name of a refused statement.
#[rustfmt::skip]
const SECOND_WORDS: &[&str] = &[
    "CATALOG", "CONNECTION", "DATABASE", "FROM", "FUNCTION", "INTO", "JAR", "JOB", "MATERIALIZED", "MODEL", "MODULE",
    "MODULES", "PLAN", "TABLE", "VIEW",
];

/// Whether a statement can begin with a word in upper case.
pub(super) fn begins(word: &str) -> bool {
    UNDERSTOOD.contains(&word)
}

/// What ends an unquoted key of `SET`.
const KEY_ENDS: &[TokenKind] = &[TokenKind::Equal, TokenKind::Semicolon, TokenKind::End];

/// What ends an unquoted value of `SET`.
const VALUE_ENDS: &[TokenKind] = &[TokenKind::Semicolon, TokenKind::End];

/// Dispatch.
impl Parser<'_> {
    /// A statement, up to its semicolon.
    pub(super) fn statement(&mut self) -> SqlResult<Statement> {
        // Trees of earlier statements are done; each statement is measured for itself.
        self.height = 0;
        let start = self.peek().span;
        let kind = self.statement_kind()?;
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn statement_kind(&mut self) -> SqlResult<StatementKind> {
        if self.at_query() || self.at(TokenKind::LeftParen) {
            return self.query().map(StatementKind::Query);
        }
        if !self.at(TokenKind::Word) {
            return Err(self.expected("a statement"));
        }
        match self.upper(self.peek()).as_str() {
            "SET" => self.set(),
            "RESET" => self.reset(),
            "CREATE" => self.create(),
            "DROP" => self.drop_statement(),
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            "EXPLAIN" => self.explain(),
            "INSERT" => self.insert().map(StatementKind::Insert),
            "EXECUTE" => self.execute(),
            "BEGIN" => self.begin(),
            word => Err(self.refused_statement(word)),
        }
    }

    fn refused_statement(&self, word: &str) -> SqlError {
        let first = self.peek();
        if !REFUSED.contains(&word) {
            let known = UNDERSTOOD.iter().chain(REFUSED).copied();
            let message = format!("expected a statement, found `{}`", super::abbreviated(self.text_of(first)));
            return SqlError::invalid(first.span, message).with_suggestion(word, known);
        }
        let second = self.peek_at(1);
        let second_word = self.upper(second);
        if SECOND_WORDS.contains(&second_word.as_str()) {
            return SqlError::unsupported(first.span.to(second.span), format!("`{word} {second_word}`"));
        }
        SqlError::unsupported(first.span, format!("`{word}`"))
    }

    fn at_end_of_statement(&self) -> bool {
        self.at(TokenKind::Semicolon) || self.at(TokenKind::End)
    }
}

/// SET, RESET, SHOW, DESCRIBE.
impl Parser<'_> {
    /// `SET`, `SET 'key' = 'value'`, `SET key = value`
    fn set(&mut self) -> SqlResult<StatementKind> {
        self.advance();
        if self.at_end_of_statement() {
            return Ok(StatementKind::Set(None));
        }
        let key = self.property("the key of an option", KEY_ENDS)?;
        self.expect(TokenKind::Equal)?;
        let value = self.property("a value", VALUE_ENDS)?;
        Ok(StatementKind::Set(Some(PropertyAssignment { key, value })))
    }

    /// `RESET`, `RESET 'key'`, `RESET key`
    fn reset(&mut self) -> SqlResult<StatementKind> {
        self.advance();
        if self.at_end_of_statement() {
            return Ok(StatementKind::Reset(None));
        }
        self.property("the key of an option", KEY_ENDS).map(|key| StatementKind::Reset(Some(key)))
    }

    /// A quoted string, or what stands up to one of `ends` or the end of the line.
    fn property(&mut self, what: &str, ends: &[TokenKind]) -> SqlResult<Ident> {
        if self.at(TokenKind::String) {
            return self.string(what);
        }
        let start = self.peek().span.start;
        let mut end = start;
        while !ends.contains(&self.peek().kind) && !self.breaks_line(end) {
            end = self.advance().span.end;
        }
        if end == start {
            return Err(self.expected(what));
        }
        let name = self.text.get(start as usize..end as usize).unwrap_or("").to_owned();
        Ok(Ident { name, span: Span { start, end } })
    }

    /// Whether a line ends between byte `end` and the next token.
    fn breaks_line(&self, end: u32) -> bool {
        let between = end as usize..self.peek().span.start as usize;
        self.text.get(between).is_some_and(|text| text.contains('\n'))
    }

    fn show(&mut self) -> SqlResult<StatementKind> {
        let start = self.advance().span;
        let word = self.upper(self.peek());
        let show = match word.as_str() {
            "TABLES" => Show::Tables,
            "VIEWS" => Show::Views,
            "FUNCTIONS" => Show::Functions,
            "CATALOGS" => Show::Catalogs,
            "DATABASES" => Show::Databases,
            "CREATE" => return self.show_create(start),
            "COLUMNS" => return self.show_columns(start),
            "CONNECTIONS" | "CURRENT" | "JARS" | "JOBS" | "MATERIALIZED" | "MODELS" | "MODULES" | "PARTITIONS"
            | "PROCEDURES" | "USER" | "FULL" => {
                return Err(self.refused(start, &format!("SHOW {word}")));
            }
            _ => {
                let known = ["TABLES", "VIEWS", "FUNCTIONS", "CATALOGS", "DATABASES", "CREATE", "COLUMNS"];
                return Err(self.expected_one_of("`TABLES`, `VIEWS` or another thing to show", &known));
            }
        };
        self.advance();
        self.refuse_show_filter(start, &word)?;
        Ok(StatementKind::Show(show))
    }

    /// Refuses `FROM`, `IN` and `[NOT] LIKE` after `SHOW …`.
    fn refuse_show_filter(&self, start: Span, word: &str) -> SqlResult<()> {
        match ["FROM", "IN", "LIKE", "ILIKE", "NOT"].iter().find(|filter| self.at_word(filter)) {
            Some(filter) => Err(self.refused(start, &format!("SHOW {word} … {filter}"))),
            None => Ok(()),
        }
    }

    fn show_create(&mut self, start: Span) -> SqlResult<StatementKind> {
        self.advance();
        if self.at_one_of(&["CATALOG", "CONNECTION", "MATERIALIZED", "MODEL"]) {
            let name = format!("SHOW CREATE {}", self.upper(self.peek()));
            return Err(self.refused(start, &name));
        }
        if !self.accept_word("TABLE") && !self.accept_word("VIEW") {
            return Err(self.expected_one_of("`TABLE` or `VIEW`", &["TABLE", "VIEW"]));
        }
        let name = self.object_name("a table or view name")?;
        Ok(StatementKind::Show(Show::Create(name)))
    }

    fn show_columns(&mut self, start: Span) -> SqlResult<StatementKind> {
        self.advance();
        if !self.accept_word("FROM") && !self.accept_word("IN") {
            return Err(self.expected("`FROM`"));
        }
        let name = self.object_name("a table name")?;
        self.refuse_show_filter(start, "COLUMNS")?;
        Ok(StatementKind::Show(Show::Columns(name)))
    }

    fn describe(&mut self) -> SqlResult<StatementKind> {
        let start = self.advance().span;
        let next = self.peek_at(1).kind;
        let names_kind = matches!(next, TokenKind::Word | TokenKind::Quoted | TokenKind::String);
        if names_kind && self.at_one_of(&["CATALOG", "CONNECTION", "DATABASE", "EXTENDED", "FUNCTION", "JOB", "MODEL"])
        {
            let name = format!("DESCRIBE {}", self.upper(self.peek()));
            return Err(self.refused(start, &name));
        }
        self.object_name("a table or view name").map(StatementKind::Describe)
    }
}

/// EXPLAIN, INSERT and statement sets.
impl Parser<'_> {
    fn explain(&mut self) -> SqlResult<StatementKind> {
        let start = self.advance().span;
        if self.at_one_of(&["ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"]) {
            let name = format!("EXPLAIN {}", self.upper(self.peek()));
            return Err(self.refused(start, &name));
        }
        self.accept_words(&["PLAN", "FOR"]);
        let start = self.peek().span;
        let kind = if self.at_query() || self.at(TokenKind::LeftParen) {
            StatementKind::Query(self.query()?)
        } else if self.at_word("INSERT") {
            StatementKind::Insert(self.insert()?)
        } else if self.at_word("EXECUTE") {
            self.execute()?
        } else if self.at_word("BEGIN") {
            self.begin()?
        } else if self.accept_words(&["STATEMENT", "SET"]) {
            self.expect_word("BEGIN")?;
            self.inserts_until_end()?
        } else {
            let known = ["SELECT", "INSERT", "WITH", "VALUES", "EXECUTE", "STATEMENT", "PLAN"];
            return Err(self.expected_one_of("a query, `INSERT` or a statement set to explain", &known));
        };
        Ok(StatementKind::Explain(Box::new(Statement { kind, span: self.span_from(start) })))
    }

    /// `EXECUTE STATEMENT SET BEGIN … END`, `EXECUTE INSERT …`, `EXECUTE query`
    fn execute(&mut self) -> SqlResult<StatementKind> {
        let start = self.advance().span;
        if self.accept_words(&["STATEMENT", "SET"]) {
            self.expect_word("BEGIN")?;
            return self.inserts_until_end();
        }
        if self.at_word("INSERT") {
            return self.insert().map(StatementKind::Insert);
        }
        if self.at_word("PLAN") {
            return Err(self.refused(start, "EXECUTE PLAN"));
        }
        if self.at_query() || self.at(TokenKind::LeftParen) {
            return self.query().map(StatementKind::Query);
        }
        Err(self.expected_one_of("`STATEMENT SET`, `INSERT` or a query", &["STATEMENT", "INSERT", "SELECT"]))
    }

    /// `BEGIN STATEMENT SET; … END`
    fn begin(&mut self) -> SqlResult<StatementKind> {
        self.advance();
        self.expect_words(&["STATEMENT", "SET"])?;
        if !self.at(TokenKind::Semicolon) {
            return Err(self.expected(TokenKind::Semicolon.shown()));
        }
        self.inserts_until_end()
    }

    /// The statements of a statement set, and END.
    fn inserts_until_end(&mut self) -> SqlResult<StatementKind> {
        let mut inserts = Vec::new();
        loop {
            while self.accept(TokenKind::Semicolon) {}
            if !inserts.is_empty() && self.accept_word("END") {
                return Ok(StatementKind::StatementSet(inserts));
            }
            if !self.at_word("INSERT") {
                let what = if inserts.is_empty() { "`INSERT`" } else { "`INSERT` or `END`" };
                return Err(self.expected_one_of(what, &["INSERT", "END"]));
            }
            inserts.push(self.insert()?);
            if !self.at(TokenKind::Semicolon) && !self.at_word("END") {
                return Err(self.expected("`;` or `END`"));
            }
        }
    }

    /// `INSERT INTO | OVERWRITE name [hints] [(columns)] query`
    fn insert(&mut self) -> SqlResult<Insert> {
        let start = self.advance().span;
        let overwrite = self.accept_word("OVERWRITE");
        if !overwrite && !self.accept_word("INTO") {
            return Err(self.expected_one_of("`INTO` or `OVERWRITE`", &["INTO", "OVERWRITE"]));
        }
        let target = self.object_name("a table name")?;
        let hints = self.hints()?;
        if self.at_word("PARTITION") {
            return Err(SqlError::unsupported(self.peek().span, "`PARTITION` in `INSERT`"));
        }
        let columns = if self.opens_query() { Vec::new() } else { self.optional_columns()? };
        let query = self.query()?;
        if self.at_words(&["ON", "CONFLICT"]) {
            let place = self.advance().span;
            return Err(self.refused(place, "ON CONFLICT"));
        }
        Ok(Insert { overwrite, target, hints, columns, query, span: self.span_from(start) })
    }
}
