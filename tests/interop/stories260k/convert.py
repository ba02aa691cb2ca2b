"""Writes a llama2.c model as a Hugging Face folder.

usage: convert.py WEIGHTS_BIN PIECES_BIN OUT_DIR
"""
import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file

from llama2c import BOS, EOS, FIRST_BYTE, MARK, read_pieces, read_weights


def halves(rows, heads):
    """Rows for rotation of halves of a head, out of rows for rotation of neighbouring pairs."""
    out, dim = rows.shape
    return np.ascontiguousarray(rows.reshape(heads, out // heads // 2, 2, dim).swapaxes(1, 2).reshape(out, dim))


def tensors(sizes, w):
    named = {"model.embed_tokens.weight": w["embedding"], "model.norm.weight": w["norm"]}
    for layer in range(sizes["layers"]):
        prefix = f"model.layers.{layer}."
        named |= {
            prefix + "input_layernorm.weight": w["att_norm"][layer],
            prefix + "self_attn.q_proj.weight": halves(w["q"][layer], sizes["heads"]),
            prefix + "self_attn.k_proj.weight": halves(w["k"][layer], sizes["kv_heads"]),
            prefix + "self_attn.v_proj.weight": w["v"][layer],
            prefix + "self_attn.o_proj.weight": w["o"][layer],
            prefix + "post_attention_layernorm.weight": w["ffn_norm"][layer],
            prefix + "mlp.gate_proj.weight": w["w1"][layer],
            prefix + "mlp.down_proj.weight": w["w2"][layer],
            prefix + "mlp.up_proj.weight": w["w3"][layer],
        }
    return {name: np.ascontiguousarray(value) for name, value in named.items()}


def config(sizes):
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": sizes["dim"],
        "intermediate_size": sizes["hidden"], "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"], "num_key_value_heads": sizes["kv_heads"],
        "vocab_size": sizes["vocab"], "max_position_embeddings": sizes["seq"], "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0, "rope_scaling": None, "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
        "tie_word_embeddings": True, "bos_token_id": BOS, "eos_token_id": EOS, "torch_dtype": "float32",
    }


def merges(pieces, scores):
    """The piece of the highest score first; of its ways to be put together the one with the longest first half."""
    known = {piece for piece in pieces[FIRST_BYTE + 256:]}
    found = [(-score, i, piece[:i], piece[i:]) for piece, score in zip(pieces, scores) if piece in known
             for i in range(1, len(piece)) if piece[:i] in known and piece[i:] in known]
    return [[left, right] for _, _, left, right in sorted(found, key=lambda m: (m[0], -m[1]))]


def tokenizer(pieces, scores):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    to_mark = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
    from_mark = {"type": "Replace", "pattern": {"String": MARK}, "content": " "}
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    bos, text = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": id, "content": pieces[id], **flags} for id in range(3)],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK}, to_mark]},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing", "single": [bos, text], "pair": [bos, text],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [BOS], "tokens": ["<s>"]}},
        },
        "decoder": {"type": "Sequence", "decoders": [from_mark, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": pieces[0], "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
            "vocab": {piece: id for id, piece in enumerate(pieces)}, "merges": merges(pieces, scores),
        },
    }


def main(weights_path, pieces_path, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sizes, weights = read_weights(weights_path)
    save_file(tensors(sizes, weights), out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(config(sizes), indent=2) + "\n")
    (out / "tokenizer.json").write_text(json.dumps(tokenizer(*read_pieces(pieces_path)), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
