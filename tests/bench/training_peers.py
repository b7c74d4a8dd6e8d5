"""Fine-tuning an encoder beside transformers' Trainer: the same rows, hyper-parameters and seeds, in turns; accuracy on
a test split that neither looked at, and seconds a step.

Usage: training_peers.py PARETO MODEL TASK.json [--seeds 0 1 2] [--epochs 3] [--batch 32] [--rate 5e-5] [--threads 2]
TASK.json is a classification task over a folder with train.csv, validation.csv and test.csv (columns text and label).
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def rows_of(task, split):
    folder = (pathlib.Path(task["path"]).parent / task["data"]).resolve()
    text, label = (task.get("columns", {}).get(role, role) for role in ("text", "label"))
    with open(folder / f"{split}.csv", newline="", encoding="utf-8") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file)]


def theirs(arguments, task, seed):
    """In a process of its own: Trainer with dynamic padding and texts of like lengths together, the best of the epochs
    kept."""
    import numpy as np
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model)
    data = {split: rows_of(task, split) for split in ("train", "validation", "test")}
    names = sorted({label for _, label in data["train"]}, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))

    def encoded(rows):
        tokens = tokenizer([text for text, _ in rows], truncation=True, max_length=task["max_length"])
        return [{"input_ids": ids, "attention_mask": mask, "labels": names.index(label)}
                for ids, mask, (_, label) in zip(tokens["input_ids"], tokens["attention_mask"], rows)]

    transformers.set_seed(seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(arguments.model, num_labels=len(names))
    seconds = []

    class Clock(transformers.TrainerCallback):
        def on_step_begin(self, *_, **__):
            self.start = time.monotonic()

        def on_step_end(self, *_, **__):
            seconds.append(time.monotonic() - self.start)

    with tempfile.TemporaryDirectory() as folder:
        settings = transformers.TrainingArguments(
            folder, num_train_epochs=arguments.epochs, per_device_train_batch_size=arguments.batch,
            per_device_eval_batch_size=64, learning_rate=arguments.rate, weight_decay=0.01, warmup_ratio=0.1,
            lr_scheduler_type="linear", max_grad_norm=1.0, seed=seed, group_by_length=True, eval_strategy="epoch",
            save_strategy="epoch", save_total_limit=1, load_best_model_at_end=True, metric_for_best_model="accuracy",
            report_to=[], disable_tqdm=True, use_cpu=True, optim="adamw_torch_fused", dataloader_num_workers=0)
        trainer = transformers.Trainer(
            model, settings, train_dataset=encoded(data["train"]), eval_dataset=encoded(data["validation"]),
            data_collator=transformers.DataCollatorWithPadding(tokenizer), callbacks=[Clock()],
            compute_metrics=lambda found: {"accuracy": float(np.mean(np.argmax(found.predictions, -1) == found.label_ids))})
        trainer.train()
        found = trainer.predict(encoded(data["test"]))
    right = np.argmax(found.predictions, -1) == found.label_ids
    print(json.dumps({"accuracy": float(right.mean()), "step": statistics.median(seconds), "steps": len(seconds)}))


def ours(arguments, seed):
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.pareto, "train", arguments.model, "--task", arguments.task, "--epochs", str(arguments.epochs),
                   "--batch-size", str(arguments.batch), "--learning-rate", str(arguments.rate), "--seed", str(seed),
                   "--threads", str(arguments.threads), "--db", folder + "/runs.db", "--json", "--quiet"]
        environment = dict(__import__("os").environ, XDG_CACHE_HOME=folder)  # nothing is found ready
        result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)
    points = result["recover"][0]["points"]
    step = statistics.median(arguments.batch / point["examples_per_second"] for point in points)
    return {"accuracy": result["eval"]["value"], "step": step, "steps": result["recover"][0]["steps"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pareto")
    parser.add_argument("model")
    parser.add_argument("task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--worker", type=int)
    arguments = parser.parse_args()
    task = json.loads(pathlib.Path(arguments.task).read_text()) | {"path": arguments.task}
    if arguments.worker is not None:
        theirs(arguments, task, arguments.worker)
        return
    found = {"transformers": [], "pareto": []}
    for seed in arguments.seeds:
        worker = [sys.executable, __file__, *sys.argv[1:], "--worker", str(seed)]
        found["transformers"].append(json.loads(subprocess.run(worker, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]))
        found["pareto"].append(ours(arguments, seed))
        for name, results in found.items():
            print(f"seed {seed} {name:13} accuracy {100 * results[-1]['accuracy']:.2f} %  {1000 * results[-1]['step']:.0f} ms a step "
                  f"({results[-1]['steps']} steps)", flush=True)
    for name, results in found.items():
        accuracies = [100 * result["accuracy"] for result in results]
        print(f"{name:13} accuracy {statistics.mean(accuracies):.2f} % ({min(accuracies):.2f} to {max(accuracies):.2f}), "
              f"step {1000 * statistics.median(result['step'] for result in results):.0f} ms")
    ratios = [a["step"] / b["step"] for a, b in zip(found["transformers"], found["pareto"])]
    print("their step / ours: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
