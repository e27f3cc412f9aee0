//! Which API is meant: the kubeconfig, the context in it, and where they were looked for.
//!
//! ```text
//! --kubeconfig  >  $KUBECONFIG  >  kubeconfig of the embedded API in the data directory  >  ~/.kube/config
//! ```
//! A context that is asked for by name is taken from the first of these that has it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::{Error, ErrorKind, Result};
use kube::config::{Kubeconfig, KubeconfigError};
use serde_json::{Value, json};

/// What the person asked for.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The file to take.
    pub kubeconfig: Option<PathBuf>,
    /// The context to take instead of the file's current one.
    pub context: Option<String>,
}

/// Where kubeconfigs may stand.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The variable `KUBECONFIG`: a list of files that are read as one.
    pub variable: Option<OsString>,
    /// The data directory of the embedded API.
    pub data_directory: Option<PathBuf>,
    /// The home directory of the person.
    pub home: Option<PathBuf>,
}

impl Places {
    /// The places that the environment of this process names.
    pub fn of_process(data_directory: Option<PathBuf>) -> Self {
        let variable = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
        let home = std::env::var_os("HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { variable, data_directory, home }
    }

    /// The files of each place, the first place first.
    fn candidates(&self) -> Vec<Vec<PathBuf>> {
        let mut candidates = Vec::new();
        if let Some(variable) = &self.variable {
            candidates.push(std::env::split_paths(variable).filter(|path| !path.as_os_str().is_empty()).collect());
        }
        if let Some(directory) = &self.data_directory {
            candidates.push(vec![directory.join("kubeconfig")]);
        }
        if let Some(home) = &self.home {
            candidates.push(vec![home.join(".kube/config")]);
        }
        candidates
    }
}

/// An API and who speaks to it.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) kubeconfig: Kubeconfig,
    pub(crate) name: String,
    /// The file or files, for messages.
    pub(crate) origin: String,
    files: Vec<PathBuf>,
}

impl Context {
    /// Finds the context that is meant.
    ///
    /// # Errors
    /// Missing if there is no kubeconfig or it has no such context, Invalid if it cannot be read.
    pub fn find(choice: &Choice, places: &Places) -> Result<Self> {
        if let Some(path) = &choice.kubeconfig {
            let read = read_file(path)?;
            return Self::of(read, choice.context.as_deref(), vec![path.clone()]);
        }
        let candidates = places.candidates();
        let mut first_error = None;
        for files in &candidates {
            let present: Vec<&PathBuf> = files.iter().filter(|path| path.exists()).collect();
            if present.is_empty() {
                continue;
            }
            let context = read_all(&present)
                .and_then(|read| Self::of(read, choice.context.as_deref(), present.iter().copied().cloned().collect()));
            match context {
                Ok(context) => return Ok(context),
                // Another file may have the context that was named.
                Err(error) if choice.context.is_some() => first_error = first_error.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or_else(|| nowhere(&candidates)))
    }

    /// The name of the context.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file or files that it stands in.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// A kubeconfig for another user of the same API, as YAML; it holds the token.
    ///
    /// # Errors
    /// Invalid if the context names no cluster.
    pub fn for_user(&self, user: &str, namespace: &str, token: &str) -> Result<String> {
        let context = self.kubeconfig.contexts.iter().find(|context| context.name == self.name);
        let cluster = context.and_then(|context| context.context.as_ref()).map(|context| context.cluster.as_str());
        let named = self.kubeconfig.clusters.iter().find(|named| Some(named.name.as_str()) == cluster);
        let Some(cluster) = named.and_then(|named| named.cluster.as_ref()) else {
            return Err(Error::invalid(format!("context `{}` in `{}` names no cluster", self.name, self.origin)));
        };
        let cluster = serde_json::to_value(cluster)
            .map_err(|error| Error::bug("cannot write the cluster of a kubeconfig").with_source(error))?;
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": user,
            "clusters": [{"name": "kobel", "cluster": cluster}],
            "contexts": [{"name": user, "context": {"cluster": "kobel", "user": user, "namespace": namespace}}],
            "users": [{"name": user, "user": {"token": token}}],
        });
        yaml(&kubeconfig)
    }

    fn of(kubeconfig: Kubeconfig, context: Option<&str>, files: Vec<PathBuf>) -> Result<Self> {
        let origin = files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("`, `");
        let names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
        let listed =
            if names.is_empty() { "it has none".to_owned() } else { format!("it has `{}`", names.join("`, `")) };
        let wanted = context.or(kubeconfig.current_context.as_deref()).filter(|name| !name.is_empty());
        let Some(name) = wanted else {
            let message = format!("the kubeconfig `{origin}` has no current context");
            return Err(Error::invalid(message).with_hint(format!("name one with `--context`: {listed}")));
        };
        if !names.contains(&name) {
            let message = format!("the kubeconfig `{origin}` has no context `{name}`");
            return Err(Error::new(ErrorKind::Missing, message).with_hint(listed));
        }
        let name = name.to_owned();
        Ok(Self { kubeconfig, name, origin, files })
    }
}

/// The YAML text of a value.
///
/// # Errors
/// A bug if the value cannot be written.
pub fn yaml(value: &Value) -> Result<String> {
    serde_saphyr::to_string(value).map_err(|error| Error::bug("cannot write YAML").with_source(error.to_string()))
}

fn read_all(files: &[&PathBuf]) -> Result<Kubeconfig> {
    let mut whole: Option<Kubeconfig> = None;
    for path in files {
        let read = read_file(path)?;
        whole = Some(match whole {
            None => read,
            Some(before) => before.merge(read).map_err(|error| unusable(path, &error))?,
        });
    }
    Ok(whole.unwrap_or_default())
}

fn read_file(path: &Path) -> Result<Kubeconfig> {
    if fs::read_to_string(path).is_ok_and(|text| text.trim().is_empty()) {
        let message = format!("the kubeconfig `{}` is empty", path.display());
        return Err(Error::invalid(message).with_hint("`kobel up` writes one and says where"));
    }
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => {
            Error::io(format!("cannot read the kubeconfig `{}`", path.display()), error)
                .with_hint("`kobel up` writes one and says where")
        }
        error => unusable(path, &error),
    })
}

/// The error of a kubeconfig that can be read and not used; it must not show what stands in the file.
pub(crate) fn unusable(path: &Path, error: &KubeconfigError) -> Error {
    let place = path.display();
    match error {
        KubeconfigError::Parse(error) => {
            let at = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
            Error::invalid(format!("`{place}`{at} is not a kubeconfig")).with_hint(
                "one is YAML with `clusters`, `users`, `contexts` and `current-context`; `kobel up` writes one and \
                 says where",
            )
        }
        error => Error::invalid(format!("cannot use the kubeconfig `{place}`")).with_source(error.to_string()),
    }
}

fn nowhere(candidates: &[Vec<PathBuf>]) -> Error {
    let looked: Vec<String> = candidates.iter().flatten().map(|path| format!("`{}`", path.display())).collect();
    let message = if looked.is_empty() {
        "there is no kubeconfig, and no place to look for one".to_owned()
    } else {
        format!("there is no kubeconfig: looked for {}", looked.join(", "))
    };
    Error::new(ErrorKind::Missing, message)
        .with_hint("start the embedded API with `kobel up`, or name a file with `--kubeconfig`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(directory: &Path, file: &str, context: &str) -> PathBuf {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {context}\nclusters:\n- name: c\n  cluster: {{server: \
             'https://127.0.0.1:1'}}\ncontexts:\n- name: {context}\n  context: {{cluster: c, user: u}}\nusers:\n- \
             name: u\n  user: {{token: hidden}}\n"
        );
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn the_nearest_kubeconfig_wins() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let explicit = kubeconfig(root, "explicit", "a");
        let variable = kubeconfig(root, "variable", "b");
        kubeconfig(root, "data/kubeconfig", "c");
        kubeconfig(root, "home/.kube/config", "d");
        let all = Places {
            variable: Some(variable.into_os_string()),
            data_directory: Some(root.join("data")),
            home: Some(root.join("home")),
        };
        let without_variable = Places { variable: None, ..all.clone() };
        let only_home = Places { data_directory: Some(root.join("none")), ..without_variable.clone() };
        let chosen = Choice { kubeconfig: Some(explicit), context: None };
        let named = Choice { kubeconfig: None, context: Some("d".to_owned()) };
        for (choice, places, expected) in [
            (&chosen, &all, "a"),
            (&Choice::default(), &all, "b"),
            (&Choice::default(), &without_variable, "c"),
            (&Choice::default(), &only_home, "d"),
            (&named, &all, "d"),
        ] {
            assert_eq!(Context::find(choice, places).unwrap().name(), expected);
        }
        assert_eq!(Context::find(&named, &all).unwrap().files(), [root.join("home/.kube/config")]);
    }

    #[test]
    fn nothing_found_says_where_it_looked_and_what_to_do() {
        let places = Places { data_directory: Some("/nowhere/data".into()), ..Places::default() };
        let error = Context::find(&Choice::default(), &places).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.to_string().contains("`/nowhere/data/kubeconfig`"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("kobel up")), "{error:?}");
    }

    #[test]
    fn an_unknown_context_names_those_there_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = kubeconfig(directory.path(), "config", "a");
        let choice = Choice { kubeconfig: Some(path), context: Some("z".to_owned()) };
        let error = Context::find(&choice, &Places::default()).unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Missing, Some("it has `a`")));
    }

    #[test]
    fn a_broken_kubeconfig_does_not_show_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "users: [{name: u, user: {token: hidden}}\n").unwrap();
        let choice = Choice { kubeconfig: Some(path), context: None };
        let error = Context::find(&choice, &Places::default()).unwrap_err();
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("`current-context`")), "{error:?}");
    }

    #[test]
    fn an_empty_kubeconfig_is_called_empty() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "\n").unwrap();
        let choice = Choice { kubeconfig: Some(path), context: None };
        let error = Context::find(&choice, &Places::default()).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().ends_with("is empty"), "{error:?}");
    }

    #[test]
    fn a_kubeconfig_for_another_user_keeps_the_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = kubeconfig(directory.path(), "config", "a");
        let choice = Choice { kubeconfig: Some(path), context: None };
        let context = Context::find(&choice, &Places::default()).unwrap();
        let text = context.for_user("ann", "team", "secret").unwrap();
        assert!(text.contains("https://127.0.0.1:1") && text.contains("secret") && !text.contains("hidden"), "{text}");
    }
}
