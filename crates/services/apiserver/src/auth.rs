//! Who calls, and what they may do: bearer tokens, roles given by bindings, reviews, and the audit of what was refused.
//!
//! * A token is 256 random bits. Only its SHA-256 is stored; every wrong token gets the same answer.
//! * Rights are lists of rules evaluated as Kubernetes' RBAC does: what no rule allows is refused, and the refusal is the
//!   same whether the object exists or not.
//! * Roles are built in; bindings are objects. Nobody can give a role that allows more than they may do themselves.

pub mod access;
pub mod attributes;
pub mod audit;
pub mod caller;
pub mod escalation;
pub mod grants;
pub mod impersonation;
pub mod reviews;
pub mod roles;
pub mod rules;
pub mod secret_file;
pub mod throttle;
pub mod tokens;

#[cfg(test)]
mod tests;

pub use self::access::Access;
pub use self::attributes::Attributes;
pub use self::caller::Caller;
