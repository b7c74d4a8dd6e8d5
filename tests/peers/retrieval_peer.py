"""Retrieval on SciFact: the program's nDCG@10, MRR@10 and recall against embeddings of transformers that
pytrec_eval scores. A part of the corpus (every judged document of 300 claims and 500 others) keeps it short."""

import json
import os
import random
import sys

import numpy
import pytrec_eval
import torch
from transformers import AutoModel, AutoTokenizer

import peer

QUERIES = 300
OTHERS = 500
MAX_TOKENS = 128
LIMIT = 1e-3  # embeddings differ by 1e-6: at most one pair of near equals changes places
PUBLISHED = 0.786  # with other random documents


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_part(source, folder):
    """The part as a BEIR folder; (documents, queries, qrels)."""
    with open(os.path.join(source, "qrels", "train.tsv"), encoding="utf-8") as file:
        judged = [line.rstrip("\n").split("\t") for line in file][1:]
    rng = random.Random(7)
    chosen = set(rng.sample(sorted({query for query, _, _ in judged}), QUERIES))
    judged = [row for row in judged if row[0] in chosen]
    corpus = lines(os.path.join(source, "corpus.jsonl"))
    relevant = {document for _, document, _ in judged}
    others = rng.sample([d["_id"] for d in corpus if d["_id"] not in relevant], OTHERS)
    documents = [d for d in corpus if d["_id"] in relevant | set(others)]
    queries = [q for q in lines(os.path.join(source, "queries.jsonl")) if q["_id"] in chosen]
    os.makedirs(os.path.join(folder, "qrels"))
    for name, rows in (("corpus", documents), ("queries", queries)):
        with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    with open(os.path.join(folder, "qrels", "train.tsv"), "w", encoding="utf-8") as file:
        file.write("query-id\tcorpus-id\tscore\n" + "".join("\t".join(row) + "\n" for row in judged))
    qrels = {}
    for query, document, grade in judged:
        qrels.setdefault(query, {})[document] = int(grade)
    return documents, queries, qrels


def embed(model, tokenizer, texts):
    rows = []
    with torch.no_grad():
        for begin in range(0, len(texts), 32):
            batch = tokenizer(texts[begin:begin + 32], padding=True, truncation=True,
                              max_length=MAX_TOKENS, return_tensors="pt")
            mask = batch["attention_mask"].unsqueeze(-1).float()
            hidden = model(**batch).last_hidden_state
            rows.append(torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1)))
    return torch.cat(rows).numpy()


def expected(model_folder, documents, queries, qrels):
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModel.from_pretrained(model_folder).eval()
    vectors = embed(model, tokenizer, [(d.get("title", "") + " " + d["text"]).strip() for d in documents])
    asked = embed(model, tokenizer, [q["text"] for q in queries])
    run = {}
    for query, scores in zip(queries, asked @ vectors.T):
        best = numpy.argsort(-scores)[:100]
        run[query["_id"]] = {documents[i]["_id"]: float(scores[i]) for i in best}
    measured = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recall.10,100"}).evaluate(run)
    mean = lambda key: float(numpy.mean([row[key] for row in measured.values()]))
    return {"ndcg_10": mean("ndcg_cut_10"), "recall_10": mean("recall_10"), "recall_100": mean("recall_100")}


def main():
    options = peer.arguments()
    model = peer.sample(options, "minilm")
    folder = os.path.join(options.work, "part")
    documents, queries, qrels = write_part(peer.sample(options, "scifact"), folder)
    task = {"version": 1, "kind": "retrieval", "data": folder, "format": "beir", "split": "train",
            "max_length": MAX_TOKENS}
    answer = peer.pareto(options, "eval", model, "--task", json.dumps(task))
    print(f"nDCG@10 {answer['value']:.4f} ({answer['ci_low']:.4f} to {answer['ci_high']:.4f}) over {len(queries)} claims and {len(documents)} documents")
    fine = True
    for key, value in expected(model, documents, queries, qrels).items():
        ours = answer["value"] if key == "ndcg_10" else answer[key]["value"]
        fine = peer.agree(f"{key} ({value:.4f} by transformers and pytrec_eval)", abs(ours - value), LIMIT) and fine
    return 0 if peer.agree("nDCG@10 against the published figure", abs(answer["value"] - PUBLISHED), 0.03) and fine else 1


if __name__ == "__main__":
    sys.exit(main())
