"""Prints what Inspect's own reader finds in a folder of logs, as JSON."""

import json
import sys

from inspect_ai.log import list_eval_logs, read_eval_log

logs = [read_eval_log(info.name) for info in list_eval_logs(sys.argv[1])]
facts = [
    {
        "status": log.status,
        "task": log.eval.task,
        "step": log.eval.metadata["step"],
        "model": log.eval.model,
        "dataset": [log.eval.dataset.name, log.eval.dataset.samples],
        "epochs": log.eval.config.epochs,
        "max_tokens": log.eval.model_generate_config.max_tokens,
        "mean": log.results.scores[0].metrics["mean"].value,
        "unscored": log.results.scores[0].unscored_samples,
        "samples": [
            {
                "id": sample.id,
                "epoch": sample.epoch,
                "input": sample.input,
                "target": sample.target,
                "completion": sample.output.completion,
                "roles": [message.role for message in sample.messages],
                "stop": sample.output.stop_reason,
                "tokens": sample.output.usage.output_tokens,
                "scores": {name: score.as_float() for name, score in sample.scores.items()},
                "answer": sample.scores["value"].answer,
            }
            for sample in log.samples
        ],
    }
    for log in logs
]
json.dump(facts, sys.stdout)
