//! Text to tokens, each with its place in the text.
//!
//! Tokens hold no text of their own: what a token says is read from the script through its span, so that each costs
//! twelve bytes. Comments are skipped, hints (`/*+ … */`) are kept as one token and taken apart by the parser.

use crate::error::{Span, SqlError, SqlResult};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word without quotes: a keyword or an identifier, the parser decides.
    Word,
    /// An identifier in backticks.
    Quoted,
    /// `'…'`
    String,
    /// `42`
    Integer,
    /// `1.5`, `.5`, `1.`
    Decimal,
    /// `1e3`
    Double,
    /// `X'CAFE'`, known to hold pairs of hexadecimal digits.
    Binary,
    /// `/*+ … */`
    Hint,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    Comma,
    Semicolon,
    Dot,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Concat,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Arrow,
    /// A character that no token starts with; only the value of an unquoted `SET` may hold one.
    Unknown,
    /// The end of the text.
    End,
}

impl TokenKind {
    /// How an error message calls it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Word | Self::Quoted => "a name",
            Self::String => "a quoted string",
            Self::Integer => "a whole number",
            Self::Decimal | Self::Double => "a number",
            Self::Binary => "a binary string",
            Self::Hint => "a hint",
            Self::LeftParen => "`(`",
            Self::RightParen => "`)`",
            Self::LeftBracket => "`[`",
            Self::RightBracket => "`]`",
            Self::Comma => "`,`",
            Self::Semicolon => "`;`",
            Self::Dot => "`.`",
            Self::Plus => "`+`",
            Self::Minus => "`-`",
            Self::Star => "`*`",
            Self::Slash => "`/`",
            Self::Percent => "`%`",
            Self::Concat => "`||`",
            Self::Equal => "`=`",
            Self::NotEqual => "`<>`",
            Self::Less => "`<`",
            Self::LessOrEqual => "`<=`",
            Self::Greater => "`>`",
            Self::GreaterOrEqual => "`>=`",
            Self::Arrow => "`=>`",
            Self::Unknown => "a character",
            Self::End => "the end of the text",
        }
    }
}

/// A token: what it is and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Where it stands, quotes included.
    pub(crate) span: Span,
}

/// Cuts the bytes `from..to` of `text` into tokens; the last one is [`TokenKind::End`].
///
/// Spans count from the start of `text`.
pub(crate) fn lex(text: &str, from: usize, to: usize) -> SqlResult<Vec<Token>> {
    let mut lexer = Lexer { text: text.get(..to).unwrap_or(text), at: from };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let start = lexer.at;
        let kind = lexer.token()?;
        tokens.push(Token { kind, span: Span::new(start, lexer.at) });
        if kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

/// Reads what is between quotes: takes the quotes off and makes doubled quotes single.
pub(crate) fn unquote(text: &str, quote: char) -> String {
    let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)).unwrap_or(text);
    let mut value = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        value.push(character);
        if character == quote {
            characters.next();
        }
    }
    value
}

/// Reads the bytes of `X'…'`.
pub(crate) fn hexadecimal_bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0u8, |byte, digit| (byte << 4) | digit)).collect()
}

/// Reads a text from `at` on.
struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    /// The byte `ahead` bytes from here; 0 past the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Skips white space and comments that are no hints.
    fn skip_blanks(&mut self) -> SqlResult<()> {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\r' | b'\n' | 0x0c, _) => self.at += 1,
                (b'-', b'-') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                (b'/', b'*') if self.byte(2) != b'+' => self.block_comment()?,
                // A byte order mark is no text.
                (0xef, 0xbb) if self.at == 0 && self.byte(2) == 0xbf => self.at += 3,
                _ => return Ok(()),
            }
        }
    }

    /// Skips to the end of the comment or hint that starts here.
    fn block_comment(&mut self) -> SqlResult<()> {
        let start = self.at;
        let opening = if self.byte(2) == b'+' { 3 } else { 2 };
        match self.text.get(start + opening..).and_then(|inner| inner.find("*/")) {
            Some(length) => {
                self.at = start + opening + length + 2;
                Ok(())
            }
            None => Err(SqlError::invalid(Span::new(start, start + opening), "comment is not closed")
                .with_hint("close it with `*/`")),
        }
    }

    /// Reads the token that starts here.
    fn token(&mut self) -> SqlResult<TokenKind> {
        if self.at >= self.text.len() {
            return Ok(TokenKind::End);
        }
        match (self.byte(0), self.byte(1)) {
            (b'\'', _) => self.string(0),
            (b'`', _) => self.quoted_identifier(),
            (b'/', b'*') => self.block_comment().map(|()| TokenKind::Hint),
            (b'x' | b'X', b'\'') => self.binary(),
            (b'u' | b'U', b'&') if self.byte(2) == b'\'' => {
                Err(SqlError::unsupported(Span::new(self.at, self.at + 3), "a string with Unicode escapes, `U&'…'`,"))
            }
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => Ok(self.number()),
            _ => Ok(self.word_or_symbol()),
        }
    }

    /// Reads `'…'` whose opening quote is `prefix` bytes from here.
    fn string(&mut self, prefix: usize) -> SqlResult<TokenKind> {
        let start = self.at + prefix;
        self.at = start + 1;
        loop {
            match (self.byte(0), self.byte(1)) {
                _ if self.at >= self.text.len() => {
                    return Err(SqlError::invalid(Span::new(start, start + 1), "string is not closed")
                        .with_hint("close it with `'`; a quote inside a string is written twice"));
                }
                (b'\'', b'\'') => self.at += 2,
                (b'\'', _) => {
                    self.at += 1;
                    return Ok(TokenKind::String);
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads `X'…'`.
    fn binary(&mut self) -> SqlResult<TokenKind> {
        let start = self.at;
        self.string(1)?;
        let digits = self.text.get(start + 2..self.at - 1).unwrap_or("");
        if digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(TokenKind::Binary);
        }
        Err(SqlError::invalid(Span::new(start, self.at), "a binary string must hold pairs of hexadecimal digits"))
    }

    /// Reads an identifier in backticks; it ends on its line, so that a forgotten backtick is found where it is.
    fn quoted_identifier(&mut self) -> SqlResult<TokenKind> {
        let start = self.at;
        self.at += 1;
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'`', b'`') => self.at += 2,
                (b'`', _) if self.at == start + 1 => {
                    return Err(SqlError::invalid(
                        Span::new(start, start + 2),
                        "a name in backticks must not be empty",
                    ));
                }
                (b'`', _) => {
                    self.at += 1;
                    return Ok(TokenKind::Quoted);
                }
                (b'\n', _) => return Err(unclosed_backtick(start)),
                _ if self.at >= self.text.len() => return Err(unclosed_backtick(start)),
                _ => self.at += 1,
            }
        }
    }

    /// Reads a number; a sign is an operator of its own.
    fn number(&mut self) -> TokenKind {
        let mut kind = TokenKind::Integer;
        self.skip_digits();
        if self.byte(0) == b'.' {
            kind = TokenKind::Decimal;
            self.at += 1;
            self.skip_digits();
        }
        let exponent = match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'e' | b'E', b'0'..=b'9', _) => 1,
            (b'e' | b'E', b'+' | b'-', b'0'..=b'9') => 2,
            _ => return kind,
        };
        self.at += exponent;
        self.skip_digits();
        TokenKind::Double
    }

    fn skip_digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn word_or_symbol(&mut self) -> TokenKind {
        let rest = self.rest();
        let word = rest.find(|character| !is_word_part(character)).unwrap_or(rest.len());
        if word > 0 && rest.starts_with(is_word_start) {
            self.at += word;
            return TokenKind::Word;
        }
        let (kind, length) = match (self.byte(0), self.byte(1)) {
            (b'|', b'|') => (TokenKind::Concat, 2),
            (b'=', b'>') => (TokenKind::Arrow, 2),
            (b'<', b'>') | (b'!', b'=') => (TokenKind::NotEqual, 2),
            (b'<', b'=') => (TokenKind::LessOrEqual, 2),
            (b'>', b'=') => (TokenKind::GreaterOrEqual, 2),
            (first, _) => match single(first) {
                Some(kind) => (kind, 1),
                None => (TokenKind::Unknown, rest.chars().next().map_or(1, char::len_utf8)),
            },
        };
        self.at += length;
        kind
    }
}

/// The token that a single byte makes.
fn single(byte: u8) -> Option<TokenKind> {
    Some(match byte {
        b'(' => TokenKind::LeftParen,
        b')' => TokenKind::RightParen,
        b'[' => TokenKind::LeftBracket,
        b']' => TokenKind::RightBracket,
        b',' => TokenKind::Comma,
        b';' => TokenKind::Semicolon,
        b'.' => TokenKind::Dot,
        b'+' => TokenKind::Plus,
        b'-' => TokenKind::Minus,
        b'*' => TokenKind::Star,
        b'/' => TokenKind::Slash,
        b'%' => TokenKind::Percent,
        b'=' => TokenKind::Equal,
        b'<' => TokenKind::Less,
        b'>' => TokenKind::Greater,
        _ => return None,
    })
}

fn is_word_start(character: char) -> bool {
    character == '_' || character == '$' || character.is_alphabetic()
}

fn is_word_part(character: char) -> bool {
    is_word_start(character) || character.is_numeric()
}

fn unclosed_backtick(start: usize) -> SqlError {
    SqlError::invalid(Span::new(start, start + 1), "name in backticks is not closed on its line")
        .with_hint("close it with a backtick; a backtick inside a name is written twice")
}

#[cfg(test)]
mod tests;
