//! What is decided about a pair of deployments: a table, walks through whole changes with a crash at every place, and
//! one test for each defect that the Apache operator is known to have or to have had.

mod references;
mod table;
mod walks;
mod world;
