"""Makes the golden files of tests/engine/models/tst_seq2seq_golden and tst_sampling: what transformers
says of tiny encoder-decoder models with random weights, and what its logits processors leave.

Usage: make_seq2seq.py   (needs torch, transformers 4.57, gguf, safetensors). Deterministic.
"""
import json
import pathlib

import gguf
import numpy as np
import torch
from transformers import (LlamaForCausalLM, MarianConfig, MarianMTModel, MT5Config, MT5ForConditionalGeneration, T5Config,
                          T5ForConditionalGeneration)
from transformers.generation.logits_process import (LogitsProcessorList, MinPLogitsWarper,
                                                    NoRepeatNGramLogitsProcessor,
                                                    RepetitionPenaltyLogitsProcessor,
                                                    TemperatureLogitsWarper, TopKLogitsWarper,
                                                    TopPLogitsWarper)

HERE = pathlib.Path(__file__).parent
VOCABULARY = 72
LAST_NORM = ("decoder.final_layer_norm.weight", "decoder.layers.1.final_layer_norm.weight")
#: length penalty, early stopping, further arguments
BEAMS = [(1.0, False, {}), (1.0, False, {"no_repeat_ngram_size": 2}),
         (0.6, False, {"no_repeat_ngram_size": 1}), (2.0, False, {"no_repeat_ngram_size": 2}),
         (1.0, True, {"no_repeat_ngram_size": 1}), (-0.5, True, {"no_repeat_ngram_size": 2}),
         (1.0, False, {"repetition_penalty": 1.4}), (0.0, False, {"max_new_tokens": 5})]


def numbers(tensor):
    return [float(f"{v:.7g}") for v in np.asarray(tensor, dtype=np.float64).ravel()]


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def padded(ids, pad):
    longest = max(map(len, ids))
    tokens = torch.tensor([row + [pad] * (longest - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
    return tokens, mask


def made(model, sequences):
    """New tokens without the start, the stop token and what fills up."""
    out = []
    for row in sequences.tolist():
        ids = row[1:]
        eos = model.config.eos_token_id
        out.append(ids[:ids.index(eos)] if eos in ids else ids)
    return out


def draw(model, seed):
    """Random weights that do not make the same token again and again."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if p.dim() == 1 and "bias" not in name:
            p.data.normal_(1.0, 0.2, generator=generator)
        elif "bias" in name:
            p.data.normal_(0.0, 0.5, generator=generator)
        elif "embed_positions" not in name:
            p.data.normal_(0.0, 1.0 if "lm_head" in name else 0.4, generator=generator)
    if model.config.tie_word_embeddings:
        # What the token itself brings would drown the rest: it would come again and again.
        model.get_input_embeddings().weight.data.mul_(0.5)
        for name, p in model.named_parameters():
            if name.endswith(LAST_NORM):
                p.data.mul_(8.0)
    return model.eval()


def describe(name, model):
    rng = np.random.default_rng(17)
    pad, eos = model.config.pad_token_id, model.config.eos_token_id
    low = 2 if pad == 0 else 1
    sources = [rng.integers(low, VOCABULARY - 2, n).tolist() + [eos] for n in (1, 5, 13, 31)]
    target = [model.config.decoder_start_token_id] + rng.integers(low, VOCABULARY - 2, 22).tolist()
    tokens, mask = padded(sources, pad)
    out = {"sources": sources, "target": target, "states": [], "logits": [], "beams": []}
    with torch.no_grad():
        for source in sources[1:3]:
            result = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([target]))
            out["states"].append(numbers(result.encoder_last_hidden_state[0]))
            out["logits"].append([numbers(row) for row in result.logits[0]])
        common = {"attention_mask": mask, "do_sample": False, "max_new_tokens": 26}
        greedy = model.generate(tokens, num_beams=1, **common)
        out["greedy"] = made(model, greedy)
        for penalty, early, more in BEAMS:
            beams = model.generate(tokens, num_beams=4, length_penalty=penalty, early_stopping=early,
                                   return_dict_in_generate=True, output_scores=True,
                                   **{**common, **more})
            out["beams"].append({"length_penalty": penalty, "early_stopping": early, **more,
                                 "ids": made(model, beams.sequences),
                                 "scores": numbers(beams.sequences_scores)})
        penalized = model.generate(tokens, num_beams=1, repetition_penalty=1.5, no_repeat_ngram_size=3,
                                   **common)
        out["greedy_penalized"] = made(model, penalized)
    lengths = [len(ids) for entry in out["beams"] for ids in entry["ids"]]
    print(name, out["greedy"][2][:12], out["beams"][0]["ids"][2][:12])
    print(name, "greedy", [len(ids) for ids in out["greedy"]], "beams", lengths)
    write(f"{name}.json", out)


def t5_sizes():
    return dict(vocab_size=VOCABULARY, d_model=20, d_kv=6, d_ff=28, num_layers=3, num_decoder_layers=2,
                num_heads=3, relative_attention_num_buckets=8, relative_attention_max_distance=12,
                dropout_rate=0.0, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1)


def write_gguf(model):
    """The names and keys of llama.cpp's convert_hf_to_gguf.py (T5Model)."""
    config = model.config
    writer = gguf.GGUFWriter(HERE / "tiny_t5.gguf", "t5")
    writer.add_context_length(512)
    writer.add_embedding_length(config.d_model)
    writer.add_feed_forward_length(config.d_ff)
    writer.add_block_count(config.num_layers)
    writer.add_decoder_block_count(config.num_decoder_layers)
    writer.add_head_count(config.num_heads)
    writer.add_key_length(config.d_kv)
    writer.add_value_length(config.d_kv)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_relative_attn_buckets_count(config.relative_attention_num_buckets)
    writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
    writer.add_decoder_start_token_id(config.decoder_start_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_pad_token_id(config.pad_token_id)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.T5, 8)
    for name, value in model.state_dict().items():
        if "embed_tokens" in name or name == "lm_head.weight":
            continue
        theirs = names.get_name(name, try_suffixes=(".weight",))
        writer.add_tensor(theirs, value.numpy().astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def t5_models():
    plain = T5ForConditionalGeneration(T5Config(**t5_sizes(), feed_forward_proj="relu"))
    gated = T5ForConditionalGeneration(T5Config(**t5_sizes(), feed_forward_proj="gated-gelu",
                                                tie_word_embeddings=False))
    mt5 = MT5ForConditionalGeneration(MT5Config(**t5_sizes()))
    for name, model, seed in (("tiny_t5", plain, 3), ("tiny_t5_gated", gated, 4), ("tiny_mt5", mt5, 6)):
        draw(model, seed).save_pretrained(HERE / name, safe_serialization=True)
        describe(name, model)
    # llama.cpp knows one reach of the relative positions.
    config = T5Config(**{**t5_sizes(), "relative_attention_max_distance": 128}, feed_forward_proj="relu")
    model = draw(T5ForConditionalGeneration(config), 3)
    write_gguf(model)
    rng = np.random.default_rng(23)
    source, target = rng.integers(2, VOCABULARY, 40).tolist(), [0] + rng.integers(2, VOCABULARY, 9).tolist()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([target])).logits[0]
    write("tiny_t5_gguf.json", {"source": source, "target": target, "logits": [numbers(r) for r in logits]})


def marian():
    pad = VOCABULARY - 1
    config = MarianConfig(vocab_size=VOCABULARY, decoder_vocab_size=VOCABULARY, d_model=24,
                          encoder_layers=3, decoder_layers=2, encoder_attention_heads=3,
                          decoder_attention_heads=3, encoder_ffn_dim=28, decoder_ffn_dim=36,
                          activation_function="swish", max_position_embeddings=64, scale_embedding=True,
                          pad_token_id=pad, eos_token_id=0, forced_eos_token_id=0,
                          decoder_start_token_id=pad, bos_token_id=0, dropout=0.0)
    model = MarianMTModel(config)
    draw(model, 8)
    model.model.shared.weight.data.mul_(0.6)
    model.final_logits_bias.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(5))
    model.final_logits_bias[0, 0] += 1.5
    model.generation_config.bad_words_ids = [[pad]]
    model.generation_config.renormalize_logits = True
    model.generation_config.forced_eos_token_id = 0
    model.save_pretrained(HERE / "tiny_marian", safe_serialization=True)
    describe("tiny_marian", model)


def llama():
    """A decoder's beams, from the checkpoint of make_models.py."""
    model = LlamaForCausalLM.from_pretrained(HERE / "tiny_llama").eval()
    rng = np.random.default_rng(41)
    prompts = [[1] + rng.integers(3, 120, n).tolist() for n in (2, 6, 11)]
    out = {"prompts": prompts, "greedy": [], "beams": []}

    def new(prompt, **arguments):
        result = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=24,
                                pad_token_id=0, return_dict_in_generate=True, output_scores=True,
                                **arguments)
        ids = result.sequences[0, len(prompt):].tolist()
        scores = numbers(result.sequences_scores)[0] if "num_beams" in arguments else 0.0
        return (ids[:ids.index(2)] if 2 in ids else ids), scores

    with torch.no_grad():
        out["greedy"] = [new(prompt)[0] for prompt in prompts]
        for penalty, early in ((1.0, False), (0.4, True), (2.0, False)):
            made = [new(prompt, num_beams=3, length_penalty=penalty, early_stopping=early)
                    for prompt in prompts]
            out["beams"].append({"length_penalty": penalty, "early_stopping": early,
                                 "ids": [ids for ids, _ in made], "scores": [s for _, s in made]})
    write("generate_llama.json", out)


def sampling():
    generator = torch.Generator().manual_seed(29)
    scores = torch.randn(1, 40, generator=generator) * 2.5
    ids = torch.tensor([[3, 17, 9, 3, 17, 22, 3]])
    cases = []
    for settings in ({"temperature": 0.7}, {"temperature": 1.3, "top_k": 7},
                     {"temperature": 1.0, "top_p": 0.8}, {"temperature": 1.5, "min_p": 0.1},
                     {"temperature": 0.9, "top_k": 12, "top_p": 0.9, "min_p": 0.05},
                     {"temperature": 1.1, "repetition_penalty": 1.6},
                     {"temperature": 1.0, "no_repeat_ngram": 2},
                     {"temperature": 1.2, "repetition_penalty": 0.7, "no_repeat_ngram": 3, "top_p": 0.95}):
        chain = LogitsProcessorList()
        if "repetition_penalty" in settings:
            chain.append(RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
        if "no_repeat_ngram" in settings:
            chain.append(NoRepeatNGramLogitsProcessor(settings["no_repeat_ngram"]))
        chain.append(TemperatureLogitsWarper(settings["temperature"]))
        if "top_k" in settings:
            chain.append(TopKLogitsWarper(settings["top_k"]))
        if "top_p" in settings:
            chain.append(TopPLogitsWarper(settings["top_p"]))
        if "min_p" in settings:
            chain.append(MinPLogitsWarper(settings["min_p"]))
        probabilities = torch.softmax(chain(ids, scores.clone()), -1)[0]
        cases.append({**settings, "probabilities": numbers(probabilities)})
    write("sampling.json", {"scores": numbers(scores), "ids": ids[0].tolist(), "cases": cases})


def main():
    torch.set_num_threads(1)
    t5_models()
    marian()
    llama()
    sampling()


if __name__ == "__main__":
    main()
