//! The shape of a value: which fields its schema declares, what its lists and maps are to owners.
//!
//! Metadata has the same shape in every kind and is known here; everything else comes from the kind's schema.
//!
//! # Source
//! `kube-openapi`, `pkg/schemaconv`: what `structured-merge-diff` is told of an OpenAPI schema. What a schema does not
//! say is deduced: maps are granular, lists are atomic.

use std::sync::LazyLock;

use kobel_resources::schema::{ListType, MapType, Schema};
use serde_json::Value;

use super::set::{Scalar, Step};

/// A name that no schema declares; it finds only what a schema says of undeclared fields.
const UNDECLARED: &str = "\u{0}";

/// What names an owner among the owners of an object.
static OWNER_KEYS: LazyLock<[String; 1]> = LazyLock::new(|| ["uid".to_owned()]);

/// The shape of one value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape<'a> {
    /// A whole object of a kind.
    Object(&'a Schema),
    /// A value of a schema, which may stand below one that keeps unknown fields.
    Typed {
        /// The value's schema.
        schema: &'a Schema,
        /// Whether a schema above keeps unknown fields.
        preserved: Preserved,
    },
    /// `metadata`.
    Metadata,
    /// A map whose values are texts.
    Texts,
    /// `metadata.finalizers`.
    Finalizers,
    /// `metadata.ownerReferences`.
    Owners,
    /// Something that has one owner as a whole.
    Whole,
    /// Something that no schema describes.
    Deduced,
}

/// Whether unknown fields are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preserved {
    /// Unknown fields stay.
    Yes,
    /// Unknown fields are pruned.
    No,
}

/// How the items of a list relate to owners.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Relation<'a> {
    /// The list has one owner as a whole.
    Atomic,
    /// Each item is its own name.
    Set,
    /// Each item is a map that some of its fields name.
    Map(&'a [String]),
}

/// How a schema knows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// By name.
    Declared,
    /// As one of many.
    Element,
    /// Not at all.
    No,
}

/// A field of a map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The shape of its value.
    pub(crate) shape: Shape<'a>,
    /// How the schema knows it.
    pub(crate) known: Known,
}

impl<'a> Field<'a> {
    fn declared(shape: Shape<'a>) -> Self {
        Self { shape, known: Known::Declared }
    }

    fn element(shape: Shape<'a>) -> Self {
        Self { shape, known: Known::Element }
    }
}

impl<'a> Shape<'a> {
    /// The shape of a field's value.
    pub(crate) fn field(self, name: &str) -> Field<'a> {
        match self {
            Self::Object(schema) => match name {
                "apiVersion" | "kind" => Field::declared(Self::Whole),
                "metadata" => Field::declared(Self::Metadata),
                _ => typed_field(schema, Preserved::No, name),
            },
            Self::Typed { schema, preserved } => typed_field(schema, preserved, name),
            Self::Metadata => metadata_field(name),
            Self::Deduced => Field::element(Self::Deduced),
            Self::Texts | Self::Finalizers | Self::Owners | Self::Whole => Field::element(Self::Whole),
        }
    }

    /// The shape of an item of a list.
    pub(crate) fn item(self) -> Self {
        match self {
            Self::Typed { schema, preserved } => {
                let preserved = inherit(schema, preserved);
                schema.items().map_or(Self::Whole, |schema| Self::Typed { schema, preserved })
            }
            _ => Self::Whole,
        }
    }

    /// What a map of this shape is: one leaf, or fields that may have different owners.
    pub(crate) fn is_whole_map(self) -> bool {
        match self {
            Self::Typed { schema, .. } => matches!(schema.map_type(), MapType::Atomic),
            Self::Whole => true,
            _ => false,
        }
    }

    /// What a list of this shape is.
    pub(crate) fn relation(self) -> Relation<'a> {
        match self {
            Self::Typed { schema, .. } => match schema.list_type() {
                ListType::Atomic => Relation::Atomic,
                ListType::Set => Relation::Set,
                ListType::Map(keys) => Relation::Map(keys),
            },
            Self::Finalizers => Relation::Set,
            Self::Owners => Relation::Map(OWNER_KEYS.as_slice()),
            _ => Relation::Atomic,
        }
    }

    /// Whether a list of this shape is one leaf.
    pub(crate) fn is_whole_list(self) -> bool {
        matches!(self.relation(), Relation::Atomic)
    }

    /// The step that names an item of a list; nothing if the item has no name.
    pub(crate) fn name_of(self, item: &Value) -> Option<Step> {
        match self.relation() {
            Relation::Atomic => None,
            Relation::Set => match item {
                Value::Null => None,
                item => Scalar::of(item).map(Step::Value),
            },
            Relation::Map(keys) => {
                let item_map = item.as_object()?;
                let mut named: Vec<(String, Scalar)> = Vec::new();
                for key in keys {
                    if let Some(value) = item_map.get(key).or_else(|| self.default_key(key)) {
                        named.push((key.clone(), Scalar::of(value)?));
                    }
                }
                named.sort();
                (!named.is_empty()).then_some(Step::Key(named))
            }
        }
    }

    /// The step of an item of a list: its name, or its place if it has none.
    pub(crate) fn step_of(self, item: &Value, place: usize) -> Step {
        self.name_of(item).unwrap_or(Step::Index(u64::try_from(place).unwrap_or(u64::MAX)))
    }

    fn default_key(self, key: &str) -> Option<&'a Value> {
        match self.item() {
            Self::Typed { schema, .. } => schema.property(key)?.default(),
            _ => None,
        }
    }

    /// The shape behind a step.
    pub(crate) fn after(self, step: &Step) -> Self {
        match step {
            Step::Field(name) => self.field(name).shape,
            Step::Key(_) | Step::Value(_) | Step::Index(_) => self.item(),
        }
    }
}

fn inherit(schema: &Schema, preserved: Preserved) -> Preserved {
    if schema.preserves_unknown_fields() { Preserved::Yes } else { preserved }
}

fn typed_field<'a>(schema: &'a Schema, preserved: Preserved, name: &str) -> Field<'a> {
    let preserved = inherit(schema, preserved);
    match schema.property(name) {
        Some(found) => {
            let is_element = schema.property(UNDECLARED).is_some_and(|other| std::ptr::eq(other, found));
            let shape = Shape::Typed { schema: found, preserved };
            if is_element { Field::element(shape) } else { Field::declared(shape) }
        }
        None if preserved == Preserved::Yes => Field::element(Shape::Deduced),
        None => Field { shape: Shape::Deduced, known: Known::No },
    }
}

fn metadata_field<'a>(name: &str) -> Field<'a> {
    match name {
        "labels" | "annotations" => Field::declared(Shape::Texts),
        "finalizers" => Field::declared(Shape::Finalizers),
        "ownerReferences" => Field::declared(Shape::Owners),
        "name"
        | "generateName"
        | "namespace"
        | "selfLink"
        | "uid"
        | "resourceVersion"
        | "generation"
        | "creationTimestamp"
        | "deletionTimestamp"
        | "deletionGracePeriodSeconds"
        | "managedFields" => Field::declared(Shape::Whole),
        _ => Field { shape: Shape::Whole, known: Known::No },
    }
}
