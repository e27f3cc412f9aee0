//! The parallelism that a running job may have: asked about, and asked for.

use kobel_rest::resources::{JobResourceRequirementsBody, ParallelismBounds, VertexResourceRequirements};

use crate::control::{Control, VertexParallelism};
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::refusals::{job_of_master, no_master};
use crate::view::job::{JobFacts, JobView};
use crate::view::plan::PlanView;

/// The lower bound of a client that does not choose one, which counts as 1.
const NO_LOWER_BOUND: i32 = -1;

/// `GET /jobs/:jobid/resource-requirements`.
pub(crate) fn get(call: &Call<'_>) -> Reply {
    let job = job_of_master(call)?;
    refuse_ended(&job)?;
    Answer::json(&job.read(|state| requirements(&job.facts.plan, &state.wanted)))
}

/// `PUT /jobs/:jobid/resource-requirements`: is answered before the job has been rescaled, as in Flink.
///
/// Whether anything is to be done is for the job to decide: it may be at a rescale that is not to be seen yet.
pub(crate) fn put(call: &Call<'_>) -> Reply {
    let asked: JobResourceRequirementsBody = call.body()?;
    if asked.0.is_empty() {
        return Err(Refusal::bad_request("Request body does not specify resource requirements."));
    }
    let job = job_of_master(call)?;
    refuse_ended(&job)?;
    let wanted = checked(&job.facts, &asked)?;
    job.controller().send(Control::Rescale(wanted));
    Answer::empty()
}

/// A job that has ended has no master that could be asked.
fn refuse_ended(job: &JobView) -> Result<(), Refusal> {
    let has_ended = job.read(|state| state.status.is_globally_terminal());
    if has_ended { Err(no_master(job.facts.id)) } else { Ok(()) }
}

fn requirements(plan: &PlanView, wanted: &[VertexParallelism]) -> JobResourceRequirementsBody {
    let bound = |subtasks: usize| i32::try_from(subtasks).unwrap_or(i32::MAX);
    let entry = |wanted: &VertexParallelism| VertexResourceRequirements {
        parallelism: ParallelismBounds { lower_bound: bound(wanted.lower), upper_bound: bound(wanted.upper) },
    };
    let vertices = plan.vertices.iter().zip(wanted);
    JobResourceRequirementsBody(vertices.map(|(vertex, wanted)| (vertex.id.clone(), entry(wanted))).collect())
}

/// What is asked for, by vertex.
///
/// # Errors
/// 400 with everything that is wrong with it, worded as Flink does.
fn checked(job: &JobFacts, asked: &JobResourceRequirementsBody) -> Result<Vec<VertexParallelism>, Refusal> {
    let mut wrong = Vec::new();
    for (id, requirements) in &asked.0 {
        match job.plan.vertex(id) {
            Some(_) => wrong.extend(objection(job, id, requirements.parallelism)),
            None => wrong.push(format!("Job vertex [{id}] was not found in the JobGraph.")),
        }
    }
    let mut wanted = Vec::new();
    for vertex in &job.plan.vertices {
        match asked.0.get(&vertex.id) {
            Some(requirements) => wanted.push(parallelism(requirements.parallelism)),
            None => {
                let id = &vertex.id;
                wrong.push(format!("The request is incomplete, missing job vertex [{id}] resource requirements."));
            }
        }
    }
    if wrong.is_empty() { Ok(wanted) } else { Err(Refusal::bad_request(wrong.join("\n"))) }
}

fn parallelism(bounds: ParallelismBounds) -> VertexParallelism {
    let subtasks = |bound: i32| usize::try_from(bound).unwrap_or(0);
    let lower = if bounds.lower_bound == NO_LOWER_BOUND { 1 } else { bounds.lower_bound };
    VertexParallelism { lower: subtasks(lower), upper: subtasks(bounds.upper_bound) }
}

/// What is wrong with the parallelism that is asked for a vertex.
fn objection(job: &JobFacts, id: &str, bounds: ParallelismBounds) -> Option<String> {
    let ParallelismBounds { lower_bound: lower, upper_bound: upper } = bounds;
    if (lower < 1 && lower != NO_LOWER_BOUND) || upper < 1 {
        return Some(format!(
            "Both, the requested lower bound [{lower}] and upper bound [{upper}] for job vertex [{id}] must be greater \
             than zero."
        ));
    }
    if lower > upper {
        return Some(format!(
            "The requested lower bound [{lower}] for job vertex [{id}] is higher than the upper bound [{upper}]."
        ));
    }
    let max = job.max_parallelism;
    (parallelism(bounds).upper > max).then(|| {
        format!(
            "The newly requested parallelism {upper} for the job vertex {id} exceeds its maximum parallelism {max}."
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rest::fixtures::{JOB, SINK, SOURCE, job};
    use crate::rest::stage::{Stage, said};

    fn body(entries: &[(&str, i32, i32)]) -> JobResourceRequirementsBody {
        let entry = |(id, lower, upper): &(&str, i32, i32)| {
            ((*id).to_owned(), json!({"parallelism": {"lowerBound": lower, "upperBound": upper}}))
        };
        serde_json::from_value(Value::Object(entries.iter().map(entry).collect())).unwrap()
    }

    #[test]
    fn requirements_are_told_by_vertex() {
        let job = job();
        let answer = job.read(|state| requirements(&job.facts.plan, &state.wanted));
        let expected = json!({
            SOURCE: {"parallelism": {"lowerBound": 1, "upperBound": 2}},
            SINK: {"parallelism": {"lowerBound": 1, "upperBound": 1}},
        });
        assert_eq!(serde_json::to_value(answer).unwrap(), expected);
    }

    #[test]
    fn what_is_asked_is_given_in_the_order_of_the_plan() {
        let job = job();
        let wanted = checked(&job.facts, &body(&[(SINK, 2, 128), (SOURCE, 1, 3)])).unwrap();
        let expected = [VertexParallelism { lower: 1, upper: 3 }, VertexParallelism { lower: 2, upper: 128 }];
        assert_eq!(wanted, expected);
        let unchosen = checked(&job.facts, &body(&[(SINK, -1, 1), (SOURCE, -1, 3)])).unwrap();
        assert_eq!(unchosen, [VertexParallelism { lower: 1, upper: 3 }, VertexParallelism { lower: 1, upper: 1 }]);
    }

    #[test]
    fn the_job_hears_of_what_is_asked_even_if_it_seems_to_have_it() {
        let stage = Stage::new(&[]);
        for _ in 0..2 {
            let asked = serde_json::to_string(&body(&[(SOURCE, 1, 2), (SINK, 1, 1)])).unwrap();
            assert_eq!(said(put(&stage.call(&[("jobid", JOB)], &asked))), (200, json!({})));
            let wanted = vec![VertexParallelism { lower: 1, upper: 2 }, VertexParallelism { lower: 1, upper: 1 }];
            assert_eq!(stage.asked(), Some(Control::Rescale(wanted)));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let unknown = "00000000000000000000000000000000";
        type Bounds<'a> = &'a [(&'a str, i32, i32)];
        let cases: [(Bounds<'_>, &[&str]); 6] = [
            (
                &[(unknown, 1, 1)],
                &[
                    "Job vertex [00000000000000000000000000000000] was not found in the JobGraph.",
                    "missing job vertex [0000000000000000000000000000000a] resource requirements.",
                    "missing job vertex [0000000000000000000000000000000b] resource requirements.",
                ],
            ),
            (
                &[(SOURCE, 3, 2), (SINK, 1, 1)],
                &["The requested lower bound [3] for job vertex [0000000000000000000000000000000a] is higher than \
                     the upper bound [2]."],
            ),
            (
                &[(SOURCE, 0, 0), (SINK, -2, 2)],
                &["lower bound [0] and upper bound [0]", "lower bound [-2] and upper bound [2]"],
            ),
            (
                &[(SOURCE, -1, -1), (SINK, -1, 0)],
                &["lower bound [-1] and upper bound [-1]", "lower bound [-1] and upper bound [0]"],
            ),
            (
                &[(SOURCE, 1, 129), (SINK, 1, 1)],
                &["The newly requested parallelism 129 for the job vertex 0000000000000000000000000000000a exceeds \
                   its maximum parallelism 128."],
            ),
            (&[(SOURCE, 1, 1)], &["The request is incomplete, missing job vertex [0000000000000000000000000000000b]"]),
        ];
        let job = job();
        for (entries, expected) in cases {
            let refusal = checked(&job.facts, &body(entries)).unwrap_err();
            assert_eq!(refusal.status, 400);
            let lines: Vec<&str> = refusal.messages[0].lines().collect();
            assert_eq!(lines.len(), expected.len(), "{lines:?}");
            for (line, part) in lines.iter().zip(expected) {
                assert!(line.contains(part), "`{line}` does not say `{part}`");
            }
        }
    }

    #[test]
    fn an_ended_job_cannot_be_asked() {
        let job = job();
        assert_eq!(refuse_ended(&job), Ok(()));
        job.enter(kobel_rest::states::JobStatus::Finished, 5);
        assert_eq!(refuse_ended(&job).unwrap_err().status, 500);
    }
}
