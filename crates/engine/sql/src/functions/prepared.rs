//! What a kernel makes ready once from literal arguments: patterns, formats, lists.
//!
//! Everything here can also be made per row; being ready only saves time.

use std::sync::Arc;

use datafusion_common::Result;

use crate::functions::argument::Argument;
use crate::functions::date_format::{DateFormat, Dialect};
use crate::functions::membership::members::Members;
use crate::functions::pattern::like::LikePattern;
use crate::plan::Function;

/// What was made ready.
#[derive(Debug, Clone, Default)]
pub enum Prepared {
    /// Nothing, or the argument is not a literal.
    #[default]
    Nothing,
    /// The pattern of LIKE.
    Like(Arc<LikePattern>),
    /// The list of IN.
    Members(Arc<Members>),
    /// The format of a function that prints or reads times.
    Format(Arc<DateFormat>),
}

impl Prepared {
    /// Makes ready what `literals` allow; the others are `None`.
    ///
    /// # Errors
    /// Execution if a pattern or format is malformed.
    pub fn new(function: Function, literals: &[Option<Argument>]) -> Result<Self> {
        match function {
            Function::Like => like(literals),
            Function::In => {
                let list: Option<Vec<&Argument>> = literals.iter().skip(1).map(Option::as_ref).collect();
                let members = list.and_then(|list| Members::new(&list));
                Ok(members.map_or(Self::Nothing, |members| Self::Members(Arc::new(members))))
            }
            Function::DateFormat => format(literals, Dialect::Formatter),
            Function::ToTimestamp => format(literals, Dialect::Parser),
            Function::FromUnixtime | Function::UnixTimestamp | Function::ToDate => format(literals, Dialect::Simple),
            _ => Ok(Self::Nothing),
        }
    }
}

fn like(literals: &[Option<Argument>]) -> Result<Prepared> {
    let escape = match literals.get(2) {
        None => None,
        Some(Some(escape)) => Some(escape.text()?),
        Some(None) => return Ok(Prepared::Nothing),
    };
    let Some(Some(pattern)) = literals.get(1) else { return Ok(Prepared::Nothing) };
    let Some(pattern) = pattern.text()?.constant() else { return Ok(Prepared::Nothing) };
    let escape = match &escape {
        None => None,
        Some(reader) => match reader.constant() {
            Some(escape) => Some(escape),
            None => return Ok(Prepared::Nothing),
        },
    };
    Ok(Prepared::Like(Arc::new(LikePattern::compile(pattern, escape)?)))
}

fn format(literals: &[Option<Argument>], dialect: Dialect) -> Result<Prepared> {
    let Some(Some(argument)) = literals.get(1) else { return Ok(Prepared::Nothing) };
    match argument.text()?.constant() {
        Some(pattern) => Ok(Prepared::Format(Arc::new(DateFormat::compile(pattern, dialect)?))),
        None => Ok(Prepared::Nothing),
    }
}
