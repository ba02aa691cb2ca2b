"""Trains small SentencePiece models and writes what Python `sentencepiece` gives for varied strings.

usage: sentence_piece.py TEXTS_JSON STRINGS_JSON CORPUS_TXT OUT_JSON [LIMIT]

TEXTS_JSON     list of texts to encode
STRINGS_JSON   list of objects with `text`, to train on beside CORPUS_TXT

OUT_JSON gets, for each model, the metadata that a GGUF file of it would hold, and for each text its ids. `plain` has a
space put in front of every text; `tied` is the same with scores rounded, so that many are equal; `bare` puts no space
in front and has user-defined pieces.
"""
import io
import json
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

def train(lines, prefix, user_defined=()):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=900, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=prefix, split_digits=True,
        allow_whitespace_only_pieces=True, character_coverage=0.999, user_defined_symbols=list(user_defined),
        max_sentence_length=10000, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def tie(proto):
    tied = sentencepiece_model_pb2.ModelProto()
    tied.CopyFrom(proto)
    for piece in tied.pieces:
        piece.score = -(-piece.score // 40)
    return tied


def metadata(proto, prefix):
    key = "tokenizer.ggml."
    return {
        key + "model": "llama",
        key + "tokens": [piece.piece for piece in proto.pieces],
        key + "scores": [piece.score for piece in proto.pieces],
        key + "token_type": [piece.type for piece in proto.pieces],
        key + "bos_token_id": proto.trainer_spec.bos_id,
        key + "eos_token_id": proto.trainer_spec.eos_id,
        key + "unknown_token_id": proto.trainer_spec.unk_id,
        key + "add_space_prefix": prefix,
    }


def main(texts, strings, corpus, out, limit=None):
    texts = json.load(open(texts))[: int(limit) if limit else None]
    # Control tokens are text to this library; readers of files cut them out.
    texts = [text for text in texts if "s>" not in text and "<unk>" not in text]
    lines = open(corpus).read().splitlines()[:400] + [entry["text"].replace("\n", " ") for entry in json.load(open(strings))]
    # A small vocabulary holds common letters only; the others become bytes.
    lines = [line for line in lines if all(ord(character) < 0x180 for character in line)]
    plain = train(lines, True)
    models = {"plain": (plain, True), "tied": (tie(plain), True),
              "bare": (train(lines, False, ["\u2581\u2581", "\u2581\u2581\u2581", "Paris", "it's"]), False)}
    written = {"texts": texts}
    for name, (proto, prefix) in models.items():
        processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
        written[name] = {"metadata": metadata(proto, prefix), "ids": [processor.encode(text) for text in texts],
                         "decoded": [processor.decode(processor.encode(text)) for text in texts]}
    with open(out, "w") as file:
        json.dump(written, file, separators=(",", ":"))
        file.write("\n")
    print(len(texts), "texts,", {name: len(proto.pieces) for name, (proto, _) in models.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
