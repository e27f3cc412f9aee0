//! The artifact of a job: what kind of program it is, and where it lies.

/// What kind of program an artifact is; its file name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// Classes of Java, for Apache Flink.
    Jar,
    /// A script of PyFlink.
    Python,
    /// A script of Flink SQL.
    Sql,
}

impl ArtifactKind {
    /// What a file name may end in, for error messages.
    pub const ENDINGS: &'static str = "`.jar`, `.py` or `.sql`";

    /// The kind of the artifact at `path`, which has no query and no fragment.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, ending) = name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        match ending.to_ascii_lowercase().as_str() {
            "jar" => Some(Self::Jar),
            "py" => Some(Self::Python),
            "sql" => Some(Self::Sql),
            _ => None,
        }
    }
}

/// How an artifact is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A file in the image, or on this machine.
    Local,
    /// A file on this machine.
    File,
    /// A web server without encryption.
    Http,
    /// A web server.
    Https,
    /// Amazon S3.
    S3,
    /// Amazon S3, through Hadoop.
    S3a,
    /// Amazon S3, through Presto.
    S3p,
    /// Another file system of Flink.
    FileSystem,
}

impl Scheme {
    /// The scheme that `text` spells, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "local" => Self::Local,
            "file" => Self::File,
            "http" => Self::Http,
            "https" => Self::Https,
            "s3" => Self::S3,
            "s3a" => Self::S3a,
            "s3p" => Self::S3p,
            "gs" | "hdfs" | "viewfs" | "abfs" | "abfss" | "wasb" | "wasbs" | "oss" => Self::FileSystem,
            _ => return None,
        })
    }

    /// Whether it names a host that a request is sent to.
    pub fn is_web(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    /// Whether the artifact lies in Amazon S3.
    pub fn is_s3(self) -> bool {
        matches!(self, Self::S3 | Self::S3a | Self::S3p)
    }
}

/// A program and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Artifact {
    /// The kind of program.
    pub kind: ArtifactKind,
    /// How it is reached.
    pub scheme: Scheme,
    /// The address as it was written.
    pub uri: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_tells_the_kind() {
        for (path, kind) in [
            ("/opt/flink/examples/StateMachine.jar", Some(ArtifactKind::Jar)),
            ("job.PY", Some(ArtifactKind::Python)),
            ("/a.b/flights.sql", Some(ArtifactKind::Sql)),
            ("/etc/shadow", None),
            ("/a.jar/b", None),
            ("/.jar", None),
            ("", None),
        ] {
            assert_eq!(ArtifactKind::of(path), kind, "for `{path}`");
        }
    }

    #[test]
    fn schemes_are_read_in_any_case() {
        assert_eq!(Scheme::parse("HTTPS"), Some(Scheme::Https));
        assert_eq!(Scheme::parse("abfss"), Some(Scheme::FileSystem));
        assert_eq!(Scheme::parse("gopher"), None);
        assert!(Scheme::Http.is_web() && !Scheme::S3.is_web());
        assert!(Scheme::S3p.is_s3() && !Scheme::Local.is_s3());
    }
}
