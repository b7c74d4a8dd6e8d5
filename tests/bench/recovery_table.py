"""What recovery brings back: one table of runs on a classification task, each pruned, rounded or made shorter, alone and
with fine-tuning, distillation or quantize-aware training behind it. The test split is measured only; validation rows decide
which weights are kept.

Usage: recovery_table.py --pareto PROGRAM --samples FOLDER [--kind classifier|decoder] [--rows NAME…] [--threads 2]
                         [--db FILE] [--model FOLDER] [--times]
Classifier: without --model the sample MiniLM is fine-tuned on TREC first. Decoder: the sample SmolLM2 on WikiText-2, whose
train split is learned and whose valid split is measured (64 windows of 512 tokens). Differences to the dense model are
paired over the test rows, with 95 % intervals of the relative difference. --times: also how fast students with fewer blocks
are, beside the dense model in turns (A-B-B-A).
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


def decoder_rows(samples):
    """Few steps: a step over 4 windows of 256 tokens takes seconds on two cores."""
    def learn(**more):
        return {"source": f"{samples}/wikitext2/train.txt", "validation": "", "hold_out": 0.0, "batch": 4, "max_length": 256,
                "learning_rate": 3e-4, "steps": 60, **more}

    half = {"defaults": {"prune": {"pattern": "unstructured", "ratio": 0.5, "method": "wanda"}},
            "layers": [{"match": "embeddings.*", "skip": True}], "calibration": {"samples": 32, "length": 512}}
    shorter = {"defaults": {"prune": {"pattern": "blocks", "ratio": 0.1, "method": "influence"}},
               "calibration": {"samples": 32, "length": 512}}
    written = {"sequences": {"count": 128, "prompt": 32, "length": 96}}
    return {
        "dense": {},
        "50 % wanda": half,
        "50 % wanda, LoRA": half | {"recover": learn(adapters={"rank": 16, "alpha": 32})},
        "27 of 30 blocks": shorter,
        "27 of 30 blocks, LoRA": shorter | {"recover": learn(adapters={"rank": 16, "alpha": 32})},
        "27 of 30 blocks, the teacher's texts": shorter | {"recover": learn(learning_rate=5e-5, distil=written)},
    }


def speed_of(pareto, arguments, recipe):
    """How many times as fast as the dense model a student is, without its training, which changes no shape."""
    plain = {key: value for key, value in recipe.items() if key != "recover"}
    for batch in (1, 8):
        measured = pareto("bench", arguments.model, "--threads", arguments.threads, "--batch", str(batch), "--seq", "128",
                          "--recipe", json.dumps({"version": 1} | plain))
        ratio = measured["latency_ratio"]
        print(f"    {batch}x128: {1 / ratio['value']:.2f} times as fast [{1 / ratio['ci_high']:.2f}, "
              f"{1 / ratio['ci_low']:.2f}]", flush=True)


def shown(kind, evaluated):
    """Percent of classifiers, perplexity of decoders."""
    scale, unit = (100, " %") if kind == "classifier" else (1, "")
    return (f"{scale * evaluated['value']:6.2f}{unit} [{scale * evaluated['ci_low']:.2f}, "
            f"{scale * evaluated['ci_high']:.2f}]")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pareto", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--model")
    parser.add_argument("--kind", choices=("classifier", "decoder"), default="classifier")
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--rows", nargs="+")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--db")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = arguments.db or folder + "/runs.db"

        def pareto(*words):
            command = [arguments.pareto, *words, "--db", database, "--json", "--quiet"]
            return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

        if arguments.kind == "decoder":
            task = ["--task", "wikitext2-valid", "--limit", "64", "--window", "512"]
            table = decoder_rows(pathlib.Path(arguments.samples).resolve())
            arguments.model = arguments.model or f"{arguments.samples}/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf"
        else:
            data = json.loads(pathlib.Path(trec_task.make(arguments.samples, folder)).read_text())
            task = ["--task", json.dumps(data)]
            table = rows(data)
            if not arguments.model:
                arguments.model = folder + "/base"
                pareto("train", arguments.samples + "/minilm", *task, "--threads", arguments.threads, "--out", arguments.model)
        dense = None
        for name, recipe in table.items():
            if arguments.rows and name != "dense" and name not in arguments.rows:
                continue
            run = pareto("run", arguments.model, *task, "--threads", arguments.threads, "--no-timing", "--name", name,
                         "--recipe", json.dumps({"version": 1} | recipe))
            evaluated = run["eval"]
            line = f"{name:42} {shown(arguments.kind, evaluated)}"
            if dense is None:
                dense = run["run_id"]
            else:
                compared = pareto("compare", str(dense), str(run["run_id"]))
                found = next(one for one in compared["differences"] if one["metric"] == evaluated["metric"])
                scale = 100 if arguments.kind == "classifier" else 1
                line += f"  paired {scale * (found['b'] - found['a']):+.2f} {found.get('ci')}"
            if run.get("recover"):
                recovered = run["recover"][0]
                line += f"  ({recovered['steps']} steps, {recovered['seconds']:.0f} s)"
            print(line, flush=True)
            if arguments.times and "blocks, distilled" in name:
                speed_of(pareto, arguments, recipe)


if __name__ == "__main__":
    main()
