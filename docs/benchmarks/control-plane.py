"""Measures `kobel up` with many deployments: python3 control-plane.py KOBEL [SUSPENDED [RUNNING]]

Prints, for each phase, how long a round of a deployment took (from `/metrics`, the upper bound of the bucket), the memory
of the process, and the processor time that it needs at rest; and what the machine did meanwhile: how long a write of 4 kB
took to reach the disk (one every 20 ms), and the share of the processors that went to other virtual machines. Everything
lies in a temporary directory and is ended at the end. `kubectl` is needed to read `/metrics`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

KOBEL = os.path.abspath(sys.argv[1])
SUSPENDED = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
RUNNING = int(sys.argv[3]) if len(sys.argv) > 3 else 50
REST_SECONDS = 60
SCRIPT = """
CREATE TABLE orders (region INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1',
  'fields.region.min' = '1', 'fields.region.max' = '3');
CREATE TABLE by_region (region INT, orders BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO by_region SELECT region, COUNT(*) FROM orders GROUP BY region;
"""
MANIFEST = """apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {{name: {name}}}
spec:
  flinkVersion: v2_3
  flinkConfiguration: {{kobel.engine: native, execution.checkpointing.interval: 60s}}
  jobManager: {{resource: {{memory: 256m, cpu: 0.1}}}}
  taskManager: {{resource: {{memory: 256m, cpu: 0.1}}}}
  job: {{jarURI: 'local://{script}', parallelism: {parallelism}, upgradeMode: savepoint, state: {state}}}
"""


class Machine:
    """What else the machine does: how fast its disk is, and what others take of its processors."""

    def __init__(self, directory):
        self.syncs = []
        self.file = open(f"{directory}/probe", "wb")
        self.stolen, self.total = self.processors()
        threading.Thread(target=self.probe, daemon=True).start()

    def probe(self):
        while True:
            self.file.seek(0)
            self.file.write(b"x" * 4096)
            self.file.flush()
            begun = time.time()
            os.fdatasync(self.file.fileno())
            self.syncs.append((time.time() - begun) * 1000)
            time.sleep(0.02)

    @staticmethod
    def processors():
        with open("/proc/stat") as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        return fields[7], sum(fields)

    def since(self):
        """What it did since this was asked last."""
        syncs, self.syncs = sorted(self.syncs), []
        stolen, total = self.processors()
        share = 100 * (stolen - self.stolen) / max(1, total - self.total)
        self.stolen, self.total = stolen, total
        at = lambda part: syncs[min(len(syncs) - 1, int(len(syncs) * part))] if syncs else 0
        return f"disk p50 {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, max {at(1):.1f} ms, {share:.1f} % stolen"


class Plane:
    """`kobel up` over a data directory."""

    def __init__(self, directory):
        self.directory = directory
        self.environment = dict(os.environ, KUBECONFIG=f"{directory}/data/kubeconfig")
        self.machine = Machine(directory)
        self.start()

    def start(self):
        begun = time.time()
        command = [KOBEL, "up", "--data-dir", f"{self.directory}/data", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while "ready" not in self.process.stderr.readline():
            assert self.process.poll() is None, "`kobel up` has ended"
        self.seen = {}
        print(f"ready after {(time.time() - begun) * 1000:.0f} ms, {self.memory():.1f} MiB")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def run(self, *arguments):
        done = subprocess.run([KOBEL, *arguments], env=self.environment, stdout=subprocess.PIPE, check=True, text=True)
        return done.stdout

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) / 1024

    def ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def apply(self, prefix, count, state, parallelism=1):
        path = f"{self.directory}/{prefix}.yaml"
        script = f"{self.directory}/script.sql"
        with open(path, "w") as file:
            names = (f"{prefix}-{number}" for number in range(count))
            fields = {"script": script, "state": state, "parallelism": parallelism}
            file.write("---\n".join(MANIFEST.format(name=name, **fields) for name in names))
        begun = time.time()
        self.run("apply", "-f", path)
        return time.time() - begun

    def phase(self, name):
        """Prints how long the rounds took since the last phase."""
        command = ["kubectl", "get", "--raw", "/metrics"]
        text = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, check=True, text=True).stdout
        line = r'kobel_reconcile_duration_seconds_bucket\{kind="FlinkDeployment",[^}]*le="([^"]+)"\} (\d+)'
        total = {}
        for bound, count in re.findall(line, text):
            total[bound] = total.get(bound, 0) + int(count)
        new = {bound: count - self.seen.get(bound, 0) for bound, count in total.items()}
        self.seen, rounds = total, new["+Inf"]
        share = lambda part: next(bound for bound, count in new.items() if count >= part * rounds)
        print(f"{name}: {rounds} rounds, p50 <= {share(0.5)} s, p99 <= {share(0.99)} s, "
              f"{rounds - new['0.01']} over 10 ms; {self.memory():.1f} MiB; {self.machine.since()}", flush=True)


def stable(plane, count):
    begun = time.time()
    while True:
        items = json.loads(plane.run("get", "flinkdep", "-o", "json"))["items"]
        if sum(item.get("status", {}).get("lifecycleState") == "STABLE" for item in items) >= count:
            return time.time() - begun
        time.sleep(0.2)


def main():
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/script.sql", "w") as file:
            file.write(SCRIPT)
        plane = Plane(directory)
        try:
            print(f"{SUSPENDED} suspended applied in {plane.apply('s', SUSPENDED, 'suspended'):.1f} s")
            time.sleep(4)
            plane.phase("applied")
            plane.stop()
            plane.start()
            time.sleep(4)
            plane.phase("started again over suspended ones")
            took = plane.apply("r", RUNNING, "running") + stable(plane, RUNNING)
            print(f"{RUNNING} running, stable after {took:.1f} s")
            time.sleep(10)
            plane.phase("begun to run")
            ticks = plane.ticks()
            time.sleep(REST_SECONDS)
            print(f"at rest: {(plane.ticks() - ticks) / REST_SECONDS:.2f} % of a core")
            plane.phase("at rest")
            plane.stop()
            plane.start()
            time.sleep(6)
            plane.phase("started again over all")
            print(f"{SUSPENDED} changed in {plane.apply('s', SUSPENDED, 'suspended', 2):.1f} s")
            time.sleep(6)
            plane.phase("the suspended ones changed")
            if RUNNING:
                plane.run("delete", "-f", f"{directory}/r.yaml", "--wait")
        finally:
            plane.stop()


main()
