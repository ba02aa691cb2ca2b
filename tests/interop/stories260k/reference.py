"""Runs a llama2.c model in numpy: the forward pass of run.c, step by step, in float64 and in float32.

usage: reference.py WEIGHTS_BIN PIECES_BIN OUT_JSON

OUT_JSON gets, for each prompt, its ids, the next 100 greedy ids and their text, and by how much the likeliest token of
every step led at least: a runner whose logits err by less than half of it finds the same tokens.
"""
import json
import sys

import numpy as np

from llama2c import BOS, EOS, FIRST_BYTE, MARK, read_pieces, read_weights

STEPS = 100
PROMPTS = ["", "Once upon a time", "Lily and Tom went to the park. They saw a big"]


def encode(text, pieces, scores):
    """run.c's encode: characters, or bytes of unknown ones, then the best neighbouring pair until none is a piece."""
    index = {piece: id for id, piece in enumerate(pieces)}
    ids = [BOS]
    marked = (" " + text if text else "").replace(" ", MARK)
    for character in marked:
        ids += [index[character]] if character in index else [byte + FIRST_BYTE for byte in character.encode()]
    while True:
        best, at = -1e10, None
        for i in range(len(ids) - 1):
            id = index.get(pieces[ids[i]] + pieces[ids[i + 1]])
            if id is not None and scores[id] > best:
                best, at = scores[id], (i, id)
        if at is None:
            return ids
        ids[at[0]:at[0] + 2] = [at[1]]


class Runner:
    def __init__(self, sizes, weights, dtype):
        self.sizes, self.keys, self.values = sizes, [], []
        self.w = {name: array.astype(dtype) for name, array in weights.items()}
        self.keys = [[] for _ in range(sizes["layers"])]
        self.values = [[] for _ in range(sizes["layers"])]

    def norm(self, x, weight):
        return x * weight / np.sqrt(np.mean(x * x) + x.dtype.type(1e-5))

    def rotate(self, x, pos):
        """Neighbouring pairs of every head, by the angles that the file holds."""
        cos, sin = self.w["cos"][pos], self.w["sin"][pos]
        even, odd = x[:, 0::2], x[:, 1::2]
        return np.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1).reshape(x.shape)

    def step(self, token, pos):
        s, w = self.sizes, self.w
        head = s["dim"] // s["heads"]
        share = s["heads"] // s["kv_heads"]
        x = w["embedding"][token]
        for layer in range(s["layers"]):
            h = self.norm(x, w["att_norm"][layer])
            q = self.rotate((w["q"][layer] @ h).reshape(-1, head), pos)
            self.keys[layer].append(self.rotate((w["k"][layer] @ h).reshape(-1, head), pos))
            self.values[layer].append((w["v"][layer] @ h).reshape(-1, head))
            keys, values = np.stack(self.keys[layer]), np.stack(self.values[layer])
            mixed = []
            for i in range(s["heads"]):
                scores = keys[:, i // share] @ q[i] / np.sqrt(x.dtype.type(head))
                weights = np.exp(scores - scores.max())
                mixed.append((weights / weights.sum()) @ values[:, i // share])
            x = x + w["o"][layer] @ np.concatenate(mixed)
            h = self.norm(x, w["ffn_norm"][layer])
            gate = w["w1"][layer] @ h
            x = x + w["w2"][layer] @ (gate / (1 + np.exp(-gate)) * (w["w3"][layer] @ h))
        return w["embedding"] @ self.norm(x, w["norm"])


def greedy(runner, prompt):
    ids, lead = list(prompt), np.inf
    for pos in range(len(prompt) + STEPS - 1):
        logits = runner.step(ids[pos], pos)
        if pos + 1 < len(prompt):
            continue
        second, first = np.argsort(logits)[-2:]
        lead = min(lead, float(logits[first] - logits[second]))
        ids.append(int(first))
    return ids[len(prompt):], lead


def text_of(ids, pieces):
    """run.c's decode, but for the space that it leaves out behind BOS: here the text is what follows the prompt."""
    raw = b""
    for id in ids:
        byte = FIRST_BYTE <= id < FIRST_BYTE + 256
        raw += bytes([id - FIRST_BYTE]) if byte else pieces[id].replace(MARK, " ").encode()
    return raw.decode()


def main(weights_path, pieces_path, out):
    sizes, weights = read_weights(weights_path)
    pieces, scores = read_pieces(pieces_path)
    cases = []
    for prompt in PROMPTS:
        ids = encode(prompt, pieces, scores)
        found, lead = greedy(Runner(sizes, weights, np.float64), ids)
        single, _ = greedy(Runner(sizes, weights, np.float32), ids)
        if found != single:
            raise SystemExit(f"float32 and float64 differ behind {prompt!r}: the leads are too small to compare")
        if BOS in found or EOS in found:
            raise SystemExit(f"the text behind {prompt!r} ends before {STEPS} tokens")
        cases.append({"prompt": prompt, "promptIds": ids, "ids": found, "text": text_of(found, pieces), "lead": lead})
        print(repr(prompt), repr(cases[-1]["text"]), lead)
    with open(out, "w") as file:
        json.dump(cases, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
