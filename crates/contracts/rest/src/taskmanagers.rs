//! Task managers: the list, and one with its slots and its memory.
//!
//! Invariant: profiles count mebibytes, everything else counts bytes.

use serde::{Deserialize, Serialize};

use crate::resources::ResourceProfileInfo;

/// The answer to a request for all task managers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TaskManagersInfo {
    /// The task managers.
    pub taskmanagers: Vec<TaskManagerInfo>,
}

/// A task manager in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerInfo {
    /// The id.
    pub id: String,
    /// The address of its gateway.
    pub path: String,
    /// The port at which it takes records.
    pub data_port: i64,
    /// The port at which it is managed, or -1.
    pub jmx_port: i64,
    /// The time of its last heartbeat, in milliseconds.
    pub time_since_last_heartbeat: i64,
    /// The number of slots.
    pub slots_number: i64,
    /// The number of free slots.
    pub free_slots: i64,
    /// The number of tasks in its slots.
    pub assigned_tasks: i64,
    /// What all slots offer.
    pub total_resource: ResourceProfileInfo,
    /// What the free slots offer.
    pub free_resource: ResourceProfileInfo,
    /// The machine.
    pub hardware: HardwareDescription,
    /// How the memory is divided.
    pub memory_configuration: TaskExecutorMemoryConfiguration,
    /// Whether it gets no work, printed when it does not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub blocked: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// The answer to a request for one task manager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerDetailsInfo {
    /// What the list tells of it.
    #[serde(flatten)]
    pub info: TaskManagerInfo,
    /// The slots that jobs hold.
    pub allocated_slots: Vec<SlotInfo>,
    /// The use of its memory.
    pub metrics: TaskManagerMetricsInfo,
}

/// The machine of a task manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HardwareDescription {
    /// Cores.
    pub cpu_cores: i64,
    /// Memory of the machine.
    pub physical_memory: i64,
    /// Memory that the heap may have.
    pub free_memory: i64,
    /// Memory that the engine manages.
    pub managed_memory: i64,
}

/// How the memory of a task manager is divided; null where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskExecutorMemoryConfiguration {
    /// Heap of the framework.
    pub framework_heap: Option<i64>,
    /// Heap of tasks.
    pub task_heap: Option<i64>,
    /// Memory of the framework outside of the heap.
    pub framework_off_heap: Option<i64>,
    /// Memory of tasks outside of the heap.
    pub task_off_heap: Option<i64>,
    /// Memory of network buffers.
    pub network_memory: Option<i64>,
    /// Memory that the engine manages.
    pub managed_memory: Option<i64>,
    /// Memory of classes.
    pub jvm_metaspace: Option<i64>,
    /// Memory that is left for the machine below.
    pub jvm_overhead: Option<i64>,
    /// All memory of Flink.
    pub total_flink_memory: Option<i64>,
    /// All memory of the process.
    pub total_process_memory: Option<i64>,
}

/// A slot that a job holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotInfo {
    /// The id of the job.
    pub job_id: String,
    /// What the slot offers.
    pub resource: ResourceProfileInfo,
    /// The number of tasks in it.
    pub assigned_tasks: i64,
}

/// The use of the memory of a task manager.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerMetricsInfo {
    /// Heap in use.
    pub heap_used: i64,
    /// Heap taken from the system.
    pub heap_committed: i64,
    /// The largest heap.
    pub heap_max: i64,
    /// Memory of the machine outside of the heap in use.
    pub non_heap_used: i64,
    /// That memory taken from the system.
    pub non_heap_committed: i64,
    /// The most of that memory.
    pub non_heap_max: i64,
    /// The number of direct buffers.
    pub direct_count: i64,
    /// Bytes of them in use.
    pub direct_used: i64,
    /// Bytes of them.
    pub direct_max: i64,
    /// The number of mapped buffers.
    pub mapped_count: i64,
    /// Bytes of them in use.
    pub mapped_used: i64,
    /// Bytes of them.
    pub mapped_max: i64,
    /// The number of free network buffers.
    pub netty_shuffle_memory_segments_available: i64,
    /// The number of network buffers in use.
    pub netty_shuffle_memory_segments_used: i64,
    /// The number of network buffers.
    pub netty_shuffle_memory_segments_total: i64,
    /// Bytes of free network buffers.
    pub netty_shuffle_memory_available: i64,
    /// Bytes of network buffers in use.
    pub netty_shuffle_memory_used: i64,
    /// Bytes of network buffers.
    pub netty_shuffle_memory_total: i64,
    /// The garbage collectors.
    pub garbage_collectors: Vec<GarbageCollectorInfo>,
}

/// The work of a garbage collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarbageCollectorInfo {
    /// The name.
    pub name: String,
    /// The number of collections.
    pub count: i64,
    /// Milliseconds spent.
    pub time: i64,
}

#[cfg(test)]
mod tests {
    use super::{TaskManagerDetailsInfo, TaskManagersInfo};
    use crate::round_trip::printed_back;

    const PROFILE: &str = r#"{"cpuCores":4.0,"taskHeapMemory":6,"taskOffHeapMemory":0,"managedMemory":2,
        "networkMemory":1,"extendedResources":{}}"#;

    /// Returns the JSON of a task manager without its last brace, with what is given after its memory.
    fn manager(more: &str) -> String {
        format!(
            r#"{{"id":"localhost:1-abc","path":"akka://flink/tm","dataPort":2,"jmxPort":-1,"timeSinceLastHeartbeat":9,
            "slotsNumber":4,"freeSlots":1,"assignedTasks":6,"totalResource":{PROFILE},"freeResource":{PROFILE},
            "hardware":{{"cpuCores":2,"physicalMemory":8,"freeMemory":4,"managedMemory":2}},
            "memoryConfiguration":{{"frameworkHeap":1,"taskHeap":2,"frameworkOffHeap":3,"taskOffHeap":0,
            "networkMemory":4,"managedMemory":5,"jvmMetaspace":6,"jvmOverhead":7,"totalFlinkMemory":8,
            "totalProcessMemory":null}}{more}"#
        )
    }

    #[test]
    fn a_task_manager_is_called_blocked_only_when_it_is() {
        let json = format!(r#"{{"taskmanagers":[{}}},{}}}]}}"#, manager(""), manager(r#","blocked":true"#));
        let list: TaskManagersInfo = printed_back(&json);
        let blocked: Vec<bool> = list.taskmanagers.iter().map(|manager| manager.blocked).collect();
        assert_eq!(blocked, [false, true]);
    }

    #[test]
    fn one_task_manager_tells_of_its_slots_and_its_memory() {
        let metrics = r#"{"heapUsed":1,"heapCommitted":2,"heapMax":3,"nonHeapUsed":4,"nonHeapCommitted":5,
            "nonHeapMax":6,"directCount":7,"directUsed":8,"directMax":9,"mappedCount":10,"mappedUsed":11,"mappedMax":12,
            "nettyShuffleMemorySegmentsAvailable":13,"nettyShuffleMemorySegmentsUsed":14,
            "nettyShuffleMemorySegmentsTotal":15,"nettyShuffleMemoryAvailable":16,"nettyShuffleMemoryUsed":17,
            "nettyShuffleMemoryTotal":18,"garbageCollectors":[{"name":"All","count":8,"time":251}]}"#;
        let slots = format!(r#"[{{"jobId":"j0","resource":{PROFILE},"assignedTasks":2}}]"#);
        let json = manager(&format!(r#","allocatedSlots":{slots},"metrics":{metrics}}}"#));
        let details: TaskManagerDetailsInfo = printed_back(&json);
        assert_eq!((details.info.assigned_tasks, details.allocated_slots.len()), (6, 1));
        assert_eq!(details.metrics.netty_shuffle_memory_total, 18);
    }
}
