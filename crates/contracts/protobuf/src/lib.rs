//! Bodies in the binary form that `kubectl` and typed clients send for the API's own kinds.
//!
//! # Invariants
//! A body becomes the value that the JSON form of the same object is, so nothing behind this door knows of two forms.
//! What a field is worth when it says nothing is left out, as in JSON; so is every field that is not known.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::messages::{Field, Message, Presence, Shape};
use self::wire::{DEPTH_MAX, Payload, Reader};

mod messages;
mod wire;

/// The media type of the binary form.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// How every body begins.
const MAGIC: &[u8] = b"k8s\0";
/// How much of the name of an unknown kind is told.
const SHOWN_MAX: usize = 100;
/// 0001-01-01T00:00:00Z, which says that there is no time.
const NO_TIME: i64 = -62_135_596_800;

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is of a kind that is read as JSON only; its version and kind.
    UnknownKind(String),
    /// It is broken.
    Malformed(String),
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Malformed(why)
    }
}

/// Reads a body into its JSON form.
pub fn decode(body: &[u8]) -> Result<Value, Fault> {
    let envelope = Envelope::open(body)?;
    let (version, kind) = (text(&envelope.type_meta, "apiVersion"), text(&envelope.type_meta, "kind"));
    if kind.is_empty() {
        return Err(Fault::Malformed("Object 'Kind' is missing in protobuf body".to_owned()));
    }
    let message = messages::of(version, kind).ok_or_else(|| {
        let shown: String = format!("{version}, Kind={kind}").chars().take(SHOWN_MAX).collect();
        Fault::UnknownKind(shown)
    })?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), json!(version));
    object.insert("kind".to_owned(), json!(kind));
    fill(&mut object, message, envelope.raw, 1)?;
    Ok(Value::Object(object))
}

/// What every body is wrapped in.
struct Envelope<'a> {
    type_meta: Map<String, Value>,
    raw: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn open(body: &'a [u8]) -> Result<Self, String> {
        if body.is_empty() {
            return Err("empty data".to_owned());
        }
        let no_magic = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
        let mut reader = Reader::new(body.strip_prefix(MAGIC).ok_or(no_magic)?);
        let mut envelope = Self { type_meta: Map::new(), raw: &[] };
        while let Some((number, payload)) = reader.field()? {
            match (number, payload) {
                (1, Payload::Bytes(meta)) => fill(&mut envelope.type_meta, &messages::TYPE_META, meta, 1)?,
                (2, Payload::Bytes(raw)) => envelope.raw = raw,
                (3 | 4, Payload::Bytes(b"")) => {}
                (4, Payload::Bytes(media_type)) if media_type == MEDIA_TYPE.as_bytes() => {}
                (3, _) => return Err("a content encoding inside of a protobuf body is not supported".to_owned()),
                (4, _) => return Err("another content type inside of a protobuf body is not supported".to_owned()),
                (1 | 2, _) => return Err(wrong_type("Unknown")),
                _ => {}
            }
        }
        Ok(envelope)
    }
}

fn text<'a>(map: &'a Map<String, Value>, name: &str) -> &'a str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Reads a message into its JSON form; a message that comes in parts is put together.
fn fill(map: &mut Map<String, Value>, message: &Message, bytes: &[u8], depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(wire::too_deep());
    }
    let mut reader = Reader::new(bytes);
    while let Some((number, payload)) = reader.field()? {
        if let Some(field) = message.0.iter().find(|field| field.number == number) {
            put(map, field, payload, depth)?;
        }
    }
    Ok(())
}

/// Puts what is on the wire for a field where the JSON form has it.
fn put(map: &mut Map<String, Value>, field: &Field, payload: Payload<'_>, depth: usize) -> Result<(), String> {
    match (field.shape, field.presence, payload) {
        (Shape::Map(shape), _, Payload::Bytes(bytes)) => {
            let (key, value) = entry(field.name, *shape, bytes, depth + 1)?;
            object_in(map, field.name).insert(key, value);
        }
        (shape, Presence::Repeated, payload) => {
            let value = value(field.name, shape, payload, depth)?;
            let slot = map.entry(field.name).or_insert_with(|| json!([]));
            if let Some(list) = slot.as_array_mut() {
                list.push(value);
            }
        }
        (Shape::Message(message), _, Payload::Bytes(bytes)) => {
            fill(object_in(map, field.name), message, bytes, depth + 1)?;
        }
        (shape, presence, payload) => {
            let value = value(field.name, shape, payload, depth)?;
            if value.is_null() || (presence == Presence::Filled && says_nothing(&value)) {
                map.shift_remove(field.name);
            } else {
                map.insert(field.name.to_owned(), value);
            }
        }
    }
    Ok(())
}

/// The object of a name, made if it is not there.
fn object_in<'a>(map: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let slot = map.entry(name).or_insert_with(|| json!({}));
    if !slot.is_object() {
        *slot = json!({});
    }
    slot.as_object_mut().expect("it was made an object above")
}

/// Reads one entry of a map; what it does not say is empty.
fn entry(name: &str, shape: Shape, bytes: &[u8], depth: usize) -> Result<(String, Value), String> {
    let mut key = String::new();
    let mut held = if matches!(shape, Shape::Texts) { json!([]) } else { json!("") };
    let mut reader = Reader::new(bytes);
    while let Some((number, payload)) = reader.field()? {
        match (number, payload) {
            (1, Payload::Bytes(bytes)) => key = utf8(name, bytes)?,
            (1, _) => return Err(wrong_type(name)),
            (2, payload) => held = value(name, shape, payload, depth)?,
            _ => {}
        }
    }
    Ok((key, held))
}

/// Reads what one field holds; null if JSON has nothing for it.
fn value(name: &str, shape: Shape, payload: Payload<'_>, depth: usize) -> Result<Value, String> {
    Ok(match (shape, payload) {
        (Shape::Text, Payload::Bytes(bytes)) => Value::String(utf8(name, bytes)?),
        (Shape::Bytes, Payload::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
        (Shape::Int32, Payload::Varint(number)) => json!(number as i32),
        (Shape::Int64, Payload::Varint(number)) => json!(number as i64),
        (Shape::Bool, Payload::Varint(number)) => json!(number != 0),
        (Shape::Time, Payload::Bytes(bytes)) => moment(name, bytes)?
            .map_or(Value::Null, |(second, _)| json!(second.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
        (Shape::MicroTime, Payload::Bytes(bytes)) => moment(name, bytes)?
            .map_or(Value::Null, |(_, exact)| json!(exact.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())),
        (Shape::Json, Payload::Bytes(bytes)) => raw_json(name, bytes)?,
        (Shape::Texts, Payload::Bytes(bytes)) => texts(name, bytes)?,
        (Shape::Message(message), Payload::Bytes(bytes)) => {
            let mut object = Map::new();
            fill(&mut object, message, bytes, depth + 1)?;
            Value::Object(object)
        }
        _ => return Err(wrong_type(name)),
    })
}

/// Reads a moment, whole seconds and exact; nothing if there is none.
fn moment(name: &str, bytes: &[u8]) -> Result<Option<(Timestamp, Timestamp)>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (mut second, mut nanosecond) = (0_i64, 0_i32);
    let mut reader = Reader::new(bytes);
    while let Some((number, payload)) = reader.field()? {
        match (number, payload) {
            (1, Payload::Varint(number)) => second = number as i64,
            (2, Payload::Varint(number)) => nanosecond = number as i32,
            (1 | 2, _) => return Err(wrong_type(name)),
            _ => {}
        }
    }
    if second == NO_TIME && nanosecond == 0 {
        return Ok(None);
    }
    let is_known = second >= NO_TIME && (0..1_000_000_000).contains(&nanosecond);
    let pair = Timestamp::from_second(second).ok().zip(Timestamp::new(second, nanosecond).ok());
    match pair {
        Some(pair) if is_known => Ok(Some(pair)),
        _ => Err(format!("field `{name}` holds no moment between the years 1 and 9999")),
    }
}

/// Reads the JSON that stands in a message.
fn raw_json(name: &str, bytes: &[u8]) -> Result<Value, String> {
    let mut raw: &[u8] = &[];
    let mut reader = Reader::new(bytes);
    while let Some((number, payload)) = reader.field()? {
        match (number, payload) {
            (1, Payload::Bytes(bytes)) => raw = bytes,
            (1, _) => return Err(wrong_type(name)),
            _ => {}
        }
    }
    if raw.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(raw).map_err(|why| format!("field `{name}` holds no JSON: {why}"))
}

/// Reads a message that is a list of texts.
fn texts(name: &str, bytes: &[u8]) -> Result<Value, String> {
    let mut list = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Some((number, payload)) = reader.field()? {
        match (number, payload) {
            (1, Payload::Bytes(bytes)) => list.push(Value::String(utf8(name, bytes)?)),
            (1, _) => return Err(wrong_type(name)),
            _ => {}
        }
    }
    Ok(Value::Array(list))
}

fn utf8(name: &str, bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("field `{name}` is not UTF-8"))?;
    Ok(text.to_owned())
}

fn wrong_type(name: &str) -> String {
    format!("wrong wire type for field `{name}`")
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_so) => !is_so,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests;
