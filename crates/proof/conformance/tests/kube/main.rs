//! The embedded API against what speaks to a Kubernetes API: `kubectl`, kube clients, and `kill -9`.
//!
//! `KOBEL_TEST_KUBECONFIG` names a cluster to run the same checks against: what it answers is right by definition.

mod acceptance;
mod bad_input;
mod behaviour;
mod blue_green;
mod client;
mod conditions;
mod examples;
mod flink;
mod kills;
mod kubectl;
mod machine;
mod manifests;
mod native;
mod resources;
mod server;
mod standby;
mod transcript;
