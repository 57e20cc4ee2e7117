"""A program by itself: experiments with the EMA Workbench and its PySD connector, for `engine.py`.

    python ema_runs.py JOB.json

The job names the model file, constants, outputs and processes, a NumPy file with values (constant, run) and
where to write the answers (output, time, run). Prints one line of JSON: seconds of set-up and of the runs.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

WARM_UP = 8


def main() -> None:
    """Run the job named on the command line."""
    # The connector and PySD warn of themselves at every run.
    warnings.simplefilter("ignore")
    from ema_workbench import MultiprocessingEvaluator, Scenario, __version__, ema_logging

    ema_logging.log_to_stderr(logging.ERROR)
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    values = np.load(job["values"])
    scenarios = [
        Scenario(str(run), **{f"constant_{k}": float(value) for k, value in enumerate(column)})
        for run, column in enumerate(values.T)
    ]
    begun = perf_counter()
    with MultiprocessingEvaluator(_model(job), n_processes=job["processes"]) as evaluator:
        # One by one: the connector translates the model in every process, and always into the same file.
        evaluator.perform_experiments(scenarios=scenarios[:1])
        evaluator.perform_experiments(scenarios=scenarios[:WARM_UP])
        ready = perf_counter()
        _, outcomes = evaluator.perform_experiments(scenarios=scenarios)
        done = perf_counter()
    np.save(job["answers"], _stacked(outcomes, len(job["outputs"])))
    print(json.dumps({"version": __version__, "set-up": ready - begun, "seconds": done - ready}))


def _model(job: dict[str, Any]) -> Any:
    from ema_workbench import RealParameter, TimeSeriesOutcome
    from ema_workbench.connectors.pysd_connector import PysdModel

    values = np.load(job["values"])
    model = PysdModel("model", mdl_file=job["model"])
    model.uncertainties = [
        RealParameter(f"constant_{k}", values[k].min() - 1, values[k].max() + 1, variable_name=[name])
        for k, name in enumerate(job["constants"])
    ]
    model.outcomes = [
        TimeSeriesOutcome(f"output_{k}", variable_name=[name]) for k, name in enumerate(job["outputs"])
    ]
    return model


def _stacked(outcomes: dict[str, Any], count: int) -> Any:
    ordered: Sequence[Any] = [outcomes[f"output_{k}"] for k in range(count)]
    return np.stack(ordered).transpose(0, 2, 1)


if __name__ == "__main__":
    main()
