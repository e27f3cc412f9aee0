//! Releases of Flink from a release archive: Apache's own, or a mirror with the same folders.
//!
//! The checksum comes from the place that the archive comes from; over HTTPS nobody on the way can change both.

use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result};
use sha2::{Digest as _, Sha512};

use crate::checksum::{Checksum, hex, published_sha512};
use crate::download::Site;
use crate::progress::{Progress, Watch, tell};
use crate::scratch::Scratch;
use crate::unpack;
use crate::version::Release;

/// Where Apache keeps every release of Flink.
pub const APACHE_ARCHIVE: &str = "https://archive.apache.org/dist/flink";

/// The newest release of a line, as the list of folders shows it.
///
/// # Errors
/// Missing if there is none, Unavailable if the archive does not answer.
pub(crate) fn newest(site: &Site, line: FlinkVersion, watch: &Watch<'_>) -> Result<Release> {
    tell(watch, Progress::Looking)?;
    let list = site.text("")?.unwrap_or_default();
    let folders = list.split("flink-").skip(1).filter_map(|rest| rest.split_once('/')).map(|(name, _)| name);
    let newest = folders.filter_map(Release::parse).filter(|release| release.line == line).max();
    newest.ok_or_else(|| {
        let message = format!("`{}` lists no release of Flink {line}", site.address(""));
        Error::new(ErrorKind::Missing, message).with_hint("name a release, such as `2.3.0`, if it has no list")
    })
}

/// Fetches a release, checks it and unpacks it into the scratch folder's home.
///
/// # Errors
/// Missing if there is no such release, Corrupt if the checksum is another one, Unavailable if the archive does not
/// answer; those of the file system.
pub(crate) fn fetch(site: &Site, release: Release, scratch: &Scratch, watch: &Watch<'_>) -> Result<Checksum> {
    let name = format!("flink-{release}-bin-scala_2.12.tgz");
    let path = format!("flink-{release}/{name}");
    let missing = |path: &str| {
        let message = format!("there is no Flink `{release}`: `{}` does not exist", site.address(path));
        let hint = format!("`kobel flink install {}` takes the newest release of the line", release.line);
        Error::new(ErrorKind::Missing, message).with_hint(hint)
    };
    // The small file comes first, so that a release that does not exist is noticed at once.
    let checksum_path = format!("{path}.sha512");
    let published = site.text(&checksum_path)?.ok_or_else(|| missing(&checksum_path))?;
    let expected = published_sha512(&published)
        .ok_or_else(|| Error::corrupt(format!("`{}` holds no checksum", site.address(&checksum_path))))?;
    let archive = scratch.parcels("archive")?.join(&name);
    let mut digest = Sha512::new();
    if !site.file(&path, &archive, &mut |part| digest.update(part), watch)? {
        return Err(missing(&path));
    }
    tell(watch, Progress::Checking { file: &name })?;
    let found = hex(digest.finalize().as_slice());
    if found != expected {
        let message = format!("`{}` has the checksum `{found}` and not `{expected}`", site.address(&path));
        return Err(Error::corrupt(message).with_hint("nothing was installed; try again, or take another mirror"));
    }
    unpack::tgz(&archive, &scratch.home(), watch)?;
    Ok(Checksum { file: name, digest: format!("sha512:{found}") })
}
