"""Loads exported folders with transformers and compares their logits with those beside them.

Call: python tests/interop/check_exported.py OUT, after export_edited.ts has filled OUT. Exits with 1 if one differs.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

# Largest error of a logit in f32, as in src/evaluation/conformance/forward_checks.ts.
TOLERANCE = 3e-4


def check(expected_path: Path) -> bool:
    folder = expected_path.with_name(expected_path.name.removesuffix("-expected.safetensors"))
    expected = load_file(expected_path)
    # No dtype is given: the folder's config must bring every weight up without rounding the edit.
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()
    dtypes = {str(p.dtype) for p in model.parameters()}
    with torch.no_grad():
        logits = model(expected["ids"].long()[None]).logits[0].float()
    scale = expected["logits"].abs().max().item()
    error = (logits - expected["logits"]).abs().max().item()
    moved = (expected["before"] - expected["logits"]).abs().max().item()
    good = error <= TOLERANCE and moved > 100 * TOLERANCE and dtypes == {"torch.float32"}
    tokenizer = "none"
    if (folder / "tokenizer.json").exists():
        # Where a folder names no class, AutoTokenizer takes that of the model type, which may bring rules of its own.
        named = (folder / "tokenizer_config.json").exists()
        kind = transformers.AutoTokenizer if named else transformers.PreTrainedTokenizerFast
        loaded = kind.from_pretrained(folder)
        wanted = json.loads(folder.with_name(f"{folder.name}-text.json").read_text())
        ids = loaded(wanted["text"])["input_ids"]
        good = good and ids == wanted["ids"]
        tokenizer = f"{len(loaded)} tokens, a text as {'the same' if ids == wanted['ids'] else 'other'} {len(ids)} tokens"
    print(
        f"{'ok  ' if good else 'FAIL'} {folder.name}: {model.config.model_type}, largest difference {error:.2e} "
        f"(logits up to {scale:.2f}, moved by the edit by up to {moved:.2f}), loaded as {', '.join(sorted(dtypes))}, "
        f"tokenizer {tokenizer}"
    )
    return good


if __name__ == "__main__":
    paths = sorted(Path(sys.argv[1]).glob("*-expected.safetensors"))
    if not paths:
        sys.exit(f"found no exported model in {sys.argv[1]}; run export_edited.ts first")
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    results = [check(path) for path in paths]
    sys.exit(0 if all(results) else 1)
