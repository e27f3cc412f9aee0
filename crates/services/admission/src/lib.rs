//! The admission webhook of the operator: API servers ask it before they store a resource of Flink, and it answers in
//! the words of the embedded API.
//!
//! [`review`] judges and knows no socket; [`certificates`] says when one certificate follows another. [`Webhook`]
//! serves both: it makes its certificates, keeps them in one Secret that replicas share, and tells the API servers whom
//! to trust.
//!
//! ```text
//! API server ──TLS──▶ server ─▶ review ─▶ allowed, or refused with every problem
//!                       ▲ shelf
//! Secret ◀─▶ keeper ────┴─▶ caBundle of the webhook configurations
//! ```

mod api;
pub mod certificates;
mod configurations;
mod keeper;
pub mod review;
mod secret;
mod server;
mod service;
mod shelf;
mod webhook;

pub use service::Service;
pub use webhook::{Webhook, WebhookSettings};
