"""Runs every read call of two PyPI clients of Flink's REST API, and a savepoint through each, against a server.

Usage: clients.py BASE_URL JOB_ID SAVEPOINT_DIRECTORY

Prints one JSON document: what was called, what failed and why, and what is left out with the reason. Ends with 1 if a
call failed, be it in the server's answer or in the client's reading of it. The job must be running and must have
completed a checkpoint; real Flink answers for the requirements of resources with the adaptive scheduler only.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import time
from urllib.parse import urlsplit

import flink_job_manager_api.api.default as api
from flink_job_manager_api import Client
from flink_job_manager_api.models import (
    CheckpointTriggerRequestBody,
    SavepointDisposalRequest,
    SavepointTriggerRequestBody,
)
from flink_rest_client import FlinkRestClient

# Calls that cannot work against real Flink 2.3 either, so that they prove nothing about another server.
EXCLUDED = {
    "rest.vertex.metrics of all names": "the client puts every name in the query, and Flink takes 4,096 characters",
    "rest.jobs.rescale": "Flink answers 503 since 1.9: rescaling through this path is disabled",
    "api.get_rescaling_status": "needs a rescaling, which Flink answers with 503 since 1.9",
    "api.get_cluster_data_set_delete_status": "needs a cached result of a batch job",
}

# Operations whose model in `flink-job-manager-api` cannot hold what real Flink 2.3 answers. The request is made as the
# client makes it, and the answer must be JSON with a good status; only the client's model is left out.
UNREADABLE = {
    "get_job_details": "wants an object where `plan` has a string",
    "get_checkpoint_config": "wants `EXACTLY_ONCE` where Flink answers `exactly_once`",
    "get_job_manager_metrics": "wants an object where Flink answers a list",
    "get_job_manager_operator_metrics": "wants an object where Flink answers a list",
    "get_job_metrics": "wants an object where Flink answers a list",
    "get_job_vertex_metrics": "wants an object where Flink answers a list",
    "get_job_vertex_watermarks": "wants an object where Flink answers a list",
    "get_subtask_metrics": "wants an object where Flink answers a list",
    "get_task_manager_metrics": "wants an object where Flink answers a list",
}

# Reads of `flink-job-manager-api` that follow an operation that was triggered.
SEPARATE = {"get_checkpoint_status", "get_savepoint_status", "get_savepoint_disposal_status"}

SAVEPOINT_SECONDS = 60


class Calls:
    """What was called and what came of it."""

    def __init__(self):
        self.done = []
        self.failed = []

    def call(self, name, function, *arguments, **named):
        """Calls and returns what came back, or nothing if it failed or is left out."""
        if name in EXCLUDED:
            return None
        try:
            answer = function(*arguments, **named)
        except Exception as error:  # A client may raise anything, and all of it counts.
            self.failed.append({"call": name, "error": f"{type(error).__name__}: {error}"[:600]})
            return None
        self.done.append(name)
        return answer

    def require(self, name, holds, found):
        """Records a fault if what a call returned says too little."""
        if not holds:
            self.failed.append({"call": name, "error": f"unexpected answer: {found!r}"[:600]})


def wait_for(status, is_done):
    """Reads a status until it is final; raises after a minute."""
    deadline = time.monotonic() + SAVEPOINT_SECONDS
    while True:
        found = status()
        if is_done(found):
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"not completed after {SAVEPOINT_SECONDS} s: {found!r}")
        time.sleep(0.2)


def rest_client_savepoint(calls, jobs, job_id, directory):
    """Triggers a savepoint with `flink-rest-client` and waits for it."""
    trigger = calls.call("rest.jobs.create_savepoint", jobs.create_savepoint, job_id, directory)
    if trigger is None:
        return
    final = calls.call(
        "rest.jobs.create_savepoint.status",
        lambda: wait_for(lambda: trigger.status, lambda found: found["status"]["id"] == "COMPLETED"),
    )
    if final is not None:
        calls.require("rest.jobs.create_savepoint.status", "location" in final["operation"], final)


def rest_client_vertex(calls, vertex):
    """Everything that `flink-rest-client` reads about a vertex."""
    for name in ["details", "backpressure", "subtasktimes", "taskmanagers", "watermarks"]:
        calls.call(f"rest.vertex.{name}", getattr(vertex, name))
    names = calls.call("rest.vertex.metric_names", vertex.metric_names) or []
    calls.require("rest.vertex.metric_names", names, names)
    read = calls.call("rest.vertex.metrics", vertex.metrics, metric_names=names[:20]) or {}
    calls.require("rest.vertex.metrics", set(read) <= set(names) and read, read)
    subtasks = vertex.subtasks
    for name in ["subtask_ids", "accumulators", "metric_names", "metrics"]:
        calls.call(f"rest.vertex.subtasks.{name}", getattr(subtasks, name))
    current = calls.call("rest.vertex.subtasks.get", subtasks.get, 0)
    attempt = (current or {}).get("attempt", 0)
    calls.call("rest.vertex.subtasks.get_attempt", subtasks.get_attempt, 0, attempt)
    calls.call("rest.vertex.subtasks.get_attempt_accumulators", subtasks.get_attempt_accumulators, 0, attempt)


def rest_client(calls, base, job_id, directory):
    """Everything that `flink-rest-client` reads."""
    address = urlsplit(base)
    client = FlinkRestClient.get(host=address.hostname, port=address.port)
    for name in ["overview", "config", "datasets"]:
        calls.call(f"rest.{name}", getattr(client, name))
    calls.call("rest.jars.all", client.jars.all)

    manager = client.jobmanager
    for name in ["config", "metric_names", "metrics"]:
        calls.call(f"rest.jobmanager.{name}", getattr(manager, name))
    logs = calls.call("rest.jobmanager.logs", manager.logs) or []
    calls.require("rest.jobmanager.logs", logs, logs)
    if logs:
        calls.call("rest.jobmanager.get_log", manager.get_log, logs[0]["name"])

    workers = client.taskmanagers
    for name in ["all", "metric_names", "metrics"]:
        calls.call(f"rest.taskmanagers.{name}", getattr(workers, name))
    ids = calls.call("rest.taskmanagers.taskmanager_ids", workers.taskmanager_ids) or []
    calls.require("rest.taskmanagers.taskmanager_ids", ids, ids)
    for name in ["get", "get_logs", "get_metrics", "get_thread_dump"]:
        if ids:
            calls.call(f"rest.taskmanagers.{name}", getattr(workers, name), ids[0])

    jobs = client.jobs
    for name in ["all", "job_ids", "overview", "metric_names", "metrics"]:
        calls.call(f"rest.jobs.{name}", getattr(jobs, name))
    for name in [
        "get", "get_config", "get_exceptions", "get_execution_result", "get_metrics", "get_plan", "get_accumulators",
        "get_checkpointing_configuration", "get_checkpoints",
    ]:  # fmt: skip
        calls.call(f"rest.jobs.{name}", getattr(jobs, name), job_id)
    checkpoints = calls.call("rest.jobs.get_checkpoint_ids", jobs.get_checkpoint_ids, job_id) or []
    calls.require("rest.jobs.get_checkpoint_ids", checkpoints, checkpoints)
    vertices = calls.call("rest.jobs.get_vertex_ids", jobs.get_vertex_ids, job_id) or []
    calls.require("rest.jobs.get_vertex_ids", vertices, vertices)
    if checkpoints:
        details = jobs.get_checkpoint_details
        calls.call("rest.jobs.get_checkpoint_details", details, job_id, checkpoints[0], show_subtasks=True)
    for vertex in vertices:
        rest_client_vertex(calls, jobs.get_vertex(job_id, vertex))
    rest_client_savepoint(calls, jobs, job_id, directory)


def generated_module(name):
    """The module of one operation of `flink-job-manager-api`."""
    return importlib.import_module(f"{api.__name__}.{name}")


def generated_call(client, name, arguments):
    """Calls one operation; returns the model, or the JSON where the client has no model for the answer."""
    if name in UNREADABLE:
        return generated_json(client, name, arguments)
    response = generated_module(name).sync_detailed(client=client, **arguments)
    require_success(response)
    # Operations without a model read nothing, so the least that is asked is JSON.
    return json.loads(response.content) if response.parsed is None else response.parsed


def generated_json(client, name, arguments):
    """Makes the request of an operation as the client makes it; returns the JSON."""
    response = client.get_httpx_client().request(**generated_module(name)._get_kwargs(**arguments))
    require_success(response)
    return json.loads(response.content)


def require_success(response):
    """Raises unless the status is one of success."""
    if response.status_code not in (200, 202):
        raise ValueError(f"status {int(response.status_code)}: {response.content[:400]!r}")


def generated_values(calls, client, job_id):
    """What the paths of the operations are filled with: a job, its last vertex, a checkpoint, a worker."""
    details = calls.call("api.get_job_details", generated_call, client, "get_job_details", {"jobid": job_id})
    statistics = calls.call(
        "api.get_checkpointing_statistics", generated_call, client, "get_checkpointing_statistics", {"jobid": job_id}
    )
    workers = calls.call("api.get_task_managers", generated_call, client, "get_task_managers", {})
    completed = [one["id"] for one in (statistics or {}).get("history", []) if one["status"] == "COMPLETED"]
    calls.require("api.get_checkpointing_statistics", completed, statistics)
    values = {"jobid": job_id, "subtaskindex": 0, "attempt": 0}
    if completed:
        values["checkpointid"] = completed[0]
    if details and details["vertices"]:
        values["vertexid"] = details["vertices"][-1]["id"]
    if workers is not None and workers.taskmanagers:
        values["taskmanagerid"] = workers.taskmanagers[0].id
    return values


def path_values(name, values):
    """The arguments of an operation that stand in its path."""
    signature = inspect.signature(generated_module(name).sync_detailed)
    needed = [one for one in signature.parameters.values() if one.kind == one.POSITIONAL_OR_KEYWORD]
    return {one.name: values[one.name] for one in needed}


def generated_metrics(calls, client, name, arguments):
    """Asks a metric operation for all that it has named; without names an answer holds no values."""
    listed = calls.call(f"api.{name}.list", generated_call, client, name, arguments)
    if listed is not None and not isinstance(listed, list):
        listed = generated_json(client, name, arguments)
    if listed:
        names = ",".join(entry["id"] for entry in listed[:20])
        calls.call(f"api.{name}.get", generated_call, client, name, {**arguments, "get": names})


def generated_operations(calls, client, job_id, directory):
    """Operations with a trigger and a status: checkpoint, savepoint, disposal of that savepoint."""

    def completed(name, trigger):
        # The client cannot read the `null` that stands for the result of what is in progress, so only the last is its.
        wait_for(
            lambda: generated_json(client, name, trigger), lambda found: found["status"]["id"] == "COMPLETED"
        )
        return generated_call(client, name, trigger)

    body = CheckpointTriggerRequestBody()
    trigger = calls.call(
        "api.trigger_checkpoint", generated_call, client, "trigger_checkpoint", {"jobid": job_id, "body": body}
    )
    if trigger is not None:
        identity = {"jobid": job_id, "triggerid": trigger.request_id}
        calls.call("api.get_checkpoint_status", completed, "get_checkpoint_status", identity)

    body = SavepointTriggerRequestBody(target_directory=directory, cancel_job=False)
    trigger = calls.call(
        "api.trigger_savepoint", generated_call, client, "trigger_savepoint", {"jobid": job_id, "body": body}
    )
    if trigger is None:
        return
    identity = {"jobid": job_id, "triggerid": trigger.request_id}
    final = calls.call("api.get_savepoint_status", completed, "get_savepoint_status", identity)
    location = operation_location(final)
    calls.require("api.get_savepoint_status", location, final)
    if not location:
        return
    body = SavepointDisposalRequest(savepoint_path=location)
    trigger = calls.call(
        "api.trigger_savepoint_disposal", generated_call, client, "trigger_savepoint_disposal", {"body": body}
    )
    if trigger is not None:
        identity = {"triggerid": trigger.request_id}
        calls.call("api.get_savepoint_disposal_status", completed, "get_savepoint_disposal_status", identity)


def operation_location(final):
    """Where a completed savepoint lies; the client keeps what its models do not know as additional properties."""
    operation = getattr(final, "operation", None)
    properties = getattr(operation, "additional_properties", {})
    return properties.get("location")


def generated_client(calls, base, job_id, directory):
    """Everything that `flink-job-manager-api` reads; its operations are found in the package itself."""
    client = Client(base_url=base.rstrip("/"))
    values = generated_values(calls, client, job_id)
    for module in pkgutil.iter_modules(api.__path__):
        name = module.name
        if not name.startswith("get_") or name in SEPARATE or f"api.{name}" in EXCLUDED:
            continue
        try:
            arguments = path_values(name, values)
        except KeyError as error:
            calls.failed.append({"call": f"api.{name}", "error": f"no value for {error}"})
            continue
        calls.call(f"api.{name}", generated_call, client, name, arguments)
        if name.endswith("_metrics"):
            generated_metrics(calls, client, name, arguments)
    generated_operations(calls, client, job_id, directory)


def main(arguments):
    if len(arguments) != 3:
        sys.exit(__doc__)
    base, job_id, directory = arguments
    calls = Calls()
    rest_client(calls, base, job_id, directory)
    generated_client(calls, base, job_id, directory)
    report = {
        "called": sorted(set(calls.done)),
        "call_count": len(calls.done),
        "failed": calls.failed,
        "excluded": EXCLUDED,
        "read_as_json_only": UNREADABLE,
    }
    print(json.dumps(report, indent=1))
    return 1 if calls.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
