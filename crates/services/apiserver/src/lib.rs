//! The embedded resource API: the part of the Kubernetes API that `kubectl` and kube clients use, on SQLite.
//!
//! [`store`] keeps objects and tells changes; [`verbs`] change them by the rules of [`admission`]; [`http`] speaks the
//! protocol; [`auth`] knows who may do what; [`kinds`] are what is served. Every write is durable before it is answered.

pub mod admission;
pub mod auth;
pub mod discovery;
pub mod embedded;
pub mod garbage;
pub mod http;
pub mod kind;
pub mod kinds;
pub mod kubeconfig;
pub mod managed;
pub mod object;
pub mod openapi;
pub mod patch;
pub mod reviewers;
pub mod selector;
pub mod status;
pub mod store;
pub mod surroundings;
pub mod table;
pub mod verbs;
