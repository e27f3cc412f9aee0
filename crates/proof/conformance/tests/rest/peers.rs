//! Programs of other people that know Flink, let loose on the native engine: none of them may notice.

mod applications;
mod cli;
mod clients;
mod prometheus;
mod web_ui;
