//! Programs of session jobs: no job manager fetches one, so they are fetched here and handed over. Each lies in a folder of
//! its own, which goes with it: the disk of an operator is small, so nothing is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Once;

use kobel_manifest::configuration::Configuration;
use kobel_manifest::kubernetes::configuration::structured;
use kobel_model::Result;
use kobel_model::deployment::Artifact;
use kobel_resources::read::reaches_private_hosts;
use kobel_storage::artifacts::{Artifacts, Limits};

/// The option of the operator that says where programs are fetched to.
const FOLDER: &str = "kubernetes.operator.user.artifacts.base.dir";
/// Where they are fetched to if it says nothing, below the folder for temporary files.
const USUAL_FOLDER: &str = "kobel-programs";
/// The option with what web servers are told besides when a program is fetched.
const HEADERS: &str = "kubernetes.operator.user.artifacts.http.header";

/// Where programs are fetched to, and from where they may be.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    limits: Limits,
    /// Whether what an earlier process has left there is removed.
    is_cleared: Once,
}

/// A program that was fetched, in a folder that is removed with it.
#[derive(Debug)]
pub(crate) struct Fetched {
    folder: PathBuf,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

impl Programs {
    /// As the defaults of an operator say.
    pub(super) fn by(defaults: &BTreeMap<String, String>) -> Self {
        let usual = || std::env::temp_dir().join(USUAL_FOLDER);
        let folder = defaults.get(FOLDER).map_or_else(usual, |folder| PathBuf::from(folder.trim()));
        // Several operators may fetch to one place, and each knows what is its own.
        let folder = folder.join(process::id().to_string());
        let limits = Limits { allow_private: reaches_private_hosts(defaults), ..Limits::default() };
        Self { folder, limits, is_cleared: Once::new() }
    }

    /// Fetches a program as these options say; `fresh` is a name that no other fetch has. Blocks until it is there.
    ///
    /// # Errors
    /// As [`Artifacts::fetch`].
    pub(super) fn fetch(
        &self,
        artifact: &Artifact,
        options: &Configuration,
        fresh: &str,
    ) -> Result<(PathBuf, Fetched)> {
        // Nobody else has the number of this process, so whoever had it is gone.
        self.is_cleared.call_once(|| remove(&self.folder));
        let fetched = Fetched { folder: self.folder.join(fresh) };
        let artifacts = Artifacts::new(&fetched.folder, self.limits)
            .configured(|key| options.get(key).map(str::to_owned))
            .with_headers(&structured::map(options, HEADERS))?;
        let path = artifacts.fetch(artifact, None)?;
        Ok((path, fetched))
    }
}

/// Removes a folder with everything in it.
fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder)
        && folder.exists()
    {
        tracing::warn!(target: "kobel.controller", folder = %folder.display(), %error, "a program is left behind");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::thread;

    use kobel_manifest::kubernetes::configuration::declared_over;
    use kobel_model::deployment::{ArtifactKind, FlinkConfiguration, Scheme};

    use super::*;

    fn jar(port: u16) -> Artifact {
        Artifact { kind: ArtifactKind::Jar, scheme: Scheme::Http, uri: format!("http://127.0.0.1:{port}/a.jar") }
    }

    /// A server that answers once with a jar, and tells what it was asked.
    fn server() -> (u16, mpsc::Receiver<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(&stream).lines().map_while(std::io::Result::ok);
            let asked: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nPK jar").unwrap();
            tell.send(asked).unwrap();
        });
        (port, told)
    }

    #[test]
    fn a_program_lies_in_a_folder_of_its_own_that_goes_with_it() {
        let base = tempfile::tempdir().unwrap();
        let defaults = [
            (FOLDER, base.path().to_str().unwrap()),
            ("kubernetes.operator.user.artifacts.disallow-restricted-hosts", "false"),
        ];
        let defaults: BTreeMap<String, String> =
            defaults.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let programs = Programs::by(&defaults);
        let mine = base.path().join(process::id().to_string());
        fs::create_dir_all(mine.join("left")).unwrap();
        fs::create_dir_all(base.path().join("another")).unwrap();
        let (port, told) = server();
        let options = declared_over(
            Configuration::of(&FlinkConfiguration::default()),
            &FlinkConfiguration::new([(HEADERS.to_owned(), "X-One:1".to_owned())].into()),
        );
        let jar = jar(port);
        let (path, fetched) = programs.fetch(&jar, &options, "0a").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"PK jar");
        assert!(path.starts_with(mine.join("0a")) && path.extension().is_some_and(|ending| ending == "jar"));
        assert!(!mine.join("left").exists() && base.path().join("another").exists());
        assert!(told.recv().unwrap().iter().any(|line| line.eq_ignore_ascii_case("x-one: 1")));
        drop(fetched);
        assert!(mine.exists() && !mine.join("0a").exists());
        // Nobody answers any more: what was begun goes too.
        programs.fetch(&jar, &options, "0b").unwrap_err();
        assert!(!mine.join("0b").exists());
    }

    #[test]
    fn private_hosts_are_asked_only_where_the_operator_says_so() {
        let base = tempfile::tempdir().unwrap();
        let programs = Programs::by(&[(FOLDER.to_owned(), base.path().display().to_string())].into());
        let options = Configuration::of(&FlinkConfiguration::default());
        let error = programs.fetch(&jar(1), &options, "0c").unwrap_err();
        assert_eq!(error.kind(), kobel_model::ErrorKind::Denied, "{error:?}");
    }
}
