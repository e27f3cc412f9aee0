//! Chaining: which operators run together in one subtask.
//!
//! An operator joins the vertex of its producer if it has that one input, forwarded. Everything else begins a vertex:
//! sources, operators behind an exchange, and operators with several inputs, so that a vertex has exactly one head where
//! barriers are aligned.

use kobel_dataflow::graph::{Exchange, Graph};

/// Operators that run in one subtask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vertex {
    /// Indexes of the nodes, the head first, each behind its producer.
    pub(crate) nodes: Vec<usize>,
}

impl Vertex {
    /// The node that rows enter by.
    pub(crate) fn head(&self) -> usize {
        self.nodes[0]
    }
}

/// The vertices of a graph, each behind those that feed it.
pub(crate) fn vertices(graph: &Graph) -> Vec<Vertex> {
    let mut vertices: Vec<Vertex> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let chained = match node.inputs.as_slice() {
            [input] if input.exchange == Exchange::Forward => Some(input.from),
            _ => None,
        };
        let vertex = chained.and_then(|from| vertices.iter_mut().find(|vertex| vertex.nodes.contains(&from)));
        match vertex {
            Some(vertex) => vertex.nodes.push(index),
            None => vertices.push(Vertex { nodes: vec![index] }),
        }
    }
    vertices
}
