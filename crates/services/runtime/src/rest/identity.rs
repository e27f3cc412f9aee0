//! Names and ids that answers derive from what is known of a job and of the process.
//!
//! Invariant: the same job and process always give the same names and ids.

use kobel_model::ids::{JobId, OperatorId};

/// Host and port of the TaskManager, which its id begins with: `localhost:6122-4ebda0` is at `localhost:6122`.
pub(crate) fn endpoint(task_manager_id: &str) -> &str {
    task_manager_id.rsplit_once('-').map_or(task_manager_id, |(endpoint, _)| endpoint)
}

/// The one group of vertices that share slots: all of them.
pub(crate) fn slot_sharing_group(job: JobId) -> String {
    derived("slot sharing group", &job.to_string())
}

/// An id of 32 hexadecimal digits that follows from another.
pub(crate) fn derived(what: &str, from: &str) -> String {
    OperatorId::of(&[what, from]).to_string()
}

/// An error's kind as the class of an exception.
pub(crate) fn exception_name(kind: &str) -> String {
    format!("kobel.{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_the_id_without_its_last_part() {
        let cases = [
            ("localhost:6122-4ebda0", "localhost:6122"),
            ("my-host:1-ab-cd", "my-host:1-ab"),
            ("localhost:6122", "localhost:6122"),
        ];
        for (id, expected) in cases {
            assert_eq!(endpoint(id), expected);
        }
    }

    #[test]
    fn derived_ids_differ_by_what_they_are_of() {
        let job = JobId::from_bytes([7; 16]);
        assert_eq!(slot_sharing_group(job).len(), 32);
        assert_ne!(slot_sharing_group(job), slot_sharing_group(JobId::from_bytes([8; 16])));
        assert_ne!(slot_sharing_group(job), derived("something else", &job.to_string()));
    }
}
