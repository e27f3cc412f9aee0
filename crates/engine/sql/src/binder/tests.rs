//! Tests of the binder: types of expressions, errors with their places, plans as text.

mod errors;
pub(crate) mod fixture;
mod limits;
mod plans;
mod types;
