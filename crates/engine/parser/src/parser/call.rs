//! Operands that begin with a word: functions with their special forms, CASE, CAST, and what is refused by name.

use super::{Parser, words};
use crate::ast::{Call, Expr, ExprKind, Ident, Literal, ObjectName, TrimSide};
use crate::error::{SqlError, SqlResult};
use crate::lexer::TokenKind;

/// Functions whose arguments have a syntax of their own, and that are refused with all their arguments.
const REFUSED_FUNCTIONS: &[&str] = &[
    "CLASSIFIER",
    "CONVERT",
    "CURSOR",
    "JSON_ARRAY",
    "JSON_ARRAYAGG",
    "JSON_EXISTS",
    "JSON_OBJECT",
    "JSON_OBJECTAGG",
    "JSON_QUERY",
    "JSON_VALUE",
    "MATCH_NUMBER",
    "MULTISET",
    "NEXT",
    "PERIOD",
    "PREV",
    "ROW",
    "SAFE_CAST",
    "TREAT",
    "UNIQUE",
];

/// Words.
impl Parser<'_> {
    /// An operand that begins with a word.
    pub(super) fn word_operand(&mut self) -> SqlResult<Expr> {
        let word = self.upper(self.peek());
        match (word.as_str(), self.peek_at(1).kind) {
            ("NULL", _) => self.keyword_literal(Literal::Null),
            ("TRUE", _) => self.keyword_literal(Literal::Boolean(true)),
            ("FALSE", _) => self.keyword_literal(Literal::Boolean(false)),
            ("DATE", _) => self.time_literal(Literal::Date),
            ("TIME", _) => self.time_literal(Literal::Time),
            ("TIMESTAMP", _) => self.time_literal(Literal::Timestamp),
            ("INTERVAL", _) => self.interval(),
            ("NOT", _) => self.negation(),
            ("CASE", _) => self.case(),
            ("EXISTS", TokenKind::LeftParen) => self.exists(),
            ("CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP", _) => {
                self.context_function()
            }
            ("UNKNOWN" | "DEFAULT", _) => {
                let start = self.advance().span;
                Ok(self.refused_since(start, &word))
            }
            ("ARRAY" | "MAP" | "MULTISET", TokenKind::LeftBracket) => self.refused_word(&word),
            ("ARRAY", TokenKind::LeftParen) => self.refused_word(&word),
            (_, TokenKind::LeftParen) => self.word_call(&word),
            _ => self.name_or_call(),
        }
    }

    /// A word with a parenthesis behind it.
    fn word_call(&mut self, word: &str) -> SqlResult<Expr> {
        match word {
            "CAST" | "TRY_CAST" => self.cast(),
            "EXTRACT" => self.extract(),
            "FLOOR" => self.rounding(ExprKind::FloorTo),
            "CEIL" | "CEILING" => self.rounding(ExprKind::CeilTo),
            "TRIM" => self.trim(),
            "SUBSTRING" => self.worded_call(&[("FROM", true), ("FOR", false)]),
            "OVERLAY" => self.worded_call(&[("PLACING", true), ("FROM", true), ("FOR", false)]),
            "POSITION" => self.position(),
            "TIMESTAMPADD" | "TIMESTAMPDIFF" => self.unit_call(),
            _ if REFUSED_FUNCTIONS.contains(&word) => self.refused_word(word),
            _ if words::is_function(word) => {
                let name = self.word_name();
                self.call(name)
            }
            _ => self.name_or_call(),
        }
    }

    /// A column, or a function with its arguments.
    pub(super) fn name_or_call(&mut self) -> SqlResult<Expr> {
        let name = self.object_name("an expression")?;
        if self.at(TokenKind::LeftParen) {
            return self.call(name);
        }
        let span = name.span;
        Ok(Expr { kind: ExprKind::Column(name), span })
    }

    /// The word that stands here, as the name of a function.
    fn word_name(&mut self) -> ObjectName {
        let token = self.advance();
        ObjectName { parts: vec![self.ident_of(token)], span: token.span }
    }

    /// A construct that begins with a word and is refused with what is in its parentheses or brackets.
    fn refused_word(&mut self, word: &str) -> SqlResult<Expr> {
        let start = self.advance().span;
        self.refused_enclosed(start, word)
    }

    /// A function that needs no parentheses.
    fn context_function(&mut self) -> SqlResult<Expr> {
        let name = self.word_name();
        if self.at(TokenKind::LeftParen) {
            return self.call(name);
        }
        Ok(self.plain_call(name, Vec::new()))
    }

    fn exists(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        self.advance();
        if !self.at_query() && !self.opens_query() {
            return Err(self.expected("a query after `EXISTS (`"));
        }
        self.subquery_tail(start, "EXISTS (query)")
    }
}

/// Functions.
impl Parser<'_> {
    /// `(arguments) [FILTER (WHERE …)] [OVER …]` after the name of a function.
    fn call(&mut self, name: ObjectName) -> SqlResult<Expr> {
        let start = name.span;
        let mut call = Call { name, args: Vec::new(), star: false, distinct: false, filter: None, over: None };
        self.expect(TokenKind::LeftParen)?;
        if self.accept(TokenKind::Star) {
            call.star = true;
            self.expect(TokenKind::RightParen)?;
        } else if !self.accept(TokenKind::RightParen) {
            call.distinct = self.accept_word("DISTINCT");
            if !call.distinct {
                self.accept_word("ALL");
            }
            call.args = self.list(Self::argument)?;
            self.close_arguments()?;
        }
        self.call_suffix(&mut call)?;
        Ok(Expr { kind: ExprKind::Call(call), span: self.span_from(start) })
    }

    /// The end of the arguments, and what may stand in and after them but is refused.
    fn close_arguments(&mut self) -> SqlResult<()> {
        let start = self.peek().span;
        if self.at_one_of(&["IGNORE", "RESPECT"]) && self.word_at(1, "NULLS") {
            let name = format!("{} NULLS", self.upper(self.peek()));
            self.advance();
            return Err(self.refused(start, &name));
        }
        if self.at_words(&["ORDER", "BY"]) {
            self.advance();
            return Err(SqlError::unsupported(start.to(self.peek().span), "`ORDER BY` in the arguments of a function"));
        }
        self.close_list()?;
        let start = self.peek().span;
        for words in [["WITHIN", "GROUP"], ["IGNORE", "NULLS"], ["RESPECT", "NULLS"]] {
            if self.at_words(&words) {
                self.advance();
                return Err(self.refused(start, &words.join(" ")));
            }
        }
        Ok(())
    }

    /// `[FILTER (WHERE …)] [OVER …]`
    fn call_suffix(&mut self, call: &mut Call) -> SqlResult<()> {
        if self.at_word("FILTER") && self.peek_at(1).kind == TokenKind::LeftParen {
            self.advance();
            self.advance();
            self.expect_word("WHERE")?;
            call.filter = Some(Box::new(self.expression()?));
            self.expect(TokenKind::RightParen)?;
        }
        if self.at_word("OVER") {
            let start = self.advance().span;
            if self.at(TokenKind::LeftParen) {
                self.skip_enclosed()?;
            } else {
                self.identifier("a window")?;
            }
            call.over = Some(self.span_from(start));
        }
        Ok(())
    }

    fn argument(&mut self) -> SqlResult<Expr> {
        if self.peek_at(1).kind == TokenKind::Arrow {
            let start = self.advance().span;
            let error = SqlError::unsupported(start.to(self.peek().span), "a named argument of a scalar function");
            return Err(error.with_hint("give the arguments by position"));
        }
        self.expression()
    }

    /// A function whose arguments may be divided by words instead of commas; `(word, required)` in order.
    fn worded_call(&mut self, divisions: &[(&str, bool)]) -> SqlResult<Expr> {
        let name = self.word_name();
        self.expect(TokenKind::LeftParen)?;
        let mut args = vec![self.expression()?];
        if self.at(TokenKind::Comma) {
            while self.accept(TokenKind::Comma) {
                args.push(self.expression()?);
            }
            self.close_list()?;
            return Ok(self.plain_call(name, args));
        }
        for (word, required) in divisions {
            if self.accept_word(word) {
                args.push(self.expression()?);
            } else if *required {
                return Err(self.expected(&format!("`{word}` or `,`")));
            }
        }
        self.expect(TokenKind::RightParen)?;
        Ok(self.plain_call(name, args))
    }

    /// `POSITION(a IN b)`
    fn position(&mut self) -> SqlResult<Expr> {
        let name = self.word_name();
        self.expect(TokenKind::LeftParen)?;
        let mut args = vec![self.expression_before_in()?];
        self.expect_word("IN")?;
        args.push(self.expression()?);
        if self.accept_word("FROM") {
            args.push(self.expression()?);
        }
        self.expect(TokenKind::RightParen)?;
        Ok(self.plain_call(name, args))
    }

    /// `TIMESTAMPADD(unit, a, b)`, `TIMESTAMPDIFF(unit, a, b)`
    fn unit_call(&mut self) -> SqlResult<Expr> {
        let name = self.word_name();
        self.expect(TokenKind::LeftParen)?;
        let unit = self.time_unit()?;
        let span = unit.span;
        let mut args = vec![Expr { kind: ExprKind::Column(ObjectName { parts: vec![unit], span }), span }];
        while self.accept(TokenKind::Comma) {
            args.push(self.expression()?);
        }
        self.close_list()?;
        Ok(self.plain_call(name, args))
    }

    /// `EXTRACT(unit FROM x)`
    fn extract(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        self.expect(TokenKind::LeftParen)?;
        let unit = self.time_unit()?;
        self.expect_word("FROM")?;
        let value = Box::new(self.expression()?);
        self.expect(TokenKind::RightParen)?;
        Ok(Expr { kind: ExprKind::Extract(unit, value), span: self.span_from(start) })
    }

    /// `FLOOR(x)`, or `FLOOR(x TO unit)` which `to_unit` makes.
    fn rounding(&mut self, to_unit: fn(Box<Expr>, Ident) -> ExprKind) -> SqlResult<Expr> {
        let name = self.word_name();
        let start = name.span;
        self.expect(TokenKind::LeftParen)?;
        let value = self.expression()?;
        if !self.accept_word("TO") {
            self.expect(TokenKind::RightParen)?;
            return Ok(self.plain_call(name, vec![value]));
        }
        let unit = self.time_unit()?;
        self.expect(TokenKind::RightParen)?;
        Ok(Expr { kind: to_unit(Box::new(value), unit), span: self.span_from(start) })
    }

    /// `TRIM([BOTH | LEADING | TRAILING] [characters] [FROM] x)`
    fn trim(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        self.expect(TokenKind::LeftParen)?;
        let side = match self.upper(self.peek()).as_str() {
            "BOTH" => Some(TrimSide::Both),
            "LEADING" => Some(TrimSide::Leading),
            "TRAILING" => Some(TrimSide::Trailing),
            _ => None,
        };
        if side.is_some() {
            self.advance();
        }
        let side = side.unwrap_or(TrimSide::Both);
        let mut characters = None;
        if !self.accept_word("FROM") {
            let first = Box::new(self.expression()?);
            if !self.accept_word("FROM") {
                self.expect(TokenKind::RightParen)?;
                return Ok(Expr { kind: ExprKind::Trim(side, None, first), span: self.span_from(start) });
            }
            characters = Some(first);
        }
        let value = Box::new(self.expression()?);
        self.expect(TokenKind::RightParen)?;
        Ok(Expr { kind: ExprKind::Trim(side, characters, value), span: self.span_from(start) })
    }

    /// `CAST(x AS t)`, `TRY_CAST(x AS t)`
    fn cast(&mut self) -> SqlResult<Expr> {
        let is_try = self.at_word("TRY_CAST");
        let start = self.advance().span;
        self.expect(TokenKind::LeftParen)?;
        let input = Box::new(self.expression()?);
        self.expect_word("AS")?;
        let ty = self.cast_type()?;
        self.expect(TokenKind::RightParen)?;
        Ok(Expr { kind: ExprKind::Cast { input, ty, is_try }, span: self.span_from(start) })
    }

    /// `CASE [operand] WHEN … THEN … [ELSE …] END`
    fn case(&mut self) -> SqlResult<Expr> {
        let start = self.advance().span;
        let operand = if self.at_word("WHEN") { None } else { Some(Box::new(self.expression()?)) };
        let mut branches = Vec::new();
        while self.at_word("WHEN") {
            branches.push(self.case_branch()?);
        }
        if branches.is_empty() {
            return Err(self.expected("`WHEN`"));
        }
        let otherwise = if self.accept_word("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        if !self.accept_word("END") {
            return Err(self.expected(if otherwise.is_some() { "`END`" } else { "`WHEN`, `ELSE` or `END`" }));
        }
        Ok(Expr { kind: ExprKind::Case { operand, branches, otherwise }, span: self.span_from(start) })
    }

    fn case_branch(&mut self) -> SqlResult<(Expr, Expr)> {
        self.advance();
        let condition = self.expression()?;
        if self.at(TokenKind::Comma) {
            return Err(SqlError::unsupported(self.peek().span, "`WHEN` with several values"));
        }
        self.expect_word("THEN")?;
        Ok((condition, self.expression()?))
    }

    /// A call of `name` with nothing but arguments, which ends before this place.
    fn plain_call(&self, name: ObjectName, args: Vec<Expr>) -> Expr {
        let span = self.span_from(name.span);
        let call = Call { name, args, star: false, distinct: false, filter: None, over: None };
        Expr { kind: ExprKind::Call(call), span }
    }
}
