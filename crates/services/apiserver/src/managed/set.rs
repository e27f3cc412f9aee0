//! Sets of field paths: who owns which fields of an object.
//!
//! A set is a tree of steps. A node is in the tree only if its path is in the set or a path below it is; every function
//! here keeps that, so that two equal sets are equal trees.
//!
//! # Source
//! `structured-merge-diff`, package `fieldpath`: the order of steps and the meaning of the operations.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Number, Value};

/// A scalar that names an item of a list.
#[derive(Debug, Clone)]
pub(crate) enum Scalar {
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Scalar {
    /// Reads a scalar; maps and lists are none.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Bool(truth) => Some(Self::Bool(*truth)),
            Value::Null => Some(Self::Null),
            Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The scalar as JSON.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Null => Value::Null,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Bool(_) => 2,
            Self::Null => 3,
        }
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => compare_numbers(left, right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}

fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_f64().unwrap_or_default().total_cmp(&right.as_f64().unwrap_or_default()),
    }
}

/// One step of a path. The order of the variants is the order in which steps are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A field of a map.
    Field(String),
    /// An item of a list of maps, by its keys, which are sorted.
    Key(Vec<(String, Scalar)>),
    /// An item of a list that is a set.
    Value(Scalar),
    /// An item of a list by its place.
    Index(u64),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let listed: Vec<String> =
                    keys.iter().map(|(name, value)| format!("{name}={}", value.to_value())).collect();
                write!(f, "[{}]", listed.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", value.to_value()),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A set of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set {
    nodes: BTreeMap<Step, Node>,
}

/// What a set knows of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// Whether the path that ends here is in the set.
    pub(crate) member: bool,
    /// The paths that go on from here.
    pub(crate) below: Set,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }
}

impl Set {
    /// Whether no path is in the set.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Puts one path into the set; the empty path is nobody's.
    pub(crate) fn insert(&mut self, path: &[Step]) {
        let Some((first, rest)) = path.split_first() else { return };
        let node = self.nodes.entry(first.clone()).or_default();
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    /// Puts a node at a step, unless the node is empty.
    pub(crate) fn put(&mut self, step: Step, node: Node) {
        if !node.is_empty() {
            self.nodes.insert(step, node);
        }
    }

    /// The node at a step.
    pub(crate) fn get(&self, step: &Step) -> Option<&Node> {
        self.nodes.get(step)
    }

    /// Every step with its node, in order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&Step, &Node)> {
        self.nodes.iter()
    }

    /// The paths of either set.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        for (step, theirs) in &other.nodes {
            let node = out.nodes.entry(step.clone()).or_default();
            node.member |= theirs.member;
            node.below = node.below.union(&theirs.below);
        }
        out
    }

    /// The paths of both sets.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let mut out = Self::default();
        for (step, node) in &self.nodes {
            if let Some(theirs) = other.nodes.get(step) {
                let below = node.below.intersection(&theirs.below);
                out.put(step.clone(), Node { member: node.member && theirs.member, below });
            }
        }
        out
    }

    /// The paths that are not in the other set; a path does not take those below it along.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let mut out = Self::default();
        for (step, node) in &self.nodes {
            let rest = match other.nodes.get(step) {
                None => node.clone(),
                Some(theirs) => {
                    Node { member: node.member && !theirs.member, below: node.below.difference(&theirs.below) }
                }
            };
            out.put(step.clone(), rest);
        }
        out
    }

    /// The paths that are neither in the other set nor below a path of it.
    pub(crate) fn without_trees(&self, other: &Self) -> Self {
        let mut out = Self::default();
        for (step, node) in &self.nodes {
            match other.nodes.get(step) {
                None => out.put(step.clone(), node.clone()),
                Some(theirs) if theirs.member => {}
                Some(theirs) => {
                    let below = node.below.without_trees(&theirs.below);
                    out.put(step.clone(), Node { member: node.member, below });
                }
            }
        }
        out
    }

    /// All paths; those that end at a step come before those that go on from any step beside it.
    pub(crate) fn paths(&self) -> Vec<Vec<Step>> {
        let mut out = Vec::new();
        self.collect(&mut Vec::new(), &mut out);
        out
    }

    fn collect(&self, prefix: &mut Vec<Step>, out: &mut Vec<Vec<Step>>) {
        for (step, _) in self.nodes.iter().filter(|(_, node)| node.member) {
            prefix.push(step.clone());
            out.push(prefix.clone());
            prefix.pop();
        }
        for (step, node) in &self.nodes {
            prefix.push(step.clone());
            node.below.collect(prefix, out);
            prefix.pop();
        }
    }

    /// Whether a path is in the set.
    pub(crate) fn contains(&self, path: &[Step]) -> bool {
        match path.split_first() {
            None => false,
            Some((first, [])) => self.nodes.get(first).is_some_and(|node| node.member),
            Some((first, rest)) => self.nodes.get(first).is_some_and(|node| node.below.contains(rest)),
        }
    }
}

/// Makes a set of paths of plain fields.
pub(crate) fn of_fields(paths: &[&[&str]]) -> Set {
    let mut set = Set::default();
    for path in paths {
        let steps: Vec<Step> = path.iter().map(|name| Step::Field((*name).to_owned())).collect();
        set.insert(&steps);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_treat_a_path_and_those_below_it_apart() {
        let both = of_fields(&[&["a"], &["a", "b"], &["c"]]);
        let parent = of_fields(&[&["a"]]);
        let child = of_fields(&[&["a", "b"]]);
        assert_eq!(both.difference(&parent), of_fields(&[&["a", "b"], &["c"]]));
        assert_eq!(both.difference(&child), of_fields(&[&["a"], &["c"]]));
        assert_eq!(both.without_trees(&parent), of_fields(&[&["c"]]));
        assert_eq!(both.intersection(&child), child);
        assert_eq!(parent.union(&child), of_fields(&[&["a"], &["a", "b"]]));
        assert!(parent.difference(&parent).is_empty());
        assert!(child.intersection(&parent).is_empty());
    }

    #[test]
    fn paths_that_end_come_before_paths_that_go_on() {
        let set = of_fields(&[&["a", "b"], &["z"], &["a", "a", "x"]]);
        let shown: Vec<String> = set.paths().iter().map(|path| path.iter().map(Step::to_string).collect()).collect();
        assert_eq!(shown, [".z", ".a.b", ".a.a.x"]);
        assert!(set.contains(&[Step::Field("z".to_owned())]));
        assert!(!set.contains(&[Step::Field("a".to_owned())]));
    }
}
