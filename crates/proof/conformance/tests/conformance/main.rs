//! Conformance: the stream against the batch answer, and expressions and aggregates against Apache Flink.

mod aggregates;
mod expressions;
mod prefixes;
