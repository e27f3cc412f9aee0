//! The one TaskManager: its slots, its tasks, its memory.
//!
//! Memory is one heap here, so that is where all of it stands; the parts that only a Java machine has are zero.

use std::sync::Arc;

use kobel_rest::cluster::ThreadDumpInfo;
use kobel_rest::number::Number;
use kobel_rest::ordered::OrderedMap;
use kobel_rest::resources::ResourceProfileInfo;
use kobel_rest::taskmanagers::{
    HardwareDescription, SlotInfo, TaskExecutorMemoryConfiguration, TaskManagerDetailsInfo, TaskManagerInfo,
    TaskManagerMetricsInfo, TaskManagersInfo,
};

use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::identity::endpoint;
use crate::rest::java_exceptions::NO_TASK_MANAGER;
use crate::rest::refusals::internal;
use crate::view::job::JobView;

/// A mebibyte.
const MEBIBYTE: i64 = 1 << 20;

/// `GET /taskmanagers`.
pub(crate) fn list(call: &Call<'_>) -> Reply {
    Answer::json(&TaskManagersInfo { taskmanagers: vec![info(call)] })
}

/// `GET /taskmanagers/:taskmanagerid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    named(call)?;
    let info = info(call);
    let resource = profile(1, info.slots_number, signed(call.monitor.figures().memory_bytes_max));
    let allocated_slots = call.cluster.jobs().iter().flat_map(|job| slots(job, &resource)).collect();
    Answer::json(&TaskManagerDetailsInfo { info, allocated_slots, metrics: metrics(call) })
}

/// `GET /taskmanagers/:taskmanagerid/thread-dump`.
pub(crate) fn thread_dump(call: &Call<'_>) -> Reply {
    named(call)?;
    Answer::json(&ThreadDumpInfo::default())
}

fn named(call: &Call<'_>) -> Result<(), Refusal> {
    let id = call.path("taskmanagerid");
    if id == call.cluster.facts.task_manager_id {
        return Ok(());
    }
    Err(internal(NO_TASK_MANAGER, format_args!("No TaskExecutor registered under {id}.")))
}

fn info(call: &Call<'_>) -> TaskManagerInfo {
    let id = &call.cluster.facts.task_manager_id;
    let endpoint = endpoint(id);
    let port = endpoint.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0);
    let (used, total) = call.cluster.slots();
    let (used, total) = (used as i64, total as i64);
    let figures = call.monitor.figures();
    let memory = signed(figures.memory_bytes_max);
    TaskManagerInfo {
        id: id.clone(),
        path: format!("kobel://{endpoint}/taskmanager_0"),
        data_port: port,
        jmx_port: -1,
        time_since_last_heartbeat: call.now_ms,
        slots_number: total,
        free_slots: total - used,
        assigned_tasks: call.cluster.jobs().iter().map(|job| tasks_per_slot(job).iter().sum::<i64>()).sum(),
        total_resource: profile(total, total, memory),
        free_resource: profile(total - used, total, memory),
        hardware: HardwareDescription {
            cpu_cores: signed(figures.processors),
            physical_memory: signed(figures.machine_bytes),
            free_memory: signed(figures.machine_bytes_available),
            managed_memory: 0,
        },
        memory_configuration: memory_configuration(memory),
        blocked: false,
    }
}

/// A figure as the API has it: 0 where the machine does not tell.
fn signed(figure: Option<u64>) -> i64 {
    i64::try_from(figure.unwrap_or(0)).unwrap_or(i64::MAX)
}

/// What `slots` of `total` slots offer.
fn profile(slots: i64, total: i64, memory: i64) -> ResourceProfileInfo {
    ResourceProfileInfo {
        cpu_cores: Number(slots as f64),
        task_heap_memory: memory / MEBIBYTE * slots / total.max(1),
        task_off_heap_memory: 0,
        managed_memory: 0,
        network_memory: 0,
        extended_resources: OrderedMap::new(),
    }
}

fn memory_configuration(total: i64) -> TaskExecutorMemoryConfiguration {
    TaskExecutorMemoryConfiguration {
        framework_heap: Some(0),
        task_heap: Some(total),
        framework_off_heap: Some(0),
        task_off_heap: Some(0),
        network_memory: Some(0),
        managed_memory: Some(0),
        jvm_metaspace: Some(0),
        jvm_overhead: Some(0),
        total_flink_memory: Some(total),
        total_process_memory: Some(total),
    }
}

/// The number of tasks in each slot of a job; none if it has ended.
fn tasks_per_slot(job: &Arc<JobView>) -> Vec<i64> {
    job.read(|state| {
        if state.status.is_globally_terminal() {
            return Vec::new();
        }
        let parallelism = &state.attempt.parallelism;
        let width = parallelism.iter().copied().max().unwrap_or(0);
        (0..width).map(|slot| parallelism.iter().filter(|subtasks| **subtasks > slot).count() as i64).collect()
    })
}

fn slots(job: &Arc<JobView>, resource: &ResourceProfileInfo) -> Vec<SlotInfo> {
    let slot =
        |assigned_tasks: i64| SlotInfo { job_id: job.facts.id.to_string(), resource: resource.clone(), assigned_tasks };
    tasks_per_slot(job).into_iter().map(slot).collect()
}

/// The use of memory, from the metrics of the names that Flink takes it from.
fn metrics(call: &Call<'_>) -> TaskManagerMetricsInfo {
    let component = call.monitor.task_manager();
    let of = |name: &str| component.value(name).and_then(|value| value.number()).map_or(0, |number| number as i64);
    TaskManagerMetricsInfo {
        heap_used: of("Status.JVM.Memory.Heap.Used"),
        heap_committed: of("Status.JVM.Memory.Heap.Committed"),
        heap_max: of("Status.JVM.Memory.Heap.Max"),
        ..TaskManagerMetricsInfo::default()
    }
}
