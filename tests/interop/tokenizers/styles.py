"""Small tokenizers with the settings of the supported families, trained with Python `tokenizers`."""
import json

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

MERGES = 500
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = rf"{CONTRACTIONS}|{WORDS}|\p{{N}}{{1,3}}|{REST}"
QWEN2 = rf"{CONTRACTIONS}|{WORDS}|\p{{N}}|{REST}"
POSSESSIVE = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s"


def byte_level(prefix=False, trim=True, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(key, *steps):
    return {"type": "Sequence", key: list(steps)}


def template(token, id):
    return {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]}},
    }


def added(content, **flags):
    whole = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    return {"content": content, **whole, **flags}


MARK = "\u2581"
TO_MARK = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
FROM_MARK = {"type": "Replace", "pattern": {"String": MARK}, "content": " "}
PREPEND = {"type": "Prepend", "prepend": MARK}
PIECES = [FROM_MARK, {"type": "ByteFallback"}, {"type": "Fuse"}]
STRIPPED = sequence("decoders", *PIECES, {"type": "Strip", "content": " ", "start": 1, "stop": 0})
NFC = {"type": "NFC"}
MARKS = [added("<unk>"), added("<s>"), added("</s>")]


def metaspace(scheme, splits):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": splits}


def spaces(count):
    return added(" " * count, normalized=True, special=False)


# Each: the base that is trained, and what is then set in its file.
STYLES = {
    "gpt2": ("bytes", dict(pre_tokenizer=byte_level(), post_processor=byte_level(True, False))),
    "neox": ("bytes", dict(normalizer=NFC, pre_tokenizer=byte_level(), post_processor=byte_level(False, True),
                           more=[spaces(2), spaces(3), spaces(4)])),
    "smollm2": ("bytes", dict(pre_tokenizer=sequence("pretokenizers", {"type": "Digits", "individual_digits": True},
                                                     byte_level()))),
    "llama3": ("bytes", dict(
        pre_tokenizer=sequence("pretokenizers", split({"Regex": LLAMA3}), byte_level(False, True, False)),
        post_processor=sequence("processors", byte_level(True, False), template("<|endoftext|>", 0)),
        model=dict(ignore_merges=True))),
    "qwen2": ("bytes", dict(
        normalizer=NFC,
        pre_tokenizer=sequence("pretokenizers", split({"Regex": QWEN2}), byte_level(False, False, False)),
        post_processor=byte_level(False, False))),
    "possessive": ("bytes", dict(
        normalizer={"type": "NFKC"},
        pre_tokenizer=sequence("pretokenizers", split({"Regex": POSSESSIVE}, "Removed", True),
                               byte_level(True, True, False)),
        post_processor=byte_level(True, True),
        more=[added("Paris", single_word=True, special=False), added("the", lstrip=True, rstrip=True)])),
    "llama2": ("pieces", dict(normalizer=sequence("normalizers", PREPEND, TO_MARK), decoder=STRIPPED,
                              post_processor=template("<s>", 1))),
    "mistral": ("pieces", dict(pre_tokenizer=metaspace("first", False), decoder=STRIPPED,
                               post_processor=template("<s>", 1))),
    "phi3": ("pieces", dict(normalizer=sequence("normalizers", PREPEND, TO_MARK), decoder=STRIPPED,
                            more=[added("<|endoftext|>"), added("<|im_end|>", rstrip=True), added("<|im_start|>", rstrip=True),
                                  added("France", normalized=True, special=False, lstrip=True)])),
    "gemma": ("pieces", dict(normalizer=TO_MARK, pre_tokenizer=split({"String": " "}, "MergedWithPrevious"),
                             decoder=sequence("decoders", *PIECES))),
    "metaspace": ("letters", dict(pre_tokenizer=metaspace("always", True),
                                  decoder=dict(metaspace("always", True)))),
}


def train(base, corpus):
    """A BPE whose vocabulary holds bytes, or pieces with byte tokens, or pieces of common letters alone."""
    if base == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(QWEN2), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        tokenizer.decoder = decoders.ByteLevel()
        first, alphabet = ["<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet()
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=base == "pieces"))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        first = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if base == "pieces" else [])
        alphabet = [MARK]
    trainer = trainers.BpeTrainer(vocab_size=len(first) + MERGES + 256, special_tokens=first, initial_alphabet=alphabet,
                                  limit_alphabet=256 if base == "bytes" else 110, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = [token for token in file["added_tokens"] if not token["content"].startswith("<0x")]
    return file


def make(name, corpus):
    """The tokenizer.json of a style, parsed."""
    base, settings = STYLES[name]
    file = train(base, corpus)
    file["pre_tokenizer"] = None
    file["model"].update(settings.get("model", {}))
    for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        if key in settings:
            file[key] = settings[key]
    for token in settings.get("more", []):
        known = [other for other in file["added_tokens"] if other["content"] == token["content"]]
        id = file["model"]["vocab"].get(token["content"])
        size = max(len(file["model"]["vocab"]), *(other["id"] + 1 for other in file["added_tokens"]))
        file["added_tokens"] = [other for other in file["added_tokens"] if other not in known]
        file["added_tokens"].append({"id": size if id is None else id, **token})
    file["added_tokens"].sort(key=lambda token: token["id"])
    return file
