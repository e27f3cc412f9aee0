//! Literals: numbers, strings, dates and times, intervals; as written, the binder gives them a type and a value.

use super::{Parser, abbreviated};
use crate::ast::{Expr, ExprKind, Ident, Literal};
use crate::error::{SqlError, SqlResult};
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

/// How many digits the first number of an interval may have if nothing is said.
const INTERVAL_DIGITS: u8 = 2;
/// How many digits it may have at most.
const INTERVAL_DIGITS_MAX: u8 = 10;

/// The units of an interval.
pub(super) struct IntervalUnits {
    /// The first or only one.
    from: Ident,
    /// The one after TO.
    to: Option<Ident>,
    /// How many digits the number of the first one may have.
    digits: u8,
}

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

    /// `INTERVAL [+ | -] '…' unit [TO unit]`; a whole number needs no quotes.
    pub(super) fn interval(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        let negative = !self.accept(TokenKind::Plus) && self.accept(TokenKind::Minus);
        let text = match self.peek().kind {
            TokenKind::String => self.string("a quoted string")?.name,
            TokenKind::Integer => {
                let token = self.advance();
                self.text_of(token).to_owned()
            }
            _ => {
                let error = self.expected("a quoted string after `INTERVAL`");
                return Err(error.with_hint("write the value in quotes: INTERVAL '10' MINUTE"));
            }
        };
        let IntervalUnits { from, to, digits } = self.interval_units()?;
        let span = self.span_from(start);
        let leading = text.trim_start_matches(|sign: char| sign.is_whitespace() || matches!(sign, '+' | '-' | '0'));
        if leading.bytes().take_while(u8::is_ascii_digit).count() > usize::from(digits) {
            let unit = &from.name;
            let message = format!("`INTERVAL '{}' {unit}` exceeds the {digits} digits of `{unit}`", abbreviated(&text));
            return Err(SqlError::invalid(span, message)
                .with_hint(format!("say how many digits there are: INTERVAL '100' {unit}(3)")));
        }
        let value = if negative { format!("-{text}") } else { text };
        Ok(Expr { kind: ExprKind::Literal(Literal::Interval { value, from, to }), span })
    }

    /// `unit [(precision)] [TO unit [(precision)]]`
    pub(super) fn interval_units(&mut self) -> SqlResult<IntervalUnits> {
        let (from, last, digits) = self.interval_unit()?;
        if !self.accept_word("TO") {
            return Ok(IntervalUnits { from, to: None, digits });
        }
        let place = self.position;
        let (to, ..) = self.interval_unit()?;
        let rank = |unit: &str| INTERVAL_UNITS.iter().position(|(name, _)| *name == unit);
        if last.is_some_and(|last| rank(&from.name) < rank(&to.name) && rank(&to.name) <= rank(last)) {
            return Ok(IntervalUnits { from, to: Some(to), digits });
        }
        self.position = place;
        Err(self.expected(&format!("a unit of an interval narrower than `{}`", from.name)))
    }

    /// A unit in the singular, the last one of [`INTERVAL_UNITS`] that `TO` may name after it, and its precision.
    fn interval_unit(&mut self) -> SqlResult<(Ident, Option<&'static str>, u8)> {
        let token = self.peek();
        let word = self.upper(token);
        let singular = word.strip_suffix('S').unwrap_or(&word);
        let Some((name, last)) = INTERVAL_UNITS.iter().find(|(name, _)| *name == singular) else {
            let units: Vec<_> = INTERVAL_UNITS.iter().map(|(name, _)| *name).collect();
            return Err(self.expected_one_of("a unit of an interval, such as `MINUTE`", &units));
        };
        self.advance();
        let mut digits = INTERVAL_DIGITS;
        if self.accept(TokenKind::LeftParen) {
            digits = self.small_number(&format!("precision of `{name}`"), 1..=INTERVAL_DIGITS_MAX)?;
            // The digits of the fraction bound nothing: an interval counts milliseconds.
            if self.accept(TokenKind::Comma) {
                self.small_number(&format!("fractional precision of `{name}`"), 0..=9)?;
            }
            self.expect(TokenKind::RightParen)?;
        }
        Ok((Ident { name: (*name).to_owned(), span: token.span }, *last, digits))
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
