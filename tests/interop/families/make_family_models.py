"""Makes small random models of families that no other reference covers, with the logits that transformers gives them,
and the gradients of one log-probability.

    pip install -r requirements.txt
    python make_family_models.py ../../../fixtures/goldens/families

Weights are stored as bfloat16; logits are computed in float64 from the stored values (transformers keeps rotary tables in
float32). The vocabulary has the 2560 tokens of fixtures/goldens/attribution/tokenizer.json.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = dict(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=44,
    vocab_size=2560,
    max_position_embeddings=128,
    tie_word_embeddings=True,
)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=10000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
MODELS = {
    "llama3-scaled": dict(model_type="llama", num_key_value_heads=2, head_dim=16, rope_parameters=LLAMA3, **SIZES),
    "llama-linear-biases": dict(
        model_type="llama",
        num_key_value_heads=4,
        attention_bias=True,
        mlp_bias=True,
        rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0),
        **SIZES,
    ),
    "mistral-window": dict(model_type="mistral", num_key_value_heads=2, sliding_window=24, **SIZES),
    "phi3": dict(model_type="phi3", num_key_value_heads=2, sliding_window=None, pad_token_id=0, **SIZES),
    "gpt_neox-sequential": dict(model_type="gpt_neox", use_parallel_residual=False, rotary_pct=0.5, **SIZES),
}
IDS = [45, 268, 1478, 12, 900, 33, 2001, 7, 7, 512, 1999, 64, 300, 2500, 18, 77, 1024, 5, 640, 91]

out = Path(sys.argv[1])
for seed, (name, fields) in enumerate(MODELS.items()):
    torch.manual_seed(seed)
    fields = dict(fields)
    config = AutoConfig.for_model(fields.pop("model_type"), **fields)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for key, value in model.named_parameters():
            # No unit norm, no zero bias, and peaked distributions.
            vector = value.dim() == 1
            value.copy_(torch.randn_like(value) * (0.3 if vector else 1.5 / value.shape[-1] ** 0.5))
            if vector and "norm" in key and key.endswith("weight"):
                value.add_(1.0)
    folder = out / name
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Loaded anew: converting a model also rounds its rotary frequencies.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    # Inputs of the blocks; the last hidden state is that behind the final norm.
    found = model(torch.tensor([IDS]), output_hidden_states=True)
    logits, inputs = found.logits[0], found.hidden_states[:-1]
    target = int(logits[-1].topk(3).indices[2])
    gradients = torch.autograd.grad(logits[-1].log_softmax(-1)[target], inputs)
    rounded = lambda values: [float(f"{x:.7g}") for x in values.tolist()]
    logits = logits.detach()
    case = dict(
        ids=IDS,
        logits=rounded(logits[-1]),
        top=[int(x) for x in logits.argmax(-1)],
        target=target,
        gradients=rounded(torch.stack(gradients).flatten()),
    )
    (folder / "case.json").write_text(json.dumps(case) + "\n")
    print(name, logits.std().item())
