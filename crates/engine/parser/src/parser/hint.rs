//! Hints: what stands between `/*+` and `*/`.

use super::Parser;
use crate::ast::{Hint, Ident, PropertyAssignment};
use crate::error::{Span, SqlResult};
use crate::lexer::TokenKind;

impl Parser<'_> {
    /// The hints that stand here, often none.
    pub(super) fn hints(&mut self) -> SqlResult<Vec<Hint>> {
        let mut hints = Vec::new();
        while self.at(TokenKind::Hint) {
            let Span { start, end } = self.advance().span;
            // The lexer makes a hint of nothing shorter than its delimiters.
            let mut inner = Self::within(self.text, start as usize + "/*+".len(), end as usize - "*/".len())?;
            hints.extend(inner.list(Self::hint)?);
            if !inner.at(TokenKind::End) {
                return Err(inner.expected("`,` or the end of the hint"));
            }
        }
        Ok(hints)
    }

    /// `NAME` or `NAME(argument, …)`
    fn hint(&mut self) -> SqlResult<Hint> {
        let name = self.identifier("the name of a hint")?;
        let mut options = Vec::new();
        if self.accept(TokenKind::LeftParen) && !self.accept(TokenKind::RightParen) {
            options = self.list(Self::hint_argument)?;
            self.close_list()?;
        }
        Ok(Hint { name, options })
    }

    /// `'key' = 'value'`, or a bare value, whose key is empty.
    fn hint_argument(&mut self) -> SqlResult<PropertyAssignment> {
        let key = self.hint_value()?;
        if self.accept(TokenKind::Equal) {
            return Ok(PropertyAssignment { key, value: self.hint_value()? });
        }
        let nothing = Ident { name: String::new(), span: key.span };
        Ok(PropertyAssignment { key: nothing, value: key })
    }

    fn hint_value(&mut self) -> SqlResult<Ident> {
        let token = self.peek();
        match token.kind {
            TokenKind::String | TokenKind::Word | TokenKind::Quoted | TokenKind::Integer | TokenKind::Decimal => {
                self.advance();
                Ok(self.ident_of(token))
            }
            _ => Err(self.expected("a quoted string")),
        }
    }
}
