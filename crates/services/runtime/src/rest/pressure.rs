//! Back-pressure of a vertex, and the flame graph that there is none of.
//!
//! A vertex that does not exist, or whose job has ended, has no samples, which is no error.

use kobel_model::ids::{JobId, OperatorId};
use kobel_rest::pressure::{JobVertexBackPressureInfo, SubtaskBackPressureInfo, VertexFlameGraph};

use crate::rest::call::{Answer, Call, Reply};
use crate::rest::refusals::{query_value, unreadable};

/// `GET /jobs/:jobid/vertices/:vertexid/backpressure`.
pub(crate) fn back_pressure(call: &Call<'_>) -> Reply {
    let known = call.known_vertex()?;
    let Some((job, vertex)) = known.filter(|(job, _)| job.read(|state| !state.status.is_globally_terminal())) else {
        return Answer::json(&JobVertexBackPressureInfo::deprecated());
    };
    let subtasks = job.read(|state| state.attempt.parallelism.get(vertex).copied().unwrap_or(0));
    let sample = |subtask: usize| {
        let times = call.monitor.times(&job, vertex, subtask);
        let [blocked, idle, busy] = [times.back_pressured_ms, times.idle_ms, times.busy_ms].map(share);
        SubtaskBackPressureInfo::new(subtask as i64, blocked, idle, busy)
    };
    Answer::json(&JobVertexBackPressureInfo::fresh(call.now_ms, (0..subtasks).map(sample).collect()))
}

/// Milliseconds of a second as a share of it, to three digits as Flink counts.
fn share(milliseconds: f64) -> f64 {
    (milliseconds.round() / 1_000.0).clamp(0.0, 1.0)
}

/// `GET /jobs/:jobid/vertices/:vertexid/flamegraph`: switched off, as it is by default in Flink.
pub(crate) fn flame_graph(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    call.path_value::<OperatorId>("vertexid")?;
    query_value::<u32>(call, "subtaskindex")?;
    if let Some(kind) = call.query("type").filter(|kind| !is_flame_graph_kind(kind)) {
        return Err(unreadable("type", kind));
    }
    Answer::json(&VertexFlameGraph::DISABLED)
}

fn is_flame_graph_kind(text: &str) -> bool {
    ["full", "on_cpu", "off_cpu"].iter().any(|kind| text.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use kobel_rest::states::JobStatus;
    use serde_json::json;

    use super::*;
    use crate::rest::fixtures::{BORN, JOB, SOURCE};
    use crate::rest::stage::{Stage, said};

    #[test]
    fn a_job_that_has_ended_has_no_samples() {
        let stage = Stage::new(&[]);
        let said = || said(back_pressure(&stage.call(&[("jobid", JOB), ("vertexid", SOURCE)], "")));
        let (status, answer) = said();
        assert_eq!((status, &answer["status"]), (200, &json!("ok")));
        assert!(answer["subtasks"].as_array().is_some_and(|subtasks| subtasks.len() == 2), "{answer}");
        stage.job.enter(JobStatus::Failed, BORN + 900);
        assert_eq!(said(), (200, json!({"status": "deprecated"})));
    }

    #[test]
    fn shares_have_three_digits_and_stay_within_one() {
        for (milliseconds, expected) in [(0.0, 0.0), (196.6, 0.197), (1_000.0, 1.0), (1_003.0, 1.0), (-2.0, 0.0)] {
            assert_eq!(share(milliseconds), expected);
        }
    }

    #[test]
    fn the_subtask_that_is_held_back_most_gives_the_level() {
        let samples = [(0, 0.1, 0.7, 0.2), (1, 0.501, 0.0, 0.499)];
        let subtasks =
            samples.map(|(index, blocked, idle, busy)| SubtaskBackPressureInfo::new(index, blocked, idle, busy));
        let answer = serde_json::to_value(JobVertexBackPressureInfo::fresh(5, subtasks.to_vec())).unwrap();
        let expected = serde_json::json!({
            "status": "ok", "backpressureLevel": "high", "end-timestamp": 5,
            "subtasks": [
                {"subtask": 0, "backpressureLevel": "ok", "ratio": 0.1, "idleRatio": 0.7, "busyRatio": 0.2,
                    "backpressure-level": "ok"},
                {"subtask": 1, "backpressureLevel": "high", "ratio": 0.501, "idleRatio": 0.0, "busyRatio": 0.499,
                    "backpressure-level": "high"},
            ],
            "backpressure-level": "high",
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn flame_graphs_are_of_three_kinds() {
        for (text, expected) in [("full", true), ("ON_CPU", true), ("off_cpu", true), ("foo", false), ("", false)] {
            assert_eq!(is_flame_graph_kind(text), expected, "{text}");
        }
    }
}
