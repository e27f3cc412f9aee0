//! Names of types, with their defaults and bounds; constructed types are recognised to be refused by name.

use std::ops::RangeInclusive;

use super::{Parser, words};
use crate::ast::TypeName;
use crate::error::{SqlError, SqlResult};
use crate::lexer::TokenKind;
use crate::types::{STRING, STRING_LENGTH, SqlType, TypeKind};

/// The type, or the name of one that is refused.
type Named = Result<TypeKind, String>;

/// Types without parameters.
const PLAIN: &[(&str, TypeKind)] = &[
    ("BOOLEAN", TypeKind::Boolean),
    ("TINYINT", TypeKind::TinyInt),
    ("SMALLINT", TypeKind::SmallInt),
    ("INT", TypeKind::Int),
    ("INTEGER", TypeKind::Int),
    ("BIGINT", TypeKind::BigInt),
    ("FLOAT", TypeKind::Float),
    ("DOUBLE", TypeKind::Double),
    ("STRING", STRING),
    ("BYTES", TypeKind::Varbinary(STRING_LENGTH)),
    ("DATE", TypeKind::Date),
];

/// Types with parameters.
#[rustfmt::skip]
const PARAMETRISED: &[&str] = &[
    "DECIMAL", "DEC", "NUMERIC", "CHAR", "CHARACTER", "VARCHAR", "BINARY", "VARBINARY", "TIME", "TIMESTAMP",
    "TIMESTAMP_LTZ",
];

/// Types that Flink knows and the native engine does not; what stands in brackets after them is skipped.
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "ARRAY", "MAP", "MULTISET", "ROW", "RAW", "STRUCTURED", "VARIANT", "BITMAP", "REAL", "ANY", "DESCRIPTOR",
];

impl Parser<'_> {
    /// The type of a column: `type [NULL | NOT NULL]`.
    pub(super) fn column_type(&mut self) -> SqlResult<TypeName> {
        let start = self.peek().span;
        let mut named = self.type_kind()?;
        let mut nullable = true;
        loop {
            if nullable && self.accept_words(&["NOT", "NULL"]) {
                nullable = false;
            } else if self.at_word("NULL") && nullable {
                self.advance();
            } else if self.accept_word("ARRAY") {
                (named, nullable) = (Err("ARRAY".to_owned()), true);
            } else if self.accept_word("MULTISET") {
                (named, nullable) = (Err("MULTISET".to_owned()), true);
            } else {
                let ty = named.map(|kind| SqlType { kind, nullable });
                return Ok(TypeName { ty, span: self.span_from(start) });
            }
        }
    }

    /// The type that a cast goes to: it has no nullability of its own.
    pub(super) fn cast_type(&mut self) -> SqlResult<TypeName> {
        let start = self.peek().span;
        let mut named = self.type_kind()?;
        for collection in ["ARRAY", "MULTISET"] {
            while self.accept_word(collection) {
                named = Err(collection.to_owned());
            }
        }
        if self.at_words(&["NOT", "NULL"]) {
            let place = self.peek().span;
            return Err(SqlError::invalid(place, "`NOT NULL` is not allowed in the type of a cast")
                .with_hint("the result of a cast is nullable if its input is"));
        }
        Ok(TypeName { ty: named.map(TypeKind::nullable), span: self.span_from(start) })
    }

    /// A type without nullability.
    fn type_kind(&mut self) -> SqlResult<Named> {
        let token = self.peek();
        let word = self.upper(token);
        if token.kind == TokenKind::Quoted {
            return Err(SqlError::unsupported(token.span, "a user-defined type"));
        }
        if token.kind != TokenKind::Word {
            return Err(self.expected("a type"));
        }
        if let Some((_, kind)) = PLAIN.iter().find(|(name, _)| *name == word) {
            self.advance();
            if *kind == TypeKind::Double {
                self.accept_word("PRECISION");
            }
            return Ok(Ok(*kind));
        }
        if PARAMETRISED.contains(&word.as_str()) {
            self.advance();
            return self.parametrised_type(&word);
        }
        if word == "INTERVAL" {
            self.advance();
            self.interval_units()?;
            return Ok(Err(word));
        }
        if REFUSED.contains(&word.as_str()) {
            self.advance();
            self.skip_type_arguments()?;
            return Ok(Err(word));
        }
        Err(self.unknown_type(&word))
    }

    fn unknown_type(&self, word: &str) -> SqlError {
        if words::is_reserved(word) {
            return self.expected("a type");
        }
        let known = PLAIN.iter().map(|(name, _)| *name).chain(PARAMETRISED.iter().copied());
        let token = self.peek();
        SqlError::invalid(token.span, format!("unknown type `{}`", self.text_of(token))).with_suggestion(word, known)
    }

    fn parametrised_type(&mut self, word: &str) -> SqlResult<Named> {
        let kind = match word {
            "CHAR" | "CHARACTER" if self.accept_word("VARYING") => {
                TypeKind::Varchar(self.length("VARCHAR", STRING_LENGTH)?)
            }
            "CHAR" | "CHARACTER" => TypeKind::Char(self.length(word, 1)?),
            "VARCHAR" => TypeKind::Varchar(self.length(word, STRING_LENGTH)?),
            "BINARY" if self.accept_word("VARYING") => TypeKind::Varbinary(self.length("VARBINARY", STRING_LENGTH)?),
            "BINARY" => TypeKind::Binary(self.length(word, 1)?),
            "VARBINARY" => TypeKind::Varbinary(self.length(word, STRING_LENGTH)?),
            "TIME" => return self.time_type(),
            "TIMESTAMP" => return self.timestamp_type(),
            "TIMESTAMP_LTZ" => TypeKind::TimestampLtz(self.precision(word, 6)?),
            _ => return self.decimal_type(word),
        };
        Ok(Ok(kind))
    }

    /// `DECIMAL[(precision[, scale])]`
    fn decimal_type(&mut self, word: &str) -> SqlResult<Named> {
        if !self.accept(TokenKind::LeftParen) {
            return Ok(Ok(TypeKind::Decimal(10, 0)));
        }
        let precision = self.small_number(&format!("precision of `{word}`"), 1..=38)?;
        let mut scale = 0;
        if self.accept(TokenKind::Comma) {
            scale = self.small_number(&format!("scale of `{word}({precision})`"), 0..=precision)?;
        }
        self.close_list()?;
        Ok(Ok(TypeKind::Decimal(precision, scale)))
    }

    /// `TIME[(precision)] [WITHOUT TIME ZONE]`
    fn time_type(&mut self) -> SqlResult<Named> {
        let precision = self.precision("TIME", 0)?;
        Ok(match self.zone()? {
            None | Some("WITHOUT") => Ok(TypeKind::Time(precision)),
            Some(zone) => Err(format!("TIME {zone} TIME ZONE")),
        })
    }

    /// `TIMESTAMP[(precision)] [WITHOUT TIME ZONE | WITH [LOCAL] TIME ZONE]`
    fn timestamp_type(&mut self) -> SqlResult<Named> {
        let precision = self.precision("TIMESTAMP", 6)?;
        Ok(match self.zone()? {
            None | Some("WITHOUT") => Ok(TypeKind::Timestamp(precision)),
            Some("WITH LOCAL") => Ok(TypeKind::TimestampLtz(precision)),
            Some(zone) => Err(format!("TIMESTAMP {zone} TIME ZONE")),
        })
    }

    /// `WITHOUT TIME ZONE`, `WITH TIME ZONE`, `WITH LOCAL TIME ZONE`: what stands before TIME.
    fn zone(&mut self) -> SqlResult<Option<&'static str>> {
        let zone = if self.accept_word("WITHOUT") {
            "WITHOUT"
        } else if self.accept_words(&["WITH", "LOCAL"]) {
            "WITH LOCAL"
        } else if self.at_words(&["WITH", "TIME"]) {
            self.advance();
            "WITH"
        } else {
            return Ok(None);
        };
        self.expect_words(&["TIME", "ZONE"])?;
        Ok(Some(zone))
    }

    /// `[(precision)]` of a time.
    fn precision(&mut self, word: &str, default: u8) -> SqlResult<u8> {
        if !self.accept(TokenKind::LeftParen) {
            return Ok(default);
        }
        let precision = self.small_number(&format!("precision of `{word}`"), 0..=9)?;
        self.expect(TokenKind::RightParen)?;
        Ok(precision)
    }

    /// `[(length)]`
    fn length(&mut self, word: &str, default: u32) -> SqlResult<u32> {
        if !self.accept(TokenKind::LeftParen) {
            return Ok(default);
        }
        let length = self.number_within(&format!("length of `{word}`"), 1..=STRING_LENGTH)?;
        self.expect(TokenKind::RightParen)?;
        Ok(length)
    }

    /// A whole number in a range of small ones.
    pub(super) fn small_number(&mut self, what: &str, allowed: RangeInclusive<u8>) -> SqlResult<u8> {
        let number = self.number_within(what, u32::from(*allowed.start())..=u32::from(*allowed.end()))?;
        Ok(u8::try_from(number).unwrap_or(*allowed.end()))
    }

    /// A whole number in a range.
    fn number_within(&mut self, what: &str, allowed: RangeInclusive<u32>) -> SqlResult<u32> {
        if !self.at(TokenKind::Integer) {
            return Err(self.expected(&format!("the {what}, a whole number")));
        }
        let token = self.advance();
        let text = self.text_of(token);
        text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
            let range = format!("{}..{}", allowed.start(), allowed.end());
            SqlError::invalid(token.span, format!("{what} must be in {range}, found `{}`", super::abbreviated(text)))
        })
    }

    /// Goes past `<…>` or `(…)`, however nested.
    fn skip_type_arguments(&mut self) -> SqlResult<()> {
        if self.at(TokenKind::LeftParen) {
            return self.skip_enclosed().map(|_| ());
        }
        // `ROW<>` is a type without fields, whose brackets read as one token.
        if self.accept(TokenKind::NotEqual) || !self.at(TokenKind::Less) {
            return Ok(());
        }
        let opening = self.peek().span;
        let mut open = 0usize;
        loop {
            match self.peek().kind {
                TokenKind::Less => open += 1,
                TokenKind::Greater => open -= 1,
                TokenKind::End | TokenKind::Semicolon => {
                    return Err(SqlError::invalid(opening, "`<` is not closed"));
                }
                _ => {}
            }
            self.advance();
            if open == 0 {
                return Ok(());
            }
        }
    }
}
