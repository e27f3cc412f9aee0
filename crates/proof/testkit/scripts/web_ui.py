"""Walks through Flink's Web UI in headless Chromium and asserts that every view shows what it should.

The static files come from the unpacked `web/` folder of `flink-dist-*.jar`, laid over the server by the browser
itself; everything else goes to the server. Prints one JSON document: the views with their screenshots, what the graph
showed, and every fault: a text that did not appear, a console error, an uncaught error of a page, a request that
failed or was answered with 400 or above. Ends with 1 if there is a fault.
"""

import argparse
import json
import mimetypes
import re
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Error, sync_playwright

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

# The text of the page as it is read: editors put hard spaces between words and break lines where they like.
SHOWS = "wanted => document.body.innerText.replace(/\\s+/g, ' ').includes(wanted)"

# A request that the UI itself gives up because the view was left is no fault of the server.
GIVEN_UP = "net::ERR_ABORTED"


class Walk:
    """One page, what it has shown and what went wrong on it."""

    def __init__(self, page, options):
        self.page = page
        self.options = options
        self.view_name = "start"
        self.views = []
        self.faults = []
        self.requests = set()
        self.graph = []
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.fault("page error", str(error)))
        page.on("requestfailed", self.on_failed)
        page.on("response", self.on_response)

    def fault(self, kind, detail):
        """Records what went wrong, with the view in which it did."""
        self.faults.append({"view": self.view_name, "kind": kind, "detail": detail[:600]})

    def on_console(self, message):
        if message.type == "error":
            self.fault("console error", f"{message.text} ({message.location.get('url', '')})")

    def on_failed(self, request):
        if request.failure != GIVEN_UP:
            self.fault("request failed", f"{request.method} {request.url}: {request.failure}")

    def on_response(self, response):
        path = response.url.removeprefix(self.options.base)
        if self.static_file(response.url) is None:
            self.requests.add(f"{response.request.method} {path} {response.status}")
        if response.status >= 400:
            self.fault("status", f"{response.request.method} {path}: {response.status}")

    def static_file(self, url):
        """The file that the distribution has for an address, if any."""
        if self.options.web is None or not url.startswith(self.options.base):
            return None
        path = unquote(urlsplit(url).path).lstrip("/") or "index.html"
        root = self.options.web.resolve()
        file = (root / path).resolve()
        return file if file.is_file() and file.is_relative_to(root) else None

    def serve(self, route):
        """Answers from the distribution what it has, and lets the server answer the rest."""
        file = self.static_file(route.request.url)
        if file is None:
            route.continue_()
        else:
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            route.fulfill(status=200, body=file.read_bytes(), content_type=kind)

    def view(self, name, place, *texts, act=None):
        """Opens a place of the UI, acts on it, waits for the texts and takes a screenshot."""
        self.view_name = name
        if place is not None:
            self.page.goto(f"{self.options.base}/#{place}")
        try:
            if act is not None:
                act(self.page)
            for text in texts:
                self.page.wait_for_function(SHOWS, arg=text, timeout=self.options.timeout)
        except Error as error:
            shown = re.sub(r"\s+", " ", self.page.inner_text("body"))
            wanted = ", ".join(f"`{text}`" for text in texts)
            self.fault("text", f"wanted {wanted}; {str(error).splitlines()[0]}; the page shows: {shown[-400:]}")
        # The view asks again at every refresh; one of them is part of what must work.
        self.page.wait_for_timeout(self.options.linger)
        file = self.options.out / f"{len(self.views):02}-{name}.png"
        self.page.screenshot(path=str(file))
        self.views.append({"view": name, "address": self.page.url, "screenshot": str(file)})


def tab(text):
    """An act: opens a tab inside of a view."""

    def act(page):
        page.locator(".ant-tabs-tab:visible").filter(has_text=re.compile(f"^\\s*{text}\\s*$")).last.click()

    return act


def open_job(name):
    """An act: opens a job from the list by its name and waits until its address is there."""

    def act(page):
        page.locator("tr:visible").filter(has_text=name).first.click()
        page.wait_for_url(re.compile(r"#/job/(running|completed)/[0-9a-f]{32}/overview"))

    return act


def expand_row(page):
    page.locator(".ant-table-row-expand-icon:visible").first.click()


def choose_metric(page):
    page.locator(".ant-select:visible").filter(has_text="Select Metric Name").first.click()
    page.locator(".ant-select-item-option:visible").filter(has_text="numRecordsIn").first.click()
    page.locator("canvas:visible").first.wait_for()


def draws(page):
    page.locator("canvas:visible").first.wait_for()


def read_graph(walk):
    """Takes what the nodes of the graph say and how they are coloured; each must say how busy it is."""
    until = time.monotonic() + walk.options.timeout / 1000
    while faults := graph_faults(nodes := graph_nodes(walk.page)):
        # The page asks for what it shows now and then.
        if time.monotonic() > until:
            break
        walk.page.wait_for_timeout(100)
    walk.graph = nodes
    for fault in faults:
        walk.fault("graph", fault)


def graph_nodes(page):
    """What the nodes of the graph say, and their colours."""
    return page.eval_on_selector_all(
        ".node-label-wrapper",
        "all => all.map(one => ({text: one.innerText.replace(/\\s+/g, ' '), colour: one.style.backgroundColor}))",
    )


def graph_faults(nodes):
    """What is wrong with a graph."""
    if not nodes:
        return ["no node is drawn"]
    faults = []
    for node in nodes:
        measured = re.search(r"Backpressured \(max\): \d+% Busy \(max\): (\d+%|N/A)", node["text"])
        if not measured or not node["colour"].startswith("rgb"):
            faults.append(f"a node without measures or colour: {node}")
    if not any(re.search(r"Busy \(max\): \d+%", node["text"]) for node in nodes):
        faults.append("no node says how busy it is")
    return faults


def walk_job(walk):
    """The running job: graph, drawer of a vertex with all tabs, the tabs of the job."""
    options = walk.options
    walk.view("jobs-running", "/job/running", options.job, "RUNNING")
    measured = ["Backpressured (max):", "Busy (max):", "Bytes Received", "Parallelism: "]
    walk.view("job-overview", None, "Job ID", options.job, *options.vertex, *measured, act=open_job(options.job))
    read_graph(walk)
    job = re.search(r"[0-9a-f]{32}", walk.page.url)
    if job is None:
        return
    job = f"/job/running/{job[0]}"

    def open_vertex(page):
        nodes = page.locator(".node")
        (nodes.filter(has_text=options.vertex[-1]) if options.vertex else nodes).last.click()
        page.wait_for_url(re.compile(r"/overview/[0-9a-f]{32}/detail"))

    walk.view("vertex-detail", None, "Max Parallelism", "Records Received", "State", act=open_vertex)
    found = re.search(r"/overview/([0-9a-f]{32})", walk.page.url)
    vertex = f"{job}/overview/{found[1] if found else ''}"
    measured = "Accumulated Time (Backpressured/Idle/Busy)"
    walk.view("vertex-subtasks", f"{vertex}/subtasks", measured, "Attempt", "Endpoint")
    walk.view("vertex-subtasks-aggregated", None, "Metric Min Max Avg Sum Median", act=tab("Aggregated Metrics"))
    walk.view("vertex-taskmanagers", f"{vertex}/taskmanagers", "Records received", "Endpoint", "RUNNING")
    walk.view("vertex-watermarks", f"{vertex}/watermarks", "Datetime of Watermark Timestamp", options.watermark)
    walk.view("vertex-accumulators", f"{vertex}/accumulators", "Name Type Value")
    walk.view("vertex-accumulators-subtasks", None, "SubTask", act=tab("SubTask Accumulators"))
    walk.view("vertex-backpressure", f"{vertex}/backpressure", "Measurement:", "Back Pressure Status: ", "%")
    walk.view("vertex-metrics", f"{vertex}/metrics", "numRecordsIn", act=choose_metric)
    walk.view("vertex-flamegraph", f"{vertex}/flamegraph", *options.flamegraph)

    walk.view("job-exceptions", f"{job}/exceptions", "Root Exception", "Exception History")
    walk.view("job-data-skew", f"{job}/dataskew", "Data Skew Percentage", *options.vertex)
    walk.view("job-timeline", f"{job}/timeline", "Vertex TimeLine", act=draws)
    counted = ["Triggered: ", "Latest Completed Checkpoint ID: ", "Latest Restore"]
    walk.view("checkpoints-overview", f"{job}/checkpoints", *counted)
    walk.view("checkpoints-history", None, "Trigger Time", "COMPLETED", "Acknowledged", act=tab("History"))
    walk.view("checkpoints-history-detail", None, "Checkpoint Detail:", *options.vertex, act=expand_row)
    walk.view("checkpoints-summary", None, "Minimum", "99.9% percentile", act=tab("Summary"))
    walk.view("checkpoints-configuration", None, "Checkpointing Mode", "Interval", act=tab("Configuration"))
    walk.view("job-configuration", f"{job}/configuration", "Execution Configuration")
    walk.view("job-rescales", f"{job}/rescales", "Rescales Overview")


def walk_failing_job(walk):
    """A job that has failed and maybe was restarted: the exception and its history."""
    options = walk.options
    if options.failing_job is None:
        return
    listed = "completed" if options.failed else "running"
    walk.view("failing-job", f"/job/{listed}", "Job ID", options.failing_job, act=open_job(options.failing_job))
    job = re.search(r"[0-9a-f]{32}", walk.page.url)
    if job is None:
        return
    place = f"/job/{listed}/{job[0]}/exceptions"
    walk.view("failing-job-exceptions", place, *options.exception)
    history = ["Time", "Exception", "Location", *options.exception]
    walk.view("failing-job-history", None, *history, act=tab("Exception History"))


def walk_processes(walk):
    """Task managers and the job manager: metrics, logs, thread dumps."""
    options = walk.options
    walk.view("task-managers", "/task-manager", "Last Heartbeat", "Free Slots", "All Slots")

    def open_worker(page):
        page.locator("tbody tr:visible").filter(has_text=re.compile(r"\d")).first.click()
        page.wait_for_url(re.compile(r"#/task-manager/[^/]+/metrics"))

    memory = ["Flink Memory Model", "Garbage Collection", "Outside JVM Memory"]
    walk.view("task-manager-metrics", None, *memory, act=open_worker)
    found = re.search(r"#(/task-manager/[^/]+)/metrics", walk.page.url)
    worker = found[1] if found else "/task-manager/none"
    walk.view("task-manager-logs", f"{worker}/logs", *options.worker_log)
    walk.view("task-manager-stdout", f"{worker}/stdout", "Stdout", act=editor)
    walk.view("task-manager-log-list", f"{worker}/log-list", "Last Modified Time", ".log")
    walk.view("task-manager-log-file", None, *options.worker_log, act=open_log)
    walk.view("task-manager-thread-dump", f"{worker}/thread-dump", *options.threads)

    walk.view("job-manager-metrics", "/job-manager/metrics", "JVM Heap", "Garbage Collection", "Outside JVM Memory")
    walk.view("job-manager-configuration", "/job-manager/config", "rest.port", *options.setting)
    walk.view("job-manager-logs", "/job-manager/logs", *options.log)
    walk.view("job-manager-stdout", "/job-manager/stdout", "Stdout", act=editor)
    walk.view("job-manager-log-list", "/job-manager/log", "Last Modified Time", ".log")
    walk.view("job-manager-log-file", None, *options.log, act=open_log)
    walk.view("job-manager-thread-dump", "/job-manager/thread-dump", *options.threads)


def editor(page):
    page.locator(".monaco-editor:visible").first.wait_for()


def open_log(page):
    page.locator("a:visible").filter(has_text=re.compile(r"\.log\s*$")).first.click()
    page.wait_for_url(re.compile(r"/(log|log-list)/[^/]+$"))


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--base", required=True, help="address of the server, without a path")
    add("--web", type=Path, help="unpacked web folder; without it the server delivers the files")
    add("--out", type=Path, required=True, help="folder for the screenshots")
    add("--job", help="name of a running job with a completed checkpoint; without it only the failing job is visited")
    add("--vertex", action="append", default=[], help="text of a vertex of that job; the last one is opened")
    add("--watermark", default="Watermark", help="text in the watermarks of the vertex")
    add("--flamegraph", action="append", default=[], help="text in the flame graph of the vertex")
    add("--failing-job", help="name of a running job that was restarted after a failure")
    add("--failed", action="store_true", help="the failing job has ended")
    add("--exception", action="append", default=[], help="text of that failure")
    add("--log", action="append", default=[], help="text at the head of the job manager's log")
    add("--worker-log", action="append", default=[], help="text at the head of the task manager's log")
    add("--threads", action="append", default=[], help="text at the head of a thread dump")
    add("--setting", action="append", default=[], help="text in the job manager's configuration")
    add("--timeout", type=float, default=300_000, help="milliseconds that a text may take")
    add("--linger", type=float, default=1_000, help="milliseconds for which a view stays open")
    options = parser.parse_args(arguments)
    options.base = options.base.rstrip("/")
    return options


def walk_everything(walk):
    """All views that the options ask for."""
    job = walk.options.job
    if job is not None:
        walk.view("overview", "/overview", "Available Task Slots", "Total Task Slots", job)
        walk.view("applications-running", "/application/running", "Status", "RUNNING", job)
        walk_job(walk)
    walk_failing_job(walk)
    if job is not None:
        walk.view("jobs-completed", "/job/completed", "Completed Jobs Job Name")
        walk.view("applications-completed", "/application/completed", "Completed Applications Application Name")
        walk_processes(walk)


def main(arguments):
    options = parse_options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("no `chromium` on the path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS, timeout=options.timeout)
        page = browser.new_page(viewport={"width": 1800, "height": 1000})
        walk = Walk(page, options)
        page.set_default_timeout(options.timeout)
        if options.web is not None:
            page.route("**/*", walk.serve)
        walk_everything(walk)
        browser.close()
    report = {
        "faults": walk.faults,
        "graph": walk.graph,
        "views": walk.views,
        "requests": sorted(walk.requests),
    }
    print(json.dumps(report, indent=1))
    return 1 if walk.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
