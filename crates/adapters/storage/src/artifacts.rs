//! Programs that are fetched before they run: from this machine, from web servers, from S3.
//!
//! A fetch is bounded in bytes and time, connects only to addresses that were checked, and gives a file that is whole:
//! content lies under its own digest, so a path that was given out once never changes what it holds.

mod cache;
mod digest;
mod gate;
mod limits;
mod local;
pub(crate) mod s3;
mod told;
mod web;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kobel_model::deployment::{Artifact, ArtifactKind, Scheme};
use kobel_model::{Error, ErrorKind, Result};
use ureq::unversioned::resolver::DefaultResolver;
use url::Url;

use cache::{Cache, Known};
use digest::ContentDigest;
use gate::Gate;
use s3::{Object, Origin};
use told::Told;
use web::{Answer, Call, Headers, Validators, Web};

use crate::file;

pub use limits::Limits;
pub use s3::S3Settings;

/// The longest time that a clock is sure to count.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Fetches artifacts and keeps what was fetched.
#[derive(Debug, Clone)]
pub struct Artifacts {
    cache: Cache,
    limits: Limits,
    s3: S3Settings,
    /// Asks whom a manifest may name.
    web: Web,
    /// Asks whom the environment of this process names.
    trusted: Web,
    /// What is sent to web servers besides.
    headers: Headers,
}

/// Where an artifact comes from that does not lie on this machine.
struct Source {
    /// Its name in the cache.
    key: ContentDigest,
    /// Its name for people, without secrets.
    shown: String,
    kind: ArtifactKind,
    place: Place,
}

enum Place {
    Web(Url),
    S3(Object),
}

impl Artifacts {
    /// Fetches into `cache`, which need not be there yet. How S3 is reached is read from the environment.
    pub fn new(cache: &Path, limits: Limits) -> Self {
        let gate = if limits.allow_private { Gate::open() } else { Gate::public() };
        Self {
            cache: Cache::new(cache.to_owned()),
            limits,
            s3: S3Settings::from_environment(|name| std::env::var(name).ok()),
            web: Web::new(gate, Box::new(DefaultResolver::default())),
            trusted: Web::new(Gate::open(), Box::new(DefaultResolver::default())),
            headers: Headers::default(),
        }
    }

    /// The same cache with headers, by name, that are sent to the web server which an artifact names, and to no other.
    ///
    /// # Errors
    /// Invalid if one of them can be none.
    pub fn with_headers(&self, headers: &BTreeMap<String, String>) -> Result<Self> {
        Ok(Self { headers: Headers::of(headers)?, ..self.clone() })
    }

    /// The same cache for a deployment whose options say how S3 is reached, as [`S3Settings::configured`] reads them.
    #[must_use]
    pub fn configured(&self, option: impl Fn(&str) -> Option<String>) -> Self {
        Self { s3: self.s3.configured(option), ..self.clone() }
    }

    /// Gives the file of an artifact: where it lies if that is this machine, otherwise a copy in the cache that is as
    /// new as the server's. Blocks until it is there.
    ///
    /// `checksum` is a SHA-256 as `sha256:` and its digits. With it, content that was fetched before from the same
    /// source is used without asking the server.
    ///
    /// # Errors
    /// Invalid if the address, the checksum or the content is wrong, Denied if the host may not be asked or refuses,
    /// Missing if there is no such artifact, Unsupported if its file system is not spoken here, Unavailable if the
    /// server does not answer as it should.
    pub fn fetch(&self, artifact: &Artifact, checksum: Option<&str>) -> Result<PathBuf> {
        let wanted = checksum.map(ContentDigest::of_checksum).transpose()?;
        let Some(source) = self.source(artifact)? else {
            return here(artifact, wanted.as_ref());
        };
        self.cache.prepare()?;
        let _hold = self.cache.hold(&source.key, &source.shown, self.limits.time_max)?;
        let known = self.cache.known(&source.key, source.kind)?;
        if let Some(known) = &known
            && wanted.as_ref() == Some(&known.digest)
        {
            return Ok(known.path.clone());
        }
        self.renew(&source, known, wanted.as_ref())
    }

    /// The file that [`Artifacts::fetch`] gave last for an artifact, without asking anybody; `None` if there is none,
    /// or none with this checksum. It serves whoever starts a program again that ran before.
    ///
    /// # Errors
    /// As [`Artifacts::fetch`], but for what concerns servers.
    pub fn last_fetched(&self, artifact: &Artifact, checksum: Option<&str>) -> Result<Option<PathBuf>> {
        let wanted = checksum.map(ContentDigest::of_checksum).transpose()?;
        let Some(source) = self.source(artifact)? else {
            return here(artifact, wanted.as_ref()).map(Some);
        };
        let known = self.cache.known(&source.key, source.kind)?;
        let is_wanted = |known: &Known| wanted.as_ref().is_none_or(|wanted| *wanted == known.digest);
        Ok(known.filter(is_wanted).map(|known| known.path))
    }

    /// Fetches what `uri` names to `path`, past the cache: it is there whole or not at all, in place of what was there,
    /// and everybody may read it, since another container may read it as another user. Folders are made. Gives how many
    /// bytes it has.
    ///
    /// # Errors
    /// As [`Artifacts::fetch`]; Denied or Unavailable if `path` cannot be written.
    pub fn fetch_to(&self, uri: &str, path: &Path) -> Result<u64> {
        let scheme = Scheme::parse(uri.split(':').next().unwrap_or_default()).ok_or_else(|| {
            Error::invalid("cannot fetch: the address begins with no scheme that is known")
                .with_hint("use an address that begins with `s3`, `https`, `http`, `file` or `local`")
        })?;
        let source = self.source(&Artifact { kind: ArtifactKind::Jar, scheme, uri: uri.to_owned() })?;
        let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let temporary = file::temporary(path);
        let received = match &source {
            None => local::path(uri).and_then(|from| fs::copy(from, &temporary).map(drop).map_err(failed)),
            Some(source) => self.receive(source, &temporary),
        };
        let placed = received.and_then(|()| {
            fs::set_permissions(&temporary, Permissions::from_mode(0o644)).map_err(failed)?;
            let written = File::open(&temporary).map_err(failed)?;
            written.sync_all().map_err(failed)?;
            fs::rename(&temporary, path).map_err(failed)?;
            Ok(written.metadata().map_err(failed)?.len())
        });
        if placed.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        let bytes = placed?;
        file::sync_directory(folder)?;
        Ok(bytes)
    }

    /// Receives what a source has now.
    fn receive(&self, source: &Source, path: &Path) -> Result<()> {
        let none = Validators::default();
        let call = self.call(&source.shown, &none);
        let Answer::Content(mut content) = self.ask(&source.place, &call)? else {
            return Err(call.error(ErrorKind::Unavailable, "the server says that it did not change, and nobody asked"));
        };
        content.body = Box::new(Told::new(content.body, &source.shown, content.length));
        cache::receive(path, &mut content, self.limits.bytes_max, &call).map(drop)
    }

    fn call<'a>(&self, shown: &'a str, validators: &'a Validators) -> Call<'a> {
        let time_max = self.limits.time_max;
        Call { shown, validators, deadline: Instant::now() + time_max.min(FAR), time_max }
    }

    fn ask(&self, place: &Place, call: &Call<'_>) -> Result<Answer> {
        match place {
            Place::Web(url) => self.web.follow(url, call, &self.headers),
            Place::S3(object) if self.s3.origin() == Some(Origin::Environment) => {
                s3::get(&self.s3, object, &self.trusted, call)
            }
            Place::S3(object) => s3::get(&self.s3, object, &self.web, call),
        }
    }

    /// Where an artifact comes from; `None` if it lies on this machine.
    fn source(&self, artifact: &Artifact) -> Result<Option<Source>> {
        let kind = artifact.kind;
        Ok(match artifact.scheme {
            Scheme::Local | Scheme::File => None,
            Scheme::Http | Scheme::Https => {
                let url = web_address(&artifact.uri)?;
                let shown = format!("{}{}", url.origin().ascii_serialization(), url.path());
                Some(Source { key: ContentDigest::of_text(url.as_str()), shown, kind, place: Place::Web(url) })
            }
            Scheme::S3 | Scheme::S3a | Scheme::S3p => {
                let object = Object::parse(&artifact.uri)?;
                let key = ContentDigest::of_text(&self.s3.identity(&object));
                Some(Source { key, shown: object.to_string(), kind, place: Place::S3(object) })
            }
            Scheme::FileSystem => {
                let scheme = artifact.uri.split(':').next().unwrap_or_default();
                let message = format!("cannot fetch an artifact from `{scheme}`: no such file system is spoken here");
                return Err(Error::unsupported(message)
                    .with_hint("use an address that begins with `local`, `file`, `https`, `http` or `s3`"));
            }
        })
    }

    /// Asks the server whether there is newer content than what is known, and fetches it.
    fn renew(&self, source: &Source, known: Option<Known>, wanted: Option<&ContentDigest>) -> Result<PathBuf> {
        let none = Validators::default();
        let call = self.call(&source.shown, known.as_ref().map_or(&none, |known| &known.validators));
        let answer = self.ask(&source.place, &call)?;
        let mut content = match (answer, &known) {
            (Answer::Content(content), _) => content,
            (Answer::Unchanged, Some(known)) => {
                known.digest.check(wanted, &source.shown)?;
                return Ok(known.path.clone());
            }
            (Answer::Unchanged, None) => {
                return Err(
                    call.error(ErrorKind::Unavailable, "the server says that it did not change, and nobody asked")
                );
            }
        };
        let digest = self.cache.receive(&source.key, &mut content, self.limits.bytes_max, &call)?;
        let checked = digest.check(wanted, &source.shown);
        if checked.is_err() {
            self.cache.drop_received(&source.key);
        }
        checked?;
        let path = self.cache.keep(&source.key, &digest, source.kind, &content.validators)?;
        if known.as_ref().is_some_and(|known| known.digest != digest) {
            tracing::info!(artifact = %source.shown, sha256 = %digest, "the artifact has changed since the last fetch");
        }
        Ok(path)
    }
}

/// The file of an artifact that lies on this machine.
fn here(artifact: &Artifact, wanted: Option<&ContentDigest>) -> Result<PathBuf> {
    let path = local::path(&artifact.uri)?;
    if wanted.is_some() {
        ContentDigest::of_file(&path)?.check(wanted, &path.display().to_string())?;
    }
    Ok(path)
}

/// Reads the address of a web server.
fn web_address(uri: &str) -> Result<Url> {
    let wrong = |why: &str| Error::invalid(format!("cannot use the address of an artifact: {why}"));
    let mut url = Url::parse(uri).map_err(|_| wrong("it is no valid address of a web server"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it names a user or a password before the host").with_hint("write it without them"));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it does not begin with `http` or `https`"));
    }
    url.set_fragment(None);
    Ok(url)
}
