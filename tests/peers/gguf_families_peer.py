"""llama.cpp computes the same for every family of decoders: small models with random weights, made with
transformers, exported to GGUF. Weights are large, so that a wrong norm, position or window shows."""

import os
import sys

import torch
import transformers

import gguf_llamacpp_peer as gguf
import peer

WINDOW = 256
WINDOWS = 4
LIMIT = 0.005
SIZES = {"vocab_size": 49152, "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
         "num_key_value_heads": 2, "intermediate_size": 96, "max_position_embeddings": 512,
         "head_dim": 16, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
GEMMA = {**SIZES, "num_hidden_layers": 7, "sliding_window": 64, "query_pre_attn_scalar": 16}
FAMILIES = {
    "gpt2": ("GPT2", {"vocab_size": 49152, "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 512,
                      "bos_token_id": 1, "eos_token_id": 2}),
    "llama": ("Llama", SIZES),
    "llama with its own head": ("Llama", {**SIZES, "tie_word_embeddings": False}),
    "llama3 rope": ("Llama", {**SIZES, "rope_theta": 500000.0, "rope_scaling": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 128}}),
    "llama, linear rope": ("Llama", {**SIZES, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
    "mistral": ("Mistral", {**SIZES, "sliding_window": None}),
    "qwen2": ("Qwen2", {key: value for key, value in SIZES.items() if key != "head_dim"}),
    "qwen3": ("Qwen3", {**SIZES, "head_dim": 32}),
    "gemma2": ("Gemma2", {**GEMMA, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}),
    "gemma3": ("Gemma3Text", GEMMA),
}
CLASSES = {"GPT2": "GPT2LMHeadModel", "Gemma3Text": "Gemma3ForCausalLM"}
UNTOUCHED = '{"version": 1}'
THIRD = '{"version": 1, "defaults": {"prune": [{"method": "l1", "pattern": "neurons", "ratio": 0.33}]}}'


def make(options, tokenizer, name, kind, values):
    """A folder as transformers writes it, with the tokenizer of another model."""
    torch.manual_seed(7)
    config = getattr(transformers, kind + "Config")(**{"tie_word_embeddings": True, **values})
    model = getattr(transformers, CLASSES.get(kind, kind + "ForCausalLM"))(config).float()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or "ln_" in parameter_name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            elif parameter.dim() > 1:
                parameter.copy_(torch.randn_like(parameter) * 0.15)
            else:
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    folder = os.path.join(options.work, name.replace(" ", "-").replace(",", ""))
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
    return folder


def main():
    options = peer.arguments()
    text = os.path.join(peer.sample(options, "wikitext2"), "test.txt")
    source = os.path.join(peer.sample(options, "smollm2-135m"), "SmolLM2-135M-Instruct.Q4_1.gguf")
    tokenizer = os.path.join(options.work, "tokenizer")
    peer.pareto(options, "optimize", source, "--recipe",
                '{"version": 1, "defaults": {"prune": {"method": "l1", "pattern": "blocks", '
                '"ratio": 0.9}}}', "--out", tokenizer)
    fine = True
    for name, (kind, values) in FAMILIES.items():
        folder = make(options, tokenizer, name, kind, values)
        if not peer.succeeds(options, "inspect", folder):
            print(f"{name:24} is no family that the program opens")
            continue
        for what, recipe in (("", UNTOUCHED), (", pruned", THIRD)):
            model = gguf.exported_as(options, folder, name + what, recipe, "gguf:f32")
            ours = gguf.our_perplexity(options, model if not what else folder, text, WINDOW, WINDOWS,
                                       recipe)
            theirs = gguf.their_perplexity(options, model, text, WINDOW, WINDOWS)
            near = abs(theirs / ours - 1) <= LIMIT  # a NaN is not
            fine = fine and near
            print(f"{name + what:32} ours {ours:12.2f}  llama.cpp {theirs:12.2f}  "
                  f"{theirs / ours - 1:+9.3%}{'' if near else '  NO'}", flush=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
