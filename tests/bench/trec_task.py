"""TREC's questions (six classes) as a task with splits of its own: copies dropped, shuffled by a fixed seed, eight tenths to
learn from, a tenth to validate, a tenth to measure."""

import csv
import json
import pathlib
import random


def make(samples, folder):
    """Writes train.csv, validation.csv, test.csv and task.json into `folder`; the path of the last."""
    folder = pathlib.Path(folder)
    rows, seen = [], set()
    with open(pathlib.Path(samples) / "trec" / "trec.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = " ".join(row["text"].split()).lower()
            if key not in seen:
                seen.add(key)
                rows.append((row["text"], row["label-coarse"]))
    random.Random(1).shuffle(rows)
    first, second = int(0.8 * len(rows)), int(0.9 * len(rows))
    for split, part in (("train", rows[:first]), ("validation", rows[first:second]), ("test", rows[second:])):
        with open(folder / f"{split}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *part])
    task = {"version": 1, "name": "trec", "kind": "classification", "data": str(folder.resolve()), "format": "csv",
            "columns": {"text": "text", "label": "label"}, "split": "test", "max_length": 64}
    path = folder / "task.json"
    path.write_text(json.dumps(task))
    return str(path)
