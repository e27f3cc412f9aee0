//! The operator against a real Kubernetes API: what it makes of resources, what is left when they go, `kill -9`; with the
//! chart installed by Helm and no more rights than it gives, each of which is used; several operators, one of which
//! leads; and the webhook, which API servers ask.
//!
//! `KOBEL_TEST_KUBECONFIG` names a cluster to run the checks in; else this machine gets one whose nodes are played. One
//! check at a time has the cluster, for an operator looks after all of it.

mod acceptance;
mod behaviour;
mod chart;
mod client;
mod election;
mod fixture;
mod left;
mod manifests;
mod namespaces;
mod native;
mod objects;
mod operator;
mod peer;
mod refusals;
mod rights;
mod session;
mod stage;
mod survival;
mod takeover;
mod webhook;
