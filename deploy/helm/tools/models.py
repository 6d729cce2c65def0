"""Objects of KEDA and of Prometheus' operator, held against their models; JSON lines on stdin.

Runs in the checkers' own environment (install.sh).  The models let unknown fields pass and drop
them: what comes out is what they knew.
"""

import importlib
import json
import sys

MODELS = {
    "PodMonitor": "cloudcoil.models.prometheus_operator.v1",
    "ServiceMonitor": "cloudcoil.models.prometheus_operator.v1",
    "PrometheusRule": "cloudcoil.models.prometheus_operator.v1",
    "ScaledObject": "cloudcoil.models.keda.v1alpha1",
}

status = 0
for line in sys.stdin:
    given = json.loads(line)
    kind = given["kind"]
    model = getattr(importlib.import_module(MODELS[kind]), kind)
    known = model.model_validate(given).model_dump(by_alias=True, exclude_unset=True, mode="json")
    verdict = "ok" if known == given else f"unknown fields: {json.dumps(known)} of {line}"
    sys.stdout.write(f"{kind} {verdict}\n")
    status |= known != given
sys.exit(status)
