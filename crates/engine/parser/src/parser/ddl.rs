//! CREATE and DROP.

use super::Parser;
use crate::ast::{
    ColumnDef, ColumnKind, CreateTable, CreateView, Drop, Ident, PrimaryKeyDef, PropertyAssignment, StatementKind,
    WatermarkDef,
};
use crate::error::{Span, SqlError, SqlResult};
use crate::lexer::TokenKind;

/// What Flink creates and drops besides tables and views.
const REFUSED_OBJECTS: &[&str] = &["CATALOG", "CONNECTION", "DATABASE", "FUNCTION", "MATERIALIZED", "MODEL", "SYSTEM"];

/// CREATE.
impl Parser<'_> {
    pub(super) fn create(&mut self) -> SqlResult<StatementKind> {
        let start = self.advance().span;
        if self.accept_word("OR") {
            let name = format!("CREATE OR {}", self.upper(self.peek()));
            return Err(self.refused(start, &name));
        }
        let temporary = self.accept_word("TEMPORARY");
        if self.accept_word("TABLE") {
            let mut table = self.create_table()?;
            table.temporary = temporary;
            return Ok(StatementKind::CreateTable(table));
        }
        if self.accept_word("VIEW") {
            let mut view = self.create_view()?;
            view.temporary = temporary;
            return Ok(StatementKind::CreateView(view));
        }
        Err(self.refused_object(start, "CREATE"))
    }

    /// The error for what is neither a table nor a view.
    fn refused_object(&mut self, start: Span, verb: &str) -> SqlError {
        let mut name = format!("{verb} {}", self.upper(self.peek()));
        if !self.at_one_of(REFUSED_OBJECTS) {
            return self.expected_one_of("`TABLE` or `VIEW`", &["TABLE", "VIEW", "TEMPORARY"]);
        }
        if self.at_one_of(&["MATERIALIZED", "SYSTEM"]) {
            self.advance();
            name = format!("{name} {}", self.upper(self.peek()));
        }
        self.refused(start, &name)
    }

    /// `[IF NOT EXISTS] name (…) …`
    fn create_table(&mut self) -> SqlResult<CreateTable> {
        let if_not_exists = self.if_not_exists()?;
        let mut table = CreateTable {
            temporary: false,
            if_not_exists,
            name: self.object_name("a table name")?,
            columns: Vec::new(),
            watermarks: Vec::new(),
            primary_keys: Vec::new(),
            comment: None,
            partitioned_by: Vec::new(),
            options: Vec::new(),
        };
        if self.accept(TokenKind::LeftParen) {
            self.list(|parser| parser.table_element(&mut table))?;
            self.close_list()?;
        }
        table.comment = self.comment()?;
        if self.at_word("DISTRIBUTED") {
            let place = self.advance().span;
            return Err(self.refused(place, "DISTRIBUTED BY"));
        }
        if self.accept_words(&["PARTITIONED", "BY"]) {
            table.partitioned_by = self.identifiers_in_parentheses("a column name")?;
        }
        if self.accept_word("WITH") {
            table.options = self.options()?;
        }
        for (word, construct) in [("LIKE", "CREATE TABLE … LIKE"), ("AS", "CREATE TABLE … AS SELECT")] {
            if self.at_word(word) {
                return Err(self.refused(self.peek().span, construct));
            }
        }
        Ok(table)
    }

    /// A column, a watermark or a constraint.
    fn table_element(&mut self, table: &mut CreateTable) -> SqlResult<()> {
        if self.at_word("WATERMARK") {
            table.watermarks.push(self.watermark()?);
        } else if self.at_one_of(&["CONSTRAINT", "PRIMARY", "UNIQUE"]) {
            let start = self.constraint()?;
            let columns = self.identifiers_in_parentheses("a column name")?;
            table.primary_keys.push(self.enforcement(start, columns)?);
        } else {
            let column = self.column(table)?;
            table.columns.push(column);
        }
        Ok(())
    }

    fn column(&mut self, table: &mut CreateTable) -> SqlResult<ColumnDef> {
        let name = self.identifier("a column name")?;
        let kind = if self.accept_word("AS") {
            ColumnKind::Computed(self.expression()?)
        } else {
            self.typed_column(&name, table)?
        };
        Ok(ColumnDef { name, kind, comment: self.comment()? })
    }

    /// `TYPE`, with METADATA or a constraint after it.
    fn typed_column(&mut self, name: &Ident, table: &mut CreateTable) -> SqlResult<ColumnKind> {
        let ty = self.column_type()?;
        if self.accept_word("METADATA") {
            let key = if self.accept_word("FROM") { Some(self.string("a metadata key in quotes")?.name) } else { None };
            self.accept_word("VIRTUAL");
            return Ok(ColumnKind::Metadata(ty, key));
        }
        if self.at_one_of(&["CONSTRAINT", "PRIMARY", "UNIQUE"]) {
            let start = self.constraint()?;
            table.primary_keys.push(self.enforcement(start, vec![name.clone()])?);
        }
        Ok(ColumnKind::Physical(ty))
    }

    /// `[CONSTRAINT name] PRIMARY KEY`; answers where it begins.
    fn constraint(&mut self) -> SqlResult<Span> {
        let start = self.peek().span;
        if self.accept_word("CONSTRAINT") {
            self.identifier("the name of a constraint")?;
        }
        if self.at_word("UNIQUE") {
            return Err(SqlError::unsupported(self.peek().span, "`UNIQUE`"));
        }
        self.expect_words(&["PRIMARY", "KEY"])?;
        Ok(start)
    }

    /// `[NOT ENFORCED | ENFORCED]` after a primary key that begins at `start`.
    fn enforcement(&mut self, start: Span, columns: Vec<Ident>) -> SqlResult<PrimaryKeyDef> {
        let not_enforced = self.accept_word("NOT");
        if not_enforced {
            self.expect_word("ENFORCED")?;
        } else {
            self.accept_word("ENFORCED");
        }
        Ok(PrimaryKeyDef { columns, not_enforced, span: self.span_from(start) })
    }

    /// `WATERMARK FOR column AS expr`
    fn watermark(&mut self) -> SqlResult<WatermarkDef> {
        let start = self.advance().span;
        self.expect_word("FOR")?;
        let column = self.object_name("a column name")?;
        self.expect_word("AS")?;
        let expr = self.expression()?;
        Ok(WatermarkDef { column, expr, span: self.span_from(start) })
    }

    fn comment(&mut self) -> SqlResult<Option<String>> {
        if !self.accept_word("COMMENT") {
            return Ok(None);
        }
        Ok(Some(self.string("a comment in quotes")?.name))
    }

    /// `('key' = 'value', …)`
    fn options(&mut self) -> SqlResult<Vec<PropertyAssignment>> {
        self.expect(TokenKind::LeftParen)?;
        if self.accept(TokenKind::RightParen) {
            return Ok(Vec::new());
        }
        let options = self.list(Self::option)?;
        self.close_list()?;
        Ok(options)
    }

    fn option(&mut self) -> SqlResult<PropertyAssignment> {
        let quotes = "options are written in single quotes: 'key' = 'value'";
        let key = self.string("the key of an option").map_err(|error| error.with_hint(quotes))?;
        self.expect(TokenKind::Equal)?;
        let value = self.string("the value of an option").map_err(|error| error.with_hint(quotes))?;
        Ok(PropertyAssignment { key, value })
    }

    /// `[IF NOT EXISTS] name [(columns)] [COMMENT …] AS query`
    fn create_view(&mut self) -> SqlResult<CreateView> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name("a view name")?;
        let columns = self.optional_columns()?;
        self.comment()?;
        self.expect_word("AS")?;
        let query = self.query()?;
        Ok(CreateView { temporary: false, if_not_exists, name, columns, query })
    }

    fn if_not_exists(&mut self) -> SqlResult<bool> {
        // IF is no reserved word: a table may have that name.
        let present = self.at_words(&["IF", "NOT"]);
        if present {
            self.expect_words(&["IF", "NOT", "EXISTS"])?;
        }
        Ok(present)
    }
}

/// DROP.
impl Parser<'_> {
    pub(super) fn drop_statement(&mut self) -> SqlResult<StatementKind> {
        let start = self.advance().span;
        let temporary = self.accept_word("TEMPORARY");
        let is_view = self.at_word("VIEW");
        if !is_view && !self.at_word("TABLE") {
            return Err(self.refused_object(start, "DROP"));
        }
        self.advance();
        let if_exists = self.accept_words(&["IF", "EXISTS"]);
        let name = self.object_name(if is_view { "a view name" } else { "a table name" })?;
        Ok(StatementKind::Drop(Drop { is_view, temporary, if_exists, name }))
    }
}
