//! The REST API of the native engine against Apache Flink: live, and as it was recorded.

mod differences;
mod engines;
mod exactly_once;
mod journey;
mod live;
mod native;
mod peers;
mod protection;
mod requests;
mod samples;
mod shape;
mod side;
