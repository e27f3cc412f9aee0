//! Literals: numbers, strings, dates and times, intervals; as written, the binder gives them a type and a value.

use super::Parser;
use crate::ast::{Expr, ExprKind, Ident, Literal};
use crate::error::SqlResult;
use crate::lexer::{TokenKind, hexadecimal_bytes};

/// The units of an interval, in the singular, with the last one of this list that `TO` may name after it.
const INTERVAL_UNITS: &[(&str, Option<&str>)] = &[
    ("YEAR", Some("MONTH")),
    ("MONTH", None),
    ("DAY", Some("SECOND")),
    ("HOUR", Some("SECOND")),
    ("MINUTE", Some("SECOND")),
    ("SECOND", None),
    ("QUARTER", None),
    ("WEEK", None),
];

/// The units of `EXTRACT`, `FLOOR`, `CEIL`, `TIMESTAMPADD` and `TIMESTAMPDIFF`; the binder says which takes which.
const TIME_UNITS: &[&str] = &[
    "NANOSECOND",
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "MINUTE",
    "HOUR",
    "DAY",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "DOW",
    "DOY",
    "ISODOW",
    "ISOYEAR",
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
    "EPOCH",
    "DECADE",
    "CENTURY",
    "MILLENNIUM",
];

impl Parser<'_> {
    /// A literal that is a single token.
    pub(super) fn literal(&mut self) -> SqlResult<Expr> {
        let token = self.peek();
        let text = self.text_of(token).to_owned();
        let literal = match token.kind {
            TokenKind::Integer => Literal::Integer(text),
            TokenKind::Decimal => Literal::Decimal(text),
            TokenKind::Double => Literal::Double(text),
            TokenKind::String => Literal::String(self.ident_of(token).name),
            TokenKind::Binary => Literal::Binary(hexadecimal_bytes(&text)),
            _ => return Err(self.expected("an expression")),
        };
        self.advance();
        Ok(Expr { kind: ExprKind::Literal(literal), span: token.span })
    }

    /// A literal that is a keyword: `NULL`, `TRUE`, `FALSE`.
    pub(super) fn keyword_literal(&mut self, literal: Literal) -> SqlResult<Expr> {
        let span = self.advance().span;
        Ok(Expr { kind: ExprKind::Literal(literal), span })
    }

    /// `DATE '…'`, `TIME '…'`, `TIMESTAMP '…'`: `literal` makes it of the text.
    pub(super) fn time_literal(&mut self, literal: fn(String) -> Literal) -> SqlResult<Expr> {
        if self.peek_at(1).kind != TokenKind::String {
            return Err(self.expected_name("an expression"));
        }
        let start = self.advance().span;
        let text = self.string("a quoted string")?;
        Ok(Expr { kind: ExprKind::Literal(literal(text.name)), span: start.to(text.span) })
    }

    /// `INTERVAL [+ | -] '…' unit [TO unit]`
    pub(super) fn interval(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        let negative = !self.accept(TokenKind::Plus) && self.accept(TokenKind::Minus);
        if !self.at(TokenKind::String) {
            let error = self.expected("a quoted string after `INTERVAL`");
            return Err(error.with_hint("write the value in quotes: INTERVAL '10' MINUTE"));
        }
        let text = self.string("a quoted string")?.name;
        let value = if negative { format!("-{text}") } else { text };
        let (from, to) = self.interval_units()?;
        let kind = ExprKind::Literal(Literal::Interval { value, from, to });
        Ok(Expr { kind, span: self.span_from(start) })
    }

    /// `unit [(precision)] [TO unit [(precision)]]`; precisions bound nothing here, so they are only skipped.
    pub(super) fn interval_units(&mut self) -> SqlResult<(Ident, Option<Ident>)> {
        let (from, last) = self.interval_unit()?;
        if !self.accept_word("TO") {
            return Ok((from, None));
        }
        let place = self.position;
        let (to, _) = self.interval_unit()?;
        let rank = |unit: &str| INTERVAL_UNITS.iter().position(|(name, _)| *name == unit);
        if last.is_some_and(|last| rank(&from.name) < rank(&to.name) && rank(&to.name) <= rank(last)) {
            return Ok((from, Some(to)));
        }
        self.position = place;
        Err(self.expected(&format!("a unit of an interval narrower than `{}`", from.name)))
    }

    /// A unit in the singular, and the last one of [`INTERVAL_UNITS`] that `TO` may name after it.
    fn interval_unit(&mut self) -> SqlResult<(Ident, Option<&'static str>)> {
        let token = self.peek();
        let word = self.upper(token);
        let singular = word.strip_suffix('S').unwrap_or(&word);
        let Some((name, last)) = INTERVAL_UNITS.iter().find(|(name, _)| *name == singular) else {
            let units: Vec<_> = INTERVAL_UNITS.iter().map(|(name, _)| *name).collect();
            return Err(self.expected_one_of("a unit of an interval, such as `MINUTE`", &units));
        };
        self.advance();
        if self.at(TokenKind::LeftParen) {
            self.skip_enclosed()?;
        }
        Ok((Ident { name: (*name).to_owned(), span: token.span }, *last))
    }

    /// A unit of time, in upper case.
    pub(super) fn time_unit(&mut self) -> SqlResult<Ident> {
        let token = self.peek();
        let name = self.upper(token);
        if token.kind != TokenKind::Word || !(is_time_unit(&name) || name.starts_with("SQL_TSI_")) {
            return Err(self.expected_one_of("a unit of time, such as `MINUTE`", TIME_UNITS));
        }
        self.advance();
        Ok(Ident { name, span: token.span })
    }
}

fn is_time_unit(upper: &str) -> bool {
    TIME_UNITS.contains(&upper)
}
