//! Names, and the label of a canary.

use kobel_model::deployment::Identity;
use serde_json::Value;

use super::findings::Findings;
use super::part::Part;
use crate::problem::Problem;

/// The longest name of a deployment: the names of what is made for it must fit as well.
pub(super) const DEPLOYMENT_MAX: usize = 45;
/// The longest name of a pair of deployments, whose names are made from it with `-blue` and `-green`.
pub(super) const BLUE_GREEN_MAX: usize = DEPLOYMENT_MAX - "-green".len();
/// The label of a resource that is never deployed.
const CANARY_LABEL: &str = "flink.apache.org/canary";

/// Whether the resource is a canary.
pub(super) fn is_canary(object: &Value) -> bool {
    let label =
        object.get("metadata").and_then(|metadata| metadata.get("labels")).and_then(|all| all.get(CANARY_LABEL));
    label.and_then(Value::as_str).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Reads the identity of a resource whose name becomes that of a deployment.
pub(super) fn read(root: &Part<'_>, longest: usize, findings: &mut Findings) -> Identity {
    let metadata = root.field_or_nothing("metadata");
    check(&metadata, "name", longest, findings);
    identity(root)
}

/// The identity as it stands; the API checks the names of everything else.
pub(super) fn identity(root: &Part<'_>) -> Identity {
    let metadata = root.field_or_nothing("metadata");
    let text = |name: &str| metadata.text(name).unwrap_or_default().to_owned();
    Identity { namespace: text("namespace"), name: text("name") }
}

/// Checks that the field `name` of `part` is the name of a deployment.
pub(super) fn check(part: &Part<'_>, name: &str, longest: usize, findings: &mut Findings) {
    let allowed = format!(
        "a name of at most {longest} characters: lower-case letters, digits and `-`, beginning with a letter and \
         ending with a letter or a digit"
    );
    match part.text(name) {
        None | Some("") => findings.add(Problem::required(part.at(name), allowed)),
        Some(text) if !is_name(text, longest) => {
            findings.add(Problem::invalid(part.at(name), text, format!("must be {allowed}")));
        }
        Some(_) => {}
    }
}

/// Whether `text` matches `[a-z]([-a-z\d]*[a-z\d])?` and is not too long.
fn is_name(text: &str, longest: usize) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= longest
        && text.bytes().all(is_allowed)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}
