"""Reads the two files of llama2.c: weights behind seven numbers, and pieces with scores."""
import struct

import numpy as np

BOS, EOS, FIRST_BYTE = 1, 2, 3
MARK = "\u2581"


def read_weights(path):
    """Sizes by name, and float32 arrays by llama2.c's names, matrices as [layer, out, in]."""
    raw = open(path, "rb").read()
    keys = ("dim", "hidden", "layers", "heads", "kv_heads", "vocab", "seq")
    sizes = dict(zip(keys, struct.unpack("<7i", raw[:28])))
    if sizes["vocab"] < 0:
        raise SystemExit("the head is not tied to the embedding: wanted a positive vocabulary size")
    dim, hidden, layers = sizes["dim"], sizes["hidden"], sizes["layers"]
    head = dim // sizes["heads"]
    kv = head * sizes["kv_heads"]
    shapes = {
        "embedding": (sizes["vocab"], dim), "att_norm": (layers, dim), "q": (layers, dim, dim), "k": (layers, kv, dim),
        "v": (layers, kv, dim), "o": (layers, dim, dim), "ffn_norm": (layers, dim), "w1": (layers, hidden, dim),
        "w2": (layers, dim, hidden), "w3": (layers, hidden, dim), "norm": (dim,),
        "cos": (sizes["seq"], head // 2), "sin": (sizes["seq"], head // 2),
    }
    weights, at = {}, 28
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        weights[name] = np.frombuffer(raw, "<f4", count, at).reshape(shape)
        at += 4 * count
    if at != len(raw):
        raise SystemExit(f"{len(raw)} bytes, wanted {at}")
    return sizes, weights


def read_pieces(path):
    """Pieces with marks for spaces, and their scores."""
    raw, at, pieces, scores = open(path, "rb").read(), 4, [], []
    while at < len(raw):
        score, length = struct.unpack("<fi", raw[at:at + 8])
        pieces.append(raw[at + 8:at + 8 + length].decode())
        scores.append(score)
        at += 8 + length
    pieces[BOS], pieces[EOS] = "<s>", "</s>"
    return [piece.replace(" ", MARK) for piece in pieces], scores
