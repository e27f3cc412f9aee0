//! Cases of memory, CPU, replicas, and the limits of the log agent.

#![cfg(test)]

use serde_json::json;

use super::{Case, boundary, invalid, valid};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = job_manager();
    cases.extend(task_manager());
    cases.extend(job_manager_claims());
    cases.extend(task_manager_claims());
    cases.extend(log_agent());
    cases
}

fn job_manager() -> Vec<Case> {
    let memory = "jobManager/resource/memory";
    let requests = "jobManager/resources/requests";
    let limits = "jobManager/resources/limits";
    vec![
        valid(memory, json!("16Gi")),
        invalid(
            memory,
            json!("lots"),
            &["spec.jobManager.resource.memory: Invalid value: \"lots\": must be a size of"],
        ),
        invalid(memory, json!("-1m"), &["spec.jobManager.resource.memory: Invalid value: \"-1m\": must be a size"]),
        invalid(memory, json!("1e3Gi"), &["spec.jobManager.resource.memory: Invalid value: \"1e3Gi\": must be a size"]),
        invalid(
            memory,
            json!("9999999999g"),
            &["spec.jobManager.resource.memory: Invalid value: \"9999999999g\": must"],
        ),
        invalid(memory, json!(null), &["spec.jobManager.resource.memory: Required value: a memory size here"]),
        boundary(memory, json!("1024Ti"), &[]),
        boundary(memory, json!("1025Ti"), &["spec.jobManager.resource.memory: Invalid value: \"1025Ti\""]),
        boundary(memory, json!("0"), &["spec.jobManager.resource.memory: Invalid value: \"0\""]),
        valid("jobManager/resource/cpu", json!(0.5)),
        invalid("jobManager/resource/cpu", json!("NaN"), &["spec.jobManager.resource.cpu: Invalid value: \"string\""]),
        boundary("jobManager/resource/cpu", json!(65536), &[]),
        boundary("jobManager/resource/cpu", json!(1e300), &["spec.jobManager.resource.cpu: Invalid value: 1e"]),
        boundary("jobManager/resource/cpu", json!(0), &["spec.jobManager.resource.cpu: Invalid value: 0: must be a "]),
        valid("jobManager/resource/ephemeralStorage", json!("2Gi")),
        invalid(
            "jobManager/resource/ephemeralStorage",
            json!("much"),
            &["spec.jobManager.resource.ephemeralStorage: Invalid value: \"much\": must be a number"],
        ),
        boundary("jobManager/resource/ephemeralStorage", json!("0"), &[]),
        valid(requests, json!({"memory": "1024m", "cpu": "500m", "nvidia.com/gpu": 1})),
        invalid(requests, json!({"memory": "x"}), &["spec.jobManager.resources.requests.memory: Invalid value: \"x\""]),
        invalid(requests, json!({"cpu": "NaN"}), &["spec.jobManager.resources.requests.cpu: Invalid value: \"NaN\""]),
        boundary(requests, json!({"cpu": 0}), &["spec.jobManager.resources.requests.cpu: Invalid value: 0"]),
        boundary(requests, json!({}), &[]),
        valid(limits, json!({"memory": "2Gi"})),
        invalid(limits, json!({"a.b/c": "-1"}), &["spec.jobManager.resources.limits[a.b/c]: Invalid value: \"-1\""]),
        boundary("jobManager/resources", json!({"requests": {"cpu": 2}, "limits": {"cpu": "2000m"}}), &[])
            .covers(limits),
        boundary(
            "jobManager/resources",
            json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "2047m"}}),
            &["spec.jobManager.resources.requests.memory: Invalid value: \"2Gi\": must be at most `2047m`"],
        )
        .covers(limits),
        valid("jobManager/replicas", json!(1)),
        invalid("jobManager/replicas", json!("two"), &["spec.jobManager.replicas: Invalid value: \"string\""]),
        boundary(
            "jobManager/replicas",
            json!(0),
            &["spec.jobManager.replicas: Invalid value: 0: must be from 1 to 32768"],
        ),
        boundary(
            "jobManager/replicas",
            json!(2),
            &["spec.jobManager.replicas: Invalid value: 2: must be 1 unless high"],
        ),
    ]
}

fn task_manager() -> Vec<Case> {
    let memory = "taskManager/resource/memory";
    let requests = "taskManager/resources/requests";
    let limits = "taskManager/resources/limits";
    vec![
        valid(memory, json!("2 gb")),
        invalid(memory, json!(2048), &["spec.taskManager.resource.memory: Invalid value: \"integer\""]),
        boundary(memory, json!("1"), &[]),
        boundary(memory, json!("9999999999g"), &["spec.taskManager.resource.memory: Invalid value: \"9999999999g\""]),
        valid("taskManager/resource/cpu", json!(2)),
        invalid(
            "taskManager/resource/cpu",
            json!(-1),
            &["spec.taskManager.resource.cpu: Invalid value: -1: must be a "],
        ),
        boundary(
            "taskManager/resource/cpu",
            json!(65536.001),
            &["spec.taskManager.resource.cpu: Invalid value: 65536.001"],
        ),
        valid("taskManager/resource/ephemeralStorage", json!("10G")),
        invalid(
            "taskManager/resource/ephemeralStorage",
            json!("-1"),
            &["spec.taskManager.resource.ephemeralStorage: Invalid value: \"-1\""],
        ),
        boundary("taskManager/resource/ephemeralStorage", json!("7Ei"), &[]),
        boundary(
            "taskManager/resource/ephemeralStorage",
            json!("8Ei"),
            &["spec.taskManager.resource.ephemeralStorage: Invalid value: \"8Ei\""],
        ),
        valid(requests, json!({"memory": "2048m", "ephemeral-storage": "1Gi"})),
        invalid(requests, json!({"memory": true}), &["spec.taskManager.resources.requests.memory: Invalid value: "]),
        boundary(
            requests,
            json!({"memory": "0"}),
            &["spec.taskManager.resources.requests.memory: Invalid value: \"0\""],
        ),
        valid(limits, json!({"cpu": "1.5"})),
        invalid(limits, json!([]), &["spec.taskManager.resources.limits: Invalid value: \"array\""]),
        boundary(limits, json!({"nvidia.com/gpu": 0}), &[]),
        valid("taskManager/replicas", json!(3)),
        invalid(
            "taskManager/replicas",
            json!(-3),
            &["spec.taskManager.replicas: Invalid value: -3: must be from 1 to"],
        ),
        boundary("taskManager/replicas", json!(16384), &[]),
        boundary(
            "taskManager/replicas",
            json!(16385),
            &["spec.taskManager.replicas: Invalid value: 16385: must give at most 32768 slots, and each task manager"],
        ),
        boundary("taskManager/replicas", json!(0), &["spec.taskManager.replicas: Invalid value: 0: must be from 1 to"]),
    ]
}

fn job_manager_claims() -> Vec<Case> {
    vec![
        valid("jobManager/resources/claims", json!([{"name": "gpu", "request": "one"}]))
            .covers("jobManager/resources/claims/0/name"),
        invalid(
            "jobManager/resources/claims",
            json!([{"name": 1}]),
            &["spec.jobManager.resources.claims[0].name: Inv"],
        )
        .covers("jobManager/resources/claims/0/name"),
        boundary("jobManager/resources/claims", json!([]), &[]).covers("jobManager/resources/claims/0/name"),
        valid("jobManager/resources/claims", json!([{"name": "gpu", "request": "one"}]))
            .covers("jobManager/resources/claims/0/request"),
        invalid(
            "jobManager/resources/claims",
            json!([{"name": "gpu", "request": 1}]),
            &["spec.jobManager.resources.claims[0].request: Invalid value: \"integer\""],
        )
        .covers("jobManager/resources/claims/0/request"),
        boundary("jobManager/resources/claims", json!([{"name": "gpu"}]), &[])
            .covers("jobManager/resources/claims/0/request"),
    ]
}

fn task_manager_claims() -> Vec<Case> {
    vec![
        valid("taskManager/resources/claims", json!([{"name": "gpu", "request": "one"}]))
            .covers("taskManager/resources/claims/0/name"),
        invalid(
            "taskManager/resources/claims",
            json!([{"name": []}]),
            &["spec.taskManager.resources.claims[0].name: Inv"],
        )
        .covers("taskManager/resources/claims/0/name"),
        boundary("taskManager/resources/claims", json!([]), &[]).covers("taskManager/resources/claims/0/name"),
        valid("taskManager/resources/claims", json!([{"name": "gpu", "request": "one"}]))
            .covers("taskManager/resources/claims/0/request"),
        invalid(
            "taskManager/resources/claims",
            json!([{"name": "gpu", "request": false}]),
            &["spec.taskManager.resources.claims[0].request: Invalid value: \"boolean\""],
        )
        .covers("taskManager/resources/claims/0/request"),
        boundary("taskManager/resources/claims", json!([{"name": "gpu", "request": ""}]), &[])
            .covers("taskManager/resources/claims/0/request"),
    ]
}

fn log_agent() -> Vec<Case> {
    let limits = "monitoringConfiguration/sideCarResources/limits";
    let cpu = "monitoringConfiguration/sideCarResources/limits/cpuLimit";
    let memory = "monitoringConfiguration/sideCarResources/limits/memoryLimit";
    let rotation = "monitoringConfiguration/containerLogRotationConfiguration";
    let size = "monitoringConfiguration/containerLogRotationConfiguration/rotationSize";
    let files = "monitoringConfiguration/containerLogRotationConfiguration/maxFilesToKeep";
    let size_refused = "spec.monitoringConfiguration.containerLogRotationConfiguration.rotationSize: Invalid value: ";
    let files_refused =
        "spec.monitoringConfiguration.containerLogRotationConfiguration.maxFilesToKeep: Invalid value: ";
    let of_size = |size: &str| json!({"rotationSize": size, "maxFilesToKeep": 10});
    let mut cases = vec![
        valid(limits, json!({"cpuLimit": "500m"})).covers(cpu),
        invalid(
            limits,
            json!({"cpuLimit": "x"}),
            &["spec.monitoringConfiguration.sideCarResources.limits.cpuLimit: Inv"],
        )
        .covers(cpu),
        boundary(
            limits,
            json!({"cpuLimit": "0"}),
            &["spec.monitoringConfiguration.sideCarResources.limits.cpuLimit: Inv"],
        )
        .covers(cpu),
        valid(limits, json!({"memoryLimit": "250Mi"})).covers(memory),
        invalid(
            limits,
            json!({"memoryLimit": "250Qi"}),
            &["spec.monitoringConfiguration.sideCarResources.limits.memoryLimit: Invalid value: \"250Qi\""],
        )
        .covers(memory),
        boundary(limits, json!({"memoryLimit": "1"}), &[]).covers(memory),
        valid(rotation, of_size("2Gb")).covers(size),
        invalid(rotation, of_size("1.5GB"), &[size_refused]).covers(size),
        invalid(rotation, of_size("2048"), &[size_refused]).covers(size),
        invalid(
            rotation,
            json!({"maxFilesToKeep": 10}),
            &["spec.monitoringConfiguration.containerLogRotationConfiguration.rotationSize: Required value"],
        )
        .covers(size),
        boundary(rotation, of_size("2KB"), &[]).covers(size),
        boundary(rotation, of_size("1KB"), &[size_refused]).covers(size),
        boundary(rotation, of_size("2GB"), &[]).covers(size),
        boundary(rotation, of_size("2049MB"), &[size_refused]).covers(size),
    ];
    let of_files = |files: serde_json::Value| json!({"rotationSize": "2GB", "maxFilesToKeep": files});
    cases.extend([
        valid(rotation, of_files(json!("10"))).covers(files),
        invalid(rotation, of_files(json!("ten")), &[files_refused]).covers(files),
        invalid(
            rotation,
            json!({"rotationSize": "2GB"}),
            &["spec.monitoringConfiguration.containerLogRotationConfiguration.maxFilesToKeep: Required value"],
        )
        .covers(files),
        boundary(rotation, of_files(json!(50)), &[]).covers(files),
        boundary(rotation, of_files(json!(51)), &[files_refused]).covers(files),
        boundary(rotation, of_files(json!(1)), &[]).covers(files),
        boundary(rotation, of_files(json!("0")), &[files_refused]).covers(files),
    ]);
    cases
}
