"""Writes an ONNX BERT classifier as a sentence-transformers folder with the same outputs.

The network: BERT -> mean of the token vectors under the mask -> Linear + ReLU -> Linear. In the file
the matrices of the encoder's linears are anonymous and transposed (MatMul takes [inputs, outputs]); the
node that uses one says which layer it is.
"""

import json
import os
import struct

from onnx_weights import OnnxError, read_onnx

_HEADS = 12  # not in the file's weights: MiniLM-L6-H384 has twelve heads of 32
_MAX_TOKENS = 256  # the length the model was trained with


def _encoder_weights(tensors, nodes):
    """{name as in transformers' BertModel: Tensor}"""
    weights = {}
    for name, tensor in tensors.items():
        if name.startswith("encoder."):
            weights[name[len("encoder."):]] = tensor
    for node in nodes:
        matrices = [tensors[i] for i in node.inputs if i in tensors and len(tensors[i].shape) == 2]
        if node.operator == "MatMul" and matrices:
            parts = node.name.strip("/").split("/")
            if parts[0] != "encoder" or parts[-1] != "MatMul":
                raise OnnxError(f"the matrix of {node.name} belongs to no known layer")
            weights[".".join(parts[1:-1]) + ".weight"] = matrices[0].transposed()
    return weights


def _write_json(folder, name, value):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _write_safetensors(path, weights):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(weights):
        size = 4 * len(weights[name].values)
        header[name] = {
            "dtype": "F32",
            "shape": weights[name].shape,
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(weights):
            weights[name].values.tofile(file)


def _bert_config(weights, labels):
    vocabulary, width = weights["embeddings.word_embeddings.weight"].shape
    layers = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": width,
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
        "initializer_range": 0.02,
        "intermediate_size": weights["encoder.layer.0.intermediate.dense.weight"].shape[0],
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": weights["embeddings.position_embeddings.weight"].shape[0],
        "num_attention_heads": _HEADS,
        "num_hidden_layers": len(layers),
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "type_vocab_size": weights["embeddings.token_type_embeddings.weight"].shape[0],
        "use_cache": True,
        "vocab_size": vocabulary,
    }


def _write_dense(folder, name, tensors, source, activation):
    weight, bias = tensors[source + ".weight"], tensors[source + ".bias"]
    outputs, inputs = weight.shape
    _write_json(folder, name + "/config.json", {
        "in_features": inputs,
        "out_features": outputs,
        "bias": True,
        "activation_function": activation,
    })
    _write_safetensors(os.path.join(folder, name, "model.safetensors"),
                       {"linear.weight": weight, "linear.bias": bias})


def write_classifier_folder(model, tokenizer, labels, folder):
    """`model` and `tokenizer` are paths; `folder` exists and gets the files."""
    tensors, nodes = read_onnx(model)
    weights = _encoder_weights(tensors, nodes)
    config = _bert_config(weights, labels)
    # 5 tensors of the embeddings, 16 of each layer: any other count means that the file changed.
    expected = 5 + 16 * config["num_hidden_layers"]
    if len(weights) != expected:
        raise OnnxError(f"{len(weights)} encoder tensors instead of {expected}")
    _write_json(folder, "config.json", config)
    _write_safetensors(os.path.join(folder, "model.safetensors"), weights)
    _write_dense(folder, "2_Dense", tensors, "classifier.0",
                 "torch.nn.modules.activation.ReLU")
    _write_dense(folder, "3_Dense", tensors, "classifier.3", "torch.nn.modules.linear.Identity")
    _write_json(folder, "1_Pooling/config.json", {
        "word_embedding_dimension": config["hidden_size"],
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    })
    kinds = ["Transformer", "Pooling", "Dense", "Dense"]
    paths = ["", "1_Pooling", "2_Dense", "3_Dense"]
    _write_json(folder, "modules.json", [
        {"idx": i, "name": str(i), "path": paths[i],
         "type": "sentence_transformers.models." + kinds[i]}
        for i in range(len(kinds))
    ])
    _write_json(folder, "sentence_bert_config.json",
                {"max_seq_length": _MAX_TOKENS, "do_lower_case": False})
    _write_json(folder, "labels.json", labels)
    with open(tokenizer, encoding="utf-8") as file:
        description = json.load(file)
    # The published file pads every text to 128 tokens; how long a text may be is the task's business.
    description["padding"] = None
    description["truncation"] = {"direction": "Right", "max_length": _MAX_TOKENS,
                                 "strategy": "LongestFirst", "stride": 0}
    _write_json(folder, "tokenizer.json", description)
