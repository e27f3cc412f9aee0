//! What is said of a file that is not there: the one beside it that was probably meant, or where it was looked for.

use std::fs;
use std::path::Path;

use kobel_model::nearest;

/// How many neighbours of a missing file are looked at for a suggestion.
const NEIGHBOURS_MAX: usize = 1_000;

/// What to do about a file that is not there.
pub(crate) fn hint(path: &Path) -> String {
    match neighbour(path, |_| true) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let folder = folder(path);
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            format!("it was looked for in `{}`", folder.display())
        }
    }
}

/// The file of the same ending beside one that is missing, or is none, that it most likely stands for.
pub(crate) fn sibling(path: &Path) -> Option<String> {
    let ending = path.extension()?;
    neighbour(path, |other| {
        other.is_file() && other.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
    })
}

/// The entry beside a missing one that it most likely stands for, of those that fit.
fn neighbour(path: &Path, fits: impl Fn(&Path) -> bool) -> Option<String> {
    let wrong = path.file_name()?.to_str()?;
    let entries = fs::read_dir(folder(path)).ok()?.take(NEIGHBOURS_MAX).flatten();
    let fitting = entries.filter(|entry| fits(&entry.path()));
    let names: Vec<String> = fitting.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = nearest(wrong, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_has_a_neighbour_or_a_place() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("orders.yaml"), "").unwrap();
        assert!(hint(&directory.path().join("order.yaml")).ends_with("orders.yaml`?"));
        let place = format!("it was looked for in `{}`", directory.path().display());
        assert_eq!(hint(&directory.path().join("payments.yaml")), place);
        assert_eq!(sibling(&directory.path().join("orders.sql")), None);
        fs::write(directory.path().join("order.sql"), "").unwrap();
        fs::create_dir(directory.path().join("orders.sqll")).unwrap();
        let found = sibling(&directory.path().join("orders.sql"));
        assert!(found.as_ref().is_some_and(|found| found.ends_with("/order.sql")), "{found:?}");
        assert!(hint(Path::new("payments-that-are-nowhere.yaml")).starts_with("it was looked for in `/"));
    }
}
