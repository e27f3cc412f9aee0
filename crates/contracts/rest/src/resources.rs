//! Resources: the parallelism that a job may have, and what a slot offers.
//!
//! Invariant: the keys of the requirements are ids of vertices, and each bound is a 32-bit number.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::number::Number;
use crate::ordered::OrderedMap;
use crate::request_fields::{is_id, parallelism};

/// The parallelism that each vertex of a job may have: asked for, and answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct JobResourceRequirementsBody(pub BTreeMap<String, VertexResourceRequirements>);

/// The resources that a vertex may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VertexResourceRequirements {
    /// The parallelism.
    pub parallelism: ParallelismBounds,
}

/// The parallelism that a vertex may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParallelismBounds {
    /// The smallest that is enough to run; -1 stands for the default.
    #[serde(deserialize_with = "parallelism")]
    pub lower_bound: i32,
    /// The largest that is wished; -1 stands for the default.
    #[serde(deserialize_with = "parallelism")]
    pub upper_bound: i32,
}

impl<'de> Deserialize<'de> for JobResourceRequirementsBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequirementsVisitor).map(Self)
    }
}

struct RequirementsVisitor;

impl<'de> Visitor<'de> for RequirementsVisitor {
    type Value = BTreeMap<String, VertexResourceRequirements>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from the id of a vertex to its resources")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut requirements = BTreeMap::new();
        while let Some(id) = entries.next_key::<String>()? {
            if !is_id(&id) {
                return Err(A::Error::custom(format!("`{id}` is not a vertex id, allowed are 32 hexadecimal digits")));
            }
            requirements.insert(id.to_ascii_lowercase(), entries.next_value()?);
        }
        Ok(requirements)
    }
}

/// What a slot or a task manager offers; memory in mebibytes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceProfileInfo {
    /// Cores.
    pub cpu_cores: Number,
    /// Heap of tasks.
    pub task_heap_memory: i64,
    /// Memory of tasks outside of the heap.
    pub task_off_heap_memory: i64,
    /// Memory that the engine manages.
    pub managed_memory: i64,
    /// Memory of network buffers.
    pub network_memory: i64,
    /// Other resources by name, such as graphics processors.
    pub extended_resources: OrderedMap<String, Number>,
}

#[cfg(test)]
mod tests {
    use super::{JobResourceRequirementsBody, ResourceProfileInfo};
    use crate::number::Number;
    use crate::round_trip::{printed_back, refusal};

    const ID: &str = "cbc357ccb763df2852fee8c4fc7d55f2";

    #[test]
    fn requirements_map_vertices_to_bounds() {
        let body: JobResourceRequirementsBody = printed_back(
            r#"{"cbc357ccb763df2852fee8c4fc7d55f2":{"parallelism":{"lowerBound":1,"upperBound":2}},
            "f6dc7f4d2283f4605b127b9364e21148":{"parallelism":{"lowerBound":-1,"upperBound":4}}}"#,
        );
        assert_eq!(body.0.get(ID).map(|vertex| vertex.parallelism.upper_bound), Some(2));
        assert_eq!(printed_back::<JobResourceRequirementsBody>("{}"), JobResourceRequirementsBody::default());
    }

    #[test]
    fn requirements_that_flink_refuses_are_refused() {
        let cases = [
            (r#"{"parallelism":{"lowerBound":1}}"#, "missing field `upperBound`"),
            (r#"{"parallelism":{"lowerBound":1,"upperBound":3000000000}}"#, "`3000000000` is not a parallelism"),
            (r#"{"parallelism":{"lowerBound":null,"upperBound":2}}"#, "`null` is not a parallelism"),
            (r#"{"parallelism":{"lowerBound":"x","upperBound":2}}"#, "is not a parallelism"),
            (r#"{"parallelism":{"lowerBound":true,"upperBound":2}}"#, "`true` is not a parallelism"),
            (r#"{"cpu":1}"#, "missing field `parallelism`"),
            ("{}", "missing field `parallelism`"),
            ("null", "null"),
        ];
        for (vertex, message) in cases {
            let refused = refusal::<JobResourceRequirementsBody>(&format!(r#"{{"{ID}":{vertex}}}"#));
            assert!(refused.contains(message), "{vertex}: {refused}");
        }
        let refused =
            refusal::<JobResourceRequirementsBody>(r#"{"xx":{"parallelism":{"lowerBound":1,"upperBound":2}}}"#);
        assert!(refused.contains("`xx` is not a vertex id"), "{refused}");
    }

    #[test]
    fn a_bound_may_be_text_or_a_fraction_and_other_keys_are_passed_over() {
        let body = format!(r#"{{"{ID}":{{"parallelism":{{"lowerBound":"1","upperBound":2.5,"x":3}},"cpu":1}}}}"#);
        let body: JobResourceRequirementsBody = serde_json::from_str(&body).unwrap();
        let bounds = body.0.get(ID).map(|vertex| (vertex.parallelism.lower_bound, vertex.parallelism.upper_bound));
        assert_eq!(bounds, Some((1, 2)));
    }

    #[test]
    fn a_profile_counts_cores_as_a_fraction() {
        let profile: ResourceProfileInfo = printed_back(
            r#"{"cpuCores":4.0,"taskHeapMemory":639,"taskOffHeapMemory":0,"managedMemory":256,"networkMemory":128,
            "extendedResources":{"gpu":1.0}}"#,
        );
        assert_eq!(profile.extended_resources.get("gpu"), Some(&Number(1.0)));
    }
}
