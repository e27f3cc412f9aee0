"""Measures the webhook of `kobel operator`: python3 webhook.py KOBEL KUBE_FIXTURE [CONNECTIONS [SECONDS]]

Clients speak to its port over TLS as API servers do, each on a connection that stays, and send reviews one after the
other: new deployments that are right, and every fourth one that is refused. Clients, webhook and API server share the
machine, so what it could do alone is more. Prints the admissions per second, how long each took, and what the operator
used of a core meanwhile. Everything lies in a temporary directory and is ended at the end.
"""

import base64
import json
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KOBEL = os.path.abspath(sys.argv[1])
FIXTURE = os.path.abspath(sys.argv[2])
CONNECTIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 8
SECONDS = float(sys.argv[4]) if len(sys.argv) > 4 else 20
CRDS = Path(__file__).resolve().parent.parent.parent / "deploy/helm/kobel/files/crds"
SERVICE = "bench/webhook"
HOST = "webhook.bench.svc"
# How long it is not counted yet, in seconds.
WARM_UP = 2
# How long anything is waited for, in seconds.
PATIENCE = 120


def review(replicas):
    """A review of a new deployment; with two job managers it is refused."""
    spec = {
        "image": "flink:2.2",
        "flinkVersion": "v2_2",
        "serviceAccount": "flink",
        "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "2"},
        "jobManager": {"replicas": replicas, "resource": {"memory": "1600m", "cpu": 1}},
        "taskManager": {"resource": {"memory": "1728m", "cpu": 1}},
        "job": {"jarURI": "local:///opt/flink/examples/streaming/StateMachineExample.jar", "parallelism": 2,
                "upgradeMode": "stateless"},
    }
    kind = {"group": "flink.apache.org", "version": "v1beta1", "kind": "FlinkDeployment"}
    metadata = {"name": "orders", "namespace": "bench"}
    request = {
        "uid": "5f1c2a3b-0000-4000-8000-000000000001", "kind": kind, "operation": "CREATE", **metadata,
        "object": {"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": metadata,
                   "spec": spec},
    }
    body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()
    head = f"POST /validate HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Client:
    """One connection to the webhook."""

    def __init__(self, port, bundle):
        context = ssl.create_default_context(cadata=bundle)
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname=HOST)
        self.rest = b""

    def ask(self, request):
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.read()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        while len(self.rest) < length:
            self.rest += self.read()
        body, self.rest = self.rest[:length], self.rest[length:]
        assert b" 200 " in lines[0], f"{lines[0]} {body}"
        return body

    def read(self):
        data = self.socket.recv(65536)
        assert data, "the webhook has ended the connection"
        return data


def client(port, bundle, results):
    """Asks until the time is over; tells how long each answer took, in milliseconds."""
    connection, right, wrong = Client(port, bundle), review(1), review(2)
    begun, times, count = time.monotonic(), [], 0
    while (now := time.monotonic()) < begun + WARM_UP + SECONDS:
        is_wrong = count % 4 == 3
        body = connection.ask(wrong if is_wrong else right)
        assert (b'"allowed":false' in body) == is_wrong, body
        count += 1
        if now > begun + WARM_UP:
            times.append((time.monotonic() - now) * 1000)
    results.put(times)


def part(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]


def ticks(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def measure(port, bundle, operator):
    results = multiprocessing.Queue()
    clients = [multiprocessing.Process(target=client, args=(port, bundle, results)) for _ in range(CONNECTIONS)]
    before = ticks(operator)
    for one in clients:
        one.start()
    times = sorted(took for _ in clients for took in results.get(timeout=PATIENCE + SECONDS))
    used = (ticks(operator) - before) / (WARM_UP + SECONDS)
    for one in clients:
        one.join()
    print(f"{CONNECTIONS} connections for {SECONDS:.0f} s: {len(times) / SECONDS:.0f} admissions/s, "
          f"p50 {part(times, 0.5):.2f} ms, p99 {part(times, 0.99):.2f} ms, at most {times[-1]:.1f} ms; "
          f"the operator used {used:.0f} % of a core", flush=True)


def kubectl(kubeconfig, *words):
    command = ["kubectl", "--kubeconfig", kubeconfig, *words]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def bundle_of(kubeconfig):
    """The certificate of who the webhook is to be trusted by, once there is one."""
    end = time.monotonic() + PATIENCE
    while True:
        found = kubectl(kubeconfig, "get", "secrets", "-n", "bench", "-o", "json")
        for secret in json.loads(found)["items"]:
            if secret["metadata"]["name"] == "webhook-tls":
                return base64.b64decode(secret["data"]["ca.crt"]).decode()
        assert time.monotonic() < end, "the webhook has made no certificate"
        time.sleep(0.1)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def main():
    with tempfile.TemporaryDirectory() as directory:
        command = [FIXTURE, "up", "--dir", f"{directory}/cluster", "--ready-timeout", "240s"]
        cluster = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = cluster.stdout.readline()
        assert line, "the cluster has ended"
        kubeconfig, operator = json.loads(line)["kubeconfig"], None
        try:
            for path in sorted(CRDS.iterdir()):
                kubectl(kubeconfig, "apply", "--server-side", "-f", str(path))
            kubectl(kubeconfig, "create", "namespace", "bench")
            port = free_port()
            command = [KOBEL, "operator", "--kubeconfig", kubeconfig, "--webhook", f"127.0.0.1:{port}"]
            with open(f"{directory}/operator.log", "w") as log:
                operator = subprocess.Popen(command + ["--webhook-service", SERVICE], stderr=log)
            bundle = bundle_of(kubeconfig)
            # It is shown with the next look.
            time.sleep(2)
            measure(port, bundle, operator)
        finally:
            if operator:
                operator.kill()
                operator.wait()
            cluster.stdin.close()
            cluster.wait()


main()
