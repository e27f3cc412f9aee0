//! From the OpenAPI text of a schema to the tree.
//!
//! A word that would restrict values and is not understood is an error here, never silently ignored there.

use kobel_model::Error;
use serde_json::{Map, Value};

use super::node::{Bound, Format, ListType, MapType, Schema, Size, TypeName, child};

/// Words that restrict values and that this engine does not implement.
const UNSUPPORTED: [&str; 14] = [
    "$ref",
    "allOf",
    "oneOf",
    "not",
    "pattern",
    "patternProperties",
    "multipleOf",
    "uniqueItems",
    "additionalItems",
    "dependencies",
    "const",
    "propertyNames",
    "if",
    "x-kubernetes-validations",
];

impl Schema {
    /// Compiles a structural schema in its OpenAPI form.
    ///
    /// # Errors
    /// Fails if a word has the wrong type or restricts values in a way that is not implemented.
    pub fn compile(openapi: &Value) -> Result<Schema, Error> {
        node(openapi, "")
    }
}

/// Compiles the node at `path`.
fn node(openapi: &Value, path: &str) -> Result<Schema, Error> {
    let Some(words) = openapi.as_object() else {
        return Err(wrong(path, "the schema must be an object"));
    };
    for word in UNSUPPORTED {
        if words.get(word).is_some_and(|value| *value != Value::Bool(false)) {
            return Err(Error::unsupported(format!("schema of {}: `{word}` is not supported", shown(path))));
        }
    }
    let kind = type_of(words, path)?;
    if words.contains_key("anyOf") && kind != Some(TypeName::IntOrString) {
        return Err(Error::unsupported(format!("schema of {}: `anyOf` is not supported", shown(path))));
    }
    let mut schema = Schema {
        kind,
        format: format_of(words, kind),
        nullable: flag(words, "nullable", path)?,
        preserves: flag(words, "x-kubernetes-preserve-unknown-fields", path)?,
        embedded: flag(words, "x-kubernetes-embedded-resource", path)?,
        required: names(words, "required", path)?,
        allowed: list(words, "enum", path)?.to_vec(),
        minimum: bound(words, "minimum", "exclusiveMinimum", path)?,
        maximum: bound(words, "maximum", "exclusiveMaximum", path)?,
        text_size: size(words, "minLength", "maxLength", path)?,
        list_size: size(words, "minItems", "maxItems", path)?,
        object_size: size(words, "minProperties", "maxProperties", path)?,
        default: words.get("default").filter(|value| !value.is_null()).cloned(),
        list_type: list_type(words, path)?,
        map_type: map_type(words, path)?,
        ..Default::default()
    };
    children(words, path, &mut schema)?;
    Ok(schema)
}

/// Compiles what stands below the node.
fn children(words: &Map<String, Value>, path: &str, schema: &mut Schema) -> Result<(), Error> {
    if let Some(properties) = words.get("properties") {
        let Some(properties) = properties.as_object() else {
            return Err(wrong(path, "`properties` must be an object"));
        };
        for (name, property) in properties {
            schema.properties.insert(name.clone(), node(property, &child(path, name))?);
        }
    }
    schema.additional = match words.get("additionalProperties") {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some(Box::default()),
        Some(inner) => Some(Box::new(node(inner, &format!("{path}[*]"))?)),
    };
    schema.items = match words.get("items") {
        None | Some(Value::Null) => None,
        Some(inner) => Some(Box::new(node(inner, &format!("{path}[]"))?)),
    };
    Ok(())
}

/// Reads `type`; int-or-string replaces it.
fn type_of(words: &Map<String, Value>, path: &str) -> Result<Option<TypeName>, Error> {
    if flag(words, "x-kubernetes-int-or-string", path)? {
        return Ok(Some(TypeName::IntOrString));
    }
    let Some(word) = words.get("type") else {
        return Ok(None);
    };
    let kind = match word.as_str() {
        Some("object") => TypeName::Object,
        Some("array") => TypeName::Array,
        Some("string") => TypeName::String,
        Some("integer") => TypeName::Integer,
        Some("number") => TypeName::Number,
        Some("boolean") => TypeName::Boolean,
        _ => return Err(wrong(path, &format!("`{word}` is not a type"))),
    };
    Ok(Some(kind))
}

/// Reads `format`; one that does not belong to the type means nothing.
fn format_of(words: &Map<String, Value>, kind: Option<TypeName>) -> Option<Format> {
    match (words.get("format")?.as_str()?, kind?) {
        ("int32", TypeName::Integer) => Some(Format::Int32),
        ("int64", TypeName::Integer) => Some(Format::Int64),
        ("float", TypeName::Number) => Some(Format::Float),
        ("double", TypeName::Number) => Some(Format::Double),
        ("date-time" | "datetime", TypeName::String) => Some(Format::DateTime),
        _ => None,
    }
}

/// Reads a word that is true or false; absent is false.
fn flag(words: &Map<String, Value>, word: &str, path: &str) -> Result<bool, Error> {
    match words.get(word) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(path, &format!("`{word}` must be true or false"))),
    }
}

/// Reads a word that is a list; absent is empty.
fn list<'a>(words: &'a Map<String, Value>, word: &str, path: &str) -> Result<&'a [Value], Error> {
    match words.get(word) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(wrong(path, &format!("`{word}` must be a list"))),
    }
}

/// Reads a word that is a list of names.
fn names(words: &Map<String, Value>, word: &str, path: &str) -> Result<Vec<String>, Error> {
    let name_of = |name: &Value| {
        name.as_str().map(str::to_owned).ok_or_else(|| wrong(path, &format!("`{word}` must hold texts")))
    };
    list(words, word, path)?.iter().map(name_of).collect()
}

/// Reads a bound of numbers and whether the bound itself is allowed.
fn bound(words: &Map<String, Value>, word: &str, exclusive: &str, path: &str) -> Result<Option<Bound>, Error> {
    let Some(value) = words.get(word) else {
        return Ok(None);
    };
    let Some(value) = value.as_f64() else {
        return Err(wrong(path, &format!("`{word}` must be a number")));
    };
    Ok(Some(if flag(words, exclusive, path)? { Bound::Exclusive(value) } else { Bound::Inclusive(value) }))
}

/// Reads the least and the greatest allowed count.
fn size(words: &Map<String, Value>, min: &str, max: &str, path: &str) -> Result<Size, Error> {
    let read = |word: &str| match words.get(word) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(count) => Ok(Some(count)),
            None => Err(wrong(path, &format!("`{word}` must be a count"))),
        },
    };
    Ok(Size { min: read(min)?, max: read(max)? })
}

/// Reads `x-kubernetes-list-type` and its keys.
fn list_type(words: &Map<String, Value>, path: &str) -> Result<ListType, Error> {
    match words.get("x-kubernetes-list-type").map(Value::as_str) {
        None | Some(Some("atomic")) => Ok(ListType::Atomic),
        Some(Some("set")) => Ok(ListType::Set),
        Some(Some("map")) => {
            let keys = names(words, "x-kubernetes-list-map-keys", path)?;
            if keys.is_empty() {
                return Err(wrong(path, "a list of type `map` needs `x-kubernetes-list-map-keys`"));
            }
            Ok(ListType::Map(keys))
        }
        Some(_) => Err(wrong(path, "`x-kubernetes-list-type` must be `atomic`, `set` or `map`")),
    }
}

/// Reads `x-kubernetes-map-type`.
fn map_type(words: &Map<String, Value>, path: &str) -> Result<MapType, Error> {
    match words.get("x-kubernetes-map-type").map(Value::as_str) {
        None | Some(Some("granular")) => Ok(MapType::Granular),
        Some(Some("atomic")) => Ok(MapType::Atomic),
        Some(_) => Err(wrong(path, "`x-kubernetes-map-type` must be `granular` or `atomic`")),
    }
}

/// An error in the schema itself.
fn wrong(path: &str, what: &str) -> Error {
    Error::invalid(format!("schema of {}: {what}", shown(path)))
}

/// The path in a message.
fn shown(path: &str) -> String {
    if path.is_empty() { "the root".to_owned() } else { format!("`{path}`") }
}
