#!/usr/bin/env python3
"""Writes checkpoints of a tiny Llama (one block, random weights) as the quantization tools leave them, one
folder each beside this file, with expected.safetensors: fp32 values of three of its linears, computed here
from the codes.

GPTQ and AWQ are packed as GPTQModel (nn_modules/qlinear) and AutoAWQ (nn_modules/linear/gemm.py) publish it,
element by element. compressed-tensors folders are packed by that package, and its own decompression is what
is expected, except where it has none (act-order)."""
import json
import os

import numpy as np
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
HIDDEN, FFN, HEADS, KV_HEADS, HEAD_DIM, VOCABULARY = 32, 64, 4, 2, 16, 32
BLOCK = "model.layers.0."
LINEARS = {"self_attn.q_proj": (HEADS * HEAD_DIM, HIDDEN), "self_attn.k_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
           "self_attn.v_proj": (KV_HEADS * HEAD_DIM, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * HEAD_DIM),
           "mlp.gate_proj": (FFN, HIDDEN), "mlp.up_proj": (FFN, HIDDEN), "mlp.down_proj": (HIDDEN, FFN)}
#: Whose values are kept: more inputs than outputs, fewer, and fewer rows.
EXPECTED = ("self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj")
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
          "intermediate_size": FFN, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
          "head_dim": HEAD_DIM, "num_hidden_layers": 1, "vocab_size": VOCABULARY, "max_position_embeddings": 64,
          "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True}
AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)


def dense(rng):
    """What is not quantized."""
    table = rng.standard_normal((VOCABULARY, HIDDEN)).astype(np.float16)
    ones = np.ones(HIDDEN, dtype=np.float16)
    return {"model.embed_tokens.weight": table, "model.norm.weight": ones,
            BLOCK + "input_layernorm.weight": ones, BLOCK + "post_attention_layernorm.weight": ones}


def write(name, quantization, tensors, expected):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    as_torch = {k: v if isinstance(v, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(v)).clone()
                for k, v in tensors.items()}
    save_file(as_torch, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    save_file({k: torch.as_tensor(v).float().contiguous() for k, v in expected.items()},
              os.path.join(folder, "expected.safetensors"))
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump({**CONFIG, "quantization_config": quantization}, file, indent=1)
        file.write("\n")


def pack_rows(codes, bits):
    """GPTQModel's pack(): codes [n][columns] into words [n·bits/32][columns]."""
    codes = codes.astype(np.uint32)
    words = np.zeros((codes.shape[0] * bits // 32, codes.shape[1]), dtype=np.uint32)
    if bits in (2, 4, 8):
        for i in range(codes.shape[0]):
            words[i // (32 // bits)] |= codes[i] << np.uint32(bits * (i % (32 // bits)))
        return words.view(np.int32)
    for i in range(codes.shape[0] // 32):  # ten, a split one, ten, a split one, ten
        c, w = codes[32 * i:32 * i + 32], words[3 * i:3 * i + 3]
        for j in range(10):
            w[0] |= c[j] << np.uint32(3 * j)
            w[1] |= c[11 + j] << np.uint32(3 * j + 1)
            w[2] |= c[22 + j] << np.uint32(3 * j + 2)
        w[0] |= c[10] << np.uint32(30)
        w[1] |= (c[10] >> np.uint32(2)) & np.uint32(1)
        w[1] |= c[21] << np.uint32(31)
        w[2] |= (c[21] >> np.uint32(1)) & np.uint32(3)
    return words.view(np.int32)


def random_codes(rng, rows, cols, bits, group, symmetric):
    """codes [rows][cols], zeros and fp16 scales [rows][groups]"""
    groups = 1 if group < 0 else -(-cols // group)
    codes = rng.integers(0, 1 << bits, (rows, cols))
    zeros = np.full((rows, groups), 1 << (bits - 1)) if symmetric else rng.integers(1, 1 << bits, (rows, groups))
    scales = (rng.random((rows, groups)) * 0.1 + 0.001).astype(np.float16)
    return codes, zeros, scales


def values(codes, zeros, scales, group_of):
    return scales.astype(np.float32)[:, group_of] * (codes - zeros[:, group_of]).astype(np.float32)


def gptq(name, bits=4, group=16, symmetric=True, version="gptq", desc_act=False, dynamic=None):
    rng = np.random.default_rng(11)
    tensors, expected = dense(rng), {}
    for linear, (rows, cols) in LINEARS.items():
        rule = (dynamic or {}).get(linear, {})
        if rule is None:  # left out: an ordinary weight
            weight = rng.standard_normal((rows, cols)).astype(np.float16)
            tensors[BLOCK + linear + ".weight"] = weight
            expected[BLOCK + linear + ".weight"] = weight.astype(np.float32)
            continue
        width, length = rule.get("bits", bits), rule.get("group_size", group)
        codes, zeros, scales = random_codes(rng, rows, cols, width, length, symmetric)
        group_of = np.arange(cols) // (length if length > 0 else cols)
        if desc_act:
            group_of = rng.permutation(group_of)
        stored = zeros - 1 if version == "gptq" else zeros
        module = BLOCK + linear
        tensors[module + ".qweight"] = pack_rows(codes.T, width)
        tensors[module + ".qzeros"] = pack_rows(stored, width).T
        tensors[module + ".scales"] = scales.T
        tensors[module + ".g_idx"] = group_of.astype(np.int32)
        if linear in EXPECTED:
            expected[module + ".weight"] = values(codes, zeros, scales, group_of)
    quantization = {"quant_method": "gptq", "bits": bits, "group_size": group, "sym": symmetric,
                    "desc_act": desc_act, "checkpoint_format": version, "pack_dtype": "int32", "lm_head": False}
    if dynamic:
        quantization["dynamic"] = {("-:" if rule is None else "+:") + r".*\." + linear.split(".")[1] + "$": rule or {}
                                   for linear, rule in dynamic.items()}
    write(name, quantization, tensors, expected)


def awq(name, group=16):
    rng = np.random.default_rng(12)
    tensors, expected = dense(rng), {}

    def pack(codes):  # [lines][outputs] -> [lines][outputs / 8]
        words = np.zeros((codes.shape[0], codes.shape[1] // 8), dtype=np.uint32)
        for word in range(words.shape[1]):
            for i, column in enumerate(AWQ_ORDER):
                words[:, word] |= codes[:, 8 * word + column].astype(np.uint32) << np.uint32(4 * i)
        return words.view(np.int32)

    for linear, (rows, cols) in LINEARS.items():
        codes, zeros, scales = random_codes(rng, rows, cols, 4, group, False)
        module = BLOCK + linear
        tensors[module + ".qweight"] = pack(codes.T)
        tensors[module + ".qzeros"] = pack(zeros.T)
        tensors[module + ".scales"] = scales.T
        if linear in EXPECTED:
            expected[module + ".weight"] = values(codes, zeros, scales, np.arange(cols) // group)
    write(name, {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True, "version": "gemm",
                 "modules_to_not_convert": None}, tensors, expected)


def compressed(name, method, scattered=False, **args):
    rng = np.random.default_rng(13)
    tensors, expected = dense(rng), {}
    arguments = QuantizationArgs(**args)
    scheme = QuantizationScheme(targets=["Linear"], weights=arguments)
    compressor = BaseCompressor.get_value_from_registry(method)
    for linear, (rows, cols) in LINEARS.items():
        group = args.get("group_size") or cols
        floating = args.get("type") == "float"
        scale = torch.from_numpy(rng.random((rows, cols // group)).astype(np.float32) * 0.1 + 0.001)
        weight = torch.from_numpy(rng.standard_normal((rows, cols)).astype(np.float32) * (8 if floating else 0.4))
        state = {"weight": weight, "weight_scale": scale}
        if not arguments.symmetric:
            limit = 1 << (arguments.num_bits - 1)
            state["weight_zero_point"] = torch.from_numpy(
                rng.integers(-limit, limit, scale.shape).astype(np.int8))
        module = BLOCK + linear + "."
        packed = compressor.compress(state, scheme)
        plain = compressor.decompress(dict(packed), scheme)["weight"]
        if scattered:  # the same codes, each column with the scale of its group
            group_of = torch.from_numpy(rng.permutation(np.arange(cols) // group))
            packed["weight_g_idx"] = group_of.to(torch.int32)
            codes = torch.round(plain / scale.repeat_interleave(group, dim=1))
            plain = codes * scale[:, group_of]
        tensors.update({module + key: value.contiguous() for key, value in packed.items()})
        if linear in EXPECTED:
            expected[module + "weight"] = plain
    group = {"targets": ["Linear"], "weights": arguments.model_dump(mode="json"), "input_activations": None}
    write(name, {"quant_method": "compressed-tensors", "format": method, "quantization_status": "compressed",
                 "config_groups": {"group_0": group}, "ignore": ["lm_head"]}, tensors, expected)


def main():
    gptq("gptq_2bit", bits=2, symmetric=False)
    gptq("gptq_3bit", bits=3, symmetric=False)
    gptq("gptq_4bit")
    gptq("gptq_4bit_v2_channel", symmetric=False, version="gptq_v2", group=-1)
    gptq("gptq_8bit", bits=8, symmetric=False)
    gptq("gptq_act_order", symmetric=False, desc_act=True)
    gptq("gptq_dynamic", dynamic={"mlp.down_proj": {"bits": 8, "group_size": 32}, "self_attn.k_proj": None})
    awq("awq")
    compressed("ct_pack_4bit", "pack-quantized", num_bits=4, strategy="group", group_size=16)
    compressed("ct_pack_3bit_asym", "pack-quantized", num_bits=3, strategy="group", group_size=16, symmetric=False)
    compressed("ct_pack_act_order", "pack-quantized", scattered=True, num_bits=4, strategy="group", group_size=16)
    compressed("ct_int8", "int-quantized", num_bits=8, strategy="channel")
    compressed("ct_float8", "float-quantized", num_bits=8, type="float", strategy="channel")


main()
