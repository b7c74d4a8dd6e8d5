"""Writes the *.json beside it: predictions and references in many scripts, and what the programs that
define the field's metrics make of them. The C++ library must agree to 1e-6 (tests/engine/metrics).

Usage: python make_metrics.py   (deterministic; packages of resources/setup/peers-requirements.txt:
sacrebleu 2.6, seqeval 1.2, scikit-learn, scipy, pytrec-eval-terrier, rouge-score 0.1.2, transformers for
its copy of SQuAD's evaluate-v2.0)
"""
import collections
import json
import os
import random
import re
import string
import warnings

import numpy as np
import pytrec_eval
import sacrebleu
import scipy.special
import scipy.stats
import seqeval.metrics
import sklearn.metrics
from rouge_score import rouge_scorer
from transformers.data.metrics import squad_metrics

FOLDER = os.path.dirname(os.path.abspath(__file__))
WORDS = """the a an The cat sat on mat, mat. over-the-top state-of-the-art 3.14 1,000 1-2 U.S.A. don't e.g. (yes) "no"
&amp; &quot;x&quot; &lt;b&gt; <skipped> it's Ünïcödé naïve Straße ΟΔΟΣ οδός ΣΑΣ İstanbul K \u212a élan e\u0301lan a\u0301 Москва привет,
мир! 你好,世界。 日本語 カタカナ हिन्दी नमस्ते สวัสดี مرحبا שלום 👍 👩\u200d💻 x² ½ Ⅷ 100% $5.00 #tag @user a_b the_cat — – … “quoted” l’a
foo\u00a0bar foo\u3000bar ﬁ - -- . , .. ,, ... 5. .5 5, ,5 a.b a,b 7-up up-7 [x] {y} / \\ | ~ ^ ` = + * AN tHe""".split(" ")
SEPARATORS = [" ", " ", " ", " ", " ", "  ", "\t", "\u00a0", "\u2003", "\x1c", "-\n", "\n"]


def text(rng, low=0, high=14):
    out = ""
    for i in range(rng.randint(low, high)):
        out += (rng.choice(SEPARATORS) if i else rng.choice(["", "", " "])) + rng.choice(WORDS)
    return out + rng.choice(["", "", " ", "\n", "."])


def edited(rng, base):
    words = base.split(" ")
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(words) + 1)
        kind = rng.randrange(4)
        if kind == 0 or at == len(words):
            words.insert(at, rng.choice(WORDS))
        elif kind == 1:
            del words[at]
        elif kind == 2:
            words[at] = rng.choice([words[at].lower(), words[at].upper(), words[at] + ","])
        else:
            rng.shuffle(words)
    return " ".join(words)


def write(name, value):
    with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=True, indent=None, separators=(",", ":"))
        file.write("\n")


def translation(rng):
    bleu, chrf = sacrebleu.metrics.BLEU(), sacrebleu.metrics.CHRF()
    sentence_bleu = sacrebleu.metrics.BLEU(effective_order=True)
    tokenizer = sacrebleu.tokenizers.tokenizer_13a.Tokenizer13a()
    cases = []
    for number, (items, references, words) in enumerate(
            [(40, 1, 14), (40, 3, 14), (25, 2, 4), (6, 1, 2), (30, 1, 25), (3, 1, 1), (1, 2, 10), (2, 1, 0)]):
        base = [text(rng, 0 if number else 1, words) for _ in range(items)]
        refs = [[edited(rng, b) if r or number % 2 else b for b in base] for r in range(references)]
        hyps = [edited(rng, b) if rng.random() < 0.8 else text(rng, 0, words) for b in base]
        if number == 5:
            hyps = ["zzz " + h for h in ("one", "two", "three")]
        score = bleu.corpus_score(hyps, refs)
        rows = []
        for h, *r in zip(hyps, *refs):
            s = bleu.corpus_score([h], [[x] for x in r])
            rows.append({"bleu": [s.sys_len, s.ref_len, *s.counts, *s.totals],
                         "sentence_bleu": sentence_bleu.sentence_score(h, r).score,
                         "sentence_chrf": chrf.sentence_score(h, r).score})
        cases.append({"hypotheses": hyps, "references": [list(r) for r in zip(*refs)], "bleu": score.score,
                      "chrf": chrf.corpus_score(hyps, refs).score, "rows": rows})
    lines = [text(rng, 0, 12) for _ in range(150)] + WORDS
    write("translation", {"cases": cases, "tokenized": [[x, tokenizer(x.rstrip())] for x in lines]})


def summaries(rng):
    names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = rouge_scorer.RougeScorer(names, use_stemmer=False)
    vocabulary = "the cat sat on a mat and dog ran 3 2nd \u212aelvin İx naïve it's".split()

    def passage(n):
        return "".join(rng.choice(vocabulary) + rng.choice([" ", " ", " ", ". ", "\n", "\n\n", "-"]) for _ in range(n))
    cases = []
    for i in range(80):
        references = [passage(rng.randint(0, 30)) for _ in range(1 + i % 3)]
        prediction = edited(rng, references[0]) if i % 2 else passage(rng.randint(0, 30))
        scores = scorer.score_multi(references, prediction)
        cases.append({"references": references, "prediction": prediction,
                      "scores": {n: [scores[n].precision, scores[n].recall, scores[n].fmeasure] for n in names}})
    write("summaries", cases)


def v1_normalize(s):
    lower = "".join(c for c in s.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", lower).split())


def v1_f1(prediction, truth):
    """evaluate-v1.1.py, whose F1 of two empty texts is 0."""
    a, b = v1_normalize(prediction).split(), v1_normalize(truth).split()
    same = sum((collections.Counter(a) & collections.Counter(b)).values())
    if same == 0:
        return 0
    precision, recall = same / len(a), same / len(b)
    return 2 * precision * recall / (precision + recall)


def answers(rng):
    cases = []
    for i in range(300):
        gold = [text(rng, 1, 5) for _ in range(rng.randint(0 if i % 3 == 0 else 1, 3))]
        prediction = (text(rng, 0, 5) if not gold or rng.random() < 0.3 else edited(rng, rng.choice(gold)))
        if i % 10 == 0:
            prediction = rng.choice(["", " ", "the", "."])
        kept = [a for a in gold if squad_metrics.normalize_answer(a)] or [""]
        cases.append({
            "prediction": prediction, "answers": gold, "normalized": v1_normalize(prediction),
            "v1": [max([float(v1_normalize(prediction) == v1_normalize(a)) for a in gold], default=0.0),
                   max([float(v1_f1(prediction, a)) for a in gold], default=0.0)],
            "v2": [float(max(squad_metrics.compute_exact(a, prediction) for a in kept)),
                   float(max(squad_metrics.compute_f1(a, prediction) for a in kept))]})
        assert v1_normalize(prediction) == squad_metrics.normalize_answer(prediction)
    write("answers", cases)


def entities(rng):
    cases = []
    for scheme in ("IOB2", "IOB1", "IOBES", "noise"):
        kinds = {"IOB2": "BIO", "IOB1": "IIBO", "IOBES": "BIESO", "noise": "BIESO"}[scheme]

        def tag():
            kind = rng.choice(kinds)
            return "O" if kind == "O" else kind + "-" + rng.choice(["PER", "LOC", "ORG-X"]) if rng.random() < 0.95 else kind
        expected, predicted = [], []
        for _ in range(30):
            tags = [tag() for _ in range(rng.randint(0, 12))]
            expected.append(tags)
            predicted.append([t if rng.random() < 0.8 else tag() for t in tags])
        report = seqeval.metrics.classification_report(expected, predicted, output_dict=True)
        cases.append({"expected": expected, "predicted": predicted,
                      "precision": float(seqeval.metrics.precision_score(expected, predicted)),
                      "recall": float(seqeval.metrics.recall_score(expected, predicted)),
                      "f1": float(seqeval.metrics.f1_score(expected, predicted)),
                      "types": {k: [float(v["precision"]), float(v["recall"]), float(v["f1-score"]), int(v["support"])]
                                for k, v in report.items() if not k.endswith(" avg")}})
    write("entities", cases)


def classes(rng):
    cases = []
    for count, items, right in [(2, 50, 0.7), (3, 80, 0.5), (7, 200, 0.8), (2, 10, 1.0), (2, 10, 0.0), (4, 1, 1.0), (5, 60, 0.2)]:
        labels = [rng.randrange(count) for _ in range(items)]
        predictions = [l if rng.random() < right else rng.randrange(count) for l in labels]
        if right == 0.0:
            predictions = [0] * items
        cases.append({"classes": count, "labels": labels, "predictions": predictions,
                      "accuracy": float(sklearn.metrics.accuracy_score(labels, predictions)),
                      "macro_f1": float(sklearn.metrics.f1_score(labels, predictions, average="macro")),
                      "matthews": float(sklearn.metrics.matthews_corrcoef(labels, predictions))})
    write("classes", cases)


def rankings(rng):
    qrels, run = {}, {}
    for q in range(40):
        documents = [rng.choice(["d", "D", "é", "文"]) + str(rng.randrange(60)) for _ in range(rng.randint(1, 50))]
        qrels["q%d" % q] = {d: rng.choice([0, 0, 1, 1, 2, 3, -1]) for d in rng.sample(documents, rng.randint(1, len(documents)))}
        # Few different scores: ties; and scores that only differ beyond fp32.
        run["q%d" % q] = {d: rng.choice([0.5, 0.25, 1.0, 1.0 + 1e-9, -1.0, rng.random()]) for d in documents}
        if q % 5 == 0:
            qrels["q%d" % q] = {d: min(0, g) for d, g in qrels["q%d" % q].items()}
        elif q % 5 == 1:
            qrels["q%d" % q]["never retrieved"] = 2
    cutoffs = [1, 3, 10, 100]
    measures = {f"{m}.{k}" for m in ("ndcg_cut", "recall") for k in cutoffs} | {"map", "recip_rank"}
    results = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)

    def reciprocal(result, k):
        """recip_rank_cut, which this trec_eval lacks: nothing when the first relevant one is beyond k."""
        return result["recip_rank"] if result["recip_rank"] * k >= 1 - 1e-9 else 0.0
    write("rankings", [{"judgements": qrels[q], "run": run[q], "cutoffs": cutoffs, "map": results[q]["map"],
                        "scores": [[results[q][f"ndcg_cut_{k}"], reciprocal(results[q], k), results[q][f"recall_{k}"]]
                                   for k in cutoffs]} for q in qrels])


def numbers(rng):
    generator = np.random.default_rng(7)
    correlations = []
    for n in (2, 3, 10, 200):
        for ties in (False, True):
            a = generator.normal(size=n) * 3 + 1e4
            b = a * generator.normal(0.5, 1, size=n)
            if ties:
                a, b = np.round(a), np.round(b / 1e4)
            if np.ptp(a) == 0 or np.ptp(b) == 0:
                continue
            correlations.append({"a": a.tolist(), "b": b.tolist(), "pearson": float(scipy.stats.pearsonr(a, b)[0]),
                                 "spearman": float(scipy.stats.spearmanr(a, b)[0])})
    divergences = []
    for n, spread in ((2, 1), (50, 5), (300, 12), (300, 80)):
        p = (generator.normal(size=n) * spread).astype(np.float32)
        q = (p + generator.normal(size=n) * 0.3).astype(np.float32)
        log_p = scipy.special.log_softmax(p.astype(np.float64))
        log_q = scipy.special.log_softmax(q.astype(np.float64))
        divergences.append({"original": p.tolist(), "changed": q.tolist(),
                            "kl": float(np.sum(np.exp(log_p) * (log_p - log_q))),
                            "top": [int(np.argmax(p)), int(np.argmax(q))]})
    choices = []
    for _ in range(30):
        texts = [text(rng, 1, 4) for _ in range(rng.randint(2, 5))]
        scores = [-20 * rng.random() * (1 + len(t)) ** 0.5 for t in texts]
        # As ConfigurableTask.process_results of lm-evaluation-harness.
        characters = np.array([float(len(t)) for t in texts])
        size = np.array([float(len(t.encode())) for t in texts])
        choices.append({"scores": scores, "characters": characters.tolist(), "bytes": size.tolist(),
                        "acc": int(np.argmax(scores)), "acc_norm": int(np.argmax(scores / characters)),
                        "acc_bytes": int(np.argmax(scores / size))})
    write("numbers", {"correlations": correlations, "divergences": divergences, "choices": choices})


def words(rng):
    lines = [text(rng, 0, 10) for _ in range(60)] + WORDS + ["ΑΣ", "Σ", "ΑΣ.", "ΑΣ\u0301", "Α'Σ", "ΑΣ'Β", "ΣΣΣ ΣΑ", "\u1e9e", "DŽ"]
    write("words", [[x, x.lower(), x.split(), [int(c.isalnum()) for c in x]] for x in lines])


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    for make in (translation, summaries, answers, entities, classes, rankings, numbers, words):
        make(random.Random(make.__name__))
