//! What stands in FROM: tables, derived tables, table functions, joins, and what is refused by name.

use super::{Parser, query::CHAIN_LEVELS};
use crate::ast::{ObjectName, TableAlias, TableArg, TableArgValue, TableRef};
use crate::error::{Span, SqlError, SqlResult};
use crate::lexer::TokenKind;

/// How many levels of an expression a table in parentheses counts as.
const TABLE_LEVELS: usize = 2;

/// Joins.
impl Parser<'_> {
    /// Tables separated by commas; a comma binds looser than JOIN.
    pub(super) fn table_refs(&mut self) -> SqlResult<TableRef> {
        let mut left = self.joined_tables()?;
        while self.at(TokenKind::Comma) {
            let span = self.advance().span;
            let right = Box::new(self.joined_tables()?);
            left = TableRef::Join { left: Box::new(left), right, operator: ",".to_owned(), on: None, span };
            self.grow(CHAIN_LEVELS, span)?;
        }
        Ok(left)
    }

    fn joined_tables(&mut self) -> SqlResult<TableRef> {
        let mut left = self.table_factor()?;
        loop {
            let start = self.peek().span;
            let Some(mut operator) = self.join_operator()? else {
                return Ok(left);
            };
            let span = self.span_from(start);
            let right = Box::new(self.table_factor()?);
            let on = if self.accept_word("ON") { Some(self.expression()?) } else { None };
            if on.is_none() && self.accept_word("USING") {
                self.identifiers_in_parentheses("a column name")?;
                operator.push_str(" … USING");
            }
            left = TableRef::Join { left: Box::new(left), right, operator, on, span };
            self.grow(CHAIN_LEVELS, span)?;
        }
    }

    /// Goes past the words of a join, if they stand here; answers them in upper case.
    fn join_operator(&mut self) -> SqlResult<Option<String>> {
        let mut words: Vec<&str> = Vec::new();
        if self.accept_word("NATURAL") {
            words.push("NATURAL");
        }
        for word in ["INNER", "CROSS", "LEFT", "RIGHT", "FULL"] {
            if self.accept_word(word) {
                words.push(word);
                break;
            }
        }
        if matches!(words.last(), Some(&("LEFT" | "RIGHT" | "FULL"))) && self.accept_word("OUTER") {
            words.push("OUTER");
        }
        if !words.is_empty() {
            self.expect_word("JOIN")?;
        } else if !self.accept_word("JOIN") {
            return Ok(None);
        }
        words.push("JOIN");
        Ok(Some(words.join(" ")))
    }
}

/// Tables.
impl Parser<'_> {
    /// A table without joins.
    fn table_factor(&mut self) -> SqlResult<TableRef> {
        if self.at(TokenKind::LeftParen) {
            return if self.opens_query() { self.derived_table() } else { self.tables_in_parentheses() };
        }
        if self.at_word("LATERAL") {
            return self.lateral();
        }
        let start = self.peek().span;
        if self.accept_word("UNNEST") {
            self.skip_enclosed()?;
            let span = self.span_from(start);
            self.accept_words(&["WITH", "ORDINALITY"]);
            return self.refused_table("UNNEST", span);
        }
        if self.at_word("TABLE") && self.peek_at(1).kind == TokenKind::LeftParen {
            self.advance();
            self.advance();
            let name = self.object_name("a table function")?;
            let args = self.table_args()?;
            self.expect(TokenKind::RightParen)?;
            return self.function_tail(name, args, start);
        }
        let name = self.object_name("a table")?;
        if self.at(TokenKind::LeftParen) {
            let args = self.table_args()?;
            return self.function_tail(name, args, start);
        }
        self.named_table(name)
    }

    /// `(query) [alias]`
    fn derived_table(&mut self) -> SqlResult<TableRef> {
        self.expect(TokenKind::LeftParen)?;
        let query = Box::new(self.query()?);
        self.expect(TokenKind::RightParen)?;
        let alias = self.table_alias()?;
        self.table_suffix(TableRef::Derived { query, alias, lateral: false })
    }

    /// `(table JOIN …)`
    fn tables_in_parentheses(&mut self) -> SqlResult<TableRef> {
        self.enter(TABLE_LEVELS)?;
        self.expect(TokenKind::LeftParen)?;
        let tables = self.table_refs()?;
        self.expect(TokenKind::RightParen)?;
        self.leave(TABLE_LEVELS);
        Ok(tables)
    }

    /// `LATERAL (query)` or `LATERAL TABLE(f(…))`
    fn lateral(&mut self) -> SqlResult<TableRef> {
        let start = self.advance().span;
        if self.at_one_of(&["TABLE", "UNNEST"]) {
            let name = format!("LATERAL {}", self.upper(self.peek()));
            self.advance();
            self.skip_enclosed()?;
            return self.refused_table(&name, self.span_from(start));
        }
        self.expect(TokenKind::LeftParen)?;
        let query = Box::new(self.query()?);
        self.expect(TokenKind::RightParen)?;
        let alias = self.table_alias()?;
        Ok(TableRef::Derived { query, alias, lateral: true })
    }

    /// Hints and alias after the name of a table.
    fn named_table(&mut self, name: ObjectName) -> SqlResult<TableRef> {
        let hints = self.hints()?;
        if let Some(refused) = self.refused_suffix()? {
            return Ok(refused);
        }
        let alias = self.table_alias()?;
        self.table_suffix(TableRef::Named { name, hints, alias })
    }

    /// Alias after a table function that begins at `start`.
    fn function_tail(&mut self, name: ObjectName, args: Vec<TableArg>, start: Span) -> SqlResult<TableRef> {
        let span = self.span_from(start);
        let alias = self.table_alias()?;
        self.table_suffix(TableRef::Function { name, args, alias, span })
    }

    /// The table, unless something stands after it that is refused.
    fn table_suffix(&mut self, table: TableRef) -> SqlResult<TableRef> {
        Ok(self.refused_suffix()?.unwrap_or(table))
    }

    /// What may stand after a table and is refused by name.
    fn refused_suffix(&mut self) -> SqlResult<Option<TableRef>> {
        let start = self.peek().span;
        if self.accept_words(&["FOR", "SYSTEM_TIME"]) {
            self.expect_words(&["AS", "OF"])?;
            let span = self.span_from(start);
            self.expression()?;
            return self.refused_table("FOR SYSTEM_TIME AS OF", span).map(Some);
        }
        for word in ["MATCH_RECOGNIZE", "PIVOT", "UNPIVOT"] {
            if self.accept_word(word) {
                let _ = self.accept_words(&["INCLUDE", "NULLS"]) || self.accept_words(&["EXCLUDE", "NULLS"]);
                self.skip_enclosed()?;
                return self.refused_table(word, start).map(Some);
            }
        }
        if self.accept_word("TABLESAMPLE") {
            let _ = self.accept_word("BERNOULLI") || self.accept_word("SYSTEM") || self.accept_word("SUBSTITUTE");
            self.skip_enclosed()?;
            if self.accept_word("REPEATABLE") {
                self.skip_enclosed()?;
            }
            return self.refused_table("TABLESAMPLE", start).map(Some);
        }
        Ok(None)
    }

    /// A table that is refused, with the alias that follows.
    fn refused_table(&mut self, name: &str, span: Span) -> SqlResult<TableRef> {
        self.table_alias()?;
        Ok(TableRef::Refused(name.to_owned(), span))
    }

    /// `[AS] name [(columns)]`, if it stands here.
    fn table_alias(&mut self) -> SqlResult<Option<TableAlias>> {
        if !self.accept_word("AS") && !self.is_identifier(self.peek()) {
            return Ok(None);
        }
        let name = self.identifier("an alias")?;
        let columns = self.optional_columns()?;
        Ok(Some(TableAlias { name, columns }))
    }
}

/// Arguments of table functions.
impl Parser<'_> {
    /// `(argument, …)`
    fn table_args(&mut self) -> SqlResult<Vec<TableArg>> {
        self.expect(TokenKind::LeftParen)?;
        if self.accept(TokenKind::RightParen) {
            return Ok(Vec::new());
        }
        let args = self.list(Self::table_arg)?;
        self.close_list()?;
        Ok(args)
    }

    /// `[NAME =>] value`
    fn table_arg(&mut self) -> SqlResult<TableArg> {
        let mut name = None;
        if self.peek_at(1).kind == TokenKind::Arrow {
            let token = self.peek();
            if !matches!(token.kind, TokenKind::Word | TokenKind::Quoted) {
                return Err(self.expected("the name of an argument"));
            }
            name = Some(self.ident_of(token));
            self.advance();
            self.advance();
        }
        let value = self.table_arg_value()?;
        Ok(TableArg { name, value })
    }

    fn table_arg_value(&mut self) -> SqlResult<TableArgValue> {
        if self.at_word("TABLE") {
            return self.table_argument().map(TableArgValue::Table);
        }
        if self.at_word("DESCRIPTOR") && self.peek_at(1).kind == TokenKind::LeftParen {
            let start = self.advance().span;
            let columns = self.identifiers_in_parentheses("a column name")?;
            return Ok(TableArgValue::Descriptor(columns, self.span_from(start)));
        }
        if self.at(TokenKind::LeftParen) && self.opens_query() {
            self.advance();
            let query = Box::new(self.query()?);
            self.expect(TokenKind::RightParen)?;
            return Ok(TableArgValue::Table(TableRef::Derived { query, alias: None, lateral: false }));
        }
        self.expression().map(TableArgValue::Expr)
    }

    /// `TABLE name`, `TABLE(name)` or `TABLE (query)`
    fn table_argument(&mut self) -> SqlResult<TableRef> {
        self.advance();
        let table = if self.at(TokenKind::LeftParen) && self.opens_query() {
            self.derived_table()?
        } else {
            let enclosed = self.accept(TokenKind::LeftParen);
            let name = self.object_name("a table")?;
            let table = self.named_table(name)?;
            if enclosed {
                self.expect(TokenKind::RightParen)?;
            }
            table
        };
        let start = self.peek().span;
        if self.at_one_of(&["PARTITION", "ORDER"]) && self.word_at(1, "BY") {
            let name = format!("`{} BY` in the table argument of a function", self.upper(self.peek()));
            self.advance();
            return Err(SqlError::unsupported(start.to(self.peek().span), name));
        }
        Ok(table)
    }
}
