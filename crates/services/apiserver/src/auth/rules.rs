//! The rules of roles: which verbs on which resources or paths. Evaluated as Kubernetes' RBAC evaluates them.

use serde_json::{Value, json};

use crate::auth::attributes::Attributes;

/// A word that stands for every verb, group, resource or path.
const ALL: &str = "*";

/// One rule: verbs on resources of groups, or verbs on paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyRule {
    /// Verbs; `*` is every verb.
    pub verbs: &'static [&'static str],
    /// API groups; `*` is every group.
    pub api_groups: &'static [&'static str],
    /// Resources, with subresources as `plural/sub`; `*` is everything, `*/sub` that subresource of everything.
    pub resources: &'static [&'static str],
    /// Names of objects; none is every object.
    pub resource_names: &'static [&'static str],
    /// Paths that are no resources; a `*` at the end is everything below.
    pub non_resource_urls: &'static [&'static str],
}

impl PolicyRule {
    /// Makes a rule about resources.
    pub const fn on(
        api_groups: &'static [&'static str],
        resources: &'static [&'static str],
        verbs: &'static [&'static str],
    ) -> Self {
        Self { verbs, api_groups, resources, resource_names: &[], non_resource_urls: &[] }
    }

    /// Makes a rule about paths.
    pub const fn on_paths(non_resource_urls: &'static [&'static str], verbs: &'static [&'static str]) -> Self {
        Self { verbs, api_groups: &[], resources: &[], resource_names: &[], non_resource_urls }
    }

    /// Whether the rule allows what is asked.
    pub fn allows(&self, asked: &Attributes<'_>) -> bool {
        has(self.verbs, asked.verb)
            && has(self.api_groups, asked.group)
            && has_resource(self.resources, asked.resource)
            && (self.resource_names.is_empty() || asked.name.is_some_and(|name| self.resource_names.contains(&name)))
    }

    /// Whether the rule allows a verb on a path that is no resource.
    pub fn allows_path(&self, verb: &str, path: &str) -> bool {
        has(self.verbs, verb) && has_path(self.non_resource_urls, path)
    }

    /// The rule as it stands in a role.
    pub fn to_json(self) -> Value {
        let mut rule = json!({});
        for (field, words) in [
            ("apiGroups", self.api_groups),
            ("resources", self.resources),
            ("resourceNames", self.resource_names),
            ("nonResourceURLs", self.non_resource_urls),
        ] {
            if !words.is_empty() {
                rule[field] = json!(words);
            }
        }
        rule["verbs"] = json!(self.verbs);
        rule
    }
}

fn has(words: &[&str], word: &str) -> bool {
    words.contains(&ALL) || words.contains(&word)
}

fn has_resource(resources: &[&str], asked: &str) -> bool {
    let every_such = |sub: &str| resources.iter().any(|known| known.strip_prefix("*/") == Some(sub));
    has(resources, asked) || asked.split_once('/').is_some_and(|(_, sub)| every_such(sub))
}

fn has_path(paths: &[&str], asked: &str) -> bool {
    let below = |known: &str| known.strip_suffix('*').is_some_and(|start| asked.starts_with(start));
    paths.iter().any(|known| *known == asked || below(known))
}

/// The smallest thing that a role gives.
#[derive(Debug, Clone, Copy)]
enum Right<'a> {
    Resource(Attributes<'a>),
    Path { verb: &'a str, path: &'a str },
}

/// What `wanted` allows and `held` does not, one description for each resource, sorted; none if `held` covers it.
pub fn missing(held: &[&PolicyRule], wanted: &[&PolicyRule]) -> Vec<String> {
    let mut absent: Vec<(String, Vec<&str>)> = Vec::new();
    for rule in wanted {
        for right in rights(rule) {
            if held.iter().any(|rule| covers(rule, right)) {
                continue;
            }
            let (what, verb) = describe(right);
            match absent.iter_mut().find(|(known, _)| *known == what) {
                Some((_, verbs)) if verbs.contains(&verb) => {}
                Some((_, verbs)) => verbs.push(verb),
                None => absent.push((what, vec![verb])),
            }
        }
    }
    let mut lines: Vec<String> =
        absent.into_iter().map(|(what, verbs)| format!("{{{what}, Verbs:{}}}", quoted(&verbs))).collect();
    lines.sort();
    lines
}

/// Breaks a rule down.
fn rights(rule: &PolicyRule) -> Vec<Right<'static>> {
    let mut rights = Vec::new();
    let mut names: Vec<Option<&'static str>> = rule.resource_names.iter().map(|name| Some(*name)).collect();
    if names.is_empty() {
        names.push(None);
    }
    for group in rule.api_groups {
        for resource in rule.resources {
            for name in &names {
                let each =
                    rule.verbs.iter().map(|verb| Attributes { verb, group, resource, namespace: None, name: *name });
                rights.extend(each.map(Right::Resource));
            }
        }
    }
    for path in rule.non_resource_urls {
        rights.extend(rule.verbs.iter().map(|verb| Right::Path { verb, path }));
    }
    rights
}

/// Whether a rule gives a right. Words with a star are compared as words: only a star covers a star.
fn covers(rule: &PolicyRule, right: Right<'_>) -> bool {
    match right {
        Right::Resource(asked) => rule.allows(&asked),
        Right::Path { verb, path } => rule.allows_path(verb, path),
    }
}

fn describe(right: Right<'_>) -> (String, &str) {
    match right {
        Right::Resource(Attributes { verb, group, resource, name, .. }) => {
            let mut what = format!("APIGroups:{}, Resources:{}", quoted(&[group]), quoted(&[resource]));
            if let Some(name) = name {
                what.push_str(&format!(", ResourceNames:{}", quoted(&[name])));
            }
            (what, verb)
        }
        Right::Path { verb, path } => (format!("NonResourceURLs:{}", quoted(&[path])), verb),
    }
}

/// Words in quotes, between brackets.
pub fn quoted<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{:?}", word.as_ref())).collect();
    format!("[{}]", words.join(" "))
}
