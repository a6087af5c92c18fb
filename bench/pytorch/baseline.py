#!/usr/bin/env python3
"""Times a FewStep model folder in PyTorch, as `FewStep.Bench device` does in FewStep: sampling, training update and Phase 2 update in bfloat16 with channels-last features.

    python bench/pytorch/baseline.py --model models/cifar10 [--device cuda] [--batch 64] [--compile] [--float32]
    python bench/pytorch/baseline.py --model models/cifar10 --reference FILE.npz

The second form writes what the network makes of random inputs, in float32, for `fewstep verify --model models/cifar10 --reference FILE.npz`.
Needs PyTorch and NumPy, and reads models of the kinds SongUNet (DDPM++) and DhariwalUNet (ADM) with EDM preconditioning. docs/gpu.md says how the figures are meant.
"""

import argparse
import copy
import json
import math
import os
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

STEPS = 8  # of the sampler and of the schedule that Phase 2 tunes to
SUBSTEPS = 4  # of the teacher between two sigmas
REUSE = 4  # updates that a path of the teacher serves


class Norm(nn.GroupNorm):
    def __init__(self, channels, epsilon):
        super().__init__(min(32, channels // 4), channels, eps=epsilon)


class Resampled(nn.Module):
    """A convolution after the features were doubled or halved by the box filter [1, 1]; without a kernel the resampling alone."""

    def __init__(self, inputs, outputs, kernel, up=False, down=False):
        super().__init__()
        self.up, self.down = up, down
        if kernel:
            self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
            self.bias = nn.Parameter(torch.empty(outputs))
        else:
            self.weight = None

    def forward(self, x):
        if self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        if self.down:
            x = F.avg_pool2d(x, 2)
        return x if self.weight is None else F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2)


class Block(nn.Module):
    """Residual block with self-attention of either architecture."""

    def __init__(self, adm, inputs, outputs, embedding, dropout, attention=False, up=False, down=False):
        super().__init__()
        epsilon = 1e-5 if adm else 1e-6
        self.adm, self.dropout, self.scale = adm, dropout, 1 if adm else math.sqrt(0.5)
        self.heads = 0 if not attention else outputs // 64 if adm else 1
        self.norm0 = Norm(inputs, epsilon)
        self.conv0 = Resampled(inputs, outputs, 3, up, down)
        self.affine = nn.Linear(embedding, outputs * (2 if adm else 1))
        self.norm1 = Norm(outputs, epsilon)
        self.conv1 = Resampled(outputs, outputs, 3)
        self.skip = None
        if inputs != outputs or up or down:
            self.skip = Resampled(inputs, outputs, 1 if inputs != outputs or not adm else 0, up, down)
        if self.heads:
            self.norm2 = Norm(outputs, epsilon)
            self.qkv = nn.Conv2d(outputs, outputs * 3, 1)
            self.proj = nn.Conv2d(outputs, outputs, 1)

    def forward(self, x, embedding):
        h = self.conv0(F.silu(self.norm0(x)))
        modulation = self.affine(embedding).to(h.dtype)[:, :, None, None]
        if self.adm:
            scale, shift = modulation.chunk(2, dim=1)
            h = F.silu(torch.addcmul(shift, self.norm1(h), scale + 1))
        else:
            h = F.silu(self.norm1(h + modulation))
        h = self.conv1(F.dropout(h, self.dropout, self.training))
        h = (h + (x if self.skip is None else self.skip(x))) * self.scale
        return (h + self.proj(self.attend(h))) * self.scale if self.heads else h

    def attend(self, x):
        b, c, height, width = x.shape
        q, k, v = self.qkv(self.norm2(x)).reshape(b, self.heads, c // self.heads, 3, height * width).permute(3, 0, 1, 4, 2)
        if hasattr(F, "scaled_dot_product_attention"):
            h = F.scaled_dot_product_attention(q, k, v)
        else:
            h = torch.softmax((q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1]), dim=-1) @ v
        return h.transpose(-1, -2).reshape(b, c, height, width)


class UNet(nn.Module):
    def __init__(self, o, adm):
        super().__init__()
        defaults = dict(model_channels=192, channel_mult=[1, 2, 3, 4], num_blocks=3, attn_resolutions=[32, 16, 8]) if adm else dict(
            model_channels=128, channel_mult=[1, 2, 2, 2], num_blocks=4, attn_resolutions=[16])
        plain = dict(embedding_type="positional", encoder_type="standard", decoder_type="standard", resample_filter=[1, 1],
                     augment_dim=0, channel_mult_noise=1, channels_per_head=64, heads=None, norm_groups=None, scale_shift=True)
        for name, usual in plain.items():
            if o.get(name) not in (None, usual):
                sys.exit(f"The baseline knows {name} = {usual} only, not {o[name]}.")
        o = {**defaults, "channel_mult_emb": 4, "dropout": 0.1, "label_dim": 0, **o}
        width, mult, self.adm, self.classes = o["model_channels"], o["channel_mult"], adm, o["label_dim"]
        embedding = width * o["channel_mult_emb"]
        side = lambda level: o["img_resolution"] >> level
        attends = lambda level: side(level) in o["attn_resolutions"]
        block = lambda i, u, **more: Block(adm, i, u, embedding, o["dropout"], **more)
        self.half = width // 2
        self.map_layer0, self.map_layer1 = nn.Linear(width, embedding), nn.Linear(embedding, embedding)
        if self.classes:
            self.map_label = nn.Linear(self.classes, embedding if adm else width, bias=not adm)
        self.enc, self.dec = nn.ModuleDict(), nn.ModuleDict()
        channels = width * mult[0] if adm else width
        self.enc[f"{side(0)}x{side(0)}_conv"] = nn.Conv2d(o["in_channels"], channels, 3, padding=1)
        skips, last = [channels], len(mult) - 1
        for level in range(len(mult)):
            name = f"{side(level)}x{side(level)}"
            if level:
                self.enc[f"{name}_down"] = block(channels, channels, down=True)
                skips.append(channels)
            for i in range(o["num_blocks"]):
                self.enc[f"{name}_block{i}"] = block(channels, width * mult[level], attention=attends(level))
                channels = width * mult[level]
                skips.append(channels)
        for level in range(last, -1, -1):
            name = f"{side(level)}x{side(level)}"
            if level == last:
                self.dec[f"{name}_in0"] = block(channels, channels, attention=True)
                self.dec[f"{name}_in1"] = block(channels, channels)
            else:
                self.dec[f"{name}_up"] = block(channels, channels, up=True)
            for i in range(o["num_blocks"] + 1):
                attention = attends(level) and (adm or i == o["num_blocks"])
                self.dec[f"{name}_block{i}"] = block(channels + skips.pop(), width * mult[level], attention=attention)
                channels = width * mult[level]
        if adm:
            self.out_norm, self.out_conv = Norm(channels, 1e-5), nn.Conv2d(channels, o["out_channels"], 3, padding=1)
        else:
            self.dec[f"{side(0)}x{side(0)}_aux_norm"] = Norm(channels, 1e-6)
            self.dec[f"{side(0)}x{side(0)}_aux_conv"] = nn.Conv2d(channels, o["out_channels"], 3, padding=1)

    def forward(self, x, noise, labels):
        exponents = torch.arange(self.half, dtype=torch.float32, device=noise.device) / (self.half - (0 if self.adm else 1))
        angles = noise.float().outer((1 / 10000) ** exponents)
        kind = self.map_layer0.weight.dtype
        waves = [angles.cos(), angles.sin()]
        e = torch.cat(waves if self.adm else waves[::-1], dim=1).to(kind)
        if self.adm:
            e = self.map_layer1(F.silu(self.map_layer0(e)))
            e = F.silu(e + self.map_label(labels.to(kind)) if self.classes else e)
        else:
            e = e + self.map_label(labels.to(kind) * math.sqrt(self.classes)) if self.classes else e
            e = F.silu(self.map_layer1(F.silu(self.map_layer0(e))))
        skips = []
        for layer in self.enc.values():
            x = layer(x, e) if isinstance(layer, Block) else layer(x)
            skips.append(x)
        layers = list(self.dec.values())
        for layer in layers if self.adm else layers[:-2]:
            x = layer(torch.cat([x, skips.pop()], dim=1) if layer.norm0.num_channels != x.shape[1] else x, e)
        norm, out = (self.out_norm, self.out_conv) if self.adm else layers[-2:]
        return out(F.silu(norm(x)))


class Denoiser(nn.Module):
    """EDM preconditioning around the network, which computes in the type of its weights."""

    def __init__(self, folder):
        super().__init__()
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        adm = "song_unet" not in config
        options = config.get("song_unet") or config.get("dhariwal_unet") or sys.exit("The baseline knows song_unet and dhariwal_unet only.")
        rules = config["preconditioning"]
        if rules["kind"] != "edm":
            sys.exit(f"The baseline knows the preconditioning edm only, not {rules['kind']}.")
        self.network = UNet(options, adm)
        self.data, self.least, self.most = rules["sigma_data"], rules["sigma_min"], rules["sigma_max"]
        self.classes = self.network.classes
        self.patch, self.shape = config.get("patch_size", 1), [config["shape"][k] for k in ("channels", "height", "width")]
        path = os.path.join(folder, "model.safetensors")
        if os.path.exists(path):
            self.network.load_state_dict(read_safetensors(path, set(self.network.state_dict())))
        else:
            print("No weights in the folder: random ones, which take as long.")
            generator = torch.Generator().manual_seed(0)
            for weight in self.network.parameters():
                nn.init.normal_(weight, std=0.02) if weight.ndim > 1 else nn.init.ones_(weight)

    def forward(self, x, sigma, labels):
        kind = self.network.map_layer0.weight.dtype
        s = sigma.reshape(-1, 1, 1, 1)
        spread = (s * s + self.data**2).sqrt()
        inner = (x / spread).to(kind)
        inner = F.pixel_unshuffle(inner, self.patch) if self.patch > 1 else inner
        out = self.network(inner.contiguous(memory_format=torch.channels_last), sigma.log() / 4, labels)
        out = F.pixel_shuffle(out, self.patch) if self.patch > 1 else out
        return x * (self.data / spread) ** 2 + out.float() * (s * self.data / spread)


def read_safetensors(path, wanted):
    kinds = {"F32": (torch.float32, 4), "F16": (torch.float16, 2), "BF16": (torch.bfloat16, 2)}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = bytearray(file.read())
    found = {}
    for name in wanted:
        kind, _ = kinds[header[name]["dtype"]]
        first, end = header[name]["data_offsets"]
        found[name] = torch.frombuffer(body[first:end], dtype=kind).reshape(header[name]["shape"]).float()
    return found


def karras(denoiser, steps):
    low, high = denoiser.least ** (1 / 7), denoiser.most ** (1 / 7)
    return torch.linspace(high, low, steps + 1, dtype=torch.float64) ** 7


class Measurement:
    def __init__(self, denoiser, device, batch, kind, compiled):
        self.device, self.batch = device, batch
        self.student = denoiser.to(device, kind).to(memory_format=torch.channels_last).train()
        self.frozen = copy.deepcopy(self.student).requires_grad_(False).eval()
        self.parameters = list(self.student.parameters())
        self.master = [p.detach().float() for p in self.parameters]
        if compiled:
            self.student.network = torch.compile(self.student.network)
            self.frozen.network = torch.compile(self.frozen.network)
        self.sigmas = karras(denoiser, STEPS).to(device, torch.float32)
        self.labels = F.one_hot(torch.arange(batch) % max(denoiser.classes, 1), max(denoiser.classes, 1)).float().to(device)
        self.latents = torch.randn(batch, *denoiser.shape, device=device) * self.sigmas[0]
        self.images = torch.randn(batch, *denoiser.shape, device=device).clamp(-1, 1)
        fused = {"fused": True} if device.type == "cuda" else {}
        self.optimizer = torch.optim.AdamW(self.master, lr=1e-6, weight_decay=0, **fused)
        self.average = [p.clone() for p in self.master]
        self.updates = 0

    def euler(self, x, i, D):
        return torch.lerp(D, x, float(self.sigmas[i + 1] / self.sigmas[i]))

    def at(self, i):
        return self.sigmas[i].expand(self.batch)

    @torch.no_grad()
    def sample(self):
        x = self.latents
        for i in range(STEPS):
            x = self.euler(x, i, self.frozen(x, self.at(i), self.labels))
        return x

    @torch.no_grad()
    def step(self):
        """Weights, moments and average are float32; the network has a copy in its own type."""
        for master, parameter in zip(self.master, self.parameters):
            master.grad = parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(self.master, 1.0)
        self.optimizer.step()
        torch._foreach_mul_(self.average, 0.999)
        torch._foreach_add_(self.average, self.master, alpha=0.001)
        for master, parameter in zip(self.master, self.parameters):
            parameter.copy_(master)

    def train(self):
        data = self.student.data
        sigma = (torch.randn(self.batch, device=self.device) * 1.2 - 1.2).exp()
        s = sigma.reshape(-1, 1, 1, 1)
        noisy = self.images + torch.randn_like(self.images) * s
        D = self.student(noisy, sigma, self.labels)
        loss = ((D - self.images) ** 2 * (s * s + data**2) / (s * data) ** 2).mean()
        loss.backward()
        self.step()

    @torch.no_grad()
    def path(self):
        """States of a fine Euler path at the schedule's sigmas; its solver costs what FewStep's teacher costs, an evaluation a step."""
        x, states = self.latents, [self.latents]
        for i in range(STEPS):
            fine = torch.exp(torch.lerp(self.sigmas[i].log(), self.sigmas[i + 1].log(), torch.linspace(0, 1, SUBSTEPS + 1, device=self.device)))
            for a, b in zip(fine[:-1], fine[1:]):
                D = self.frozen(x, a.expand(self.batch), self.labels)
                x = torch.lerp(D, x, b / a)
            states.append(x)
        return states

    def tune(self):
        if self.updates % REUSE == 0:
            self.states = self.path()
        self.updates += 1
        x = self.states[0]
        for i in range(STEPS):
            D = self.student(x, self.at(i), self.labels)
            following = self.euler(x, i, D)
            ((following - self.states[i + 1]) ** 2).mean().backward()
            x = following.detach()
        self.step()


def seconds(device, work, multiple=1):
    """Mean over enough runs for some two seconds, after warming up."""

    def timed(times):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(times):
            work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) / times

    timed(multiple)
    once = min(timed(multiple), timed(multiple))
    return timed(multiple * max(1, min(1000, round(2 / once / multiple))))


def multiply_adds(denoiser):
    """Of one evaluation of one image: convolutions, linear layers, attention."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        if isinstance(module, Resampled) and module.weight is None:
            return
        weights = module.weight.shape[1:].numel()
        # A 1x1 convolution of doubled pixels need not be made for each of them.
        total += output.numel() * weights // (4 if getattr(module, "up", False) and module.weight.shape[-1] == 1 else 1)

    def attention(module, inputs, output):
        nonlocal total
        if module.heads:
            total += 2 * output.numel() * output.shape[2] * output.shape[3]

    hooks = []
    for module in denoiser.network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, Resampled)):
            hooks.append(module.register_forward_hook(count))
        elif isinstance(module, Block):
            hooks.append(module.register_forward_hook(attention))
    with torch.no_grad():
        denoiser(torch.zeros(1, *denoiser.shape), torch.ones(1), torch.zeros(1, max(denoiser.classes, 1)))
    for hook in hooks:
        hook.remove()
    return total


def measure(arguments):
    device = torch.device(arguments.device)
    kind = torch.float32 if arguments.float32 else torch.bfloat16
    torch.backends.cudnn.benchmark = True
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
    print(f"PyTorch {torch.__version__} on {name}, {str(kind)[6:]}{', compiled' if arguments.compile else ''}")
    edge = 8192 if device.type == "cuda" else 2048
    a = torch.randn(edge, edge, device=device).to(kind)
    peak = edge**3 / min(seconds(device, lambda: a @ a) for _ in range(3))
    print(f"matrix products: {2 * peak / 1e12:.2f} TFLOP/s")
    denoiser = Denoiser(arguments.model)
    forward = multiply_adds(denoiser)
    print(f"{sum(p.numel() for p in denoiser.parameters()):,} parameters, {forward / 1e9:.2f} billion multiply-adds an evaluation, batch {arguments.batch}")
    run = Measurement(denoiser, device, arguments.batch, kind, arguments.compile)

    def report(what, time, evaluations):
        print(f"{what}: {arguments.batch / time:.1f} images/s, {arguments.batch * evaluations * forward / time / peak:.0%} of the matrix products' rate", flush=True)

    report(f"sampling in {STEPS} evaluations", seconds(device, run.sample), STEPS)
    report("training update", seconds(device, run.train), 3)
    report(f"Phase 2 update on {STEPS} levels", seconds(device, run.tune, REUSE), STEPS * (3 + SUBSTEPS / REUSE))


def reference(arguments):
    denoiser = Denoiser(arguments.model).eval()
    generator = torch.Generator().manual_seed(0)
    sigma = torch.tensor([0.01, 0.05, 0.2, 1, 5, 20, 80])
    x = torch.randn(len(sigma), *denoiser.shape, generator=generator) * sigma.reshape(-1, 1, 1, 1)
    labels = F.one_hot(torch.arange(len(sigma)) % max(denoiser.classes, 1), max(denoiser.classes, 1)).float()
    with torch.no_grad():
        denoised = denoiser(x, sigma, labels)
    arrays = dict(x=x, sigma=sigma, denoised=denoised, **({"labels": labels} if denoiser.classes else {}))
    np.savez(arguments.reference, **{name: value.numpy() for name, value in arrays.items()})
    print(f"{arguments.reference}: {len(sigma)} images")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="model folder of FewStep")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--compile", action="store_true", help="also torch.compile the network")
    parser.add_argument("--float32", action="store_true", help="float32 in place of bfloat16")
    parser.add_argument("--reference", metavar="NPZ", help="write inputs and outputs for `fewstep verify` instead")
    arguments = parser.parse_args()
    reference(arguments) if arguments.reference else measure(arguments)


if __name__ == "__main__":
    main()
