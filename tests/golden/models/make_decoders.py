"""Makes tests/golden/models/decoders: tiny random checkpoints of every decoder family, as folders of
transformers and as GGUF files, and what transformers computes with them.

Usage: make_decoders.py   (needs torch, transformers 4.57, safetensors, gguf). Deterministic.

<name>.json: ids, logits (of every position), prompt (tokens of ids to continue), greedy (20 tokens),
variants: config fields that replace the folder's, with logits and greedy of their own. <name>.gguf, where
it is there, holds the same weights and gives the same logits, or those of the variant "gguf" names.
"""
import copy
import json
import pathlib
import shutil

import gguf
import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent / "decoders"
IDS, PROMPT, NEW = 40, 22, 20


def numbers(tensor):
    return [float(f"{v:.6g}") for v in np.asarray(tensor, dtype=np.float64).ravel()]


def results(config, state, ids):
    """A fresh model each: some scalings remember the longest input."""
    def fresh():
        model = AutoModelForCausalLM.from_config(copy.deepcopy(config), attn_implementation="eager")
        model.load_state_dict(state, strict=False)
        model.tie_weights()
        return model.eval()
    with torch.no_grad():
        logits = fresh()(torch.tensor([ids])).logits[0]
        model = fresh()
        made = model.generate(torch.tensor([ids[:PROMPT]]), max_new_tokens=NEW, do_sample=False,
                              eos_token_id=None, pad_token_id=0)[0, PROMPT:]
    return {"logits": [numbers(r) for r in logits], "greedy": made.tolist()}


def family(name, config, seed, variants=(), write_gguf=None, gguf_variant=None):
    torch.manual_seed(seed)
    config.eos_token_id, config.bos_token_id = 2, 1
    model = AutoModelForCausalLM.from_config(copy.deepcopy(config), attn_implementation="eager").eval()
    for key, p in model.named_parameters():
        if "norm" in key or ".ln_" in key:
            center = 0.0 if name.startswith("gemma") or key.endswith("bias") else 1.0
            torch.nn.init.normal_(p, mean=center, std=0.2)
        elif key.endswith("bias"):
            torch.nn.init.normal_(p, std=0.3)
        else:
            torch.nn.init.normal_(p, std=0.35 if p.shape[-1] > 24 else 0.45)
    folder = HERE / name
    model.save_pretrained(folder, safe_serialization=True)
    (folder / "generation_config.json").unlink(missing_ok=True)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    rng = np.random.default_rng(seed)
    ids = [1] + rng.integers(3, config.vocab_size, IDS - 1).tolist()
    written = json.loads((folder / "config.json").read_text())
    out = {"ids": ids, "prompt": PROMPT, **results(config, state, ids), "variants": []}
    for label, changes in variants:
        changed = AutoConfig.for_model(**{**written, **changes})
        out["variants"].append({"name": label, "config": changes, **results(changed, state, ids)})
    if write_gguf is not None:
        write_gguf(HERE / f"{name}.gguf", config, state)
        out["gguf"] = gguf_variant or ""
    (HERE / f"{name}.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
    return state


BLOCK = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
         "self_attn.k_norm": "attn_k_norm", "input_layernorm": "attn_norm", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "post_attention_layernorm": "ffn_norm"}
GEMMA = {**BLOCK, "post_attention_layernorm": "post_attention_norm",
         "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}


def permuted(weight, heads):
    """How convert_hf_to_gguf.py lays out rows of Q and K for architecture llama."""
    return (weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
            .swapaxes(1, 2).reshape(weight.shape))


def gguf_writer(arch, extra=lambda writer, config: None):
    def write(path, config, state):
        writer = gguf.GGUFWriter(path, arch)
        writer.add_block_count(config.num_hidden_layers)
        writer.add_context_length(config.max_position_embeddings)
        writer.add_embedding_length(config.hidden_size)
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count(config.num_attention_heads)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_theta)
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        writer.add_key_length(head)
        writer.add_value_length(head)
        writer.add_rope_dimension_count(head)
        extra(writer, config)
        gemma = arch.startswith("gemma")
        for key, tensor in state.items():
            value = tensor.numpy().astype(np.float32)
            stem, kind = key.rsplit(".", 1)
            if gemma and "norm" in key:
                value = value + np.float32(1.0)
            if stem == "model.embed_tokens":
                theirs = "token_embd"
            elif stem == "model.norm":
                theirs = "output_norm"
            elif stem == "lm_head":
                if config.tie_word_embeddings:
                    continue
                theirs = "output"
            else:
                _, _, block, module = stem.split(".", 3)
                theirs = f"blk.{block}.{(GEMMA if gemma else BLOCK)[module]}"
                if arch == "llama" and module in ("self_attn.q_proj", "self_attn.k_proj"):
                    value = permuted(value, config.num_attention_heads if "q_" in module
                                     else config.num_key_value_heads)
            writer.add_tensor(f"{theirs}.{kind}", np.ascontiguousarray(value))
        finish(writer)
    return write


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gpt2_gguf(path, config, state):
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_block_count(config.n_layer)
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(4 * config.n_embd)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    names = {"attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_1": "attn_norm",
             "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}
    outer = {"transformer.wte": "token_embd", "transformer.wpe": "position_embd",
             "transformer.ln_f": "output_norm"}
    for key, tensor in state.items():
        stem, kind = key.rsplit(".", 1)
        value = tensor.numpy().astype(np.float32)
        if stem in outer:
            theirs = outer[stem]
        elif stem.startswith("transformer.h.") and kind != "masked_bias":
            _, _, block, module = stem.split(".", 3)
            if module not in names:
                continue
            theirs = f"blk.{block}.{names[module]}"
            if value.ndim == 2:
                value = value.T
        else:
            continue
        writer.add_tensor(f"{theirs}.{kind}", np.ascontiguousarray(value))
    finish(writer)


def llama3_factors(config, scaling):
    """rope_freqs.weight as convert_hf_to_gguf.py computes it."""
    head = config.head_dim
    freqs = 1.0 / (config.rope_theta ** (np.arange(0, head, 2, dtype=np.float64) / head))
    low = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
    high = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
    out = []
    for freq in freqs:
        wavelength = 2 * np.pi / freq
        if wavelength < high:
            out.append(1.0)
        elif wavelength > low:
            out.append(scaling["factor"])
        else:
            smooth = ((scaling["original_max_position_embeddings"] / wavelength
                       - scaling["low_freq_factor"])
                      / (scaling["high_freq_factor"] - scaling["low_freq_factor"]))
            out.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(out, dtype=np.float32)


def rope_scalings():
    """Llama with every scaling of modeling_rope_utils, far beyond the original 12 positions."""
    original = {"original_max_position_embeddings": 12}
    llama3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
              **original}
    yarn = {"rope_type": "yarn", "factor": 4.0, **original}
    pairs = 8
    long = {"rope_type": "longrope", "factor": 5.0,
            "short_factor": [1.0 + 0.05 * i for i in range(pairs)],
            "long_factor": [1.0 + 0.6 * i for i in range(pairs)]}
    config = transformers.LlamaConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, intermediate_size=24, max_position_embeddings=64,
        rope_theta=100.0, tie_word_embeddings=True)
    variants = [
        ("linear", {"rope_scaling": {"rope_type": "linear", "factor": 3.0}}),
        ("dynamic", {"rope_scaling": {"rope_type": "dynamic", "factor": 4.0},
                     "max_position_embeddings": 12}),
        ("yarn", {"rope_scaling": yarn}),
        ("yarn, all fields", {"rope_scaling": {**yarn, "attention_factor": 1.3, "beta_fast": 8.0,
                                               "beta_slow": 0.5}}),
        ("longrope", {"rope_scaling": long, "original_max_position_embeddings": 12}),
        ("longrope, one length", {"rope_scaling": {**long, "attention_factor": 1.1}}),
        ("llama3", {"rope_scaling": llama3}),
    ]
    state = family("llama_rope", config, 21, variants)
    scaled = {"linear": lambda w, c: (w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR),
                                      w.add_rope_scaling_factor(3.0)),
              "yarn": lambda w, c: (w.add_rope_scaling_type(gguf.RopeScalingType.YARN),
                                    w.add_rope_scaling_factor(4.0),
                                    w.add_rope_scaling_orig_ctx_len(12)),
              "llama3": lambda w, c: w.add_tensor("rope_freqs.weight", llama3_factors(c, llama3))}
    for name, extra in scaled.items():
        gguf_writer("llama", extra)(HERE / f"llama_rope.{name}.gguf", config, state)


def common(**more):
    return {**dict(vocab_size=48, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                   num_key_value_heads=2, intermediate_size=44, max_position_embeddings=64), **more}


def main():
    torch.set_num_threads(1)
    if HERE.exists():
        shutil.rmtree(HERE)
    HERE.mkdir()
    family("gpt2", transformers.GPT2Config(vocab_size=48, n_embd=32, n_layer=2, n_head=4, n_positions=64,
                                           resid_pdrop=0, embd_pdrop=0, attn_pdrop=0), 20,
           write_gguf=gpt2_gguf)
    rope_scalings()
    family("llama_bias", transformers.LlamaConfig(**common(attention_bias=True, mlp_bias=True,
                                                           tie_word_embeddings=False)), 22,
           write_gguf=gguf_writer("llama"))
    family("mistral", transformers.MistralConfig(**common(head_dim=12, sliding_window=6)), 23,
           [("no window", {"sliding_window": None})])
    family("qwen2", transformers.Qwen2Config(**common(tie_word_embeddings=True)), 24,
           [("window", {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1,
                        "layer_types": ["full_attention", "sliding_attention"]})],
           write_gguf=gguf_writer("qwen2"))
    family("qwen3", transformers.Qwen3Config(**common(head_dim=12, tie_word_embeddings=False)), 25,
           write_gguf=gguf_writer("qwen3"))

    def gemma2(writer, config):
        writer.add_sliding_window(config.sliding_window)
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    family("gemma2", transformers.Gemma2Config(**common(
        num_hidden_layers=3, head_dim=12, query_pre_attn_scalar=12, sliding_window=7, attn_logit_softcapping=3.0,
        final_logit_softcapping=6.0)), 26,
        [("scalar", {"query_pre_attn_scalar": 30, "attn_logit_softcapping": None})],
        write_gguf=gguf_writer("gemma2", gemma2))

    small = dict(vocab_size=40, hidden_size=16, num_hidden_layers=6, num_attention_heads=2,
                 num_key_value_heads=1, head_dim=8, intermediate_size=24, max_position_embeddings=64)
    config = transformers.Gemma3TextConfig(**small, query_pre_attn_scalar=8, sliding_window=5)
    state = family("gemma3", config, 27,
                   [("linear", {"rope_scaling": {"rope_type": "linear", "factor": 4.0},
                                "query_pre_attn_scalar": 20})],
                   write_gguf=gguf_writer("gemma3", lambda w, c: w.add_sliding_window(c.sliding_window)))
    # The language model of a checkpoint with a vision part, as published: few fields in text_config.
    folder = HERE / "gemma3_nested"
    folder.mkdir()
    text = json.loads((HERE / "gemma3" / "config.json").read_text())
    for key in ("architectures", "layer_types", "transformers_version", "vocab_size", "hidden_activation"):
        text.pop(key, None)
    (folder / "config.json").write_text(json.dumps(
        {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
         "text_config": text}, indent=2) + "\n")
    save_file({"language_model." + k: v for k, v in state.items() if k != "lm_head.weight"},
              folder / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
