//! The calls that the controller makes: each is a place where it can be killed, and where the world can fail it.

use std::fmt;

/// Whom a call is made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// The Kubernetes API.
    Api,
    /// The REST API of a JobManager.
    Rest,
    /// The machine: processes, programs, files.
    Host,
}

/// Whether a call changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only asks.
    Asks,
    /// It changes something.
    Changes,
}

/// Every call that there is. A call of another name is a bug of the simulation.
pub const NAMES: &[(Port, &str, Effect)] = &[
    (Port::Api, "LIST flinkdeployments", Effect::Asks),
    (Port::Api, "LIST flinksessionjobs", Effect::Asks),
    (Port::Api, "LIST flinkstatesnapshots", Effect::Asks),
    (Port::Api, "LIST flinkbluegreendeployments", Effect::Asks),
    (Port::Api, "WATCH flinkdeployments", Effect::Asks),
    (Port::Api, "WATCH flinksessionjobs", Effect::Asks),
    (Port::Api, "WATCH flinkstatesnapshots", Effect::Asks),
    (Port::Api, "WATCH flinkbluegreendeployments", Effect::Asks),
    (Port::Api, "GET flinkdeployments", Effect::Asks),
    (Port::Api, "GET flinksessionjobs", Effect::Asks),
    (Port::Api, "GET flinkstatesnapshots", Effect::Asks),
    (Port::Api, "GET flinkbluegreendeployments", Effect::Asks),
    (Port::Api, "PUT flinkdeployments/status", Effect::Changes),
    (Port::Api, "PUT flinksessionjobs/status", Effect::Changes),
    (Port::Api, "PUT flinkstatesnapshots/status", Effect::Changes),
    (Port::Api, "PUT flinkbluegreendeployments/status", Effect::Changes),
    (Port::Api, "PATCH flinkdeployments", Effect::Changes),
    (Port::Api, "PATCH flinksessionjobs", Effect::Changes),
    (Port::Api, "PATCH flinkstatesnapshots", Effect::Changes),
    (Port::Api, "POST events", Effect::Changes),
    (Port::Api, "POST flinkdeployments", Effect::Changes),
    (Port::Api, "PUT flinkdeployments", Effect::Changes),
    (Port::Api, "DELETE flinkdeployments", Effect::Changes),
    (Port::Api, "POST flinkstatesnapshots", Effect::Changes),
    (Port::Api, "DELETE flinkstatesnapshots", Effect::Changes),
    (Port::Rest, "GET /config", Effect::Asks),
    (Port::Rest, "GET /jobs/overview", Effect::Asks),
    (Port::Rest, "GET /jobs/:id/exceptions", Effect::Asks),
    (Port::Rest, "GET /jobs/:id/execution-result", Effect::Asks),
    (Port::Rest, "GET /jobs/:id/metrics", Effect::Asks),
    (Port::Rest, "GET /jobs/:id/checkpoints", Effect::Asks),
    (Port::Rest, "GET /jobs/:id/savepoints/:trigger", Effect::Asks),
    (Port::Rest, "GET /jobs/:id/checkpoints/:trigger", Effect::Asks),
    (Port::Rest, "POST /jobs/:id/stop", Effect::Changes),
    (Port::Rest, "POST /jobs/:id/savepoints", Effect::Changes),
    (Port::Rest, "POST /jobs/:id/checkpoints", Effect::Changes),
    (Port::Rest, "PATCH /jobs/:id", Effect::Changes),
    (Port::Rest, "POST /jars/upload", Effect::Changes),
    (Port::Rest, "POST /jars/:id/run", Effect::Changes),
    (Port::Rest, "DELETE /jars/:id", Effect::Changes),
    (Port::Host, "all", Effect::Asks),
    (Port::Host, "observe", Effect::Asks),
    (Port::Host, "start", Effect::Changes),
    (Port::Host, "end", Effect::Changes),
    (Port::Host, "revive", Effect::Changes),
    (Port::Host, "forget", Effect::Changes),
    (Port::Host, "free ports", Effect::Asks),
    (Port::Host, "free standbys", Effect::Asks),
    (Port::Host, "program", Effect::Changes),
    (Port::Host, "flink home", Effect::Asks),
    (Port::Host, "ask", Effect::Asks),
    (Port::Host, "newest checkpoint", Effect::Asks),
    (Port::Host, "savepoint since", Effect::Asks),
    (Port::Host, "has snapshot", Effect::Asks),
    (Port::Host, "dispose", Effect::Changes),
];

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// To whom.
    pub port: Port,
    /// What, as [`NAMES`] has it.
    pub name: &'static str,
    /// About what, such as `default/orders`.
    pub about: String,
}

impl Call {
    /// A call of this name; none if there is none in [`NAMES`].
    pub fn of(port: Port, name: &str, about: impl Into<String>) -> Option<Self> {
        let (_, name, _) = NAMES.iter().find(|known| known.0 == port && known.1 == name)?;
        Some(Self { port, name, about: about.into() })
    }

    /// Whether it changes anything.
    pub fn changes(&self) -> bool {
        NAMES.iter().any(|known| known.0 == self.port && known.1 == self.name && known.2 == Effect::Changes)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = match self.port {
            Port::Api => "api",
            Port::Rest => "rest",
            Port::Host => "host",
        };
        write!(f, "{port} {} {}", self.name, self.about)
    }
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its number in the run, from 1.
    pub n: u32,
    /// In which life of the controller it was made, from 1.
    pub life: u32,
    /// When, in virtual milliseconds.
    pub at_ms: i64,
    /// The call.
    pub call: Call,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_one_name() {
        for (index, (port, name, _)) in NAMES.iter().enumerate() {
            assert!(!NAMES[..index].iter().any(|other| (other.0, other.1) == (*port, *name)), "{name} stands twice");
        }
        assert!(Call::of(Port::Host, "start", "default/a").is_some_and(|call| call.changes()));
        assert!(Call::of(Port::Rest, "start", "default/a").is_none());
    }
}
