"""Writes tokenizers of every style and what Python `tokenizers` gives for varied strings.

usage: make_goldens.py STRINGS_JSON CORPUS_TXT OUT_DIR [LIMIT]

STRINGS_JSON   list of objects with `text`
CORPUS_TXT     text to train on
LIMIT          number of strings; all unless told

OUT_DIR gets `texts.json` and for each style `<style>.tokenizer.json` and `<style>.json`: for each text `ids` with the
template's tokens, `offsets` flat in UTF-16 code units, and `decoded` where it differs from the text.
"""
import json
import pathlib
import random
import sys

from tokenizers import Tokenizer

import styles

EXTRA = [
    "", " ", "  ", "\n", "a", " a", "a ", "\u2581", "\u2581\u2581a", " \u2581a", "it\u2019s IT'S we'LL I'\u017f '\u017f x'\u212a",
    "cafe\u0301 cafe\u0301\u0323 a\u0323\u0307b\u0307\u0323c", "\u1112\u1161\u11ab\u1100\u1161", "b\u0f75b \u0344\u0323x", "\u0958\u2126\u212b",
    "\u2adc\u0345\u0334\u0301e", "\uf900\ufb1d\ufb2c", "\u0301abc \u0323\u0301", "\U00011935\U00011930", "\u30cf\u309a\u30cf\u3099",
    "<s>a</s> <unk> b<s> <s>", "a<|im_end|>  \n b <|im_start|> user", "the France  France theParis Paris, Paris_", "  the  the the",
    "<0x41><0x0A> <0xZZ>", "12345678 \u0661\u0662\u0663\u0664 \u00bd\u2153 1a2b", "\U0001f642\U0001f642 x\U0001f469\u200d\U0001f467y \U00012000",
    "\ufffd\u0000\u0001\u007f", "a\r\n\r\n  b\n \n", "tabs\t\tand   runs    of     spaces      ", "\u3000x\u0085\ufeffy", "\U00011de0\U00016ff4",
]


def utf16(text):
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def golden(tokenizer, text):
    encoding = tokenizer.encode(text)
    places = utf16(text)
    decoded = tokenizer.decode(encoding.ids, skip_special_tokens=False)
    return {
        "ids": encoding.ids,
        "offsets": [places[end] for offset in encoding.offsets for end in offset],
        **({} if decoded == text else {"decoded": decoded}),
    }


def main(strings, corpus, out, limit=None):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    texts = [entry["text"] for entry in json.load(open(strings))]
    if limit is not None:
        short = [text for text in texts if len(text) <= 60]
        texts = random.Random(5).sample(short, int(limit))
    texts = EXTRA + texts
    training = open(corpus).read().splitlines()[:400] + [entry["text"] for entry in json.load(open(strings))][::3]
    json.dump(texts, open(out / "texts.json", "w"), indent=0)
    for name in styles.STYLES:
        file = json.dumps(styles.make(name, training), separators=(",", ":"))
        (out / f"{name}.tokenizer.json").write_text(file + "\n")
        tokenizer = Tokenizer.from_str(file)
        lines = [json.dumps(golden(tokenizer, text), separators=(",", ":")) for text in texts]
        (out / f"{name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
        print(name, tokenizer.get_vocab_size(), "ids,", len(texts), "texts")


if __name__ == "__main__":
    main(*sys.argv[1:])
