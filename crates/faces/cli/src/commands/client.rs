//! What the commands that ask an API share: finding it, asking it, and ending as its answers say.

use std::path::{Path, PathBuf};
use std::{fs, io};

use kobel_kubernetes::cluster::Cluster;
use kobel_kubernetes::context::{Choice, Context, Places};
use kobel_kubernetes::failure::Failure;
use kobel_kubernetes::kinds::{Kinds, Served};
use kobel_kubernetes::manifests::{self, Manifest};
use kobel_model::{Error, ErrorKind, Result};

use super::shell_word::on_data;
use super::{data, nearby};
use crate::args::resources::ApiArguments;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// An API with what a command needs of it.
pub(crate) struct Session {
    pub(crate) context: Context,
    pub(crate) cluster: Cluster,
    pub(crate) kinds: Kinds,
    /// The namespace of the command line, or that of the context.
    pub(crate) namespace: String,
}

impl Session {
    /// Finds the API that is meant and asks which kinds it serves.
    pub(crate) async fn open(arguments: &ApiArguments) -> Result<Self> {
        let choice = Choice { kubeconfig: arguments.kubeconfig.clone(), context: arguments.context.clone() };
        let context = Context::find(&choice, &Places::of_process(data::directory(None)))?;
        let start = on_data("up", data::of_kubeconfig(context.files(), data::directory(None).as_deref()).as_deref());
        let cluster = Cluster::connect(&context).await?.started_by(start);
        let kinds = Kinds::discover(&cluster).await?;
        let namespace = arguments.namespace.clone().unwrap_or_else(|| cluster.namespace().to_owned());
        Ok(Self { context, cluster, kinds, namespace })
    }

    /// The namespace for objects of a kind, absent if they have none.
    pub(crate) fn namespace_of(&self, served: &Served) -> Option<&str> {
        served.is_namespaced.then_some(self.namespace.as_str())
    }

    /// What a command ends with to mean the same namespace: ` -n team`, or nothing if it is that of the context.
    pub(crate) fn namespace_flag(&self) -> String {
        match self.namespace.as_str() {
            namespace if namespace == self.cluster.namespace() => String::new(),
            namespace => format!(" -n {namespace}"),
        }
    }
}

/// A manifest with the kind that the API serves for it.
pub(crate) struct Document {
    pub(crate) manifest: Manifest,
    pub(crate) served: Served,
}

impl Document {
    /// `singular.group/name`, as outcomes name an object.
    pub(crate) fn shown(&self) -> String {
        format!("{}/{}", self.served.shown(), self.manifest.name)
    }

    /// The namespace that the object is in.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.manifest.namespace.as_deref()
    }
}

/// Tells what is wrong with a manifest whose kind the API serves like this, if it does.
pub(crate) type Check = fn(&Manifest, Option<&Served>) -> Vec<Error>;

/// Reads manifests, checks each and settles kind and namespace of each; every problem of every document is told.
pub(crate) fn documents(
    session: &Session,
    files: &[PathBuf],
    asked: Option<&str>,
    check: Check,
    terminal: &Terminal,
) -> Result<Vec<Document>> {
    let (mut present, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        match absent(file) {
            Some(error) => problems.push(error),
            None => present.push(file.clone()),
        }
    }
    let (manifests, wrong) = if present.is_empty() { (Vec::new(), Vec::new()) } else { manifests::read(&present) };
    problems.extend(wrong);
    let mut documents = Vec::new();
    for mut manifest in manifests {
        let served = session.kinds.of_manifest(&manifest.api_version, &manifest.kind);
        let found = check(&manifest, served.as_ref().ok().copied());
        if !found.is_empty() {
            problems.extend(found);
            continue;
        }
        match served {
            Ok(served) => match settle_namespace(&mut manifest, served, session, asked) {
                Ok(()) => documents.push(Document { manifest, served: served.clone() }),
                Err(error) => problems.push(error),
            },
            Err(error) => {
                let hint = error.hint().unwrap_or_default().to_owned();
                problems.push(Error::new(error.kind(), format!("{}: {error}", manifest.place)).with_hint(hint));
            }
        }
    }
    all_or_nothing(documents, problems, terminal)
}

/// The error of a file that is not there, with what may have been meant.
fn absent(file: &Path) -> Option<Error> {
    if file == Path::new("-") {
        return None;
    }
    let error = fs::metadata(file).err().filter(|error| error.kind() == io::ErrorKind::NotFound)?;
    Some(Error::io(format!("cannot read `{}`", file.display()), error).with_hint(nearby::hint(file)))
}

/// The error of a request about a document, with its place.
pub(crate) fn at(document: &Document, failure: Failure) -> Error {
    let error = explained(failure);
    let placed = Error::new(error.kind(), format!("{}: {error}", document.manifest.place));
    match error.hint() {
        Some(hint) => placed.with_hint(hint),
        None => placed,
    }
}

/// The error of a request that writes: a namespace that is not there can be made.
pub(crate) fn explained(failure: Failure) -> Error {
    let namespace = match &failure {
        Failure::Refused(refusal) => refusal.missing_namespace().map(str::to_owned),
        Failure::Other(_) => None,
    };
    let error = Error::from(failure);
    match namespace {
        Some(namespace) => error.with_hint(namespace_made(&namespace)),
        None => error,
    }
}

/// How a namespace is made.
pub(crate) fn namespace_made(namespace: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !namespace.chars().all(is_plain) || namespace.starts_with('-') || namespace.ends_with('-') {
        return "no namespace can have this name: it is made of lower-case letters, digits and `-`, such as `team-x`"
            .to_owned();
    }
    let manifest = format!("apiVersion: v1\\nkind: Namespace\\nmetadata: {{name: {namespace}}}\\n");
    format!("create it with `printf '{manifest}' | kobel apply -f -`")
}

/// Tells every problem but the last, which ends the command.
pub(crate) fn all_or_nothing<T>(value: T, mut problems: Vec<Error>, terminal: &Terminal) -> Result<T> {
    match problems.pop() {
        Some(last) => {
            problems.iter().for_each(|problem| terminal.error(problem));
            Err(last)
        }
        None => Ok(value),
    }
}

fn settle_namespace(manifest: &mut Manifest, served: &Served, session: &Session, asked: Option<&str>) -> Result<()> {
    if !served.is_namespaced {
        manifest.namespace = None;
        return Ok(());
    }
    match (&manifest.namespace, asked) {
        (Some(written), Some(asked)) if written != asked => Err(Error::invalid(format!(
            "{}: `{}` is for the namespace `{written}`, not for `{asked}`",
            manifest.place, manifest.name
        ))
        .with_hint("leave out `-n`, or the namespace in the manifest")),
        (Some(_), _) => Ok(()),
        (None, _) => {
            let namespace = session.namespace.clone();
            if let Some(metadata) = manifest.value.get_mut("metadata").and_then(|metadata| metadata.as_object_mut()) {
                metadata.insert("namespace".to_owned(), namespace.clone().into());
            }
            manifest.namespace = Some(namespace);
            Ok(())
        }
    }
}

/// Kind and name of `KIND NAME` or `KIND/NAME` after the command `verb`.
pub(crate) fn reference<'a>(verb: &str, kind: &'a str, name: Option<&'a str>) -> Result<(&'a str, Option<&'a str>)> {
    if let Some(error) = misread(verb, kind, name) {
        return Err(error);
    }
    if name.is_some_and(str::is_empty) {
        return Err(Error::invalid("the name is empty").with_hint(format!("`kobel get {kind}` lists what there is")));
    }
    match (kind.split_once('/'), name) {
        (None, name) => Ok((kind, name)),
        (Some((kind, inner)), None) if !inner.is_empty() && !inner.contains('/') => Ok((kind, Some(inner))),
        _ => Err(Error::invalid(format!("`{kind}` is not a kind"))
            .with_hint(format!("write `kobel {verb} KIND/NAME` or `kobel {verb} KIND NAME`"))),
    }
}

/// That something else stands where a kind is expected.
fn misread(verb: &str, kind: &str, name: Option<&str>) -> Option<Error> {
    if let Some(name) = kind.strip_prefix('/') {
        let error = Error::invalid(format!("there is no kind before `{kind}`"));
        return Some(error.with_hint(format!("write `kobel {verb} flinkdeployment/{name}`, for instance")));
    }
    let several: Vec<&str> = match name {
        // Two objects, each with its kind.
        Some(name) if kind.contains('/') && name.contains('/') => vec![kind, name],
        _ if kind.contains(',') => kind.split(',').filter(|one| !one.is_empty()).collect(),
        _ => return None,
    };
    let commands: Vec<String> = several.iter().map(|one| format!("`kobel {verb} {one}`")).collect();
    Some(Error::invalid(format!("`kobel {verb}` takes one at a time")).with_hint(commands.join(", then ")))
}

/// The kind that was typed after the command `verb`, where a kind is expected; one that is not known may have been
/// meant as a name.
pub(crate) fn kind_of<'a>(session: &'a Session, verb: &str, kind: &str, name: Option<&str>) -> Result<&'a Served> {
    if kind.trim().is_empty() {
        let hint = format!("write `kobel {verb} flinkdeployment/NAME`, for instance");
        return Err(Error::invalid("the kind is empty").with_hint(hint));
    }
    session.kinds.named(kind).map_err(|error| match name {
        Some(_) => error,
        None => meant_as_name(error, kind, &format!("kobel {verb} flinkdeployment/{kind}{}", session.namespace_flag())),
    })
}

fn meant_as_name(error: Error, word: &str, command: &str) -> Error {
    let hint = format!("if `{word}` is the name of an application, write `{command}`");
    let hint = error.hint().map_or_else(|| hint.clone(), |known| format!("{hint}; {known}"));
    error.with_hint(hint)
}

/// The error of a request about a named object: where to find which there are.
pub(crate) fn named(failure: Failure, served: &Served) -> Error {
    let is_missing = failure.is_missing();
    let error = Error::from(failure);
    let everywhere = if served.is_namespaced { " -A" } else { "" };
    if is_missing {
        error.with_hint(format!("`kobel get {}{everywhere}` lists what there is", served.plural))
    } else {
        error
    }
}

/// Writes to standard output.
pub(crate) fn print(terminal: &Terminal, text: &str) -> Result<()> {
    terminal.rows(text).map_err(|error| Error::io("cannot write to standard output", error))
}

/// Runs a command to its end on this thread and reports what goes wrong.
pub(crate) fn complete(terminal: &Terminal, work: impl Future<Output = Result<Exit>>) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(Error::new(ErrorKind::Unavailable, "cannot start to speak to the API").with_source(error)),
    };
    terminal.conclude(ended)
}

#[cfg(test)]
mod tests {
    use kobel_kubernetes::failure::Refusal;

    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_told_with_its_neighbour() {
        let directory = tempfile::tempdir().unwrap();
        let (here, wrong) = (directory.path().join("orders.yaml"), directory.path().join("order.yaml"));
        fs::write(&here, "").unwrap();
        assert!(absent(&here).is_none() && absent(Path::new("-")).is_none());
        let error = absent(&wrong).unwrap();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.hint().is_some_and(|hint| hint.ends_with("orders.yaml`?")), "{error:?}");
    }

    #[test]
    fn a_namespace_that_is_not_there_can_be_made() {
        let manifest = "`printf 'apiVersion: v1\\nkind: Namespace\\nmetadata: {name: team}\\n' | kobel apply -f -`";
        assert_eq!(namespace_made("team"), format!("create it with {manifest}"));
        for name in ["Team X", "team/x", "-a", "a-"] {
            assert!(namespace_made(name).starts_with("no namespace can have this name"), "{name}");
        }
    }

    #[test]
    fn a_word_that_is_no_kind_may_be_meant_as_a_name() {
        let told = |hint: Option<&str>| {
            let error = Error::new(ErrorKind::Missing, "the API serves no kind `orders`");
            let error = hint.into_iter().fold(error, Error::with_hint);
            meant_as_name(error, "orders", "kobel describe flinkdeployment/orders").hint().map(str::to_owned)
        };
        let advice = "if `orders` is the name of an application, write `kobel describe flinkdeployment/orders`";
        assert_eq!(told(None).as_deref(), Some(advice));
        assert_eq!(told(Some("it serves secrets")), Some(format!("{advice}; it serves secrets")));
    }

    #[test]
    fn who_is_not_found_can_be_looked_for() {
        let served = |is_namespaced| Served {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "things".to_owned(),
            singular: "thing".to_owned(),
            kind: "Thing".to_owned(),
            short_names: Vec::new(),
            is_namespaced,
            verbs: Vec::new(),
        };
        let failure = |code| {
            let (reason, message) = ("NotFound".to_owned(), "things \"a\" not found".to_owned());
            Failure::Refused(Box::new(Refusal { code, reason, message, causes: Vec::new() }))
        };
        for (code, is_namespaced, expected) in [
            (404, true, Some("`kobel get things -A` lists what there is")),
            (404, false, Some("`kobel get things` lists what there is")),
            (500, true, None),
        ] {
            let error = named(failure(code), &served(is_namespaced));
            assert_eq!((error.to_string().as_str(), error.hint()), ("things \"a\" not found", expected));
        }
    }

    #[test]
    fn what_is_no_kind_is_told_how_to_be_written() {
        for (kind, name, message, hint) in [
            ("/orders", None, "there is no kind before", "write `kobel get flinkdeployment/orders`, for instance"),
            ("flinkdep,ev", None, "takes one at a time", "`kobel get flinkdep`, then `kobel get ev`"),
            ("flinkdep/a", Some("flinkdep/b"), "takes one at a", "`kobel get flinkdep/a`, then `kobel get flinkdep/b`"),
        ] {
            let error = reference("get", kind, name).unwrap_err();
            assert!(error.to_string().contains(message), "{kind}: {error}");
            assert_eq!(error.hint(), Some(hint), "{kind}");
        }
    }

    #[test]
    fn a_reference_is_a_kind_with_or_without_a_name() {
        for (kind, name, expected) in [
            ("flinkdep", None, Some(("flinkdep", None))),
            ("flinkdep", Some("a"), Some(("flinkdep", Some("a")))),
            ("flinkdep/a", None, Some(("flinkdep", Some("a")))),
            ("flinkdep/a", Some("b"), None),
            ("flinkdep/", None, None),
            ("a/b/c", None, None),
        ] {
            assert_eq!(reference("get", kind, name).ok(), expected, "{kind} {name:?}");
        }
        let error = reference("explain", "flinkdep/a", Some("b")).unwrap_err();
        assert_eq!(error.hint(), Some("write `kobel explain KIND/NAME` or `kobel explain KIND NAME`"));
    }
}
