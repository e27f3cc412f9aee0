"""Helm itself, as a library, over one chart and one release: prints what came of it as JSON."""

import json
import sys

import helm_python as helm

action, chart, kubeconfig, namespace, values = sys.argv[1:]
values = json.loads(values)

if action == "lint":
    print(json.dumps(helm.lint(chart, values)))
else:
    with helm.Config(kubeconfig_path=kubeconfig, namespace=namespace) as config:
        if action == "uninstall":
            told = config.uninstall("kobel", ignore_not_found=True)
        elif action == "upgrade":
            told = config.upgrade(chart, "kobel", values, namespace=namespace)
        else:
            told = config.install(chart, "kobel", values, namespace=namespace, create_namespace=True)
        print(json.dumps(told))
