//! What is decided about applications and session jobs: a table, walks, laws, and one test for each defect that the
//! Apache operator is known to have or to have had.

mod case;
mod decisions;
mod health;
mod known_losses;
mod laws;
mod losses;
mod nonces;
mod plans;
mod references;
mod takeovers;
mod walks;
mod world;
