"""Holds model.py to the reference numbers of apps/parity/golden: outputs, losses and gradients, f32 on the processor.

    python3 benchmarks/pytorch/check.py      prints JSON; ends with 1 when something is further off than its bound

Weights and videos of the reference are made from their names (`procedural_generator` in manifest.json).
"""

import json
import math
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

from model import Classifier, MaskedAutoencoder, cubes_of, region_order, targets

GOLDEN = Path(__file__).resolve().parents[2] / "apps" / "parity" / "golden"
# As in apps/parity: the reference itself is this far from float64.
FORWARD, GRADIENT = 5e-6, 1e-5


def safetensors(name):
    data = (GOLDEN / f"{name}.safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    entries = {key: entry for key, entry in json.loads(data[8:start]).items() if key != "__metadata__"}
    if any(entry["dtype"] != "F32" for entry in entries.values()):
        raise ValueError(f"{name}.safetensors: only F32 is read here")

    def tensor(entry):
        begin, end = entry["data_offsets"]
        return torch.frombuffer(bytearray(data[start + begin : start + end]), dtype=torch.float32).view(entry["shape"])

    return {key: tensor(entry) for key, entry in entries.items()}


def stream(name, count):
    """The 64-bit values of a name, as int64, whose arithmetic wraps around as is wanted."""

    def signed(value):
        return value - 2**64 if value >= 2**63 else value

    def shifted(z, bits):
        return (z >> bits) & (2 ** (64 - bits) - 1)

    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) % 2**64
    z = signed(h) + torch.arange(1, count + 1) * signed(0x9E3779B97F4A7C15)
    z = (z ^ shifted(z, 30)) * signed(0xBF58476D1CE4E5B9)
    z = (z ^ shifted(z, 27)) * signed(0x94D049BB133111EB)
    return z ^ shifted(z, 31)


def parameter(name, shape):
    v = (((stream(name, math.prod(shape)) >> 40) & 0xFFFFFF) - 2**23).double() / 2**23
    *_, owner, leaf = ["", *name.split(".")]
    if "norm" in owner:
        v = 1 + 0.1 * v if leaf == "weight" else 0.05 * v
    elif leaf in ("bias", "q_bias", "v_bias"):
        v = 0.05 * v
    elif leaf in ("mask_token", "lg_region_tokens"):
        v = 0.5 * v
    else:
        v = v * math.sqrt(3 / math.prod(shape[1:]))
    return v.view(shape).float()


def published(name, shape):
    """The published tensors that make up a parameter of model.py: (name or None for zeros, shape) each."""
    path, _, leaf = name.rpartition(".")
    owner, is_lgi = path.rpartition(".")[0], "_attn." in path + "."
    if path.endswith("patch_embed"):
        return [(f"{path}.proj.{leaf}", shape)]
    if path.endswith("attn.qkv") or path.endswith("attn.kv") or path.endswith("attn.q"):
        kind, dim = path.rpartition(".")[2], shape[0] // len(path.rpartition(".")[2])
        if leaf == "bias":
            parts = {"q": f"{owner}.q_bias", "k": None, "v": f"{owner}.v_bias"}
            return [(parts[letter], (dim,)) for letter in kind]
        if kind == "qkv" and is_lgi:
            return [(f"{owner}.q.weight", (dim, dim)), (f"{owner}.kv.weight", (2 * dim, dim))]
    return [(name, shape)]


@torch.no_grad()
def load(model):
    for name, values in model.named_parameters():
        parts = published(name, tuple(values.shape))
        rows = [torch.zeros(shape) if key is None else parameter(key, shape) for key, shape in parts]
        values.copy_(torch.cat(rows))


def clips(name, count, config):
    size = config["imageSize"]
    shape = (count, 3, config["frames"], size, size)
    values = ((stream(name, math.prod(shape)) >> 56) & 0xFF).to(torch.uint8).view(shape)
    return cubes_of(values.permute(0, 2, 3, 4, 1).contiguous(), config)


class Differences(list):
    def compare(self, what, actual, expected, bound):
        actual, expected = actual.detach().double().flatten(), torch.as_tensor(expected).double().flatten()
        error = ((actual - expected).norm() / expected.norm().clamp_min(1e-12)).item()
        self.append({"what": what, "error": error, "bound": bound, "passed": error <= bound})

    def gradients(self, what, model, expected):
        for name, values in model.named_parameters():
            rows = 0
            for key, shape in published(name, tuple(values.shape)):
                gradient = torch.zeros_like(values) if values.grad is None else values.grad
                part = gradient[rows : rows + shape[0]]
                rows += shape[0]
                golden = expected.get(key, expected.get(f"grad.{key}"))
                # Zero but for rounding: the last block's third attention, which reaches no output.
                if key is not None and golden is not None and golden.norm() > 0:
                    self.compare(f"{what}: {key}", part, golden, GRADIENT)


def encoder_of(config, **overrides):
    depth = config.get("depth", config.get("encoder_depth"))
    return {
        "kind": "lgi-former",
        "frames": config.get("frames", config.get("num_frames")),
        "imageSize": config.get("size", config.get("img_size")),
        "tubeletSize": config.get("tubelet", config.get("tubelet_size")),
        "patchSize": config["patch_size"],
        "dim": config.get("dim", config.get("encoder_embed_dim")),
        "depth": depth,
        "heads": config.get("heads", config.get("encoder_heads")),
        "region": config.get("region", config.get("region_size")),
        **overrides,
    }


def vit(encoder):
    return {key: value for key, value in {**encoder, "kind": "vit"}.items() if key != "region"}


def visible_by_region(mask, encoder):
    """[B, M, S], in a region by time, row and column: regions of the full width hold equally many."""
    order = region_order(encoder)
    return torch.stack([torch.stack([r[m[r] == 0] for r in order]) for m in mask])


def tokens_where(mask, value):
    return torch.stack([torch.nonzero(m == value).flatten() for m in mask])


def check_classifier(seen, manifest):
    io, gradients = safetensors("finetune_tiny.io"), safetensors("finetune_tiny.grads")
    encoder = encoder_of(manifest["finetune_tiny"]["config"])
    model = Classifier(encoder, 7)
    load(model)
    logits, feature = model(clips("finetune_tiny.video", 2, encoder))
    seen.compare("fine-tuning: logits", logits, io["eval.logits"], FORWARD)
    seen.compare("fine-tuning: feature", feature, io["eval.feature"], FORWARD)
    loss = F.cross_entropy(logits, io["label"].long(), label_smoothing=0.1)
    seen.compare("fine-tuning: loss", loss, io["train.loss"][0], FORWARD)
    loss.backward()
    seen.gradients("fine-tuning: gradient", model, gradients)
    golden = safetensors("variants")
    for name, other in [("vit_joint", vit(encoder)), ("region_222", {**encoder, "region": [2, 2, 2]})]:
        model = Classifier(other, 7)
        load(model)
        logits, _ = model(clips("variants.video", 2, encoder))
        seen.compare(f"fine-tuning, {name}: logits", logits, golden[f"ft.{name}.logits"], FORWARD)


def check_autoencoder(seen, manifest):
    io, gradients = safetensors("pretrain_tiny.io"), safetensors("pretrain_tiny.grads")
    config = manifest["pretrain_tiny"]["config"]
    encoder = encoder_of(config)
    decoder = {name: config[f"decoder_{key}"] for name, key in (("dim", "embed_dim"), ("depth", "depth"), ("heads", "heads"))}
    cubes, mask = clips("pretrain_tiny.video", 2, encoder), io["mask"][0]
    visible, masked = visible_by_region(mask, encoder), tokens_where(mask, 1)
    target = targets(cubes, masked, encoder)
    seen.compare("pre-training: target", target, io["target"], FORWARD)
    model = MaskedAutoencoder(encoder, decoder)
    load(model)
    prediction = model(cubes, visible, masked, tokens_where(mask, 0))
    seen.compare("pre-training: prediction", prediction, io["pred"], FORWARD)
    loss = F.mse_loss(prediction, target)
    seen.compare("pre-training: loss", loss, io["loss"][0], FORWARD)
    loss.backward()
    seen.gradients("pre-training: gradient", model, gradients)
    own = model(cubes, visible, masked)
    seen.compare("pre-training, own positions: prediction", own[:, :4], io["alt_fixed_order.pred_first4"], FORWARD)
    seen.compare("pre-training, own positions: loss", F.mse_loss(own, target), io["alt_fixed_order.loss"], FORWARD)
    golden, encoder = safetensors("variants"), vit(encoder)
    model = MaskedAutoencoder(encoder, decoder)
    load(model)
    mask = golden["mask"]
    visible = visible_by_region(mask, encoder)
    prediction = model(clips("variants.video", 2, encoder), visible, tokens_where(mask, 1))
    seen.compare("pre-training, vit_joint: prediction", prediction[:, :4], golden["pt.vit_joint.pred_first4"], FORWARD)


def differences():
    manifest = json.loads((GOLDEN / "manifest.json").read_text())["cases"]
    seen = Differences()
    check_classifier(seen, manifest)
    check_autoencoder(seen, manifest)
    return seen


if __name__ == "__main__":
    found = differences()
    worst = max(found, key=lambda one: one["error"] / one["bound"])
    wrong = [one for one in found if not one["passed"]]
    print(json.dumps({"compared": len(found), "worst": worst, "wrong": wrong}, indent=2))
    sys.exit(1 if wrong else 0)
