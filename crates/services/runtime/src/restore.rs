//! Reading a snapshot back: which state belongs to which operator, and whether it fits.

use std::collections::HashMap;
use std::path::Path;

use kobel_dataflow::graph::{Graph, Node, NodeKind};
use kobel_dataflow::state::snapshot::{OperatorState, Page};
use kobel_dataflow::state::table::{GroupLayout, in_sql};
use kobel_model::snapshot::OperatorManifest;
use kobel_model::{Error, Result};
use kobel_storage::pages;

use crate::options::RestoreFrom;

/// The states of a snapshot by node of the graph, each by old subtask.
#[derive(Debug, Default)]
pub(crate) struct RestoredStates {
    states: HashMap<usize, Vec<OperatorState>>,
}

impl RestoredStates {
    /// The states of a node, if the snapshot has any.
    pub(crate) fn of(&self, node: usize) -> Option<&[OperatorState]> {
        self.states.get(&node).map(Vec::as_slice)
    }
}

/// What the state of an operator means: snapshots with another fingerprint do not fit.
///
/// # Errors
/// Unsupported if a key or an aggregate is.
fn fingerprint(graph: &Graph, node: &Node) -> Result<String> {
    let input = || {
        let from = node.inputs.first().ok_or_else(|| Error::bug("an aggregation has no input"))?;
        Ok::<_, Error>(graph.nodes[from.from].schema.clone())
    };
    Ok(match &node.kind {
        NodeKind::Source(_) => "source".to_owned(),
        NodeKind::Values(_) => "values".to_owned(),
        NodeKind::Sink(_) => "sink".to_owned(),
        NodeKind::Calc(_) | NodeKind::Union | NodeKind::AssignWindow(_) => "stateless".to_owned(),
        NodeKind::GroupAggregate(spec) => GroupLayout::new(input()?, spec.clone())?.fingerprint(),
        NodeKind::WindowAggregate(spec, window) => {
            let groups = GroupLayout::new(input()?, spec.clone())?.fingerprint();
            format!("tumble size={}ms offset={}ms {groups}", window.size_ms, window.offset_ms)
        }
    })
}

/// What each operator's state means, by node.
///
/// # Errors
/// Unsupported if a key or an aggregate is.
pub(crate) fn fingerprints(graph: &Graph) -> Result<Vec<String>> {
    graph.nodes.iter().map(|node| fingerprint(graph, node)).collect()
}

/// Reads all states of a snapshot that the graph has operators for.
///
/// # Errors
/// Invalid if the state of an operator does not fit, or nobody claims it; Corrupt or Missing if a page is damaged.
pub(crate) fn load(graph: &Graph, fingerprints: &[String], from: &RestoreFrom) -> Result<RestoredStates> {
    check(graph, fingerprints, from)?;
    let mut restored = RestoredStates::default();
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(operator) = from.manifest.operator(node.id) else { continue };
        let states = read(operator, &from.directory);
        let states = states.map_err(|error| error.context(place(from)))?;
        restored.states.insert(index, states);
    }
    Ok(restored)
}

/// Makes sure that every state of a snapshot fits the operator that claims it, without reading any.
///
/// # Errors
/// Invalid if the state of an operator does not fit, or nobody claims it.
pub(crate) fn check(graph: &Graph, fingerprints: &[String], from: &RestoreFrom) -> Result<()> {
    check_claimed(graph, from).map_err(|error| error.context(place(from)))?;
    for (node, fingerprint) in graph.nodes.iter().zip(fingerprints) {
        let Some(operator) = from.manifest.operator(node.id) else { continue };
        if operator.fingerprint != *fingerprint {
            let message = format!(
                "the state of operator `{}` does not fit `{}`: it was written by {}, the script has {}",
                operator.name,
                node.name,
                in_sql(&operator.fingerprint),
                in_sql(fingerprint)
            );
            return Err(Error::invalid(message).context(place(from)));
        }
    }
    Ok(())
}

fn place(from: &RestoreFrom) -> String {
    format!("cannot restore from `{}`", from.directory.display())
}

fn check_claimed(graph: &Graph, from: &RestoreFrom) -> Result<()> {
    if from.ignore_unclaimed_state {
        return Ok(());
    }
    let claimed = |operator: &&OperatorManifest| graph.nodes.iter().any(|node| node.id == operator.id);
    match from.manifest.operators.iter().find(|operator| !claimed(operator)) {
        None => Ok(()),
        Some(operator) => {
            let message = format!("the script has no operator for the state of `{}`", operator.name);
            Err(Error::invalid(message).with_hint(
                "restore with the script that the snapshot was taken of, or leave the state behind with \
                 --set execution.state-recovery.ignore-unclaimed-state=true",
            ))
        }
    }
}

fn read(operator: &OperatorManifest, directory: &Path) -> Result<Vec<OperatorState>> {
    let mut states = Vec::with_capacity(operator.subtasks.len());
    for subtask in &operator.subtasks {
        let mut state =
            OperatorState { inline: subtask.inline.clone(), pages: Vec::with_capacity(subtask.pages.len()) };
        for page in &subtask.pages {
            let content = pages::read(directory, page)?;
            state.pages.push(Page { table: page.table, page: page.page, content: Some(content) });
        }
        states.push(state);
    }
    Ok(states)
}
