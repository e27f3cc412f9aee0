"""Measures `kobel operator` over a real Kubernetes API: python3 operator.py KOBEL KUBE_FIXTURE [COUNT [SINGLE]]

The API server, its store, the controllers and the scheduler run on the same machine; nodes are played, and no pod runs
anything. Prints how long it took from the request that declares a deployment until all of its objects were seen (SINGLE
of them, one after the other), how long an operator that starts cold takes to deploy COUNT of them, its memory, and what it
costs and writes at rest. Everything lies in a temporary directory and is ended at the end.
"""

import base64
import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

KOBEL = os.path.abspath(sys.argv[1])
FIXTURE = os.path.abspath(sys.argv[2])
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
SINGLE = int(sys.argv[4]) if len(sys.argv) > 4 else 200
CHART = Path(__file__).resolve().parent.parent.parent / "deploy/helm/kobel"
REST_SECONDS = 60
# How long anything is waited for, in seconds.
PATIENCE = 300
# Operators that are ended at the end, whatever happens.
RUNNING = []
NODES = 5 + COUNT // 250
FLINK = "/apis/flink.apache.org/v1beta1"
# What the operator makes of an application in native mode.
MADE = {
    "deployments": ["{}"],
    "configmaps": ["kobel-launch-{}", "flink-config-{}", "pod-template-{}"],
    "services": ["{}", "{}-rest"],
}
PATHS = ["/apis/apps/v1/namespaces/{}/deployments", "/api/v1/namespaces/{}/configmaps", "/api/v1/namespaces/{}/services"]
WRITTEN = ["deployments", "configmaps", "services", "events", "flinkdeployments", "pods"]


def manifest(name):
    job = {"jarURI": "local:///opt/flink/examples/streaming/StateMachineExample.jar", "parallelism": 2}
    spec = {
        "image": "flink:2.2",
        "flinkVersion": "v2_2",
        "serviceAccount": "flink",
        "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "2"},
        "jobManager": {"resource": {"memory": "1600m", "cpu": 0.1}},
        "taskManager": {"resource": {"memory": "1728m", "cpu": 0.1}},
        "job": job | {"upgradeMode": "stateless"},
    }
    kind = {"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment"}
    return kind | {"metadata": {"name": name}, "spec": spec}


class Api:
    """An administrator's connection to the API."""

    def __init__(self, kubeconfig):
        text = subprocess.run(
            ["kubectl", "config", "view", "--raw", "-o", "json", "--kubeconfig", kubeconfig],
            stdout=subprocess.PIPE, check=True, text=True).stdout
        config = json.loads(text)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.host = cluster["server"].removeprefix("https://")
        folder = os.path.dirname(kubeconfig)
        self.context = ssl.create_default_context(cadata=self.part(cluster, "certificate-authority"))
        pem = os.path.join(folder, "benchmark.pem")
        with open(pem, "w") as file:
            file.write(self.part(user, "client-certificate") + self.part(user, "client-key"))
        self.context.load_cert_chain(pem)
        self.connection = self.connect()

    @staticmethod
    def part(values, name):
        if f"{name}-data" in values:
            return base64.b64decode(values[f"{name}-data"]).decode()
        return Path(values[name]).read_text()

    def connect(self):
        return http.client.HTTPSConnection(self.host, context=self.context)

    def call(self, method, path, value=None, connection=None):
        connection = connection or self.connection
        body = None if value is None else json.dumps(value)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
        except http.client.RemoteDisconnected:
            # The API server lets go of what has been silent for long; the next request connects again.
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return text

    def written(self):
        """How many writes of the kinds that the operator writes the API server has served."""
        found = {}
        line = r'apiserver_request_total\{([^}]*)\} (\S+)'
        for labels, count in re.findall(line, self.call("GET", "/metrics")):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            if labels["verb"] in ("POST", "PUT", "PATCH", "APPLY", "DELETE") and labels["resource"] in WRITTEN:
                key = f"{labels['verb']} {labels['resource']}"
                found[key] = found.get(key, 0) + float(count)
        return found


class Sight:
    """When each object was seen first, and each Deployment when its pods may be made."""

    def __init__(self, api, namespace):
        self.seen = {}
        self.changed = threading.Condition()
        self.begun = 0
        for path in PATHS:
            threading.Thread(target=self.watch, args=(api, path.format(namespace)), daemon=True).start()
        while self.begun < len(PATHS):
            time.sleep(0.01)

    def watch(self, api, path):
        connection = api.connect()
        version = json.loads(api.call("GET", path, connection=connection))["metadata"]["resourceVersion"]
        connection.request("GET", f"{path}?watch=1&resourceVersion={version}")
        answer = connection.getresponse()
        self.begun += 1
        kind = path.rsplit("/", 1)[1]
        while line := answer.readline():
            at = time.monotonic()
            object = json.loads(line)["object"]
            if kind == "deployments" and object["spec"].get("paused"):
                continue
            with self.changed:
                self.seen.setdefault((kind, object["metadata"]["name"]), at)
                self.changed.notify_all()

    def complete(self, name):
        """When everything of a deployment was there."""
        wanted = [(kind, form.format(name)) for kind, forms in MADE.items() for form in forms]
        with self.changed:
            assert self.changed.wait_for(lambda: all(one in self.seen for one in wanted), PATIENCE), f"no whole {name}"
            return max(self.seen[one] for one in wanted)


class Operator:
    """`kobel operator` as a process."""

    def __init__(self, kubeconfig):
        command = [KOBEL, "operator", "--by-address", "--kubeconfig", kubeconfig]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "operating" in line:
                break
        assert self.process.poll() is None, "the operator has ended"
        # What it says besides is of no interest, and must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        RUNNING.append(self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def memory(self):
        """What it holds, and the most that it ever held, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            text = status.read()
        return [int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024 for name in ("VmRSS", "VmHWM")]

    def ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])


def part(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def single(api, sight):
    """One deployment after the other."""
    times = []
    for number in range(SINGLE):
        name = f"single-{number}"
        begun = time.monotonic()
        api.call("POST", f"{FLINK}/namespaces/bench/flinkdeployments", manifest(name))
        times.append((sight.complete(name) - begun) * 1000)
        time.sleep(0.05)
    print(f"{SINGLE} deployments, one after the other: from the request to all objects "
          f"p50 {part(times, 0.5):.0f} ms, p99 {part(times, 0.99):.0f} ms, at most {max(times):.0f} ms", flush=True)


def deployed(api):
    """How many deployments say that they are deployed."""
    path = f"{FLINK}/namespaces/bench/flinkdeployments"
    items = json.loads(api.call("GET", path))["items"]
    return sum(item.get("status", {}).get("lifecycleState") == "DEPLOYED" for item in items)


def cold(api, sight, kubeconfig):
    """Everything at once, by an operator that starts."""
    for number in range(COUNT):
        api.call("POST", f"{FLINK}/namespaces/bench/flinkdeployments", manifest(f"cold-{number}"))
    begun = time.monotonic()
    operator = Operator(kubeconfig)
    ends = [sight.complete(f"cold-{number}") for number in range(COUNT)]
    made = max(ends) - begun
    used = operator.ticks() / 100
    while deployed(api) < COUNT + SINGLE:
        time.sleep(0.5)
    told = time.monotonic() - begun
    now, most = operator.memory()
    print(f"{COUNT} deployments, from the start of the operator: all objects after {made:.1f} s, every status after "
          f"{told:.1f} s; the operator has used {used:.1f} s of a core until then, holds {now:.0f} MiB, "
          f"at most {most:.0f} MiB", flush=True)
    return operator


def at_rest(api, operator):
    """A minute in which nothing happens, once Kubernetes has made its pods."""
    time.sleep(REST_SECONDS)
    before, ticks = api.written(), operator.ticks()
    time.sleep(REST_SECONDS)
    after = api.written()
    writes = {key: int(count - before.get(key, 0)) for key, count in after.items() if count > before.get(key, 0)}
    now, most = operator.memory()
    print(f"at rest over {COUNT + SINGLE}: {(operator.ticks() - ticks) / REST_SECONDS:.2f} % of a core, writes {writes}, "
          f"{now:.0f} MiB, at most {most:.0f} MiB", flush=True)


def started(command):
    """A part of the cluster, once it has said that it is ready; it ends when its input does."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line, f"{command[1]} has ended"
    return process, json.loads(line)


def main():
    with tempfile.TemporaryDirectory() as directory:
        command = [FIXTURE, "up", "--dir", f"{directory}/cluster", "--ready-timeout", "240s"]
        cluster, said = started(command)
        kubeconfig = said["kubeconfig"]
        nodes, _ = started([FIXTURE, "play", "--kubeconfig", kubeconfig, "--nodes", str(NODES)])
        try:
            crds = [str(path) for path in sorted((CHART / "files/crds").iterdir())]
            apply = ["kubectl", "--kubeconfig", kubeconfig, "apply", "--server-side"]
            subprocess.run(apply + [word for path in crds for word in ("-f", path)], check=True,
                           stdout=subprocess.DEVNULL)
            api = Api(kubeconfig)
            api.call("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
            api.call("POST", "/api/v1/namespaces/bench/serviceaccounts", {"metadata": {"name": "flink"}})
            time.sleep(5)
            sight = Sight(api, "bench")
            operator = Operator(kubeconfig)
            time.sleep(2)
            single(api, sight)
            operator.stop()
            operator = cold(api, sight, kubeconfig)
            at_rest(api, operator)
        finally:
            for process in RUNNING:
                process.kill()
                process.wait()
            for process in (nodes, cluster):
                process.stdin.close()
                process.wait()


main()
