//! What a caller asks of the verbs and what it is answered.
//!
//! These shapes know nothing of HTTP: queries and headers are read before, answers are encoded after.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::kind::Kind;
use crate::managed::Force;
use crate::store::{Key, Stored};

/// A part of an object that has a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subresource {
    /// What is observed of the object.
    Status,
    /// How many replicas are wanted, as `autoscaling/v1`.
    Scale,
}

impl Subresource {
    /// The last step of its path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
        }
    }
}

/// What a request is about.
#[derive(Debug, Clone)]
pub struct Target {
    /// The kind of the path.
    pub kind: Arc<Kind>,
    /// The namespace of the path.
    pub namespace: Option<String>,
    /// The name of the path; absent for a create or for a collection.
    pub name: Option<String>,
    /// The subresource of the path.
    pub subresource: Option<Subresource>,
}

impl Target {
    /// The name of the path, empty if there is none.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The namespace of the path, empty if there is none.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// Where an object of this name is stored.
    pub fn key(&self, name: &str) -> Key {
        Key::new(&self.kind.resource().qualified(), self.namespace(), name)
    }

    /// The name of the subresource, empty if there is none.
    pub fn subresource(&self) -> &'static str {
        self.subresource.map(Subresource::name).unwrap_or_default()
    }
}

/// Whether the act is only tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DryRun {
    /// It is done.
    #[default]
    No,
    /// Everything is checked and answered, nothing is kept.
    All,
}

/// What happens to fields that the schema does not know and to keys that stand twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped with a warning.
    #[default]
    Warn,
    /// The request is refused.
    Strict,
}

/// How a create, update or patch is done.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// Who the fields belong to afterwards; empty if the caller named nobody.
    pub field_manager: String,
    /// Whether the act is only tried.
    pub dry_run: DryRun,
    /// What happens to unknown fields.
    pub validation: FieldValidation,
    /// Whether server-side apply takes fields from other managers.
    pub force: Force,
    /// What was wrong with the text of the body, such as ``duplicate field "spec.job"``.
    pub body_faults: Vec<String>,
}

/// What becomes of the objects that a deleted object owns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go after their owner.
    #[default]
    Background,
    /// Their owner goes after them.
    Foreground,
    /// They stay and have no owner.
    Orphan,
}

/// How a delete is done.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// What becomes of dependents.
    pub propagation: Propagation,
    /// Only an object with this unique id is deleted.
    pub uid: Option<String>,
    /// Only an object of this version is deleted.
    pub resource_version: Option<String>,
    /// Accepted and without effect: no kind that is served here ends gracefully.
    pub grace_period_seconds: Option<i64>,
    /// Whether the act is only tried.
    pub dry_run: DryRun,
}

/// Which objects of a collection are meant.
pub struct Selection {
    matches: Box<dyn Fn(&Stored) -> bool + Send>,
}

impl Selection {
    /// Selects the objects for which `matches` holds.
    pub fn new(matches: impl Fn(&Stored) -> bool + Send + 'static) -> Self {
        Self { matches: Box::new(matches) }
    }

    /// Selects every object.
    pub fn everything() -> Self {
        Self::new(|_| true)
    }

    /// Whether the object is meant.
    pub fn holds(&self, object: &Stored) -> bool {
        (self.matches)(object)
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection").finish_non_exhaustive()
    }
}

/// The answer to an act that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// HTTP status code.
    pub code: u16,
    /// What is sent back.
    pub object: Value,
    /// What is sent as `Warning` headers.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// Makes an answer.
    pub fn new(code: u16, object: Value, warnings: Vec<String>) -> Self {
        Self { code, object, warnings }
    }
}
