//! Conformance: the stream against the batch answer, and expressions against Apache Flink.

mod expressions;
mod prefixes;
