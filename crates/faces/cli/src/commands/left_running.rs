//! What is said when `kobel up` ends: which applications go on running, how to get back to them, how to end them.

use std::path::Path;

use kobel_model::deployment::Identity;

use super::shell_word::on_data;

/// How many applications are named.
const NAMED_MAX: usize = 5;
/// The namespace that nobody has to name.
const USUAL_NAMESPACE: &str = "default";

/// That `kobel up` on `directory` has ended, with what goes on running; `named` is the directory if somebody named it.
pub(crate) fn told(directory: &Path, named: Option<&Path>) -> String {
    // What runs on is only worth a word, so not to know it is no failure.
    let applications = kobel_processes::running(&directory.join("applications")).unwrap_or_default();
    stopped(&applications, &on_data("up", named))
}

/// What is said of the end; `up` is the command that gets back to the applications.
fn stopped(applications: &[Identity], up: &str) -> String {
    let Some(first) = applications.first() else { return "stopped".to_owned() };
    let names = applications.iter().take(NAMED_MAX).map(|of| format!("`{}/{}`", of.namespace, of.name));
    let names = names.collect::<Vec<_>>().join(", ");
    let more = match applications.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (whose, them) = match applications.len() {
        1 => ("1 application goes on running".to_owned(), "it"),
        count => (format!("{count} applications go on running"), "them"),
    };
    let namespace = match first.namespace.as_str() {
        USUAL_NAMESPACE => String::new(),
        other => format!(" -n {other}"),
    };
    let delete = format!("`kobel delete flinkdeployment/{}{namespace}`", first.name);
    format!("stopped; {whose}: {names}{more}\n`{up}` finds {them} again; {delete} ends `{}` then", first.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_names_what_goes_on_running_and_what_to_do() {
        let applications = |namespace: &str, count: usize| -> Vec<Identity> {
            let named = |number| Identity { namespace: namespace.to_owned(), name: format!("a{number}") };
            (0..count).map(named).collect()
        };
        assert_eq!(stopped(&[], "kobel up"), "stopped");
        assert_eq!(
            stopped(&applications("default", 1), "kobel up"),
            "stopped; 1 application goes on running: `default/a0`\n\
             `kobel up` finds it again; `kobel delete flinkdeployment/a0` ends `a0` then"
        );
        assert_eq!(
            stopped(&applications("team", 7), "kobel up --data-dir d"),
            "stopped; 7 applications go on running: `team/a0`, `team/a1`, `team/a2`, `team/a3`, `team/a4` and 2 more\n\
             `kobel up --data-dir d` finds them again; `kobel delete flinkdeployment/a0 -n team` ends `a0` then"
        );
    }
}
