"""What recovery brings back: one table of runs on a classification task, each pruned, rounded or made shorter, alone and
with fine-tuning, distillation or quantize-aware training behind it. The test split is measured only; validation rows decide
which weights are kept.

Usage: recovery_table.py --pareto PROGRAM --samples FOLDER [--rows NAME…] [--threads 2] [--db FILE] [--model FOLDER]
Without --model the sample MiniLM is fine-tuned on TREC first. Differences to the dense model are paired over the test rows,
with 95 % intervals of the relative difference.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import trec_task

TILES = {"pattern": "4x4", "ratio": 0.8}
INT8 = {"weights": "int8", "group": "channel", "activations": "int8-dynamic"}
HALF = [{"match": "encoder\\.layer\\.[024]", "prune": {"pattern": "blocks", "ratio": 0.9}}]


def linears(bits):
    """Embeddings stay as they are: rounding them is another question."""
    return [{"match": "encoder.*", "quantize": {"weights": bits, "group": "channel", "activations": "int8-dynamic"}}]


def rows(task):
    def learn(rate, epochs, **more):
        return {"source": task, "epochs": epochs, "learning_rate": rate, **more}

    distil = {"logits": 1.0, "hidden": 1.0, "temperature": 2.0}
    tiles = {"defaults": {"prune": TILES}, "layers": [{"match": "embeddings.*|pooler|classifier", "skip": True}]}
    out = {
        "dense": {},
        "80 % tiles 4x4": tiles,
        "80 % tiles, fine-tuned": tiles | {"recover": learn(2e-4, 6)},
        "80 % tiles, fine-tuned + distilled": tiles | {"recover": learn(2e-4, 6, distil=distil)},
        "3 of 6 blocks": {"layers": HALF},
        "3 of 6 blocks, distilled": {"layers": HALF, "recover": learn(1e-4, 6, distil=distil)},
    }
    for method in ("gradual", "movement", "soft-movement", "proximal"):
        trained = tiles | {"defaults": {"prune": TILES | {"method": method}}}
        out[f"80 % tiles {method}, distilled"] = trained | {"recover": learn(2e-4, 6, distil=distil)}
    for bits in ("int8", "int4", "int3", "int2"):
        rounded = {"layers": linears(bits)}
        out[f"{bits} + a8"] = rounded
        out[f"{bits} + a8, quantize-aware"] = rounded | {"recover": learn(1e-4, 3, quantize_aware=True)}
        out[f"{bits} + a8, quantize-aware + distilled"] = rounded | {
            "recover": learn(1e-4, 3, quantize_aware=True, distil=distil)}
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pareto", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--model")
    parser.add_argument("--rows", nargs="+")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--db")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        task = json.loads(pathlib.Path(trec_task.make(arguments.samples, folder)).read_text())
        database = arguments.db or folder + "/runs.db"

        def pareto(*words):
            command = [arguments.pareto, *words, "--db", database, "--json", "--quiet"]
            return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

        if not arguments.model:
            arguments.model = folder + "/base"
            pareto("train", arguments.samples + "/minilm", "--task", json.dumps(task), "--threads", arguments.threads,
                   "--out", arguments.model)
        dense = None
        for name, recipe in rows(task).items():
            if arguments.rows and name != "dense" and name not in arguments.rows:
                continue
            run = pareto("run", arguments.model, "--task", json.dumps(task), "--threads", arguments.threads, "--no-timing",
                         "--name", name, "--recipe", json.dumps({"version": 1} | recipe))
            evaluated = run["eval"]
            line = (f"{name:42} {100 * evaluated['value']:6.2f} % [{100 * evaluated['ci_low']:.2f}, "
                    f"{100 * evaluated['ci_high']:.2f}]")
            if dense is None:
                dense = run["run_id"]
            else:
                compared = pareto("compare", str(dense), str(run["run_id"]))
                found = next(one for one in compared["differences"] if one["metric"] == evaluated["metric"])
                line += f"  paired {100 * (found['b'] - found['a']):+.2f} points {found.get('ci')}"
            if run.get("recover"):
                recovered = run["recover"][0]
                line += f"  ({recovered['steps']} steps, {recovered['seconds']:.0f} s)"
            print(line, flush=True)


if __name__ == "__main__":
    main()
