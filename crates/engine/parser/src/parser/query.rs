//! Queries: CTEs, set operations by precedence, SELECT with its clauses, VALUES, and the tail of a query.

use super::{Parser, balanced, balanced_levels};
use crate::ast::{
    Cte, Expr, ExprKind, GroupItem, Ident, Literal, ObjectName, OrderItem, Query, QueryBody, Select, SelectItem,
    SetOperator,
};
use crate::error::{Span, SqlResult};
use crate::lexer::TokenKind;

/// How many levels of an expression a query counts as: it takes as much stack.
const QUERY_LEVELS: usize = 8;

/// How many levels of an expression a set operation or a join counts as.
pub(super) const CHAIN_LEVELS: usize = 4;

/// Which operators a chain of set operations is made of; INTERSECT binds tighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetLevel {
    /// UNION, EXCEPT
    Union,
    /// INTERSECT
    Intersect,
}

/// A set operator as written.
#[derive(Debug, Clone, Copy)]
struct SetOperation {
    operator: SetOperator,
    all: bool,
    span: Span,
}

impl SetOperation {
    /// Whether a chain of this and `next` may be balanced: the same associative operator.
    fn chains_with(self, next: Self) -> bool {
        self.operator != SetOperator::Except && self.operator == next.operator && self.all == next.all
    }
}

/// Queries.
impl Parser<'_> {
    /// Whether a query begins here without a parenthesis.
    pub(super) fn at_query(&self) -> bool {
        self.at_one_of(&["SELECT", "WITH", "VALUES"])
    }

    /// Whether the parentheses that open here hold a query.
    ///
    /// More parentheses than may nest are not looked at: they are an error whatever they hold.
    pub(super) fn opens_query(&self) -> bool {
        let inner = (0..super::MAX_DEPTH).find(|ahead| self.peek_at(*ahead).kind != TokenKind::LeftParen).unwrap_or(0);
        inner > 0 && ["SELECT", "WITH", "VALUES"].iter().any(|word| self.word_at(inner, word))
    }

    /// `[WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …] [FETCH …]`
    pub(super) fn query(&mut self) -> SqlResult<Query> {
        self.enter(QUERY_LEVELS)?;
        let outer = self.open();
        let start = self.peek().span;
        let ctes = self.ctes()?;
        let mut query = self.set_chain(SetLevel::Union)?;
        query.ctes = ctes;
        if self.accept_word("ORDER") {
            self.expect_word("BY")?;
            query.order_by = self.list(Self::order_item)?;
        }
        self.row_limits(&mut query)?;
        query.span = self.span_from(start);
        self.grow(QUERY_LEVELS, query.span)?;
        self.close(outer);
        self.leave(QUERY_LEVELS);
        Ok(query)
    }

    fn ctes(&mut self) -> SqlResult<Vec<Cte>> {
        if !self.at_word("WITH") {
            return Ok(Vec::new());
        }
        let start = self.advance().span;
        if self.at_word("RECURSIVE") {
            return Err(self.refused(start, "WITH RECURSIVE"));
        }
        self.list(Self::cte)
    }

    fn cte(&mut self) -> SqlResult<Cte> {
        let name = self.identifier("the name of a common table expression")?;
        let columns = self.optional_columns()?;
        self.expect_word("AS")?;
        self.expect(TokenKind::LeftParen)?;
        let query = self.query()?;
        self.expect(TokenKind::RightParen)?;
        Ok(Cte { name, columns, query })
    }

    /// `[(name, …)]`
    pub(super) fn optional_columns(&mut self) -> SqlResult<Vec<Ident>> {
        if self.at(TokenKind::LeftParen) { self.identifiers_in_parentheses("a column name") } else { Ok(Vec::new()) }
    }

    /// Operands of one level of set operators, left to right; runs of an associative operator as balanced trees.
    fn set_chain(&mut self, level: SetLevel) -> SqlResult<Query> {
        let mut left = self.set_operand(level)?;
        let mut pending = self.set_operation(level);
        while let Some(operation) = pending {
            let mut run = vec![(self.set_operand(level)?, operation)];
            pending = self.set_operation(level);
            while let Some(next) = pending
                && operation.chains_with(next)
            {
                run.push((self.set_operand(level)?, next));
                pending = self.set_operation(level);
            }
            let levels = CHAIN_LEVELS * balanced_levels(run.len() + 1);
            (left, _) = balanced((left, operation), run, join);
            self.grow(levels, left.span)?;
        }
        Ok(left)
    }

    fn set_operand(&mut self, level: SetLevel) -> SqlResult<Query> {
        match level {
            SetLevel::Union => self.set_chain(SetLevel::Intersect),
            SetLevel::Intersect => self.query_operand(),
        }
    }

    /// Goes past the set operator of this level that stands here, if one does.
    fn set_operation(&mut self, level: SetLevel) -> Option<SetOperation> {
        let operator = match (level, self.upper(self.peek()).as_str()) {
            (SetLevel::Union, "UNION") => SetOperator::Union,
            (SetLevel::Union, "EXCEPT" | "MINUS") => SetOperator::Except,
            (SetLevel::Intersect, "INTERSECT") => SetOperator::Intersect,
            _ => return None,
        };
        let start = self.advance().span;
        let all = self.accept_word("ALL");
        if !all {
            self.accept_word("DISTINCT");
        }
        Some(SetOperation { operator, all, span: self.span_from(start) })
    }

    /// SELECT, VALUES or a query in parentheses.
    fn query_operand(&mut self) -> SqlResult<Query> {
        let start = self.peek().span;
        let body = if self.at_word("SELECT") {
            QueryBody::Select(Box::new(self.select()?))
        } else if self.at_word("VALUES") {
            self.values()?
        } else if self.accept(TokenKind::LeftParen) {
            let query = Box::new(self.query()?);
            self.expect(TokenKind::RightParen)?;
            QueryBody::Nested(query)
        } else if self.at_word("TABLE") {
            self.advance();
            return Err(self.refused(start, "TABLE …").with_hint("write SELECT * FROM …"));
        } else {
            return Err(self.expected_one_of("a query", &["SELECT", "VALUES", "WITH"]));
        };
        Ok(bare(body, self.span_from(start)))
    }

    fn values(&mut self) -> SqlResult<QueryBody> {
        let start = self.advance().span;
        let rows = self.list(Self::row)?;
        Ok(QueryBody::Values(rows, self.span_from(start)))
    }

    /// A row of VALUES: `(a, b)`, `ROW(a, b)` or a bare expression.
    fn row(&mut self) -> SqlResult<Vec<Expr>> {
        let is_row = self.at_word("ROW") && self.peek_at(1).kind == TokenKind::LeftParen;
        if is_row {
            self.advance();
        } else if !self.at(TokenKind::LeftParen) {
            return Ok(vec![self.expression()?]);
        }
        self.advance();
        let values = self.list(Self::expression)?;
        self.close_list()?;
        Ok(values)
    }

    fn order_item(&mut self) -> SqlResult<OrderItem> {
        let expr = self.expression()?;
        let descending = self.accept_word("DESC");
        if !descending {
            self.accept_word("ASC");
        }
        let nulls_first = if self.accept_words(&["NULLS", "FIRST"]) {
            Some(true)
        } else if self.accept_words(&["NULLS", "LAST"]) {
            Some(false)
        } else {
            None
        };
        Ok(OrderItem { expr, descending, nulls_first })
    }

    /// `LIMIT n | ALL`, `OFFSET n [ROW | ROWS]`, `FETCH FIRST | NEXT n ROW | ROWS ONLY`, each at most once.
    fn row_limits(&mut self, query: &mut Query) -> SqlResult<()> {
        let mut limited = false;
        loop {
            if !limited && self.accept_word("LIMIT") {
                limited = true;
                if !self.accept_word("ALL") {
                    query.limit = Some(self.row_count()?);
                }
            } else if query.offset.is_none() && self.accept_word("OFFSET") {
                query.offset = Some(self.row_count()?);
                let _ = self.accept_word("ROWS") || self.accept_word("ROW");
            } else if !limited && self.accept_word("FETCH") {
                limited = true;
                if !self.accept_word("FIRST") && !self.accept_word("NEXT") {
                    return Err(self.expected("`FIRST` or `NEXT`"));
                }
                query.limit = Some(self.row_count()?);
                if !self.accept_word("ROWS") && !self.accept_word("ROW") {
                    return Err(self.expected("`ROWS`"));
                }
                self.expect_word("ONLY")?;
            } else {
                return Ok(());
            }
        }
    }

    fn row_count(&mut self) -> SqlResult<Expr> {
        if !self.at(TokenKind::Integer) {
            return Err(self.expected("a number of rows"));
        }
        let token = self.advance();
        let literal = Literal::Integer(self.text_of(token).to_owned());
        Ok(Expr { kind: ExprKind::Literal(literal), span: token.span })
    }
}

/// SELECT.
impl Parser<'_> {
    fn select(&mut self) -> SqlResult<Select> {
        let start = self.advance().span;
        let hints = self.hints()?;
        if self.at_word("STREAM") {
            return Err(self.refused(start, "SELECT STREAM"));
        }
        let distinct = self.accept_word("DISTINCT");
        if !distinct {
            self.accept_word("ALL");
        }
        let items = self.list(Self::select_item)?;
        let mut select = Select {
            distinct,
            hints,
            items,
            from: None,
            filter: None,
            group_by: Vec::new(),
            having: None,
            refused: None,
            span: start,
        };
        if self.accept_word("FROM") {
            self.clauses_after_from(&mut select)?;
        }
        select.span = self.span_from(start);
        Ok(select)
    }

    /// What follows FROM.
    fn clauses_after_from(&mut self, select: &mut Select) -> SqlResult<()> {
        select.from = Some(self.table_refs()?);
        if self.accept_word("WHERE") {
            select.filter = Some(self.expression()?);
        }
        if self.accept_word("GROUP") {
            self.expect_word("BY")?;
            if self.at_one_of(&["DISTINCT", "ALL"]) {
                let name = format!("GROUP BY {}", self.upper(self.peek()));
                return Err(self.refused(self.peek().span, &name));
            }
            select.group_by = self.list(Self::group_item)?;
        }
        if self.accept_word("HAVING") {
            select.having = Some(self.expression()?);
        }
        self.refused_clauses(select)
    }

    /// `WINDOW name AS (…), …` and `QUALIFY condition`
    fn refused_clauses(&mut self, select: &mut Select) -> SqlResult<()> {
        let start = self.peek().span;
        if self.accept_word("WINDOW") {
            select.refused = Some(("WINDOW".to_owned(), start));
            self.list(|parser| {
                parser.identifier("the name of a window")?;
                parser.expect_word("AS")?;
                parser.skip_enclosed()
            })?;
        }
        let start = self.peek().span;
        if self.accept_word("QUALIFY") {
            select.refused = select.refused.take().or_else(|| Some(("QUALIFY".to_owned(), start)));
            self.expression()?;
        }
        Ok(())
    }

    fn select_item(&mut self) -> SqlResult<SelectItem> {
        if self.at(TokenKind::Star) {
            return Ok(SelectItem::Wildcard(self.advance().span));
        }
        if self.at_qualified_wildcard() {
            return self.qualified_wildcard();
        }
        let expr = self.expression()?;
        let alias = if self.accept_word("AS") || self.is_identifier(self.peek()) {
            Some(self.identifier("an alias")?)
        } else {
            None
        };
        Ok(SelectItem::Expr(expr, alias))
    }

    /// Whether `name.*` begins here.
    fn at_qualified_wildcard(&self) -> bool {
        let mut ahead = 0;
        while matches!(self.peek_at(ahead).kind, TokenKind::Word | TokenKind::Quoted)
            && self.peek_at(ahead + 1).kind == TokenKind::Dot
        {
            ahead += 2;
        }
        ahead > 0 && self.peek_at(ahead).kind == TokenKind::Star
    }

    fn qualified_wildcard(&mut self) -> SqlResult<SelectItem> {
        let start = self.peek().span;
        let mut parts = Vec::new();
        while !self.accept(TokenKind::Star) {
            parts.push(self.identifier("a table name")?);
            self.expect(TokenKind::Dot)?;
        }
        Ok(SelectItem::QualifiedWildcard(ObjectName { parts, span: self.span_from(start) }))
    }

    fn group_item(&mut self) -> SqlResult<GroupItem> {
        let start = self.peek().span;
        let empty = self.at(TokenKind::LeftParen) && self.peek_at(1).kind == TokenKind::RightParen;
        let opens = self.peek_at(1).kind == TokenKind::LeftParen;
        let name = if empty {
            "GROUP BY ()"
        } else if self.accept_words(&["GROUPING", "SETS"]) {
            "GROUPING SETS"
        } else if opens && self.accept_word("ROLLUP") {
            "ROLLUP"
        } else if opens && self.accept_word("CUBE") {
            "CUBE"
        } else {
            return Ok(GroupItem::Expr(self.expression()?));
        };
        self.skip_enclosed()?;
        Ok(GroupItem::Refused(name.to_owned(), self.span_from(start)))
    }
}

/// A query that is only its body.
fn bare(body: QueryBody, span: Span) -> Query {
    Query { ctes: Vec::new(), body, order_by: Vec::new(), limit: None, offset: None, span }
}

/// Joins two queries with the operator that stands before the right one.
fn join(left: (Query, SetOperation), right: (Query, SetOperation)) -> (Query, SetOperation) {
    let ((left, before), (right, operation)) = (left, right);
    let span = left.span.to(right.span);
    let SetOperation { operator, all, span: place } = operation;
    let body = QueryBody::SetOperation { operator, all, left: Box::new(left), right: Box::new(right), span: place };
    (bare(body, span), before)
}
