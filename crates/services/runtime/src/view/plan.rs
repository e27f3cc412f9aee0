//! The job graph as people see it: vertices of chained operators, and how rows travel between them.

/// The graph of a job; it stays the same through restarts and rescales.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanView {
    /// In topological order.
    pub vertices: Vec<VertexView>,
    /// In the order of the graph.
    pub operators: Vec<OperatorView>,
}

/// Operators that run in one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VertexView {
    /// 32 hexadecimal digits, stable: the identity of the head operator.
    pub id: String,
    /// The operators' names in a chain: `Source: flights -> Calc -> hourly: Writer`.
    pub name: String,
    /// Indexes of its operators, the head first.
    pub operators: Vec<usize>,
    /// Where its rows come from.
    pub inputs: Vec<EdgeView>,
}

/// An edge into a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeView {
    /// Index of the upstream vertex.
    pub from: usize,
    /// `FORWARD`, `HASH` or `REBALANCE` (Flink `ShipStrategyType` as the plan shows it).
    pub ship_strategy: &'static str,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorView {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Name within its vertex: `Source: flights`.
    pub name: String,
    /// What it does, for people.
    pub description: String,
}

impl PlanView {
    /// The vertex with this id and its index.
    pub fn vertex(&self, id: &str) -> Option<(usize, &VertexView)> {
        self.vertices.iter().enumerate().find(|(_, vertex)| vertex.id == id)
    }
}
