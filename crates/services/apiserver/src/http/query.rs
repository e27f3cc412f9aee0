//! Queries: options of reads, writes and deletes, checked as the API server checks them.
//!
//! Every option that is known and wrong is refused; options that are not known are ignored, as clients expect.

use std::time::Duration;

use kobel_resources::{Problem, ProblemKind};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::managed::Force;
use crate::object::go_type;
use crate::patch::PatchKind;
use crate::status::{Answer, Status};
use crate::verbs::{DeleteOptions, DryRun, FieldValidation, Propagation, WriteOptions};

/// The longest name of a field manager.
const MANAGER_MAX: usize = 128;

/// A query, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Takes a percent-encoded query apart.
    pub fn parse(text: &str) -> Self {
        let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Self { pairs: pairs.collect() }
    }

    /// The first value of a key; empty if there is none.
    pub fn get(&self, key: &str) -> &str {
        self.find(key).unwrap_or_default()
    }

    fn find(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn all(&self, key: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(name, value)| name == key && !value.is_empty()).map(|(_, v)| v.as_str()).collect()
    }

    /// Whether a flag is set; as in the API server everything but `false` and `0` sets it.
    pub fn is_set(&self, key: &str) -> bool {
        self.find(key).is_some_and(|value| !matches!(value, "false" | "0"))
    }

    fn number(&self, key: &str) -> Answer<Option<i64>> {
        match self.get(key) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))),
        }
    }
}

/// How fresh or how old a list must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The newest there is.
    Newest,
    /// Any will do.
    Any,
    /// As new as this revision or newer.
    NotOlderThan(u64),
    /// That of this revision.
    Exact(u64),
}

/// Checks that the newest revision is one that was asked for: 504 if it will come only later, 410 if it is gone.
pub fn check_freshness(freshness: Freshness, newest: u64) -> Answer<()> {
    match freshness {
        Freshness::NotOlderThan(wanted) | Freshness::Exact(wanted) if wanted > newest => {
            let message = format!("Timeout: Too large resource version: {wanted}, current: {newest}");
            let mut status = Status::new(504, "Timeout", message);
            let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
            status.details = Some(json!({"causes": [cause], "retryAfterSeconds": 1}));
            Err(status)
        }
        Freshness::Exact(wanted) if wanted < newest => {
            Err(Status::expired("The resourceVersion for the provided list is too old."))
        }
        _ => Ok(()),
    }
}

/// Options of a list or a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOptions {
    /// Label selector, as it was sent.
    pub labels: String,
    /// Field selector, as it was sent.
    pub fields: String,
    /// The most objects that are wanted; 0 is all.
    pub limit: usize,
    /// Where to go on; empty for the beginning.
    pub proceed: String,
    /// How fresh it must be.
    pub freshness: Freshness,
    /// How long a watch lasts.
    pub timeout: Option<Duration>,
    /// Whether a watch may tell how far it is.
    pub has_bookmarks: bool,
    /// Whether a watch begins with what is there; `None` leaves it to the version.
    pub sends_initial: Option<bool>,
}

impl ListOptions {
    /// Reads the options of a list, or those of a watch if the query asks for one.
    pub fn parse(query: &Query) -> Answer<Self> {
        let is_watch = query.is_set("watch");
        let limit = query.number("limit")?.unwrap_or_default();
        let timeout = query.number("timeoutSeconds")?;
        let sends_initial = query.find("sendInitialEvents").map(|_| query.is_set("sendInitialEvents"));
        let problems = list_problems(query, sends_initial);
        if !problems.is_empty() {
            return Err(invalid_options("ListOptions", &problems));
        }
        let proceed = query.get("continue").to_owned();
        let version = query.get("resourceVersion");
        if !proceed.is_empty() && !matches!(version, "" | "0") && !is_watch {
            return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
        }
        let seconds = timeout.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        Ok(Self {
            labels: query.get("labelSelector").to_owned(),
            fields: query.get("fieldSelector").to_owned(),
            limit: usize::try_from(limit).unwrap_or_default(),
            proceed,
            freshness: freshness(version, query.get("resourceVersionMatch"))?,
            timeout: seconds.map(Duration::from_secs),
            has_bookmarks: query.is_set("allowWatchBookmarks"),
            sends_initial,
        })
    }
}

fn freshness(version: &str, how: &str) -> Answer<Freshness> {
    let number = || {
        version.parse::<u64>().map_err(|_| {
            let cause = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
            Status::bad_request(format!(
                "invalid resource version: resourceVersion: Invalid value: {version:?}: {cause}"
            ))
        })
    };
    match (version, how) {
        ("", _) => Ok(Freshness::Newest),
        ("0", _) => Ok(Freshness::Any),
        (_, "Exact") => number().map(Freshness::Exact),
        _ => number().map(Freshness::NotOlderThan),
    }
}

/// What is wrong with the version options of a list or a watch together.
fn list_problems(query: &Query, sends_initial: Option<bool>) -> Vec<Problem> {
    let (version, how) = (query.get("resourceVersion"), query.get("resourceVersionMatch"));
    let forbidden = |path: &str, detail: &str| Problem {
        path: path.to_owned(),
        kind: ProblemKind::Forbidden,
        value: None,
        detail: detail.to_owned(),
    };
    let field = "resourceVersionMatch";
    let mut problems = Vec::new();
    if query.is_set("watch") {
        if sends_initial.is_some() {
            if how != "NotOlderThan" {
                let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                problems.push(forbidden(field, detail));
            }
        } else if !how.is_empty() {
            let detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            problems.push(forbidden(field, detail));
        }
        if !matches!(how, "" | "NotOlderThan") {
            problems.push(unsupported(field, json!(how), "supported values: \"NotOlderThan\""));
        }
        if !query.get("continue").is_empty() {
            problems.push(forbidden("continue", "continue is forbidden for watch"));
        }
        return problems;
    }
    if sends_initial.is_some() {
        problems.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    match (how, version) {
        ("", _) => {}
        (_, "") => {
            let detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            problems.push(forbidden(field, detail));
        }
        (_, _) if !query.get("continue").is_empty() => {
            problems.push(forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
        }
        ("Exact", "0") => {
            let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            problems.push(forbidden(field, detail));
        }
        ("Exact" | "NotOlderThan", _) => {}
        (other, _) => {
            let known = "supported values: \"Exact\", \"NotOlderThan\", \"\"";
            problems.push(unsupported(field, json!(other), known));
        }
    }
    problems
}

fn unsupported(path: &str, value: Value, known: &str) -> Problem {
    Problem::new(ProblemKind::NotSupported, path, value, known)
}

fn invalid_options(kind: &str, problems: &[Problem]) -> Box<Status> {
    let mut status = Status::invalid(kind, "meta.k8s.io", "", problems);
    if let Some(details) = status.details.as_mut().and_then(Value::as_object_mut) {
        details.shift_remove("name");
    }
    status
}

/// The kind of the options of a write, which refusals name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// Of a create.
    Create,
    /// Of an update.
    Update,
    /// Of a patch.
    Patch(PatchKind),
}

impl WriteKind {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "CreateOptions",
            Self::Update => "UpdateOptions",
            Self::Patch(_) => "PatchOptions",
        }
    }
}

/// Reads the options of a write; `agent` is the `User-Agent`, which names the field manager if the query does not.
pub fn write_options(query: &Query, what: WriteKind, agent: &str) -> Answer<WriteOptions> {
    let mut problems = Vec::new();
    let manager = query.get("fieldManager");
    let is_apply = matches!(what, WriteKind::Patch(PatchKind::Apply));
    if manager.len() > MANAGER_MAX {
        let detail = format!("may not be more than {MANAGER_MAX} bytes");
        problems.push(Problem::new(ProblemKind::TooLong, "fieldManager", manager, detail));
    } else if manager.chars().any(char::is_control) {
        problems.push(Problem::invalid("fieldManager", manager, "should only contain printable characters"));
    } else if is_apply && manager.is_empty() {
        problems.push(Problem::required("fieldManager", "is required for apply patch"));
    }
    if matches!(what, WriteKind::Patch(_)) && !is_apply && query.find("force").is_some() {
        let (path, detail) = ("force".to_owned(), "may not be specified for non-apply patch".to_owned());
        problems.push(Problem { path, kind: ProblemKind::Forbidden, value: None, detail });
    }
    let dry_run = dry_run(&query.all("dryRun"), &mut problems);
    let validation = match query.get("fieldValidation") {
        "" | "Warn" => FieldValidation::Warn,
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        other => {
            let known = "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"";
            problems.push(unsupported("fieldValidation", json!(other), known));
            FieldValidation::Warn
        }
    };
    if !problems.is_empty() {
        return Err(invalid_options(what.name(), &problems));
    }
    let field_manager = if manager.is_empty() { manager_of(agent) } else { manager.to_owned() };
    let force = if query.is_set("force") { Force::Yes } else { Force::No };
    Ok(WriteOptions { field_manager, dry_run, validation, force, body_faults: Vec::new() })
}

/// The first part of a `User-Agent`, cut to the length of a field manager.
fn manager_of(agent: &str) -> String {
    let name = agent.split('/').next().unwrap_or_default();
    let printable = name.chars().filter(|c| !c.is_control());
    let manager: String = printable
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= MANAGER_MAX).then_some(c)
        })
        .collect();
    if manager.is_empty() { "unknown".to_owned() } else { manager }
}

fn dry_run(values: &[&str], problems: &mut Vec<Problem>) -> DryRun {
    if values.iter().any(|value| *value != "All") {
        problems.push(unsupported("dryRun", json!(values), "supported values: \"All\""));
    }
    if values.is_empty() { DryRun::No } else { DryRun::All }
}

/// Reads the options of a delete from its body if it has one, otherwise from its query.
pub fn delete_options(query: &Query, body: Option<&Value>) -> Answer<DeleteOptions> {
    let from_query = query_as_object(query)?;
    let given = body.unwrap_or(&from_query);
    check_delete_body(given)?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let mut problems = Vec::new();
    let listed = given.get("dryRun").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let dry_run = dry_run(&listed.iter().filter_map(Value::as_str).collect::<Vec<_>>(), &mut problems);
    let orphans = given.get("orphanDependents").and_then(Value::as_bool);
    let policy = given.get("propagationPolicy").and_then(Value::as_str);
    let propagation = match policy {
        Some(word) if orphans.is_some() => {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            problems.push(Problem::invalid("propagationPolicy", word, detail));
            Propagation::Background
        }
        Some("Foreground") => Propagation::Foreground,
        Some("Orphan") => Propagation::Orphan,
        None if orphans == Some(true) => Propagation::Orphan,
        None | Some("Background") => Propagation::Background,
        Some(other) => {
            let known = "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            problems.push(unsupported("propagationPolicy", json!(other), known));
            Propagation::Background
        }
    };
    if !problems.is_empty() {
        return Err(invalid_options("DeleteOptions", &problems));
    }
    let conditions = given.get("preconditions");
    let condition = |field: &str| text(conditions.and_then(|conditions| conditions.get(field)));
    Ok(DeleteOptions {
        propagation,
        uid: condition("uid"),
        resource_version: condition("resourceVersion"),
        grace_period_seconds: given.get("gracePeriodSeconds").and_then(Value::as_i64),
        dry_run,
    })
}

fn query_as_object(query: &Query) -> Answer<Value> {
    let mut object = json!({});
    if !query.get("propagationPolicy").is_empty() {
        object["propagationPolicy"] = json!(query.get("propagationPolicy"));
    }
    if query.find("orphanDependents").is_some() {
        object["orphanDependents"] = json!(query.is_set("orphanDependents"));
    }
    if let Some(seconds) = query.number("gracePeriodSeconds")? {
        object["gracePeriodSeconds"] = json!(seconds);
    }
    object["dryRun"] = json!(query.all("dryRun"));
    Ok(object)
}

/// A field of a body: its name, Go's name of its type, and whether a value has that type.
type TypedField = (&'static str, &'static str, fn(&Value) -> bool);

/// Refuses a body that is no `DeleteOptions`.
fn check_delete_body(body: &Value) -> Answer<()> {
    let claimed = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (claimed("kind"), claimed("apiVersion"));
    if !matches!(kind, "" | "DeleteOptions") {
        let message = format!("no kind \"{kind}\" is registered for version \"{version}\" in scheme");
        return Err(Status::bad_request(format!("{message} \"pkg/runtime/scheme.go:111\"")));
    }
    let fields: [TypedField; 4] = [
        ("gracePeriodSeconds", "int64", Value::is_i64),
        ("orphanDependents", "bool", Value::is_boolean),
        ("propagationPolicy", "v1.DeletionPropagation", Value::is_string),
        ("dryRun", "[]string", Value::is_array),
    ];
    for (field, expected, fits) in fields {
        if let Some(value) = body.get(field).filter(|value| !value.is_null() && !fits(value)) {
            let found = go_type(value);
            let place = format!("Go struct field DeleteOptions.{field} of type {expected}");
            return Err(Status::bad_request(format!("json: cannot unmarshal {found} into {place}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
