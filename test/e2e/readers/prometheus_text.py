"""Prints the samples of a Prometheus exposition as Prometheus' own parser reads them, as JSON."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

families = text_string_to_metric_families(sys.stdin.read())
samples = [[family.type, s.name, s.labels, s.value] for family in families for s in family.samples]
json.dump(samples, sys.stdout)
