//! The API: one request in, one answer out.
//!
//! # Invariants
//! Health and version are told to everybody; everything else only to those who may have it, and whether something
//! exists is told only afterwards.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::call::Call;
use super::definitions::Definitions;
use super::negotiation::{AGGREGATED, Form, JSON, TEXT, form, takes_json, wants_aggregated};
use super::pages::Pages;
use super::query::{ListOptions, Query};
use super::read;
use super::reply::Reply;
use super::route::{ObjectPath, Route, route};
use super::show;
use super::view::{View, is_event_view};
use super::watching::{Ground, WatchStream};
use super::write::{Write, body, selection};
use crate::auth::audit::{self, Page, Refused};
use crate::auth::tokens::Account;
use crate::auth::{Access, Attributes, Caller, reviews};
use crate::discovery::{Catalog, REVIEWS};
use crate::kind::Kind;
use crate::kinds::Kinds;
use crate::kinds::events;
use crate::openapi::OpenApi;
use crate::status::{Answer, Status};
use crate::store::{Key, Store, Stored};
use crate::surroundings::Surroundings;
use crate::table;
use crate::table::Include;
use crate::verbs::scale::scale_of;
use crate::verbs::{Engine, Subresource, Target};

/// Watches at a time.
const WATCHES_MAX: usize = 512;
/// The version of Kubernetes whose API this is.
const KUBERNETES_MINOR: &str = "33";

/// The API, without a socket.
pub struct Api {
    store: Store,
    engine: Engine,
    kinds: Arc<Kinds>,
    surroundings: Arc<dyn Surroundings>,
    access: Access,
    definitions: Definitions,
    catalog: Catalog,
    openapi: OpenApi,
    pages: Pages,
    watches: Arc<Semaphore>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// A request about objects that may be answered.
struct Asked<'a> {
    call: &'a Call,
    query: Query,
    caller: Caller,
    path: ObjectPath,
    verb: &'static str,
}

impl Api {
    /// Makes the API of a store.
    pub fn new(store: Store, kinds: Arc<Kinds>, surroundings: Arc<dyn Surroundings>, access: Access) -> Self {
        let definitions = Definitions::new(&*surroundings);
        let catalog = Catalog::new(kinds.iter().cloned().chain([Arc::clone(&definitions.kind)]).collect());
        Self {
            engine: Engine::new(store.clone(), Arc::clone(&kinds), Arc::clone(&surroundings)),
            store,
            kinds,
            surroundings,
            access,
            definitions,
            catalog,
            openapi: OpenApi::default(),
            pages: Pages::default(),
            watches: Arc::new(Semaphore::new(WATCHES_MAX)),
        }
    }

    /// Answers a request.
    pub async fn handle(&self, call: Call) -> Reply {
        let answer = match route(&call.path) {
            Route::Version if is_read(&call) => Ok(Reply::json(200, &version())),
            Route::Health(check) if is_read(&call) => Ok(health(check, &Query::parse(&call.query))),
            Route::Objects(path) => self.objects(&call, path).await,
            other => self.document(&call, other).await,
        };
        answer.unwrap_or_else(|status| Reply::refusal(&status))
    }

    /// Removes what is over; the server calls it each minute.
    pub async fn sweep(&self) -> Answer<()> {
        events::sweep(&self.store, &*self.surroundings).await?;
        self.access.sweep().await?;
        Ok(())
    }

    /// Answers what is about no objects.
    async fn document(&self, call: &Call, route: Route) -> Answer<Reply> {
        let caller = self.access.authenticate(&call.headers, call.peer)?;
        let verb = if is_read(call) { "get".to_owned() } else { call.method.to_ascii_lowercase() };
        self.access.authorize_path(&caller, &verb, &call.path)?;
        if !is_read(call) {
            return Err(Status::method_not_allowed());
        }
        let accept = call.header("accept");
        let is_aggregated = wants_aggregated(accept);
        let found = match route {
            Route::CoreVersions if is_aggregated => return Ok(aggregated(&self.catalog.aggregated_core())),
            Route::Groups if is_aggregated => return Ok(aggregated(&self.catalog.aggregated_groups())),
            Route::CoreVersions => Some(self.catalog.core_versions(call.header("host"))),
            Route::Groups => Some(self.catalog.groups()),
            Route::Group(name) => self.catalog.group(&name),
            Route::Resources { group, version } => self.catalog.resources(&group, &version),
            Route::Root => Some(json!({"paths": self.paths()})),
            Route::Audit => {
                let rows = audit::read(&self.store, Page::of(&call.query)?).await?;
                return Ok(Reply::full(200, "application/x-ndjson", rows));
            }
            Route::OpenApiV2 | Route::OpenApiIndex | Route::OpenApi(_) if !takes_json(accept) => {
                return Err(Status::not_acceptable(JSON));
            }
            Route::OpenApiV2 => return Ok(Reply::full(200, JSON, self.openapi.whole(&self.catalog))),
            Route::OpenApiIndex => Some(self.openapi.index(&self.catalog)),
            Route::OpenApi(path) => {
                let document = self.openapi.document(&self.catalog, &path).ok_or_else(Status::no_such_path)?;
                return Ok(Reply::full(200, JSON, document));
            }
            Route::Version | Route::Health(_) | Route::Objects(_) | Route::Unknown => None,
        };
        found.map(|object| Reply::json(200, &object)).ok_or_else(Status::no_such_path)
    }

    /// Every path that is not about objects.
    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> =
            ["/api", "/apis", "/audit", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
                .into_iter()
                .map(str::to_owned)
                .collect();
        for (group, version) in self.catalog.versions() {
            if group.is_empty() {
                paths.push(format!("/api/{version}"));
            } else {
                paths.push(format!("/apis/{group}"));
                paths.push(format!("/apis/{group}/{version}"));
            }
        }
        paths.sort();
        paths.dedup();
        paths
    }

    async fn objects(&self, call: &Call, path: ObjectPath) -> Answer<Reply> {
        let query = Query::parse(&call.query);
        let verb = verb_of(call, &path, &query).ok_or_else(Status::method_not_allowed)?;
        let resource = path.resource();
        let (namespace, name) = (path.namespace.as_deref(), path.name.as_deref());
        let attributes = Attributes { verb, group: &path.group, resource: &resource, namespace, name };
        let refused = |caller: Option<&Caller>, status: &Status| {
            self.access.record(Refused { caller, peer: call.peer, asked: attributes, status });
        };
        let caller = self.access.authenticate(&call.headers, call.peer).inspect_err(|status| refused(None, status))?;
        let allowed = self.access.authorize(&caller, &attributes);
        allowed.inspect_err(|status| refused(Some(&caller), status))?;
        let asked = Asked { call, query, caller, path, verb };
        let (group, plural) = (asked.path.group.as_str(), asked.path.plural.as_str());
        let is_token = group.is_empty() && plural == "serviceaccounts" && asked.path.part.as_deref() == Some("token");
        if is_token {
            return self.token(&asked).await;
        }
        if REVIEWS.iter().any(|known| known.group == group && known.plural == plural) {
            return self.review(&asked);
        }
        self.stored(asked).await
    }

    /// Makes a token for a service account.
    async fn token(&self, asked: &Asked<'_>) -> Answer<Reply> {
        let (Some(namespace), Some(name), "create") = (&asked.path.namespace, &asked.path.name, asked.verb) else {
            return Err(Status::method_not_allowed());
        };
        let body = review_body(asked.call, "TokenRequest")?;
        let account = Account { namespace: namespace.clone(), name: name.clone() };
        let made = self.access.issue_token(&asked.caller, account, &body).await?;
        Ok(Reply::json(201, &made))
    }

    /// Answers a question about rights.
    fn review(&self, asked: &Asked<'_>) -> Answer<Reply> {
        if asked.verb != "create" || asked.path.name.is_some() {
            return Err(Status::method_not_allowed());
        }
        let body = review_body(asked.call, "SelfSubjectAccessReview")?;
        let answer = reviews::answer(&asked.path.plural, body, &asked.caller, &self.access);
        let object = answer.ok_or_else(Status::no_such_path)??;
        Ok(Reply::json(201, &object))
    }

    /// Answers what is about objects of a kind.
    async fn stored(&self, asked: Asked<'_>) -> Answer<Reply> {
        let path = &asked.path;
        let kind = self.kind(path).ok_or_else(Status::no_such_path)?;
        let part = part_of(&kind, path.part.as_deref())?;
        check_scope(&kind, path, asked.verb)?;
        let form = form(asked.call.header("accept"))?;
        if matches!(asked.verb, "get" | "list" | "watch") {
            let mut view = View::new(Arc::clone(&kind), path.namespace.clone());
            (view.form, view.include) = (form, include(form, &asked.query)?);
            return match (&path.name, asked.verb) {
                (Some(name), _) => self.get(&view, name, part),
                (None, "watch") => self.watch(view, &asked.query),
                (None, _) => self.list(view, &asked.query),
            };
        }
        if Arc::ptr_eq(&kind, &self.definitions.kind) {
            return Err(Status::method_not_allowed());
        }
        let stored =
            if is_event_view(&kind) { self.kinds.by_resource(events::EVENTS) } else { Some(Arc::clone(&kind)) };
        let target = Target {
            kind: stored.ok_or_else(Status::no_such_path)?,
            namespace: path.namespace.clone(),
            name: path.name.clone(),
            subresource: part,
        };
        let (call, query) = (asked.call, &asked.query);
        let write = Write { engine: &self.engine, call, query, caller: asked.caller, kind: &kind, target, form };
        write.run(asked.verb).await
    }

    fn kind(&self, path: &ObjectPath) -> Option<Arc<Kind>> {
        let own = &self.definitions.kind;
        if own.group == path.group && own.version == path.version && own.plural == path.plural {
            return Some(Arc::clone(own));
        }
        self.kinds.by_path(&path.group, &path.version, &path.plural)
    }

    fn get(&self, view: &View, name: &str, part: Option<Subresource>) -> Answer<Reply> {
        let found = if Arc::ptr_eq(&view.kind, &self.definitions.kind) {
            self.definitions.get(name)
        } else {
            self.store.get(&Key::new(&view.resource, view.namespace.as_deref().unwrap_or_default(), name))
        };
        let found = found.ok_or_else(|| Status::not_found(&view.kind.resource(), name))?;
        if part == Some(Subresource::Scale) {
            let scale = scale_of(&view.kind, &found.value())?;
            let is_table = view.form == Form::Table;
            let shown = if is_table { table::of_scale(&scale, self.surroundings.now()) } else { scale };
            return Ok(Reply::json(200, &shown));
        }
        Ok(show::one(view, &found, self.surroundings.now()))
    }

    /// What there is of a kind now.
    fn all(&self, kind: &Arc<Kind>, resource: &str, namespace: Option<&str>) -> (u64, Vec<Arc<Stored>>) {
        if Arc::ptr_eq(kind, &self.definitions.kind) {
            return (self.store.revision(), self.definitions.list());
        }
        self.store.list(resource, namespace)
    }

    fn list(&self, mut view: View, query: &Query) -> Answer<Reply> {
        let options = ListOptions::parse(query)?;
        view.selection = selection(&options.labels, &options.fields, &view.kind)?;
        let newest = || self.all(&view.kind, &view.resource, view.namespace.as_deref());
        let page = read::page(&self.pages, &view, &options, newest)?;
        Ok(show::list(&view, &page, self.surroundings.now()))
    }

    fn watch(&self, mut view: View, query: &Query) -> Answer<Reply> {
        let options = ListOptions::parse(query)?;
        view.selection = selection(&options.labels, &options.fields, &view.kind)?;
        let room = Arc::clone(&self.watches).try_acquire_owned();
        let room = room.map_err(|_| Status::too_many_requests("too many watches, please try again later"))?;
        let (kind, resource, namespace) = (Arc::clone(&view.kind), Arc::clone(&view.resource), view.namespace.clone());
        let items = || self.all(&kind, &resource, namespace.as_deref());
        let (store, surroundings) = (self.store.clone(), Arc::clone(&self.surroundings));
        let ground = Ground { store, surroundings, room: Some(room) };
        Ok(Reply::watch(WatchStream::open(view, ground, &options, items)?))
    }
}

fn is_read(call: &Call) -> bool {
    matches!(call.method.as_str(), "GET" | "HEAD")
}

/// The verb of a request, as roles name it.
fn verb_of(call: &Call, path: &ObjectPath, query: &Query) -> Option<&'static str> {
    let is_one = path.name.is_some();
    match call.method.as_str() {
        "GET" | "HEAD" if is_one => Some("get"),
        "GET" | "HEAD" if query.is_set("watch") => Some("watch"),
        "GET" | "HEAD" => Some("list"),
        // Only a part of an object can be created below its name.
        "POST" if !is_one || path.part.is_some() => Some("create"),
        "PUT" if is_one => Some("update"),
        "PATCH" if is_one => Some("patch"),
        "DELETE" if is_one => Some("delete"),
        "DELETE" => Some("deletecollection"),
        _ => None,
    }
}

/// The part of an object that a path names; 404 if the kind has none such.
fn part_of(kind: &Kind, part: Option<&str>) -> Answer<Option<Subresource>> {
    match part {
        None => Ok(None),
        Some("status") if kind.has_status => Ok(Some(Subresource::Status)),
        Some("scale") if kind.scale.is_some() => Ok(Some(Subresource::Scale)),
        Some(_) => Err(Status::no_such_path()),
    }
}

/// Refuses a path that has a namespace where there is none, or lacks one, and a verb that the path does not have.
fn check_scope(kind: &Kind, path: &ObjectPath, verb: &str) -> Answer<()> {
    if !kind.is_namespaced() && path.namespace.is_some() {
        return Err(Status::no_such_path());
    }
    if kind.is_namespaced() && path.namespace.is_none() {
        if path.name.is_some() {
            return Err(Status::no_such_path());
        }
        if !matches!(verb, "list" | "watch") {
            return Err(Status::method_not_allowed());
        }
    }
    let is_odd = path.part.is_some() && !matches!(verb, "get" | "update" | "patch");
    let is_whole_namespaces = kind.plural == "namespaces" && verb == "deletecollection";
    if is_odd || is_whole_namespaces { Err(Status::method_not_allowed()) } else { Ok(()) }
}

fn include(form: Form, query: &Query) -> Answer<Include> {
    if form == Form::Table { Include::parse(query.get("includeObject")) } else { Ok(Include::default()) }
}

/// The body of a review; the name of its kind is for refusals only.
fn review_body(call: &Call, kind: &str) -> Answer<Value> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    body(call, kind).map(|decoded| decoded.value)
}

fn aggregated(object: &Value) -> Reply {
    let mut reply = Reply::full(200, AGGREGATED, object.to_string());
    reply.headers.push(("vary", "Accept".to_owned()));
    reply
}

fn health(check: &str, query: &Query) -> Reply {
    let text = if query.is_set("verbose") {
        format!("[+]ping ok\n[+]store ok\n{check} check passed\n")
    } else {
        "ok".to_owned()
    };
    Reply::full(200, TEXT, text)
}

fn version() -> Value {
    let own = env!("CARGO_PKG_VERSION");
    json!({
        "major": "1", "minor": KUBERNETES_MINOR, "gitVersion": format!("v1.{KUBERNETES_MINOR}.0+kobel.{own}"),
        "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}
