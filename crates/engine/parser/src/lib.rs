//! Flink SQL text to a syntax tree: lexer, parser, the tree, its types, and errors that point into the text.
//!
//! Nothing here knows what a name means: no catalog, no functions, no plan. Every node has its place; what Flink knows but
//! the native engine refuses is kept in the tree by name, so that the binder can refuse it where it stands. Nesting is
//! bounded, so no text can exhaust the stack.

pub mod ast;
pub mod error;
pub mod lexer;
pub mod parser;
pub mod types;
