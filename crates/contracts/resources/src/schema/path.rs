//! Where a value stands, step by step. A path is spelled out only where something is said of it: most values are sound.

use std::fmt::{self, Display, Formatter};

/// Where a value stands in an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    /// It is the whole.
    Root,
    /// It is a field of what stands there.
    Field(&'a Path<'a>, &'a str),
    /// It is an entry of the list that stands there.
    Entry(&'a Path<'a>, usize),
    /// It stands under a key of the map that stands there.
    Key(&'a Path<'a>, &'a str),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(of, name) => write!(f, "{of}.{name}"),
            Self::Entry(of, index) => write!(f, "{of}[{index}]"),
            Self::Key(of, name) => write!(f, "{of}[{name}]"),
        }
    }
}

impl From<Path<'_>> for String {
    fn from(path: Path<'_>) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_spelled_as_the_api_server_spells_it() {
        let spec = Path::Field(&Path::Root, "spec");
        let (labels, jars) = (Path::Field(&spec, "labels"), Path::Field(&spec, "jars"));
        let all = [Path::Root, spec, Path::Key(&labels, "a.b"), Path::Entry(&jars, 2)].map(String::from);
        assert_eq!(all, ["", "spec", "spec.labels[a.b]", "spec.jars[2]"]);
    }
}
