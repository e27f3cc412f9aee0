//! What the job manager and the task managers are given: memory, CPU and other resources.
//!
//! `resources` wins over the older `resource`. Where both a request and a limit stand, the request is what a process is
//! sized for; where one stands, it is both.

use kobel_model::deployment::{Amounts, OtherResource};
use kobel_model::resource_quantity::{
    CPU_FORMS, MEMORY_AMOUNT_FORMS, QUANTITY_FORMS, parse_cpu, parse_memory_amount, parse_quantity,
};

use super::findings::Findings;
use super::flink_configuration::{Configuration, invalid};
use super::origin::Origin;
use super::part::Part;
use crate::problem::Problem;

/// Thousandths of a CPU, unless they are set.
const CPU_MILLIS: u32 = 1000;

/// One of the two processes of a cluster.
#[derive(Debug)]
pub(super) struct Component {
    /// The field of the spec.
    pub(super) field: &'static str,
    /// Groups of keys; the first group that is set in full gives the memory as its sum.
    memory_keys: &'static [&'static [&'static str]],
    /// The memory in bytes of a process that Kobel sizes itself.
    memory: u64,
}

/// The job manager.
pub(super) const JOB_MANAGER: Component = Component {
    field: "jobManager",
    memory_keys: &[
        &["jobmanager.memory.process.size"],
        &["jobmanager.memory.flink.size"],
        &["jobmanager.memory.heap.size"],
    ],
    memory: 1600 << 20,
};
/// A task manager.
pub(super) const TASK_MANAGER: Component = Component {
    field: "taskManager",
    memory_keys: &[
        &["taskmanager.memory.process.size"],
        &["taskmanager.memory.flink.size"],
        &["taskmanager.memory.task.heap.size", "taskmanager.memory.managed.size"],
    ],
    memory: 1728 << 20,
};

/// A request and a limit.
#[derive(Debug, Clone, Copy)]
struct Pair<T> {
    request: Option<T>,
    limit: Option<T>,
}

impl<T: Copy + PartialOrd> Pair<T> {
    /// What a process is sized for.
    fn size(self) -> Option<T> {
        self.request.or(self.limit)
    }

    /// What it may not exceed, if that is more.
    fn above(self) -> Option<T> {
        self.limit.filter(|limit| self.request.is_some_and(|request| *limit > request))
    }

    fn is_upside_down(self) -> bool {
        matches!((self.request, self.limit), (Some(request), Some(limit)) if request > limit)
    }
}

/// Reads what one process is given.
pub(super) fn read(
    spec: &Part<'_>,
    component: &Component,
    configuration: &Configuration,
    origin: Origin,
    findings: &mut Findings,
) -> Amounts {
    let part = spec.field_or_nothing(component.field);
    let resource = part.field_or_nothing("resource");
    let resources = part.field_or_nothing("resources");
    let memory = pair(&resources, "memory", &MEMORY, findings);
    let cpu = pair(&resources, "cpu", &CPU, findings);
    let older_memory = amount(&resource, "memory", &MEMORY, findings);
    let older_cpu = amount(&resource, "cpu", &CPU, findings);
    let mut others = others(&resources, findings);
    let storage =
        amount(&resource, "ephemeralStorage", &OTHER, findings).and_then(|_| text(&resource, "ephemeralStorage"));
    if let Some(storage) = storage.filter(|_| others.iter().all(|other| other.name != "ephemeral-storage")) {
        let (request, limit) = (Some(storage.clone()), Some(storage));
        others.push(OtherResource { name: "ephemeral-storage".to_owned(), request, limit });
    }
    let configured = configured(component, configuration, findings);
    let is_named = resource.has("memory") || names(&resources, "memory");
    let is_unclear = findings.is_unclear(part.path()) || findings.is_unclear(configuration.path());
    if !is_named && configured == Memory::Unset && origin != Origin::Kobel && !is_unclear {
        let keys: Vec<&str> = component.memory_keys.iter().filter_map(|group| group.first().copied()).collect();
        let detail = format!("a memory size here, in {}, or in one of `{}`", part.at("resources"), keys.join("`, `"));
        findings.add(Problem::required(resource.at("memory"), detail));
    }
    let configured = if let Memory::Bytes(bytes) = configured { Some(bytes) } else { None };
    Amounts {
        memory: memory.size().or(older_memory).or(configured).unwrap_or(component.memory),
        memory_limit: memory.above(),
        cpu_millis: narrow(cpu.size().or(older_cpu)).unwrap_or(CPU_MILLIS),
        cpu_limit_millis: narrow(cpu.above()),
        others,
    }
}

fn narrow(millis: Option<u64>) -> Option<u32> {
    millis.and_then(|millis| u32::try_from(millis).ok())
}

/// A kind of amount: how it is read, and what is allowed.
struct Amount {
    read: fn(&str) -> Option<u64>,
    allowed: &'static str,
}

/// Bytes of memory.
const MEMORY: Amount = Amount { read: |text| parse_memory_amount(text).ok(), allowed: MEMORY_AMOUNT_FORMS };
/// Thousandths of a CPU.
const CPU: Amount = Amount { read: |text| parse_cpu(text).ok().map(u64::from), allowed: CPU_FORMS };
/// Anything else; it may be nothing.
const OTHER: Amount =
    Amount { read: |text| parse_quantity(text).ok().map(|amount| amount.units()), allowed: QUANTITY_FORMS };

/// Whether a request or a limit stands for `name`.
fn names(resources: &Part<'_>, name: &str) -> bool {
    ["requests", "limits"].iter().any(|section| resources.field_or_nothing(section).has(name))
}

/// Reads the request and the limit of `name`, of which the request must not be the larger.
fn pair(resources: &Part<'_>, name: &str, kind: &Amount, findings: &mut Findings) -> Pair<u64> {
    let requests = resources.field_or_nothing("requests");
    let limits = resources.field_or_nothing("limits");
    let pair = Pair { request: amount(&requests, name, kind, findings), limit: amount(&limits, name, kind, findings) };
    if pair.is_upside_down() {
        let limit = text(&limits, name).unwrap_or_default();
        let shown = text(&requests, name).unwrap_or_default();
        findings.add(Problem::invalid(
            requests.at(name),
            shown,
            format!("must be at most `{limit}`, which is {}", limits.at(name)),
        ));
    }
    pair
}

/// Reads one amount.
fn amount(part: &Part<'_>, name: &str, kind: &Amount, findings: &mut Findings) -> Option<u64> {
    let field = part.field(name)?;
    let amount = field.scalar().and_then(|text| (kind.read)(&text));
    if amount.is_none() {
        findings.add(Problem::invalid(field.path(), field.value().clone(), format!("must be {}", kind.allowed)));
    }
    amount
}

/// One amount as it was written.
fn text(part: &Part<'_>, name: &str) -> Option<String> {
    part.field(name).and_then(|field| field.scalar())
}

/// Reads everything that is neither memory nor CPU, in order of name.
fn others(resources: &Part<'_>, findings: &mut Findings) -> Vec<OtherResource> {
    let requests = resources.field_or_nothing("requests");
    let limits = resources.field_or_nothing("limits");
    let members = requests.members().into_iter().chain(limits.members());
    let mut known: Vec<&str> = members.map(|(name, _)| name).filter(|name| !["memory", "cpu"].contains(name)).collect();
    known.sort_unstable();
    known.dedup();
    let mut others = Vec::new();
    for name in known {
        pair(resources, name, &OTHER, findings);
        let (request, limit) = (text(&requests, name), text(&limits, name));
        others.push(OtherResource { name: name.to_owned(), request, limit });
    }
    others
}

/// What the configuration says about memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Unset,
    /// Something is set, and it is no size.
    Wrong,
    Bytes(u64),
}

/// Reads the memory from the configuration.
fn configured(component: &Component, configuration: &Configuration, findings: &mut Findings) -> Memory {
    for group in component.memory_keys {
        let values: Vec<(&str, &str)> =
            group.iter().filter_map(|key| configuration.get(&[*key]).map(|value| (*key, value))).collect();
        if values.len() < group.len() {
            continue;
        }
        let mut sum = 0_u64;
        for (key, value) in values {
            let Ok(bytes) = parse_memory_amount(value) else {
                findings.add(invalid(configuration.at(key), key, value, MEMORY_AMOUNT_FORMS));
                return Memory::Wrong;
            };
            sum = sum.saturating_add(bytes);
        }
        return Memory::Bytes(sum);
    }
    Memory::Unset
}
