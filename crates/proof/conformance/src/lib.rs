//! Holds the product against answers that it did not compute itself.
//!
//! [`memory`] feeds a script from memory and collects what comes out; [`oracle`] computes the batch answer of the same
//! plan from scratch, row by row; [`recorded`] reads answers that Apache Flink gave; [`acceptance`] makes the objects of
//! manifests that others document. Nothing here is used by the product.

pub mod acceptance;
pub mod memory;
pub mod oracle;
pub mod recorded;
