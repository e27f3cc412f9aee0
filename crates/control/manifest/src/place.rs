//! Where a start takes place: the folder, the ports and the programs of this machine.

use std::path::{Path, PathBuf};

/// The ports of one job manager, or of the one process of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ports {
    /// Of the REST API.
    pub rest: u16,
    /// Of calls between the processes of Flink.
    pub rpc: u16,
    /// Of Flink's store of large objects.
    pub blob: u16,
}

impl Ports {
    /// All of them.
    pub fn all(&self) -> [u16; 3] {
        [self.rest, self.rpc, self.blob]
    }
}

/// The ports of what a start has besides if job managers stand by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Standbys {
    /// Of each job manager that stands by.
    pub job_managers: Vec<Ports>,
    /// Of the ZooKeeper in which job managers elect their leader; zero if none stands by.
    pub zookeeper: u16,
}

impl Standbys {
    /// Every port of them.
    pub fn all(&self) -> Vec<u16> {
        let zookeeper = Some(self.zookeeper).filter(|port| *port != 0);
        self.job_managers.iter().flat_map(Ports::all).chain(zookeeper).collect()
    }
}

/// A distribution of Apache Flink and what it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlinkHome {
    /// The directory with `bin` and `lib`.
    pub home: PathBuf,
    /// The directory with `bin/java`.
    pub java_home: PathBuf,
    /// The jar with the class `SqlRunner`, for scripts of SQL.
    pub sql_runner: Option<PathBuf>,
    /// The interpreter in which `pyflink` can be imported, for scripts of Python.
    pub python: Option<PathBuf>,
    /// The jar with the driver of PyFlink, `opt/flink-python-….jar`; only a session job needs it.
    pub python_jar: Option<PathBuf>,
}

/// Where a start takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder of the application, as an absolute path; everything that it writes lies below.
    pub folder: PathBuf,
    /// The ports.
    pub ports: Ports,
    /// The ports of job managers that stand by; as many as [`crate::standbys`] says.
    pub standbys: Standbys,
    /// This program.
    pub kobel: PathBuf,
    /// Where the program of the job lies after it was fetched; absent if it has none.
    pub artifact: Option<PathBuf>,
    /// The distribution of Flink; absent on a machine without one, where only the native engine runs.
    pub flink: Option<FlinkHome>,
}

/// The address of an absolute path where a file system is named: nothing is escaped in it.
pub fn file_path(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The address of a jar that Flink reads where it lies. What `file:` names it would copy to another place first, and
/// there it would look for the path with its escapes.
pub fn local_uri(path: &Path) -> String {
    let mut uri = "local://".to_owned();
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~+:@,=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_escapes_what_a_path_may_hold() {
        for (path, uri) in [
            ("/data/a-b_c.jar", "local:///data/a-b_c.jar"),
            ("/my data/100%/#1?.jar", "local:///my%20data/100%25/%231%3F.jar"),
            ("/größe", "local:///gr%C3%B6%C3%9Fe"),
        ] {
            assert_eq!(local_uri(Path::new(path)), uri);
        }
    }
}
