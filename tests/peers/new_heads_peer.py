"""transformers loads the classifiers that are made of encoders without one, and computes the same.

Every tiny checkpoint of tests/golden/models/encoders and the sample minilm, each given a new head by
new_head_tool: AutoModelForSequenceClassification finds every parameter, knows all it finds, and its logits
are ours.
"""
# peers: newest too

import json
import os
import subprocess
import sys

import numpy

import peer

LIMIT = 1e-4
LABELS = ["calm", "angry", "sad"]
ENCODERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models", "encoders")


def models(options):
    yield "minilm", peer.sample(options, "minilm")
    for name in sorted(os.listdir(ENCODERS)):
        if os.path.isfile(os.path.join(ENCODERS, name, "config.json")):
            yield name, os.path.join(ENCODERS, name)


def batch(config):
    """Texts of different lengths without padding inside; pairs where token types are told apart."""
    rng = numpy.random.default_rng(5)
    ids = [[2] + rng.integers(5, 60, n).tolist() + [3] for n in (1, 6, 17, 30)]
    two = getattr(config, "type_vocab_size", 0) == 2 and config.model_type != "mpnet"
    types = [[0 if i < len(row) // 2 else 1 for i in range(len(row))] for row in ids]
    return {"ids": ids} | ({"types": types} if two else {})


def compare(tool, name, source, folder):
    import torch
    import transformers
    config = transformers.AutoConfig.from_pretrained(source)
    texts = batch(config)
    done = subprocess.run([tool, source, folder, "3", *LABELS], input=json.dumps(texts) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        print(f"{name}: {done.stderr.strip()}")
        return False
    ours = numpy.array(json.loads(done.stdout)["logits"])
    model, info = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True, attn_implementation="eager")
    odd = {key: sorted(map(str, value)) for key, value in info.items() if value}
    named = [model.config.id2label[i] for i in range(model.config.num_labels)]
    theirs = []
    with torch.no_grad():
        for i, row in enumerate(texts["ids"]):
            more = {"token_type_ids": torch.tensor([texts["types"][i]])} if "types" in texts else {}
            theirs.append(model.eval()(input_ids=torch.tensor([row]), **more).logits[0].double().numpy())
    print(f"{name}: {type(model).__name__}, {'all found' if not odd else odd}")
    fine = peer.agree(name, float(numpy.abs(ours - numpy.array(theirs)).max()), LIMIT)
    return fine and not odd and named == LABELS


def main():
    options = peer.arguments()
    tool = os.path.join(os.path.dirname(options.pareto), "new_head_tool")
    if not os.access(tool, os.X_OK):
        print("skipped: new_head_tool is not built beside the program")
        sys.exit(77)
    results = [compare(tool, name, source, os.path.join(options.work, name)) for name, source in models(options)]
    sys.exit(0 if all(results) else 1)


main()
