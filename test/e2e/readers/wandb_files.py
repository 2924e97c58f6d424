"""Prints the records of a W&B file as W&B's own reader gives them: history, summary, configuration, as JSON."""

import json
import sys

from wandb.proto import wandb_internal_pb2 as pb
from wandb.sdk.internal.datastore import DataStore


def items(message):
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in message}


store = DataStore()
store.open_for_scan(sys.argv[1])
found = {"id": "", "history": [], "summary": {}, "config": {}}
while (data := store.scan_data()) is not None:
    record = pb.Record()
    record.ParseFromString(data)

    if record.HasField("run"):
        found["id"] = record.run.run_id
        found["config"].update(items(record.run.config.update))
    if record.HasField("history"):
        found["history"].append({**items(record.history.item), "_line": record.history.step.num})
    if record.HasField("summary"):
        found["summary"].update(items(record.summary.update))
json.dump(found, sys.stdout)
