//! The graph of a job as the Web UI draws it: vertices in topological order, each with the tree of its operators.

use kobel_rest::plan::{JobPlanInfo, Plan, PlanInput, PlanNode};
use kobel_rest::states::JobType;

use crate::rest::call::{Answer, Call, Reply};
use crate::view::job::JobFacts;
use crate::view::plan::{EdgeView, PlanView, VertexView};

/// Rows stay with their subtask.
const FORWARD: &str = "FORWARD";
/// Rows go to the subtasks in turn.
const REBALANCE: &str = "REBALANCE";

/// `GET /jobs/:jobid/plan`.
pub(crate) fn plan(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let parallelism = job.read(|state| state.attempt.parallelism.clone());
    Answer::json(&JobPlanInfo { plan: graph(&job.facts, &parallelism) })
}

/// The graph, with the number of subtasks by vertex.
pub(crate) fn graph(facts: &JobFacts, parallelism: &[usize]) -> Plan {
    let vertices = facts.plan.vertices.iter().zip(parallelism);
    Plan {
        jid: facts.id.to_string(),
        name: facts.name.clone(),
        job_type: JobType::Streaming.to_string(),
        nodes: vertices.map(|(vertex, subtasks)| node(&facts.plan, vertex, parallelism, *subtasks)).collect(),
    }
}

fn node(plan: &PlanView, vertex: &VertexView, parallelism: &[usize], subtasks: usize) -> PlanNode {
    let strategy = |edge: &EdgeView| match edge.ship_strategy {
        // Rows stay with their subtask only where there are as many on both sides, which a rescale may change.
        FORWARD if parallelism.get(edge.from) != Some(&subtasks) => REBALANCE,
        planned => planned,
    };
    PlanNode {
        id: vertex.id.clone(),
        parallelism: subtasks as i64,
        description: description(plan, vertex),
        inputs: inputs(plan, vertex, strategy),
        ..PlanNode::default()
    }
}

fn inputs(plan: &PlanView, vertex: &VertexView, strategy: impl Fn(&EdgeView) -> &'static str) -> Vec<PlanInput> {
    let edges = vertex.inputs.iter().filter_map(|edge| Some((plan.vertices.get(edge.from)?, edge)));
    let input = |(num, (from, edge)): (usize, (&VertexView, &EdgeView))| PlanInput {
        id: from.id.clone(),
        num: num as i64,
        exchange: "pipelined_bounded".to_owned(),
        ship_strategy: strategy(edge).to_owned(),
        ..PlanInput::default()
    };
    edges.enumerate().map(input).collect()
}

/// The operators of a vertex as a tree in HTML, a line each, every operator below the one that feeds it.
fn description(plan: &PlanView, vertex: &VertexView) -> String {
    let mut text = String::new();
    for (depth, operator) in vertex.operators.iter().filter_map(|index| plan.operators.get(*index)).enumerate() {
        if let Some(indent) = depth.checked_sub(1) {
            text.push_str(&"   ".repeat(indent));
            text.push_str("+- ");
        }
        escape(&operator.description, &mut text);
        text.push_str("<br/>");
    }
    text
}

/// Appends text as HTML that shows it.
fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\\' => html.push_str("&#92;"),
            '\n' => html.push_str("<br/>"),
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rest::fixtures::{JOB, SINK, SOURCE, job};

    #[test]
    fn a_plan_is_that_of_flink() {
        let job = job();
        let plan = graph(&job.facts, &[2, 1]);
        let expected = json!({
            "jid": JOB, "name": "totals", "type": "STREAMING",
            "nodes": [
                {
                    "id": SOURCE, "operator": "", "parallelism": 2, "operator_strategy": "",
                    "description": "[1]:TableSourceScan(table=[[flights]])<br/>\
                        +- [2]:Calc(where=[(delay &gt; 5)])<br/>",
                    "optimizer_properties": {},
                },
                {
                    "id": SINK, "operator": "", "parallelism": 1, "operator_strategy": "",
                    "description": "[4]:GroupAggregate(groupBy=[k])<br/>+- [5]:Calc(select=[k])<br/>\x20  \
                        +- hourly: Writer<br/>",
                    "optimizer_properties": {},
                    "inputs": [
                        {"id": SOURCE, "num": 0, "exchange": "pipelined_bounded", "ship_strategy": "HASH"},
                    ],
                },
            ],
        });
        assert_eq!(serde_json::to_value(&plan).unwrap(), expected);
    }

    #[test]
    fn rows_are_only_forwarded_between_as_many_subtasks() {
        let mut facts = job().facts.clone();
        let cases: [(&'static str, [usize; 2], &str); 5] = [
            ("FORWARD", [2, 2], "FORWARD"),
            ("FORWARD", [2, 1], "REBALANCE"),
            ("FORWARD", [1, 2], "REBALANCE"),
            ("REBALANCE", [2, 2], "REBALANCE"),
            ("HASH", [2, 1], "HASH"),
        ];
        for (planned, parallelism, expected) in cases {
            facts.plan.vertices[1].inputs[0].ship_strategy = planned;
            let plan = graph(&facts, &parallelism);
            assert_eq!(plan.nodes[1].inputs[0].ship_strategy, expected, "{planned} at {parallelism:?}");
        }
    }

    #[test]
    fn descriptions_cannot_leave_their_html() {
        let cases = [
            ("a < b & c > \"d\"", "a &lt; b &amp; c &gt; &quot;d&quot;"),
            ("'x'", "'x'"),
            ("a\\b\nc", "a&#92;b<br/>c"),
            ("<script>", "&lt;script&gt;"),
        ];
        for (text, expected) in cases {
            let mut html = String::new();
            escape(text, &mut html);
            assert_eq!(html, expected);
        }
    }
}
