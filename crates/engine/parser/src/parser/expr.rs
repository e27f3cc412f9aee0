//! Expressions: operands and the operators between them, by precedence climbing.
//!
//! Every way from an expression into an expression goes through [`Parser::expression_above`], which guards the depth.
//! The functions on that way are small: each nesting level of the text costs one frame of each.

use super::{Parser, balanced, balanced_levels};
use crate::ast::{BinaryOperator, Expr, ExprKind, IsTest, UnaryOperator};
use crate::error::{Span, SqlError, SqlResult};
use crate::lexer::TokenKind;

/// How tightly operators bind, loosest first.
///
/// # Source
/// Calcite `SqlStdOperatorTable`: `OR` 22, `AND` 24, `NOT` 26, `IS` 28, comparison 30, `IN`, `LIKE`, `BETWEEN` 32,
/// sums 40, products, `%` and `||` 60, signs 80.
mod level {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const IS: u8 = 4;
    pub(super) const COMPARISON: u8 = 5;
    pub(super) const RANGE: u8 = 6;
    pub(super) const SUM: u8 = 7;
    pub(super) const PRODUCT: u8 = 8;
    pub(super) const SIGN: u8 = 9;
}

/// What may follow an operand.
#[derive(Debug, Clone, Copy)]
enum Infix {
    /// AND, OR
    Logical(BinaryOperator),
    /// Any other operator with a left and a right side.
    Binary(BinaryOperator),
    /// IS …
    Is,
    /// [NOT] BETWEEN
    Between,
    /// [NOT] IN
    In,
    /// [NOT] LIKE
    Like,
    /// [NOT] SIMILAR TO
    Similar,
    /// An operator that Flink knows and that is refused.
    Refused(&'static str),
}

/// The operators that are words.
const WORD_OPERATORS: &[(&str, Infix, u8)] = &[
    ("AND", Infix::Logical(BinaryOperator::And), level::AND),
    ("OR", Infix::Logical(BinaryOperator::Or), level::OR),
    ("BETWEEN", Infix::Between, level::RANGE),
    ("IN", Infix::In, level::RANGE),
    ("LIKE", Infix::Like, level::RANGE),
    ("SIMILAR", Infix::Similar, level::RANGE),
    ("ILIKE", Infix::Refused("ILIKE"), level::RANGE),
    ("RLIKE", Infix::Refused("RLIKE"), level::RANGE),
    ("OVERLAPS", Infix::Refused("OVERLAPS"), level::COMPARISON),
    ("CONTAINS", Infix::Refused("CONTAINS"), level::COMPARISON),
    ("PRECEDES", Infix::Refused("PRECEDES"), level::COMPARISON),
    ("SUCCEEDS", Infix::Refused("SUCCEEDS"), level::COMPARISON),
    ("EQUALS", Infix::Refused("EQUALS"), level::COMPARISON),
    ("MEMBER", Infix::Refused("MEMBER OF"), level::COMPARISON),
    ("SUBMULTISET", Infix::Refused("SUBMULTISET OF"), level::COMPARISON),
    ("MULTISET", Infix::Refused("MULTISET"), level::SUM),
];

/// The operators before which NOT may stand.
const NEGATABLE: &[&str] = &["BETWEEN", "IN", "LIKE", "SIMILAR", "ILIKE", "RLIKE"];

/// The words that continue a query, and so never follow an operand.
const QUERY_CONTINUATIONS: &[&str] = &["UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "FETCH"];

/// The units that make an interval of a difference of times.
const DIFFERENCE_UNITS: &[&str] = &["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];

/// Operators.
impl Parser<'_> {
    /// An expression.
    pub(super) fn expression(&mut self) -> SqlResult<Expr> {
        self.expression_above(level::OR)
    }

    /// An expression that ends before `IN`, as in `POSITION(a IN b)`.
    pub(super) fn expression_before_in(&mut self) -> SqlResult<Expr> {
        self.expression_above(level::SUM)
    }

    /// An expression of operators that bind at least as tightly as `floor`.
    fn expression_above(&mut self, floor: u8) -> SqlResult<Expr> {
        self.enter(1)?;
        let outer = self.open();
        let mut left = self.operand()?;
        while let Some((infix, level)) = self.infix()
            && level >= floor
        {
            left = self.infix_tail(left, infix, level)?;
        }
        self.close(outer);
        self.leave(1);
        Ok(left)
    }

    /// The operator that stands here, and how tightly it binds.
    fn infix(&self) -> Option<(Infix, u8)> {
        let (operator, level) = match self.peek().kind {
            TokenKind::Plus => (BinaryOperator::Add, level::SUM),
            TokenKind::Minus => (BinaryOperator::Subtract, level::SUM),
            TokenKind::Star => (BinaryOperator::Multiply, level::PRODUCT),
            TokenKind::Slash => (BinaryOperator::Divide, level::PRODUCT),
            TokenKind::Percent => (BinaryOperator::Modulo, level::PRODUCT),
            TokenKind::Concat => (BinaryOperator::Concat, level::PRODUCT),
            TokenKind::Equal => (BinaryOperator::Equal, level::COMPARISON),
            TokenKind::NotEqual => (BinaryOperator::NotEqual, level::COMPARISON),
            TokenKind::Less => (BinaryOperator::Less, level::COMPARISON),
            TokenKind::LessOrEqual => (BinaryOperator::LessOrEqual, level::COMPARISON),
            TokenKind::Greater => (BinaryOperator::Greater, level::COMPARISON),
            TokenKind::GreaterOrEqual => (BinaryOperator::GreaterOrEqual, level::COMPARISON),
            TokenKind::Word => return self.word_infix(),
            _ => return None,
        };
        Some((Infix::Binary(operator), level))
    }

    fn word_infix(&self) -> Option<(Infix, u8)> {
        if self.at_word("IS") {
            let distinct = self.at_words(&["IS", "DISTINCT"]) || self.at_words(&["IS", "NOT", "DISTINCT"]);
            return Some((Infix::Is, if distinct { level::COMPARISON } else { level::IS }));
        }
        let negated = usize::from(self.at_word("NOT"));
        let (word, infix, level) = *WORD_OPERATORS.iter().find(|(word, ..)| self.word_at(negated, word))?;
        (negated == 0 || NEGATABLE.contains(&word)).then_some((infix, level))
    }

    /// What follows `left`: an operator of this `level` and its right side.
    fn infix_tail(&mut self, left: Expr, infix: Infix, level: u8) -> SqlResult<Expr> {
        match infix {
            Infix::Logical(operator) => self.logical(left, operator, level),
            Infix::Binary(operator) => self.binary(left, operator, level),
            Infix::Is => self.is_test(left),
            Infix::Between => self.between(left),
            Infix::In => self.is_in(left),
            Infix::Like => self.like(left),
            Infix::Similar => self.similar(left),
            Infix::Refused(name) => self.refused_infix(left, name, level),
        }
    }

    /// A chain of AND or OR: they are associative, so that a balanced tree says the same and is low.
    fn logical(&mut self, left: Expr, operator: BinaryOperator, level: u8) -> SqlResult<Expr> {
        let word = if operator == BinaryOperator::And { "AND" } else { "OR" };
        let mut rest = Vec::new();
        while self.accept_word(word) {
            rest.push(self.expression_above(level + 1)?);
        }
        let levels = balanced_levels(rest.len() + 1);
        let chain = balanced(left, rest, |left, right| join(left, operator, right));
        self.grow(levels, chain.span)?;
        Ok(chain)
    }

    fn binary(&mut self, left: Expr, operator: BinaryOperator, level: u8) -> SqlResult<Expr> {
        let token = self.advance();
        if self.text_of(token) == "!=" {
            return Err(bang_equal(token.span));
        }
        if level == level::COMPARISON
            && self.at_one_of(&["ANY", "SOME", "ALL"])
            && self.peek_at(1).kind == TokenKind::LeftParen
        {
            let name = format!("{} (…)", self.upper(self.peek()));
            self.advance();
            return self.refused_enclosed(left.span, &name);
        }
        let right = self.expression_above(level + 1)?;
        let chain = join(left, operator, right);
        self.grow(1, chain.span)?;
        Ok(chain)
    }

    /// `IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM x`
    fn is_test(&mut self, value: Expr) -> SqlResult<Expr> {
        self.advance();
        let negated = self.accept_word("NOT");
        let test = match self.upper(self.peek()).as_str() {
            "NULL" => IsTest::Null,
            "TRUE" => IsTest::True,
            "FALSE" => IsTest::False,
            "UNKNOWN" => IsTest::Unknown,
            "DISTINCT" => return self.is_distinct_from(value, negated),
            name @ ("JSON" | "EMPTY" | "NORMALIZED" | "A") => {
                let name = format!("IS {}", if name == "A" { "A SET" } else { name });
                self.advance();
                let _ = self.accept_word("SET")
                    || ["VALUE", "OBJECT", "ARRAY", "SCALAR"].iter().any(|word| self.accept_word(word));
                return self.above(value.span, ExprKind::Refused(name));
            }
            _ => return Err(self.expected("`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM` after `IS`")),
        };
        self.advance();
        self.above(value.span, ExprKind::Is(Box::new(value), test, negated))
    }

    fn is_distinct_from(&mut self, value: Expr, negated: bool) -> SqlResult<Expr> {
        self.expect_words(&["DISTINCT", "FROM"])?;
        let other = self.expression_above(level::COMPARISON + 1)?;
        self.above(value.span, ExprKind::IsDistinctFrom(Box::new(value), Box::new(other), negated))
    }

    fn between(&mut self, value: Expr) -> SqlResult<Expr> {
        let negated = self.accept_word("NOT");
        self.expect_word("BETWEEN")?;
        let symmetric = self.accept_word("SYMMETRIC");
        if !symmetric {
            self.accept_word("ASYMMETRIC");
        }
        let low = Box::new(self.expression_above(level::SUM)?);
        self.expect_word("AND")?;
        let high = Box::new(self.expression_above(level::SUM)?);
        self.above(value.span, ExprKind::Between { value: Box::new(value), low, high, negated, symmetric })
    }

    fn is_in(&mut self, value: Expr) -> SqlResult<Expr> {
        let negated = self.accept_word("NOT");
        self.expect_word("IN")?;
        self.expect(TokenKind::LeftParen)?;
        if self.at_query() {
            self.query()?;
            self.expect(TokenKind::RightParen)?;
            return self.above(value.span, ExprKind::Subquery("IN (query)".to_owned()));
        }
        let items = self.list(Self::expression)?;
        self.close_list()?;
        self.above(value.span, ExprKind::InList(Box::new(value), items, negated))
    }

    fn like(&mut self, value: Expr) -> SqlResult<Expr> {
        let negated = self.accept_word("NOT");
        self.expect_word("LIKE")?;
        let (pattern, escape) = self.pattern()?;
        let value = Box::new(value);
        self.above(value.span, ExprKind::Like { value, pattern, escape, negated, similar: false })
    }

    fn similar(&mut self, value: Expr) -> SqlResult<Expr> {
        let negated = self.accept_word("NOT");
        self.expect_words(&["SIMILAR", "TO"])?;
        let (pattern, escape) = self.pattern()?;
        let value = Box::new(value);
        self.above(value.span, ExprKind::Like { value, pattern, escape, negated, similar: true })
    }

    /// A pattern and its ESCAPE.
    fn pattern(&mut self) -> SqlResult<(Box<Expr>, Option<Box<Expr>>)> {
        let pattern = Box::new(self.expression_above(level::SUM)?);
        let escape = if self.accept_word("ESCAPE") { Some(Box::new(self.expression_above(level::SUM)?)) } else { None };
        Ok((pattern, escape))
    }

    fn refused_infix(&mut self, left: Expr, name: &str, level: u8) -> SqlResult<Expr> {
        self.accept_word("NOT");
        self.advance();
        self.accept_word("OF");
        if name == "MULTISET" && self.at_one_of(&["UNION", "INTERSECT", "EXCEPT"]) {
            self.advance();
            let _ = self.accept_word("ALL") || self.accept_word("DISTINCT");
        }
        self.expression_above(level + 1)?;
        self.above(left.span, ExprKind::Refused(name.to_owned()))
    }

    /// A node that begins at `start` and ends here, on top of the trees that were just made.
    fn above(&mut self, start: Span, kind: ExprKind) -> SqlResult<Expr> {
        let span = self.span_from(start);
        self.grow(1, span)?;
        Ok(Expr { kind, span })
    }

    /// A part of an expression that is refused; `name` says what it is, and it ends before this place.
    pub(super) fn refused_since(&self, start: Span, name: &str) -> Expr {
        Expr { kind: ExprKind::Refused(name.to_owned()), span: self.span_from(start) }
    }

    /// A construct that is refused as a whole, with all that is in the parentheses or brackets that open here.
    pub(super) fn refused_enclosed(&mut self, start: Span, name: &str) -> SqlResult<Expr> {
        self.skip_enclosed()?;
        Ok(self.refused_since(start, name))
    }
}

/// Operands.
impl Parser<'_> {
    /// An operand with its `[…]` and `.field`.
    fn operand(&mut self) -> SqlResult<Expr> {
        // What begins with a word, a call or CASE, takes twice as much stack as a parenthesis.
        let levels = usize::from(matches!(self.peek().kind, TokenKind::Word | TokenKind::Quoted));
        self.enter(levels)?;
        let outer = self.open();
        let expr = self.primary()?;
        self.grow(1, expr.span)?;
        self.close(outer);
        self.leave(levels);
        if self.at(TokenKind::LeftBracket) || self.at(TokenKind::Dot) {
            return self.access(expr.span);
        }
        Ok(expr)
    }

    /// `[…]` and `.field` after an operand that begins at `start`: refused, so that the operand is not kept.
    fn access(&mut self, start: Span) -> SqlResult<Expr> {
        let mut name = "";
        loop {
            if self.at(TokenKind::LeftBracket) {
                name = "value[…]";
                self.skip_enclosed()?;
            } else if self.accept(TokenKind::Dot) {
                name = "value.field";
                self.identifier("a field name after `.`")?;
            } else {
                return Ok(self.refused_since(start, name));
            }
        }
    }

    fn primary(&mut self) -> SqlResult<Expr> {
        match self.peek().kind {
            TokenKind::Word => self.word_operand(),
            TokenKind::Quoted => self.name_or_call(),
            TokenKind::LeftParen => self.parenthesised(),
            TokenKind::Minus => self.unary(UnaryOperator::Minus, level::SIGN),
            TokenKind::Plus => self.unary(UnaryOperator::Plus, level::SIGN),
            _ => self.literal(),
        }
    }

    fn unary(&mut self, operator: UnaryOperator, floor: u8) -> SqlResult<Expr> {
        let start = self.advance().span;
        let operand = self.expression_above(floor)?;
        Ok(Expr { span: start.to(operand.span), kind: ExprKind::Unary(operator, Box::new(operand)) })
    }

    /// `NOT x`, called where NOT stands.
    pub(super) fn negation(&mut self) -> SqlResult<Expr> {
        self.unary(UnaryOperator::Not, level::NOT)
    }

    /// `(x)`, `(query)` or the row `(x, y)`.
    fn parenthesised(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        if self.at_query() {
            return self.subquery_tail(start, "(query)");
        }
        let inner = self.expression()?;
        if self.at(TokenKind::Comma) {
            return self.row_tail(start);
        }
        if matches!(inner.kind, ExprKind::Subquery(_)) && self.at_one_of(QUERY_CONTINUATIONS) {
            return Err(SqlError::unsupported(inner.span, "`(query)`"));
        }
        self.expect(TokenKind::RightParen)?;
        if matches!(inner.kind, ExprKind::Binary(BinaryOperator::Subtract, ..)) && self.at_one_of(DIFFERENCE_UNITS) {
            return self.difference_tail(start);
        }
        Ok(Expr { kind: inner.kind, span: self.span_from(start) })
    }

    /// `query)` after the parenthesis that opened; `name` says what is refused.
    pub(super) fn subquery_tail(&mut self, start: Span, name: &str) -> SqlResult<Expr> {
        self.query()?;
        self.expect(TokenKind::RightParen)?;
        Ok(Expr { kind: ExprKind::Subquery(name.to_owned()), span: self.span_from(start) })
    }

    /// `unit [TO unit]` after a difference in parentheses.
    fn difference_tail(&mut self, start: Span) -> SqlResult<Expr> {
        self.interval_units()?;
        Ok(self.refused_since(start, "(time - time) unit"))
    }

    /// `, y …)` after the first element of a row.
    fn row_tail(&mut self, start: Span) -> SqlResult<Expr> {
        while self.accept(TokenKind::Comma) {
            self.expression()?;
        }
        self.close_list()?;
        Ok(self.refused_since(start, "ROW"))
    }
}

/// Flink's parser reads `!=` only to refuse it.
fn bang_equal(span: Span) -> SqlError {
    SqlError::invalid(span, "`!=` is not allowed").with_hint("write `<>`")
}

fn join(left: Expr, operator: BinaryOperator, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), span }
}
