//! Flink SQL for the native engine: text to a checked, typed plan, and the plan to a dataflow graph.
//!
//! The flow: [`parser`] (crate `kobel-parser`) makes an [`ast`], [`session`] executes statements and has the [`binder`] make a typed
//! [`plan`] against the [`catalog`], [`optimizer`] rewrites it, [`lower`] turns it into a
//! [`kobel_dataflow::graph::Graph`] of operators and DataFusion physical expressions.
//!
//! This crate opens no file and reads no clock: connectors are reached through [`catalog::Connectors`], processing time
//! through [`lower::EvaluationClock`]. What it cannot run exactly it refuses with the construct's name and place.

pub mod binder;
pub mod catalog;
pub mod explain;
pub mod functions;
pub mod lower;
pub mod optimizer;
pub mod plan;
pub mod session;

pub use kobel_parser::{ast, error, lexer, parser, types};
