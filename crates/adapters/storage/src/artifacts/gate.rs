//! Who may be connected to: every name is resolved once, every address of it is checked, and only those that were
//! checked are connected to.
//!
//! A name that changes its addresses between a check and a connection gains nothing, since one lookup serves both.

use std::fmt;
use std::net::IpAddr;

use kobel_model::deployment::address;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The rules for hosts and for addresses; each says why it refuses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    /// The rule for a host as it is written.
    pub(super) host: fn(&str) -> Option<&'static str>,
    /// The rule for an address.
    pub(super) ip: fn(IpAddr) -> Option<&'static str>,
}

impl Gate {
    /// Lets public hosts pass.
    pub(super) fn public() -> Self {
        Self { host: address::of_host, ip: address::of_ip }
    }

    /// Lets every host pass.
    pub(super) fn open() -> Self {
        Self { host: |_| None, ip: |_| None }
    }
}

/// A host that may not be connected to.
#[derive(Debug)]
pub(super) struct Refused {
    host: String,
    verb: &'static str,
    reason: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its host `{}` {} {}", self.host, self.verb, self.reason)
    }
}

impl std::error::Error for Refused {}

/// Looks names up and lets through only what the gate allows.
#[derive(Debug)]
pub(super) struct CheckedResolver {
    gate: Gate,
    names: Box<dyn Resolver>,
}

impl CheckedResolver {
    /// Asks `names` for the addresses of a host.
    pub(super) fn new(gate: Gate, names: Box<dyn Resolver>) -> Self {
        Self { gate, names }
    }
}

impl Resolver for CheckedResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let refused = |verb, reason| ureq::Error::Other(Box::new(Refused { host: host.to_owned(), verb, reason }));
        if let Some(reason) = (self.gate.host)(host) {
            return Err(refused("is", reason));
        }
        let addresses = self.names.resolve(uri, config, timeout)?;
        match addresses.iter().find_map(|address| (self.gate.ip)(address.ip())) {
            Some(reason) => Err(refused("leads to", reason)),
            None => Ok(addresses),
        }
    }
}
