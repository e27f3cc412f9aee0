//! Tokens to syntax trees: a recursive-descent parser for the Flink dialect.
//!
//! What Flink knows and the native engine does not run is recognised, so that it can be refused by name and place; what
//! is no Flink SQL at all is an error that says what was expected and what was found. The parser never resolves a name.
//!
//! No tree is higher than `MAX_DEPTH`, however the text nests or chains, so that neither the parser nor anything that
//! later walks or drops a tree can run out of stack.

mod call;
mod ddl;
mod expr;
mod hint;
mod literal;
mod query;
mod statement;
mod table;
mod types;
mod words;

#[cfg(test)]
mod tests;

use crate::ast::{Expr, Ident, ObjectName, Statement};
use crate::error::{Span, SqlError, SqlResult};
use crate::lexer::{Token, TokenKind, lex, unquote};

/// How deep a tree, or the nesting of the text, may be.
const MAX_DEPTH: usize = 256;

/// How large a script may be.
const MAX_SCRIPT_BYTES: usize = 16 << 20;

/// Parses a script: statements separated by semicolons.
pub fn parse_script(text: &str) -> SqlResult<Vec<Statement>> {
    let mut parser = Parser::new(text)?;
    let mut statements = Vec::new();
    loop {
        while parser.accept(TokenKind::Semicolon) {}
        if parser.at(TokenKind::End) {
            return Ok(statements);
        }
        statements.push(parser.statement()?);
        if !parser.at(TokenKind::Semicolon) && !parser.at(TokenKind::End) {
            return Err(parser.unseparated());
        }
    }
}

/// Parses a single expression.
pub fn parse_expression(text: &str) -> SqlResult<Expr> {
    let mut parser = Parser::new(text)?;
    let expr = parser.expression()?;
    if parser.at(TokenKind::End) { Ok(expr) } else { Err(parser.expected("the end of the expression")) }
}

/// A place in the tokens of a text, and how deep it is.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// Index of the next token.
    position: usize,
    /// Levels entered and not yet left.
    depth: usize,
    /// Height of the highest tree that was made since the last [`Parser::open`].
    height: usize,
}

/// Reading tokens.
impl<'a> Parser<'a> {
    fn new(text: &'a str) -> SqlResult<Self> {
        if text.len() > MAX_SCRIPT_BYTES {
            let message = format!("script of {} bytes is larger than {} MiB", text.len(), MAX_SCRIPT_BYTES >> 20);
            return Err(SqlError::invalid(Span::default(), message));
        }
        Self::within(text, 0, text.len())
    }

    /// A parser of the bytes `from..to` only.
    fn within(text: &'a str, from: usize, to: usize) -> SqlResult<Self> {
        Ok(Self { text, tokens: lex(text, from, to)?, position: 0, depth: 0, height: 0 })
    }

    fn peek(&self) -> Token {
        self.peek_at(0)
    }

    /// The token `ahead` tokens from here; past the end it is the end.
    fn peek_at(&self, ahead: usize) -> Token {
        let end = || Token { kind: TokenKind::End, span: Span::new(self.text.len(), self.text.len()) };
        self.tokens.get(self.position + ahead).or(self.tokens.last()).copied().unwrap_or_else(end)
    }

    /// Answers the next token and goes past it; the end is never passed.
    fn advance(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.position += 1;
        }
        token
    }

    fn text_of(&self, token: Token) -> &'a str {
        self.text.get(token.span.start as usize..token.span.end as usize).unwrap_or("")
    }

    /// The text of a token in upper case, to be compared with keywords.
    fn upper(&self, token: Token) -> String {
        self.text_of(token).to_ascii_uppercase()
    }

    /// The token before this place.
    fn previous(&self) -> Option<Token> {
        self.position.checked_sub(1).and_then(|previous| self.tokens.get(previous)).copied()
    }

    /// From `start` to the end of the token before this place.
    fn span_from(&self, start: Span) -> Span {
        self.previous().map_or(start, |token| start.to(token.span))
    }
}

/// Recognising tokens.
impl Parser<'_> {
    fn at(&self, kind: TokenKind) -> bool {
        self.peek().kind == kind
    }

    fn accept(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: TokenKind) -> SqlResult<Token> {
        if self.at(kind) { Ok(self.advance()) } else { Err(self.expected(kind.shown())) }
    }

    /// Whether the token `ahead` tokens from here is the keyword `word`.
    fn word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == TokenKind::Word && self.text_of(token).eq_ignore_ascii_case(word)
    }

    fn at_word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    /// Whether the next tokens are these keywords.
    fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.word_at(ahead, word))
    }

    /// Whether the next token is one of these keywords.
    fn at_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    fn accept_word(&mut self, word: &str) -> bool {
        self.accept_words(&[word])
    }

    /// Goes past these keywords if all of them are next.
    fn accept_words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        if found {
            self.position += words.len();
        }
        found
    }

    fn expect_word(&mut self, word: &str) -> SqlResult<Token> {
        if self.at_word(word) { Ok(self.advance()) } else { Err(self.expected(&format!("`{word}`"))) }
    }

    fn expect_words(&mut self, words: &[&str]) -> SqlResult<()> {
        words.iter().try_for_each(|word| self.expect_word(word).map(|_| ()))
    }

    /// An identifier: a word that is not reserved, or anything in backticks.
    fn identifier(&mut self, what: &str) -> SqlResult<Ident> {
        let token = self.peek();
        if !self.is_identifier(token) {
            return Err(self.expected_name(what));
        }
        self.advance();
        Ok(self.ident_of(token))
    }

    /// Whether a token is an identifier.
    fn is_identifier(&self, token: Token) -> bool {
        match token.kind {
            TokenKind::Quoted => true,
            TokenKind::Word => !words::is_reserved(self.text_of(token)),
            _ => false,
        }
    }

    /// A token as an identifier, without its quotes.
    fn ident_of(&self, token: Token) -> Ident {
        let text = self.text_of(token);
        let name = match token.kind {
            TokenKind::Quoted => unquote(text, '`'),
            TokenKind::String => unquote(text, '\''),
            _ => text.to_owned(),
        };
        Ident { name, span: token.span }
    }

    /// A dotted name.
    fn object_name(&mut self, what: &str) -> SqlResult<ObjectName> {
        let first = self.identifier(what)?;
        let start = first.span;
        let mut parts = vec![first];
        while self.accept(TokenKind::Dot) {
            parts.push(self.identifier("a name after `.`")?);
        }
        Ok(ObjectName { parts, span: self.span_from(start) })
    }

    /// A string between single quotes.
    fn string(&mut self, what: &str) -> SqlResult<Ident> {
        if !self.at(TokenKind::String) {
            return Err(self.expected(what));
        }
        let token = self.advance();
        Ok(self.ident_of(token))
    }

    /// Items separated by commas, at least one.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> SqlResult<T>) -> SqlResult<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept(TokenKind::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// The end of a list in parentheses.
    fn close_list(&mut self) -> SqlResult<()> {
        if self.accept(TokenKind::RightParen) { Ok(()) } else { Err(self.expected("`,` or `)`")) }
    }

    /// `(name, …)`
    fn identifiers_in_parentheses(&mut self, what: &str) -> SqlResult<Vec<Ident>> {
        self.expect(TokenKind::LeftParen)?;
        let names = self.list(|parser| parser.identifier(what))?;
        self.close_list()?;
        Ok(names)
    }

    /// Goes past the parentheses or brackets that open here and everything in them; answers their place.
    fn skip_enclosed(&mut self) -> SqlResult<Span> {
        let opening = self.peek();
        let mut open = 0usize;
        loop {
            match self.peek().kind {
                TokenKind::LeftParen | TokenKind::LeftBracket => open += 1,
                TokenKind::RightParen | TokenKind::RightBracket if open > 0 => open -= 1,
                TokenKind::End | TokenKind::Semicolon => {
                    let text = self.text_of(opening);
                    return Err(SqlError::invalid(opening.span, format!("`{text}` is not closed")));
                }
                _ if open == 0 => return Err(self.expected(TokenKind::LeftParen.shown())),
                _ => {}
            }
            self.advance();
            if open == 0 {
                return Ok(self.span_from(opening.span));
            }
        }
    }
}

/// Saying what is wrong.
impl Parser<'_> {
    /// The error that `what` was expected here, with advice if a keyword seems to be misspelt.
    fn expected(&self, what: &str) -> SqlError {
        let found = self.peek();
        let text = self.text_of(found);
        if found.kind == TokenKind::Unknown {
            return unknown_character(found.span, text);
        }
        let shown = match found.kind {
            TokenKind::End => found.kind.shown().to_owned(),
            TokenKind::Quoted => abbreviated(text),
            _ => format!("`{}`", abbreviated(text)),
        };
        let misspelt = |token: Token| match token.kind {
            TokenKind::Word => words::misspelt_clause(self.text_of(token)),
            _ => None,
        };
        // A misspelt keyword was taken for a name, so it is the word behind it that cannot be understood.
        let before = self.previous().and_then(|previous| Some((previous, misspelt(previous)?)));
        if let Some((previous, clause)) = before {
            let message = format!("expected {what} after `{}`, found {shown}", self.text_of(previous));
            return SqlError::invalid(previous.span, message).with_hint(format!("did you mean `{clause}`?"));
        }
        let error = SqlError::invalid(found.span, format!("expected {what}, found {shown}"));
        match misspelt(found) {
            Some(clause) => error.with_hint(format!("did you mean `{clause}`?")),
            None => error,
        }
    }

    /// The error that a statement goes on where it should have ended, with advice if another one begins here.
    fn unseparated(&self) -> SqlError {
        let error = self.expected("`;` or the end of the script");
        let Some(previous) =
            self.previous().filter(|_| error.hint.is_none() && statement::begins(&self.upper(self.peek())))
        else {
            return error;
        };
        let lines = |end: u32| self.text.bytes().take(end as usize).filter(|byte| *byte == b'\n').count() + 1;
        let (line, next) = (lines(previous.span.end), lines(error.span.start));
        error.with_hint(match line == next {
            true => format!("is a `;` missing before `{}`?", self.text_of(self.peek())),
            false => format!("is a `;` missing at the end of line {line}?"),
        })
    }

    /// The error that a name was expected here, with advice if a reserved word stands where the name should.
    fn expected_name(&self, what: &str) -> SqlError {
        let found = self.peek();
        let text = self.text_of(found);
        if found.kind != TokenKind::Word || words::is_clause(text) {
            return self.expected(what);
        }
        SqlError::invalid(found.span, format!("expected {what}, found the reserved word `{text}`"))
            .with_hint(format!("write it in backticks to use it as a name: `{text}`"))
    }

    /// The error that one of `candidates` was expected here, with the one that was likely meant.
    fn expected_one_of(&self, what: &str, candidates: &[&str]) -> SqlError {
        let found = self.peek();
        let error = self.expected(what);
        match found.kind {
            TokenKind::Word => error.with_suggestion(&self.upper(found), candidates.iter().copied()),
            _ => error,
        }
    }

    /// The refusal of the construct that begins at `start` and reaches to the next token.
    fn refused(&self, start: Span, construct: &str) -> SqlError {
        SqlError::unsupported(start.to(self.peek().span), format!("`{construct}`"))
    }
}

/// Keeping trees low.
impl Parser<'_> {
    /// Goes `levels` deeper; on success [`Parser::leave`] must follow.
    fn enter(&mut self, levels: usize) -> SqlResult<()> {
        self.depth += levels;
        if self.depth > MAX_DEPTH { Err(too_deep(self.peek().span)) } else { Ok(()) }
    }

    fn leave(&mut self, levels: usize) {
        self.depth = self.depth.saturating_sub(levels);
    }

    /// Begins to measure the height of a tree of its own; the answer must be given to [`Parser::close`].
    fn open(&mut self) -> usize {
        std::mem::take(&mut self.height)
    }

    /// Puts `levels` on top of what was measured since [`Parser::open`].
    fn grow(&mut self, levels: usize, span: Span) -> SqlResult<()> {
        self.height += levels;
        if self.height > MAX_DEPTH { Err(too_deep(span)) } else { Ok(()) }
    }

    /// Ends what [`Parser::open`] began: the tree stands beside those that were measured before.
    fn close(&mut self, outer: usize) {
        self.height = self.height.max(outer);
    }
}

fn too_deep(span: Span) -> SqlError {
    SqlError::invalid(span, format!("nesting is deeper than {MAX_DEPTH} levels"))
        .with_hint("split it into views or computed columns")
}

fn unknown_character(span: Span, text: &str) -> SqlError {
    let character = text.chars().next().unwrap_or_default();
    if character == '"' {
        return SqlError::invalid(span, "unexpected character `\"`")
            .with_hint("strings are written in single quotes, names in backticks");
    }
    if character.is_control() || character.is_whitespace() {
        return SqlError::invalid(span, format!("unexpected character U+{:04X}", u32::from(character)));
    }
    SqlError::invalid(span, format!("unexpected character `{character}`"))
}

/// The first line of a token, cut to a length that fits in a message.
fn abbreviated(text: &str) -> String {
    const LENGTH: usize = 40;
    let line = text.lines().next().unwrap_or("");
    if line.len() == text.len() && line.chars().count() <= LENGTH {
        return line.to_owned();
    }
    let start: String = line.chars().take(LENGTH).collect();
    format!("{start}…")
}

/// Joins items pairwise, neighbours first, so that the tree is as low as it can be and their order is kept.
fn balanced<T>(mut first: T, mut rest: Vec<T>, join: impl Fn(T, T) -> T) -> T {
    while !rest.is_empty() {
        let mut items = rest.into_iter();
        if let Some(second) = items.next() {
            first = join(first, second);
        }
        rest = Vec::with_capacity(items.len().div_ceil(2));
        while let Some(left) = items.next() {
            rest.push(match items.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
    }
    first
}

/// How many levels [`balanced`] puts on `count` items.
fn balanced_levels(count: usize) -> usize {
    count.max(1).next_power_of_two().trailing_zeros() as usize
}
