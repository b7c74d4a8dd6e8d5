"""Makes tests/golden/models/encoders: a tiny random checkpoint of each encoder family with each head, as
transformers saves it, and what transformers computes with it.

Usage: make_encoders.py   (needs torch, transformers 4.57, gguf, safetensors). Deterministic.
"""
import json
import pathlib
import shutil

import numpy as np
import torch
import transformers
from make_models import numbers, padded, write

HERE = pathlib.Path(__file__).parent / "encoders"
LABELS = {"Tokens": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], "Classes": ["no", "maybe", "yes"],
          "Rank": ["LABEL_0"]}
HEADS = {"Bare": "Model", "Classes": "ForSequenceClassification", "Rank": "ForSequenceClassification",
         "Tokens": "ForTokenClassification", "Answer": "ForQuestionAnswering", "Masked": "ForMaskedLM"}
USUAL = dict(vocab_size=64, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
             intermediate_size=28, max_position_embeddings=40, initializer_range=0.3)
FAMILIES = {
    "bert": ("Bert", USUAL),
    "roberta": ("Roberta", USUAL | dict(type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1)),
    "xlm_roberta": ("XLMRoberta", USUAL | dict(type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1)),
    "camembert": ("Camembert", USUAL | dict(type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1)),
    "distilbert": ("DistilBert", dict(vocab_size=64, dim=24, n_layers=2, n_heads=3, hidden_dim=28,
                                      max_position_embeddings=40, initializer_range=0.3)),
    "electra": ("Electra", USUAL | dict(embedding_size=16)),
    "mpnet": ("MPNet", USUAL | dict(layer_norm_eps=1e-5, pad_token_id=1)),
    "albert": ("Albert", USUAL | dict(embedding_size=16, num_hidden_layers=3)),
}
MADE = {
    "bert": ["Bare", "Tokens", "Answer", "Masked", "Rank"],
    "roberta": ["Bare", "Classes", "Tokens", "Answer", "Masked"],
    "xlm_roberta": ["Rank"],
    "camembert": ["Masked"],
    "distilbert": ["Bare", "Classes", "Tokens", "Answer", "Masked"],
    "electra": ["Bare", "Classes", "Tokens", "Answer", "Masked"],
    "mpnet": ["Bare", "Classes", "Tokens", "Answer", "Masked"],
    "albert": ["Bare", "Classes", "Tokens", "Answer", "Masked"],
}
# BERT's special tokens, letters, the same as continuations, a few signs: every short text has tokens.
LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(LETTERS) +
              ["##" + c for c in LETTERS] + list(".,?0123"))


def made(family, head, **more):
    """A model whose every parameter is random: norms and biases, too."""
    stem, options = FAMILIES[family]
    options = options | more
    if head in LABELS:
        labels = LABELS[head]
        options |= dict(num_labels=len(labels), id2label=dict(enumerate(labels)),
                        label2id={name: i for i, name in enumerate(labels)})
    torch.manual_seed(sum(map(ord, family + head)))
    config = getattr(transformers, stem + "Config")(**options)
    model = getattr(transformers, stem + HEADS[head])(config).eval()
    for name, p in model.named_parameters():
        if name.endswith("bias") and "relative" not in name:
            torch.nn.init.normal_(p, std=0.1)
        elif "norm" in name.lower():
            torch.nn.init.normal_(p, mean=1.0, std=0.2)
    return model


def save(model, folder):
    shutil.rmtree(HERE / folder, ignore_errors=True)
    model.save_pretrained(HERE / folder, safe_serialization=True)


def inputs(model):
    """Texts of different lengths; pairs where the family tells token types apart."""
    config = model.config
    offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert",
                                                              "mpnet") else 0
    longest = config.max_position_embeddings - offset
    rng = np.random.default_rng(17)
    ids = [[2] + rng.integers(5, 60, n).tolist() + [3] for n in (1, 7, 19, longest - 2)]
    ids.append([2, 7, config.pad_token_id, 9, 3])  # a text that names the padding itself
    types = [[0 if i < len(row) // 2 else 1 for i in range(len(row))] for row in ids]
    two = getattr(config, "type_vocab_size", 0) == 2
    return ids, types if two else None


def run(model, ids, types):
    tokens, mask = padded(ids)
    pad = model.config.pad_token_id
    tokens[mask == 0] = pad
    more = {} if types is None else {"token_type_ids": padded(types)[0]}
    with torch.no_grad():
        return model(input_ids=tokens, attention_mask=mask, **more)


def outputs(head, out, ids):
    """One list a text, as Encoder::run and Encoder::tokenOutputs give them."""
    if head in ("Classes", "Rank"):
        return {"logits": [numbers(row) for row in out.logits]}
    if head == "Bare":
        hidden = out.last_hidden_state
        return {"means": [numbers(h[:len(row)].mean(0)) for h, row in zip(hidden, ids)],
                "hidden1": numbers(hidden[1, :len(ids[1])])}
    if head == "Answer":
        both = torch.stack([out.start_logits, out.end_logits], dim=2)
        return {"logits": [numbers(b[:len(row)]) for b, row in zip(both, ids)]}
    if head == "Tokens":
        return {"logits": [numbers(b[:len(row)]) for b, row in zip(out.logits, ids)]}
    wanted = [[i for i in (1, 5, len(row) - 1) if i < len(row)] for row in ids]
    wanted[0] = []
    return {"wanted": wanted,
            "logits": [numbers(b[w]) for b, w in zip(out.logits, wanted)]}


def golden(name, head, model):
    ids, types = inputs(model)
    value = {"ids": ids} if types is None else {"ids": ids, "types": types}
    write(f"encoders/{name}.json", value | outputs(head, run(model, ids, types), ids))


def sentence_folders():
    """sentence-transformers: MPNet with mean pooling and normalization, RoBERTa with <s> and a Dense."""
    from safetensors.torch import save_file
    for name, family, mode, dense in (("mpnet_sentence", "mpnet", "mean", False),
                                      ("roberta_sentence", "roberta", "cls", True)):
        model = made(family, "Bare")
        save(model, name)
        folder = HERE / name
        modules = ["Transformer", "Pooling"] + (["Dense"] if dense else []) + ["Normalize"]
        (folder / "modules.json").write_text(json.dumps(
            [{"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_{kind}",
              "type": f"sentence_transformers.models.{kind}"} for i, kind in enumerate(modules)]))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(
            {"word_embedding_dimension": 24, "pooling_mode_cls_token": mode == "cls",
             "pooling_mode_mean_tokens": mode == "mean"}))
        ids, types = inputs(model)
        hidden = run(model, ids, types).last_hidden_state
        vectors = torch.stack([h[0] if mode == "cls" else h[:len(row)].mean(0)
                               for h, row in zip(hidden, ids)])
        if dense:
            linear = torch.nn.Linear(24, 10)
            (folder / "2_Dense").mkdir()
            (folder / "2_Dense" / "config.json").write_text(json.dumps(
                {"in_features": 24, "out_features": 10, "bias": True,
                 "activation_function": "torch.nn.modules.activation.Tanh"}))
            save_file({"linear.weight": linear.weight.detach(), "linear.bias": linear.bias.detach()},
                      folder / "2_Dense" / "model.safetensors")
            vectors = torch.tanh(linear(vectors)).detach()
        vectors = torch.nn.functional.normalize(vectors, dim=1)
        write(f"encoders/{name}.json", {"ids": ids, "logits": [numbers(v) for v in vectors]})


def gguf_bert():
    """The bare BERT as llama.cpp's converter names it, with <s> pooling."""
    from gguf import GGUFWriter
    model = made("bert", "Bare")
    writer = GGUFWriter(HERE / "bert_bare.gguf", "bert")
    writer.add_block_count(2)
    writer.add_context_length(40)
    writer.add_embedding_length(24)
    writer.add_feed_forward_length(28)
    writer.add_head_count(3)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_uint32("bert.pooling_type", 2)
    names = {"embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
             "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
             "attention.self.query": "attn_q", "attention.self.key": "attn_k",
             "attention.self.value": "attn_v", "attention.output.dense": "attn_output",
             "attention.output.LayerNorm": "attn_output_norm", "intermediate.dense": "ffn_up",
             "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm"}
    for name, value in model.state_dict().items():
        module, kind = name.rsplit(".", 1)
        parts = module.split(".", 3)
        inner = parts[3] if module.startswith("encoder.") else module
        if inner not in names:
            continue
        block = f"blk.{parts[2]}." if module.startswith("encoder.") else ""
        writer.add_tensor(f"{block}{names[inner]}.{kind}", value.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    ids, types = inputs(model)
    hidden = run(model, ids, types).last_hidden_state
    write("encoders/bert_bare_gguf.json", {"ids": ids, "types": types, "logits": [numbers(h[0]) for h in hidden]})


def without_first_block():
    """What is left when the first block is taken out; blocks that share weights go together."""
    model = made("mpnet", "Bare")
    del model.encoder.layer[0]
    golden("mpnet_bare_without0", "Bare", model)
    model = made("albert", "Bare", num_hidden_groups=2, num_hidden_layers=4)
    del model.encoder.albert_layer_groups[0]
    model.config.num_hidden_groups, model.config.num_hidden_layers = 1, 2
    golden("albert_groups_without0", "Bare", model)


def pipelines():
    """What transformers' pipelines make of the BERTs."""
    tokenizer = transformers.BertTokenizerFast(str(HERE / "bert_answer" / "vocab.txt"))
    tokenizer.model_max_length = 40

    def pipe(task, name, **more):
        stem = {"answer": "ForQuestionAnswering", "tokens": "ForTokenClassification",
                "masked": "ForMaskedLM"}[name]
        model = getattr(transformers, "Bert" + stem).from_pretrained(HERE / f"bert_{name}")
        return transformers.pipeline(task, model=model, tokenizer=tokenizer, device="cpu", **more)

    answering = pipe("question-answering", "answer")
    context = ("ada wrote the first program in 1203. it was never run. the engine, a heap of wheels, "
               "was not built while she lived.")
    cases = []
    for question, text, length, stride in (("who wrote it?", context[:24], 40, 4), ("who wrote it?", context, 40, 4),
                                           ("when?", context, 32, 8), ("what is it", context, 24, 0)):
        found = answering(question=question, context=text, top_k=3, max_seq_len=length, doc_stride=stride)
        cases.append({"question": question, "context": text, "max_length": length, "doc_stride": stride,
                      "answers": [{k: a[k] for k in ("answer", "start", "end", "score")} for a in found]})
    texts = ["ada lovelace met babbage.", "no one, 12 or 3?", "x"]
    tagging = pipe("token-classification", "tokens", aggregation_strategy="first")
    tags = [[{"label": e["entity_group"], "start": e["start"], "end": e["end"], "score": float(e["score"])}
             for e in tagging(text)] for text in texts]
    filling = pipe("fill-mask", "masked")
    masked = ["a [MASK] c", "[MASK] or [MASK]?"]
    fills = []
    for text in masked:
        found = filling(text)
        found = found if isinstance(found[0], list) else [found]
        fills.append([[{"id": f["token"], "text": f["token_str"], "score": f["score"]} for f in mask]
                      for mask in found])
    write("encoders/pipelines.json", {"answers": cases, "tagged": [{"text": t, "entities": e} for t, e in zip(texts, tags)],
                                      "filled": [{"text": t, "masks": m} for t, m in zip(masked, fills)]})


def main():
    torch.set_num_threads(1)
    HERE.mkdir(exist_ok=True)
    for family, heads in MADE.items():
        for head in heads:
            model = made(family, head)
            name = f"{family}_{head.lower()}"
            save(model, name)
            golden(name, head, model)
            if family == "bert":
                (HERE / name / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    model = made("albert", "Bare", num_hidden_groups=2, num_hidden_layers=4)
    save(model, "albert_groups")
    golden("albert_groups", "Bare", model)
    without_first_block()
    sentence_folders()
    gguf_bert()
    pipelines()


if __name__ == "__main__":
    main()
