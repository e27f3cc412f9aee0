//! Writes: a method, a query and a body become an act of the engine, its outcome an answer.

use serde_json::Value;

use super::call::Call;
use super::decode::{self, Decoded};
use super::negotiation::Form;
use super::query::{ListOptions, Query, WriteKind, delete_options, write_options};
use super::reply::Reply;
use super::show::yaml;
use super::view::is_event_view;
use crate::auth::Caller;
use crate::kind::Kind;
use crate::kinds::events::{to_core, to_events_v1};
use crate::patch::PatchKind;
use crate::selector::{FieldSelector, LabelSelector, Selection};
use crate::status::{Answer, Status};
use crate::table;
use crate::verbs::{self, Engine, Outcome, Target};

/// How many bytes of a body are shown when it cannot be read.
const SHOWN_MAX: usize = 30;

/// A write that was authorized.
pub struct Write<'a> {
    /// What does it.
    pub engine: &'a Engine,
    /// What was sent.
    pub call: &'a Call,
    /// Its query.
    pub query: &'a Query,
    /// Who sent it.
    pub caller: Caller,
    /// The kind that was asked for.
    pub kind: &'a Kind,
    /// What it is about, as it is stored.
    pub target: Target,
    /// The form of the answer.
    pub form: Form,
}

/// Reads which objects a query selects.
pub fn selection(labels: &str, fields: &str, kind: &Kind) -> Answer<Selection> {
    Ok(Selection { labels: LabelSelector::parse(labels)?, fields: FieldSelector::parse(fields, kind)? })
}

impl Write<'_> {
    /// Does it.
    pub async fn run(self, verb: &str) -> Answer<Reply> {
        let (kind, form) = (self.kind, self.form);
        let outcome = match verb {
            "create" | "update" => self.whole(verb).await?,
            "patch" => self.patch().await?,
            "delete" => self.delete().await?,
            "deletecollection" => self.delete_collection().await?,
            _ => return Err(Status::method_not_allowed()),
        };
        Ok(reply(kind, form, outcome))
    }

    async fn whole(self, verb: &str) -> Answer<Outcome> {
        let what = if verb == "create" { WriteKind::Create } else { WriteKind::Update };
        let mut options = write_options(self.query, what, self.call.header("user-agent"))?;
        let Decoded { value, faults } = body(self.call, &self.kind.kind)?;
        options.body_faults = faults;
        let value = if is_event_view(self.kind) { to_core(&value) } else { value };
        if verb == "create" {
            self.engine.create(self.caller, self.target, value, options).await
        } else {
            self.engine.update(self.caller, self.target, value, options).await
        }
    }

    async fn patch(self) -> Answer<Outcome> {
        let given = self.call.header("content-type");
        let unknown = || Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        let kind = PatchKind::of(given).ok_or_else(unknown)?;
        if kind == PatchKind::Strategic && self.kind.is_custom {
            return Err(PatchKind::refuse_for_custom());
        }
        if kind == PatchKind::Json && is_event_view(self.kind) {
            // Its paths are those of the view, but the object that it would change has the fields of the core event.
            return Err(refuse_json_patch());
        }
        let mut options = write_options(self.query, WriteKind::Patch(kind), self.call.header("user-agent"))?;
        let decoded = if kind == PatchKind::Apply {
            decode::yaml(&self.call.body).map_err(|why| format!("error decoding YAML: {why}"))
        } else {
            decode::json(&self.call.body).map_err(|why| format!("error decoding patch: {why}"))
        };
        let Decoded { value, faults } = decoded.map_err(Status::bad_request)?;
        if kind != PatchKind::Json {
            options.body_faults = faults;
        }
        let value = if is_event_view(self.kind) { to_core(&value) } else { value };
        self.engine.patch(self.caller, self.target, (kind, value), options).await
    }

    async fn delete(self) -> Answer<Outcome> {
        let options = delete_options(self.query, optional_body(self.call)?.as_ref())?;
        self.engine.delete(self.caller, self.target, options).await
    }

    async fn delete_collection(self) -> Answer<Outcome> {
        let options = delete_options(self.query, optional_body(self.call)?.as_ref())?;
        let listed = ListOptions::parse(self.query)?;
        let selection = selection(&listed.labels, &listed.fields, self.kind)?;
        let selection = verbs::Selection::new(move |object| selection.matches(object));
        self.engine.delete_collection(self.caller, self.target, selection, options).await
    }
}

/// Answers with what an act made.
fn reply(kind: &Kind, form: Form, outcome: Outcome) -> Reply {
    let Outcome { code, mut object, warnings } = outcome;
    let is_object = object.get("kind").and_then(Value::as_str).is_some_and(|name| name == kind.kind);
    if is_object && is_event_view(kind) {
        object = to_events_v1(&object);
    }
    let mut reply = match form {
        Form::Yaml => yaml(code, &object),
        Form::Partial if is_object => Reply::json(code, &table::partial(&object)),
        Form::Json | Form::Table | Form::Partial => Reply::json(code, &object),
    };
    reply.warn(&warnings);
    reply
}

/// Reads the body of a create or an update; the name of the kind is for refusals.
pub fn body(call: &Call, kind: &str) -> Answer<Decoded> {
    let decoded = match media_type(call) {
        "" | "application/json" => decode::json(&call.body).map_err(|why| format!("json parse error: {why}")),
        "application/yaml" => decode::yaml(&call.body).map_err(|why| format!("yaml parse error: {why}")),
        kobel_protobuf::MEDIA_TYPE => binary(call)?,
        _ => return Err(unknown_format()),
    };
    decoded.map_err(|why| {
        let shown = shown(&call.body);
        let reason = format!("couldn't get version/kind; {why} ({shown})");
        Status::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {reason}"))
    })
}

fn optional_body(call: &Call) -> Answer<Option<Value>> {
    if call.body.is_empty() {
        return Ok(None);
    }
    let decoded = match media_type(call) {
        "" | "application/json" => decode::json(&call.body),
        "application/yaml" => decode::yaml(&call.body),
        kobel_protobuf::MEDIA_TYPE => binary(call)?,
        _ => return Err(unknown_format()),
    };
    decoded.map(|decoded| Some(decoded.value)).map_err(Status::bad_request)
}

/// Reads a body in the binary form; the inner failure is that of a body that cannot be read.
fn binary(call: &Call) -> Answer<Result<Decoded, String>> {
    match kobel_protobuf::decode(&call.body) {
        Ok(value) => Ok(Ok(Decoded { value, faults: Vec::new() })),
        Err(kobel_protobuf::Fault::Malformed(why)) => Ok(Err(why)),
        Err(kobel_protobuf::Fault::UnknownKind(which)) => {
            let given = format!("{} of {which}", kobel_protobuf::MEDIA_TYPE);
            Err(Status::unsupported_media_type(&given, "application/json, application/yaml"))
        }
    }
}

fn media_type(call: &Call) -> &str {
    call.header("content-type").split(';').next().unwrap_or_default().trim()
}

fn unknown_format() -> Box<Status> {
    accept_only("application/json, application/yaml, application/vnd.kubernetes.protobuf")
}

/// The refusal of a JSON patch of a view whose fields have other names than those of the object.
fn refuse_json_patch() -> Box<Status> {
    let apply = "application/apply-patch+yaml";
    accept_only(&format!("application/merge-patch+json, application/strategic-merge-patch+json, {apply}"))
}

fn accept_only(known: &str) -> Box<Status> {
    let message = "the body of the request was in an unknown format - accepted media types include";
    Status::new(415, "UnsupportedMediaType", format!("{message}: {known}"))
}

/// The beginning of a body, for the person who sent it.
fn shown(body: &[u8]) -> String {
    let beginning = body.get(..SHOWN_MAX).unwrap_or(body);
    let text = String::from_utf8_lossy(beginning);
    match body {
        [] => "<empty>".to_owned(),
        [b'{', ..] if body.len() > SHOWN_MAX => format!("{text} ..."),
        [b'{', ..] => text.into_owned(),
        _ => beginning.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
