//! Date and time patterns of Java: `yyyy-MM-dd HH:mm:ss` and the like, for printing and for reading.
//!
//! Java has two classes that take such patterns and differ in detail; Flink uses both, see [`Dialect`]. Letters that
//! neither prints here are an error when the pattern is compiled, never wrong output. Texts are English.

mod compile;
mod element;
mod lenient;
mod print;
mod strict;

use datafusion_common::Result;

use self::element::Element;

pub use self::element::{Dialect, Wall};

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct DateFormat {
    dialect: Dialect,
    elements: Vec<Element>,
}

impl DateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Execution if it has a letter, or a letter so often, that is not supported, or is not balanced.
    pub fn compile(pattern: &str, dialect: Dialect) -> Result<Self> {
        Ok(Self { dialect, elements: compile::compile(pattern, dialect)? })
    }

    /// Whether Java refuses the pattern.
    pub fn is_malformed(&self) -> bool {
        matches!(self.elements.as_slice(), [Element::Malformed])
    }

    /// Appends a time.
    pub fn print(&self, wall: Wall, out: &mut String) {
        print::print(&self.elements, self.dialect, wall, out);
    }

    /// Reads a time; `None` if `text` does not fit the pattern.
    pub fn parse(&self, text: &str) -> Option<Wall> {
        match self.dialect {
            Dialect::Formatter | Dialect::Parser => strict::parse(&self.elements, text),
            Dialect::Simple => lenient::parse(&self.elements, text),
        }
    }
}
