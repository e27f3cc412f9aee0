//! How an object is named on a command line: `NAME`, `KIND/NAME`, or `KIND NAME` as with `kubectl`.

use clap::Args;

/// Which application or session job is meant.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// Application or session job: `NAME`, `flinkdeployment/NAME` or `sessionjob/NAME`
    #[arg(value_name = "[KIND/]NAME")]
    pub(crate) target: String,

    /// Its name, if only its kind stands before it: `sessionjob NAME`
    // What follows a name may be a number: who mistypes one is told about the number.
    #[arg(value_name = "NAME", allow_negative_numbers = true)]
    pub(crate) name: Option<String>,
}

impl TargetArguments {
    /// What was typed, in one word.
    pub(crate) fn typed(&self) -> String {
        joined(&self.target, self.name.as_deref())
    }
}

/// `KIND NAME` as `KIND/NAME`.
pub(crate) fn joined(first: &str, name: Option<&str>) -> String {
    name.map_or_else(|| first.to_owned(), |name| format!("{first}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_and_a_name_are_one_word() {
        for (target, name, expected) in [
            ("orders", None, "orders"),
            ("flinkdep/orders", None, "flinkdep/orders"),
            ("flinkdep", Some("a"), "flinkdep/a"),
        ] {
            let arguments = TargetArguments { target: target.to_owned(), name: name.map(str::to_owned) };
            assert_eq!(arguments.typed(), expected);
        }
    }
}
