//! The API over HTTP: requests become acts and reads, results become answers.
//!
//! [`Api`] knows no socket: a [`Call`] goes in, a [`Reply`] comes out. [`Server`] gives it one.

pub mod api;
pub mod call;
pub mod certificates;
pub mod decode;
pub mod definitions;
pub mod negotiation;
pub mod outgoing;
pub mod pages;
pub mod patient;
pub mod places;
pub mod query;
pub mod read;
pub mod reply;
pub mod route;
pub mod serve;
pub mod show;
pub mod view;
pub mod watching;
pub mod write;

pub use self::api::Api;
pub use self::call::Call;
pub use self::certificates::Material;
pub use self::reply::{Reply, ReplyBody};
pub use self::serve::{Options, Server};
pub use self::watching::WatchStream;

#[cfg(test)]
mod tests;
