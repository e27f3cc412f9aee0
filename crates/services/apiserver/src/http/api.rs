//! The API: one request in, one answer out.
//!
//! # Invariants
//! Health and version are told to everybody; everything else only to those who may have it, and whether something
//! exists is told only afterwards.

use std::fmt;
use std::sync::{Arc, OnceLock};

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::call::Call;
use super::definitions::Definitions;
use super::negotiation::{AGGREGATED, Form, JSON, METRICS, TEXT, form, takes_json, wants_aggregated};
use super::pages::Pages;
use super::places::Places;
use super::query::{ListOptions, Query};
use super::read;
use super::reply::Reply;
use super::route::{ObjectPath, Route, route};
use super::show;
use super::view::{View, is_event_view};
use super::watching::{Ground, StillAllowed, WatchStream};
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
/// Watches of one user at a time, unless the user may do everything.
const WATCHES_PER_USER: usize = 128;
/// The version of Kubernetes whose API this is.
const KUBERNETES_MINOR: &str = "33";

/// What is measured, in the text format of Prometheus.
pub type MetricsSource = Box<dyn Fn() -> String + Send + Sync>;

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
    watchers: Places<String>,
    metrics: OnceLock<MetricsSource>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// A request that may be answered.
pub struct Admitted {
    what: What,
}

impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").field("takes_body", &self.takes_body()).finish_non_exhaustive()
    }
}

impl Admitted {
    /// Whether its body matters; those who only read have nothing to say.
    pub fn takes_body(&self) -> bool {
        matches!(&self.what, What::Objects(granted) if !matches!(granted.verb, "get" | "list" | "watch"))
    }
}

enum What {
    Version,
    Health(&'static str),
    Document(Route),
    Objects(Box<Granted>),
}

/// What a caller may do with objects.
struct Granted {
    query: Query,
    caller: Caller,
    path: ObjectPath,
    verb: &'static str,
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
            watchers: Places::default(),
            metrics: OnceLock::new(),
        }
    }

    /// Answers `/metrics` from now on with what `source` tells; it is given once.
    pub fn give_metrics(&self, source: MetricsSource) {
        // Whoever gave one before is asked.
        let _ = self.metrics.set(source);
    }

    /// Answers a request.
    pub async fn handle(&self, call: Call) -> Reply {
        match self.admit(&call) {
            Ok(admitted) => self.answer(&call, admitted).await,
            Err(status) => Reply::refusal(&status),
        }
    }

    /// Decides whether a request may be answered, from everything but its body.
    pub fn admit(&self, call: &Call) -> Answer<Admitted> {
        let what = match route(&call.path) {
            Route::Version if is_read(call) => What::Version,
            Route::Health(check) if is_read(call) => What::Health(check),
            Route::Objects(path) => What::Objects(Box::new(self.grant(call, path)?)),
            other => {
                let caller = self.access.authenticate(&call.headers, call.peer)?;
                let verb = if is_read(call) { "get".to_owned() } else { call.method.to_ascii_lowercase() };
                self.access.authorize_path(&caller, &verb, &call.path)?;
                if other == Route::Unknown {
                    return Err(Status::no_such_path());
                }
                if !is_read(call) {
                    return Err(Status::method_not_allowed());
                }
                What::Document(other)
            }
        };
        Ok(Admitted { what })
    }

    /// Answers a request that was admitted.
    pub async fn answer(&self, call: &Call, admitted: Admitted) -> Reply {
        let answer = match admitted.what {
            What::Version => Ok(Reply::json(200, &version())),
            What::Health(check) => Ok(self.health(check, &Query::parse(&call.query))),
            What::Document(route) => self.document(call, route).await,
            What::Objects(granted) => self.objects(call, *granted).await,
        };
        answer.unwrap_or_else(|status| Reply::refusal(&status))
    }

    /// Removes what is over; the server calls it each minute.
    pub async fn sweep(&self) -> Answer<()> {
        self.pages.sweep();
        events::sweep(&self.store, &*self.surroundings).await?;
        self.access.sweep().await?;
        self.store.trim_audit(self.surroundings.now()).await?;
        Ok(())
    }

    /// Answers what is about no objects.
    async fn document(&self, call: &Call, route: Route) -> Answer<Reply> {
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
            Route::Metrics => {
                let metrics = self.metrics.get().ok_or_else(Status::no_such_path)?;
                return Ok(Reply::full(200, METRICS, metrics()));
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
        paths.extend(self.metrics.get().map(|_| "/metrics".to_owned()));
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

    /// Decides whether a request about objects may be answered.
    fn grant(&self, call: &Call, path: ObjectPath) -> Answer<Granted> {
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
        Ok(Granted { query, caller, path, verb })
    }

    async fn objects(&self, call: &Call, granted: Granted) -> Answer<Reply> {
        let Granted { query, caller, path, verb } = granted;
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
                (None, "watch") => self.watch(view, &asked),
                (None, _) => self.list(view, &asked),
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

    fn list(&self, mut view: View, asked: &Asked<'_>) -> Answer<Reply> {
        let options = ListOptions::parse(&asked.query)?;
        view.selection = selection(&options.labels, &options.fields, &view.kind)?;
        let newest = || self.all(&view.kind, &view.resource, view.namespace.as_deref());
        let page = read::page(&self.pages, &asked.caller.user, &view, &options, newest)?;
        Ok(show::list(&view, &page, self.surroundings.now()))
    }

    fn watch(&self, mut view: View, asked: &Asked<'_>) -> Answer<Reply> {
        let options = ListOptions::parse(&asked.query)?;
        view.selection = selection(&options.labels, &options.fields, &view.kind)?;
        let too_many = || Status::too_many_requests("too many watches, please try again later");
        let most = if asked.caller.is_master() { WATCHES_MAX } else { WATCHES_PER_USER };
        let place = Some(self.watchers.take(asked.caller.user.clone(), most).ok_or_else(too_many)?);
        let room = Some(Arc::clone(&self.watches).try_acquire_owned().map_err(|_| too_many())?);
        let (kind, resource, namespace) = (Arc::clone(&view.kind), Arc::clone(&view.resource), view.namespace.clone());
        let items = || self.all(&kind, &resource, namespace.as_deref());
        let (store, surroundings) = (self.store.clone(), Arc::clone(&self.surroundings));
        let still_allowed = self.still_allowed(asked);
        let ground = Ground { store, surroundings, room, place, still_allowed };
        Ok(Reply::watch(WatchStream::open(view, ground, &options, items)?))
    }

    /// Tells, whenever it is asked, whether the caller of a watch is still known and may still have it.
    fn still_allowed(&self, asked: &Asked<'_>) -> StillAllowed {
        // Only what tells who calls is kept as long as the watch lasts.
        let tells = |name: &HeaderName| *name == AUTHORIZATION || name.as_str().starts_with("impersonate-");
        let told = asked.call.headers.iter().filter(|(name, _)| tells(name));
        let mut headers = HeaderMap::new();
        for (name, value) in told {
            headers.append(name.clone(), value.clone());
        }
        let (access, path, user) = (self.access.clone(), asked.path.clone(), asked.caller.user.clone());
        Box::new(move || {
            let resource = path.resource();
            let (namespace, name) = (path.namespace.as_deref(), path.name.as_deref());
            let attributes = Attributes { verb: "watch", group: &path.group, resource: &resource, namespace, name };
            // A token that was revoked is no attempt to guess one, so the peer is not held to account for it.
            let caller = access.authenticate(&headers, None);
            caller.is_ok_and(|caller| caller.user == user && access.authorize(&caller, &attributes).is_ok())
        })
    }

    /// Whether the server lives, or is ready to serve: it is not ready when its store takes no more writes.
    fn health(&self, check: &str, query: &Query) -> Reply {
        let failure = if check == "readyz" { self.store.health().err() } else { None };
        if let Some(why) = failure {
            return Reply::full(500, TEXT, format!("[+]ping ok\n[-]store failed: {why}\n{check} check failed\n"));
        }
        let text = if query.is_set("verbose") {
            format!("[+]ping ok\n[+]store ok\n{check} check passed\n")
        } else {
            "ok".to_owned()
        };
        Reply::full(200, TEXT, text)
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

fn version() -> Value {
    let own = env!("CARGO_PKG_VERSION");
    json!({
        "major": "1", "minor": KUBERNETES_MINOR, "gitVersion": format!("v1.{KUBERNETES_MINOR}.0+kobel.{own}"),
        "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}
