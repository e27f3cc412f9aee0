//! One node of a compiled schema, and what others may ask it.

use std::collections::BTreeMap;

use serde_json::Value;

/// How entries of a list are told apart (`x-kubernetes-list-type`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ListType {
    /// The list is one value: whoever writes it replaces all of it.
    #[default]
    Atomic,
    /// Every entry is its own key; none stands twice.
    Set,
    /// The entries are objects, told apart by the values of these fields.
    Map(Vec<String>),
}

/// How fields of an object are owned (`x-kubernetes-map-type`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MapType {
    /// Every field has its own owners.
    #[default]
    Granular,
    /// The object is one value: whoever writes it replaces all of it.
    Atomic,
}

/// The type that a value must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeName {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

impl TypeName {
    /// The word in messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::IntOrString => "integer,string",
        }
    }
}

/// The formats that are checked; others are ignored, as the API server ignores what it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Int32,
    Int64,
    Float,
    Double,
    DateTime,
}

impl Format {
    /// The word in messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float => "float",
            Self::Double => "double",
            Self::DateTime => "date-time",
        }
    }
}

/// A bound of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    Inclusive(f64),
    Exclusive(f64),
}

/// The least and the greatest allowed count of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
}

/// A compiled structural schema: a tree that prunes, fills and validates values.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    pub(super) kind: Option<TypeName>,
    pub(super) format: Option<Format>,
    pub(super) nullable: bool,
    pub(super) preserves: bool,
    pub(super) embedded: bool,
    pub(super) properties: BTreeMap<String, Schema>,
    pub(super) additional: Option<Box<Schema>>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) required: Vec<String>,
    pub(super) allowed: Vec<Value>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) text_size: Size,
    pub(super) list_size: Size,
    pub(super) object_size: Size,
    pub(super) default: Option<Value>,
    pub(super) list_type: ListType,
    pub(super) map_type: MapType,
}

impl Schema {
    /// The schema of the field `name`: a property's, else that of all additional ones.
    pub fn property(&self, name: &str) -> Option<&Schema> {
        self.properties.get(name).or(self.additional.as_deref())
    }

    /// The schema of every entry of the list.
    pub fn items(&self) -> Option<&Schema> {
        self.items.as_deref()
    }

    /// How entries of the list are told apart.
    pub fn list_type(&self) -> &ListType {
        &self.list_type
    }

    /// How fields of the object are owned.
    pub fn map_type(&self) -> MapType {
        self.map_type
    }

    /// What stands here when nothing is given.
    pub fn default(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// Whether fields that the schema does not know are kept.
    pub fn preserves_unknown_fields(&self) -> bool {
        self.preserves
    }
}

/// The path of the field `name` of the object at `path`.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
