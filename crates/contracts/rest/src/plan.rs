//! The graph of a job, as the Web UI draws it.
//!
//! Invariant: a node names its inputs by their ids, and a source has no key for inputs at all.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answer to a request for the plan of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobPlanInfo {
    /// The graph.
    pub plan: Plan,
}

/// The graph of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The id of the job.
    pub jid: String,
    /// The name of the job.
    pub name: String,
    /// The type of the job: `STREAMING` or `BATCH`, empty when it is not known.
    #[serde(rename = "type")]
    pub job_type: String,
    /// The vertices.
    pub nodes: Vec<PlanNode>,
}

/// A vertex of the graph.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PlanNode {
    /// The id of the vertex.
    pub id: String,
    /// The driver of a batch operator, otherwise empty.
    pub operator: String,
    /// The number of subtasks.
    pub parallelism: i64,
    /// The strategy of a batch operator, otherwise empty.
    pub operator_strategy: String,
    /// What the vertex does, in the mark-up of the Web UI.
    pub description: String,
    /// What the optimiser knew, otherwise empty.
    pub optimizer_properties: Map<String, Value>,
    /// The edges that lead here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<PlanInput>,
}

/// An edge of the graph.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PlanInput {
    /// The id of the vertex that sends.
    pub id: String,
    /// The number of this input among the inputs of the node.
    pub num: i64,
    /// How results are exchanged, such as `pipelined_bounded`.
    pub exchange: String,
    /// How records are spread, such as `HASH`.
    pub ship_strategy: String,
    /// How a batch operator treats the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_strategy: Option<String>,
    /// How a batch operator keeps the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caching: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{JobPlanInfo, PlanInput};
    use crate::round_trip::printed_back;

    #[test]
    fn a_plan_is_a_list_of_nodes_with_their_inputs() {
        let plan: JobPlanInfo = printed_back(
            r#"{"plan":{"jid":"a1","name":"sample","type":"STREAMING","nodes":[
            {"id":"v1","operator":"","parallelism":2,"operator_strategy":"","description":"sink<br/>",
            "optimizer_properties":{},"inputs":[{
            "id":"v0","num":0,"exchange":"pipelined_bounded","ship_strategy":"HASH"}]},
            {"id":"v0","operator":"","parallelism":2,"operator_strategy":"","description":"source<br/>",
            "optimizer_properties":{"z":[1],"a":{}}}]}}"#,
        );
        let inputs: Vec<&PlanInput> = plan.plan.nodes.iter().flat_map(|node| &node.inputs).collect();
        assert_eq!(inputs.len(), 1);
        assert_eq!(inputs.first().map(|input| input.local_strategy.as_ref()), Some(None));
    }
}
