//! The server as a `tower` service: a request becomes a call that may be hit, its act on the world, and an answer.
//!
//! # Invariant
//! What is served to the controller goes through its gate; what is served to people does not.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use kobel_apiserver::http::decode;
use kobel_apiserver::http::query::{ListOptions, Query, WriteKind, delete_options, write_options};
use kobel_apiserver::http::route::{ObjectPath, Route, route};
use kobel_apiserver::http::write::selection;
use kobel_apiserver::kind::Kind;
use kobel_apiserver::kinds::Kinds;
use kobel_apiserver::object;
use kobel_apiserver::patch::PatchKind;
use kobel_apiserver::status::{Answer, Status};
use kobel_apiserver::verbs::{Subresource, Target};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower_service::Service as TowerService;

use super::act::{Act, Made};
use super::deletion::{self, Deletion};
use super::reads::{self, Scope};
use super::store::encode;
use super::watch::{Turn, Watch};
use super::{scale, writes};
use crate::call::{Call, Port};
use crate::entry::Who;
use crate::gate::{Gate, Passed, Shared};
use crate::world::World;

/// A watch with who watches.
type Watching = (Caller, Box<Watch>);
/// The body of an answer.
type Outgoing = UnsyncBoxBody<Bytes, Cut>;

/// The connection has ended before the answer was whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection closed before message completed")
    }
}

impl std::error::Error for Cut {}

/// Who is served.
#[derive(Clone)]
pub(crate) enum Caller {
    /// A life of the controller.
    Controller(Gate),
    /// A person, whose calls have no number and no faults.
    Person(Shared),
}

impl Caller {
    fn shared(&self) -> &Shared {
        match self {
            Self::Controller(gate) => gate.shared(),
            Self::Person(shared) => shared,
        }
    }

    fn is_alive(&self) -> bool {
        match self {
            Self::Controller(gate) => gate.is_alive(),
            Self::Person(_) => true,
        }
    }
}

/// The server, as somebody sees it.
#[derive(Clone)]
pub(crate) struct Service {
    caller: Caller,
}

impl Service {
    /// The server for a caller.
    pub(crate) fn of(caller: Caller) -> Self {
        Self { caller }
    }
}

impl TowerService<Request<Body>> for Service {
    type Response = Response<Outgoing>;
    type Error = Cut;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Outgoing>, Cut>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(serve(self.caller.clone(), request))
    }
}

/// Whether objects of a kind are served: not the second view of events, and no roles, which have no meaning here.
pub(crate) fn is_served(kind: &Kind) -> bool {
    !matches!(kind.group.as_str(), "events.k8s.io" | "rbac.authorization.k8s.io")
}

/// What a request asks for.
struct Asked {
    verb: AskedVerb,
    target: Target,
    query: Query,
    agent: String,
}

/// What is to be done.
enum AskedVerb {
    Get,
    List,
    Watch,
    Create(Value),
    Update(Value),
    Patch(PatchKind, Value),
    Delete(Option<Value>),
}

/// What is answered.
enum Reply {
    Whole(u16, Bytes),
    Events(Box<Watch>),
}

async fn serve(caller: Caller, request: Request<Body>) -> Result<Response<Outgoing>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect_bytes().await.map_err(|_| Cut)?;
    let asked = match read(&parts, &body) {
        Ok(asked) => asked,
        Err(status) => return Ok(whole(status.code, encode(&status.to_json()))),
    };
    let reply = match &caller {
        Caller::Person(shared) => shared.with(move |world| run(world, asked, Who::User)),
        Caller::Controller(gate) => {
            let Some(call) = Call::of(Port::Api, &asked.name(), asked.about()) else {
                let why = format!("`{}` is no call that is known", asked.name());
                gate.shared().with(move |world| world.break_with("calls", why));
                return Ok(refused(404));
            };
            match gate.pass(call, move |world: &mut World| run(world, asked, Who::Controller)).await {
                Passed::Answered(reply) => reply,
                Passed::Refused(code) => return Ok(refused(code)),
                Passed::Lost | Passed::Broken => return Err(Cut),
                Passed::Silent | Passed::Dead => pending().await,
            }
        }
    };
    Ok(match reply {
        Reply::Whole(code, body) => whole(code, body),
        Reply::Events(watch) => {
            let lines = stream::unfold((caller, watch), next_line);
            answer(200, StreamBody::new(lines).boxed_unsync())
        }
    })
}

/// The next line of a watch, when there is one.
async fn next_line((caller, mut watch): Watching) -> Option<(Result<Frame<Bytes>, Cut>, Watching)> {
    loop {
        if !caller.is_alive() {
            return pending().await;
        }
        let (turn, bell) = caller.shared().with(|world| (watch.turn(world), world.api.bell()));
        match turn {
            Turn::Tell(line) => return Some((Ok(Frame::data(line)), (caller, watch))),
            Turn::End => return None,
            // Nobody else runs between the look and the wait, so no change is missed.
            Turn::Wait(ms) => drop(timeout(Duration::from_millis(ms), bell.notified()).await),
        }
    }
}

fn whole(code: u16, body: Bytes) -> Response<Outgoing> {
    answer(code, Full::new(body).map_err(|never: Infallible| -> Cut { match never {} }).boxed_unsync())
}

fn answer(code: u16, body: Outgoing) -> Response<Outgoing> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The refusal of a server that has a fault.
fn refused(code: u16) -> Response<Outgoing> {
    let status = match code {
        404 => Status::no_such_path(),
        410 => Status::expired("The resourceVersion for the provided list is too old."),
        429 => Status::too_many_requests("too many requests, please try again later"),
        500 => Status::internal("an error on the server has prevented the request from succeeding"),
        503 => Status::unavailable("the server is currently unable to handle the request"),
        other => Status::new(other, "", "the server has refused the request"),
    };
    whole(status.code, encode(&status.to_json()))
}

/// Reads a request: what it is about must be served, and its body must be what its method needs.
fn read(parts: &Parts, body: &Bytes) -> Answer<Asked> {
    let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Route::Objects(path) = route(parts.uri.path()) else { return Err(Status::no_such_path()) };
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let accept = header(ACCEPT);
    if !accept.is_empty() && !accept.split(',').any(|one| matches!(one.trim(), "application/json" | "*/*")) {
        return Err(Status::not_acceptable("application/json"));
    }
    let kind = Kinds::all().by_path(&path.group, &path.version, &path.plural).filter(|kind| is_served(kind));
    let kind = kind.ok_or_else(Status::no_such_path)?;
    let subresource = match path.part.as_deref() {
        None => None,
        Some("status") if kind.has_status => Some(Subresource::Status),
        Some("scale") if kind.scale.is_some() => Some(Subresource::Scale),
        Some(_) => return Err(Status::no_such_path()),
    };
    let agent = header(USER_AGENT).to_owned();
    let verb = verb_of(parts, body, &path, &query, header(CONTENT_TYPE))?;
    check_scope(&kind, &path, &verb)?;
    let target = Target { kind, namespace: path.namespace, name: path.name, subresource };
    Ok(Asked { verb, target, query, agent })
}

fn verb_of(parts: &Parts, body: &Bytes, path: &ObjectPath, query: &Query, content: &str) -> Answer<AskedVerb> {
    let is_one = path.name.is_some();
    Ok(match parts.method.as_str() {
        "GET" if is_one => AskedVerb::Get,
        "GET" if query.is_set("watch") => AskedVerb::Watch,
        "GET" => AskedVerb::List,
        "POST" if !is_one => AskedVerb::Create(json(body)?),
        "PUT" if is_one => AskedVerb::Update(json(body)?),
        "PATCH" if is_one => {
            let unknown = || Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
            let patch = PatchKind::of(content).ok_or_else(unknown)?;
            let value = if patch == PatchKind::Apply { yaml(body)? } else { json(body)? };
            AskedVerb::Patch(patch, value)
        }
        "DELETE" if is_one && body.is_empty() => AskedVerb::Delete(None),
        "DELETE" if is_one => AskedVerb::Delete(Some(json(body)?)),
        _ => return Err(Status::method_not_allowed()),
    })
}

fn json(body: &Bytes) -> Answer<Value> {
    // The slower reader knows the words of a refusal.
    serde_json::from_slice(body)
        .or_else(|_| decode::json(body).map(|decoded| decoded.value).map_err(Status::bad_request))
}

fn yaml(body: &Bytes) -> Answer<Value> {
    json(body).or_else(|_| decode::yaml(body).map(|decoded| decoded.value).map_err(Status::bad_request))
}

/// Refuses a path that has a namespace where there is none, or lacks one.
fn check_scope(kind: &Kind, path: &ObjectPath, verb: &AskedVerb) -> Answer<()> {
    let is_many = matches!(verb, AskedVerb::List | AskedVerb::Watch);
    match (kind.is_namespaced(), path.namespace.is_some()) {
        (false, true) => Err(Status::no_such_path()),
        (true, false) if path.name.is_some() => Err(Status::no_such_path()),
        (true, false) if !is_many => Err(Status::method_not_allowed()),
        _ => Ok(()),
    }
}

impl Asked {
    /// The name of the call.
    fn name(&self) -> String {
        let verb = match self.verb {
            AskedVerb::Get => "GET",
            AskedVerb::List => "LIST",
            AskedVerb::Watch => "WATCH",
            AskedVerb::Create(_) => "POST",
            AskedVerb::Update(_) => "PUT",
            AskedVerb::Patch(..) => "PATCH",
            AskedVerb::Delete(_) => "DELETE",
        };
        match self.target.subresource {
            Some(part) => format!("{verb} {}/{}", self.target.kind.plural, part.name()),
            None => format!("{verb} {}", self.target.kind.plural),
        }
    }

    /// What the call is about; an event is about its object.
    fn about(&self) -> String {
        let name = match &self.verb {
            AskedVerb::List | AskedVerb::Watch => return String::new(),
            AskedVerb::Create(body) => {
                let involved = body.get("involvedObject").and_then(|of| of.get("name")).and_then(Value::as_str);
                involved.unwrap_or_else(|| object::name(body))
            }
            _ => self.target.name(),
        };
        format!("{}/{name}", self.target.namespace())
    }
}

/// Does what is asked for.
fn run(world: &mut World, asked: Asked, by: Who) -> Reply {
    attempt(world, asked, by).unwrap_or_else(|status| Reply::Whole(status.code, encode(&status.to_json())))
}

fn attempt(world: &mut World, asked: Asked, by: Who) -> Answer<Reply> {
    let Asked { verb, target, query, agent } = asked;
    let act = |kind: WriteKind| write_options(&query, kind, &agent).map(|options| Act::new(options, by));
    let is_scale = target.subresource == Some(Subresource::Scale);
    let made = match verb {
        AskedVerb::Get => return Ok(Reply::Whole(200, reads::get(world, &target)?)),
        AskedVerb::List | AskedVerb::Watch => return many(world, &verb, &target, &query),
        AskedVerb::Delete(body) => {
            let options = delete_options(&query, body.as_ref())?;
            return deletion::delete(world, &target, &options, by).map(|done| deleted(&target.kind, &done));
        }
        AskedVerb::Create(body) => writes::create(world, &target, body, &act(WriteKind::Create)?),
        AskedVerb::Update(body) if is_scale => scale::set(world, &target, &body, &act(WriteKind::Update)?),
        AskedVerb::Update(body) => writes::update(world, &target, body, &act(WriteKind::Update)?),
        AskedVerb::Patch(patch, body) if is_scale => {
            scale::patch(world, &target, (patch, body), &act(WriteKind::Patch(patch))?)
        }
        AskedVerb::Patch(patch, body) => writes::patch(world, &target, (patch, body), &act(WriteKind::Patch(patch))?),
    };
    made.map(|Made { code, body, .. }| Reply::Whole(code, body))
}

/// Answers with a list, or begins a watch.
fn many(world: &mut World, verb: &AskedVerb, target: &Target, query: &Query) -> Answer<Reply> {
    let options = ListOptions::parse(query)?;
    let selection = selection(&options.labels, &options.fields, &target.kind)?;
    let (kind, namespace) = (&target.kind, target.namespace());
    if matches!(verb, AskedVerb::Watch) {
        let watch = Watch::open(world, kind, namespace, selection, &options)?;
        return Ok(Reply::Events(Box::new(watch)));
    }
    let scope = Scope { kind, namespace, selection: &selection };
    Ok(Reply::Whole(200, reads::list(world, &scope, &options)?))
}

/// Answers what a deletion did.
fn deleted(kind: &Arc<Kind>, done: &Deletion) -> Reply {
    let object = done.object();
    if let Deletion::Held(object) = done {
        return Reply::Whole(200, object.body.clone());
    }
    let mut details = json!({"name": object.key.name});
    if !kind.group.is_empty() {
        details["group"] = json!(kind.group);
    }
    details["kind"] = json!(kind.plural);
    details["uid"] = json!(object::uid(&object.value));
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Reply::Whole(200, encode(&status))
}
