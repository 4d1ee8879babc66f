"""Times training steps of model.py for `npm run gpu:report`, which tells it what to do.

It prints what it runs on, and then answers each line of JSON with one of its own:

    {"open": {"encoder": {...}, "decoder": {...}, "task": "finetune" | "pretrain", "clips": n, "maskRatio": r,
              "precision": "tf32" | "bf16", "compiled": true | false}}    -> {"peakBytes": ...}
    {"take": n}     -> {"seconds": ...}, of each of n steps in a row, from the first call to the GPU having finished
    {"close": true} -> {}

What cannot be done is answered with {"error": ...}. A step uploads bytes, draws masks, runs forward and backward and
AdamW, and reads nothing back, as the engine's steps do. tf32 is f32 whose products round their inputs to TF32, where
the GPU has it; bf16 is autocast besides, with weights and moments in f32.
"""

import json
import sys
import time

try:
    import torch
    from torch.nn import functional as F
except ImportError as error:
    print(json.dumps({"error": f"{sys.executable}: {error}"}))
    sys.exit(1)

from check import differences
from model import Classifier, MaskedAutoencoder, cubes_of, draw_mask, targets

CLASSES = 7
# The first step compiles, and a few more choose algorithms and fill the pool of memory.
WARM_UP_STEPS = 3

has_gpu = torch.cuda.is_available()
device = torch.device("cuda" if has_gpu else "cpu")


def synchronize():
    if has_gpu:
        torch.cuda.synchronize()


def groups_of(model, depth, layer_decay, weight_decay=0.05):
    """Parameters by weight decay and, in fine-tuning, by learning rate, which falls from block to block."""
    groups = {}
    for name, values in model.named_parameters():
        block = name.split(".")[1] if name.startswith("blocks.") else None
        layer = 0 if name.startswith("patch_embed") else depth + 1 if block is None else int(block) + 1
        decay = 0.0 if values.ndim == 1 or name in ("mask_token", "lg_region_tokens") else weight_decay
        scale = layer_decay ** (depth + 1 - layer)
        group = groups.setdefault((decay, scale), {"params": [], "weight_decay": decay, "lr": 1e-6 * scale})
        group["params"].append(values)
    return list(groups.values())


class Training:
    def __init__(self, encoder, decoder, task, clips, maskRatio, precision, compiled):
        torch.manual_seed(0)
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
        self.encoder, self.mask_ratio, self.is_finetuning = encoder, maskRatio, task == "finetune"
        model = Classifier(encoder, CLASSES) if self.is_finetuning else MaskedAutoencoder(encoder, decoder)
        self.model = model.to(device)
        if compiled:
            # Blocks are alike: one of each kind is compiled, and the products outside of them are a few of hundreds.
            for module in self.model.modules():
                for block in getattr(module, "blocks", []):
                    block.compile(dynamic=False)
        layer_decay = 0.75 if self.is_finetuning else 1.0
        betas = (0.9, 0.999) if self.is_finetuning else (0.9, 0.95)
        groups = groups_of(self.model, encoder["depth"], layer_decay)
        self.optimiser = torch.optim.AdamW(groups, betas=betas, fused=True)
        shape = (clips, encoder["frames"], encoder["imageSize"], encoder["imageSize"], 3)
        self.frames = torch.randint(0, 256, shape, dtype=torch.uint8)
        if has_gpu:
            self.frames = self.frames.pin_memory()
        self.labels = torch.full((clips, CLASSES), 1 / CLASSES, device=device)

    def loss(self):
        cubes = cubes_of(self.frames.to(device, non_blocking=True), self.encoder)
        if self.is_finetuning:
            with self.autocast:
                logits, _ = self.model(cubes)
            return F.cross_entropy(logits.float(), self.labels)
        visible, masked = draw_mask(len(cubes), self.encoder, self.mask_ratio, device)
        target = targets(cubes, masked, self.encoder)
        with self.autocast:
            prediction = self.model(cubes, visible, masked)
        return F.mse_loss(prediction.float(), target)

    def take(self, steps):
        synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.loss()
            loss.backward()
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
        synchronize()
        seconds = (time.perf_counter() - start) / steps
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()}")
        return seconds


training = None


def answer(request):
    global training
    if "take" in request:
        return {"seconds": training.take(request["take"])}
    training = None
    torch._dynamo.reset()
    if has_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    if "close" in request:
        return {}
    training = Training(**request["open"])
    training.take(WARM_UP_STEPS)
    return {"peakBytes": torch.cuda.max_memory_allocated() if has_gpu else None}


if __name__ == "__main__":
    found = differences()
    torch.set_float32_matmul_precision("high")
    worst = max(found, key=lambda one: one["error"] / one["bound"])
    name = torch.cuda.get_device_name() if has_gpu else "processor"
    about = {"torch": torch.__version__, "cuda": torch.version.cuda, "device": name}
    agreement = {"compared": len(found), "worst": worst, "wrong": [one["what"] for one in found if not one["passed"]]}
    print(json.dumps({**about, "agreement": agreement}), flush=True)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # Whatever it is, the report says so and goes on without.
            training = None
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(reply), flush=True)
