"""LGI-Former (Sun et al., 2023), the ViT of VideoMAE, their classifier and their masked autoencoder, in PyTorch.

Written as somebody would who wants them fast: one product for queries, keys and values, fused attention, tokens put
into the order of the regions before they are embedded, and, in pre-training, only visible cubes embedded. What only
training needs (stochastic depth, initialisation, data) is left out: this is what the engine's steps are measured
beside. check.py holds it to the reference numbers of apps/parity/golden.

B clips, N tokens of a clip (M regions of S), C the width, K = 3 * 2 * 16 * 16 values of a cube (channel, frame, row,
column). Parameters have the names of the published checkpoints where they have the same shape.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def token_grid(encoder):
    tubes, patches = encoder["frames"] // encoder["tubeletSize"], encoder["imageSize"] // encoder["patchSize"]
    return tubes, patches, patches


def region_order(encoder):
    """[M, S]: the tokens of each region, numbered by time, row and column; a ViT is one region."""
    t, h, w = token_grid(encoder)
    a, b, c = encoder.get("region", (t, h, w))
    numbers = torch.arange(t * h * w).view(t // a, a, h // b, b, w // c, c)
    return numbers.permute(0, 2, 4, 1, 3, 5).reshape(-1, a * b * c)


def positions(count, width):
    """[count, width]: sines in even and cosines in odd columns, of the token's number."""
    column = torch.arange(width, dtype=torch.float64)
    angles = torch.arange(count, dtype=torch.float64)[:, None] / 10000 ** (2 * (column // 2) / width)
    return torch.where(column % 2 == 0, angles.sin(), angles.cos()).float()


def cubes_of(frames, encoder):
    """Bytes [B, T, H, W, 3] -> bytes [B, N, K]."""
    t, h, w = token_grid(encoder)
    p, q = encoder["tubeletSize"], encoder["patchSize"]
    split = frames.view(-1, t, p, h, q, w, q, 3).permute(0, 1, 3, 5, 7, 2, 4, 6)
    return split.reshape(frames.shape[0], t * h * w, 3 * p * q * q)


def rows_of(tokens, index):
    """tokens [B, N, C], index [B, ...] -> [B, ..., C]."""
    flat = index.flatten(1)[..., None].expand(-1, -1, tokens.shape[-1])
    return tokens.gather(1, flat).view(*index.shape, -1)


class Attention(nn.Module):
    """The bias of keys, which the published models do not have, cancels in the softmax: it changes nothing."""

    def __init__(self, dim, heads, is_cross=False):
        super().__init__()
        self.heads = heads
        if is_cross:
            self.q, self.kv = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        else:
            self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, context=None):
        def split(projected, parts):
            rows = projected.view(*projected.shape[:2], parts, self.heads, -1)
            return rows.permute(2, 0, 3, 1, 4).unbind(0)

        if context is None:
            q, k, v = split(self.qkv(x), 3)
        else:
            (q,), (k, v) = split(self.q(x), 1), split(self.kv(context), 2)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


def norm(dim):
    return nn.LayerNorm(dim, eps=1e-6)


class VitBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attn = norm(dim), Attention(dim, heads)
        self.norm2, self.mlp = norm(dim), Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class LgiBlock(nn.Module):
    """Within regions, among their representatives, from all tokens to these, and the MLP."""

    def __init__(self, dim, heads):
        super().__init__()
        self.first_attn_norm0, self.first_attn = norm(dim), Attention(dim, heads)
        self.second_attn_norm0, self.second_attn = norm(dim), Attention(dim, heads)
        self.third_attn_norm0, self.third_attn_norm1 = norm(dim), norm(dim)
        self.third_attn = Attention(dim, heads, is_cross=True)
        self.norm2, self.mlp = norm(dim), Mlp(dim)

    def forward(self, x, regions):
        """x [B * regions, 1 + S, C], the representative first."""
        dim = x.shape[-1]
        x = x + self.first_attn(self.first_attn_norm0(x))
        representatives = x[:, 0].reshape(-1, regions, dim)
        representatives = representatives + self.second_attn(self.second_attn_norm0(representatives))
        local = x[:, 1:].reshape(representatives.shape[0], -1, dim)
        context = self.third_attn_norm1(representatives)
        local = local + self.third_attn(self.third_attn_norm0(local), context)
        x = torch.cat([representatives.view(-1, 1, dim), local.view(x.shape[0], -1, dim)], dim=1)
        return x + self.mlp(self.norm2(x))


class Encoder(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        dim, heads = encoder["dim"], encoder["heads"]
        self.is_lgi = encoder["kind"] == "lgi-former"
        block = LgiBlock if self.is_lgi else VitBlock
        cube = 3 * encoder["tubeletSize"] * encoder["patchSize"] ** 2
        self.patch_embed = nn.Linear(cube, dim)
        self.blocks = nn.ModuleList(block(dim, heads) for _ in range(encoder["depth"]))
        if self.is_lgi:
            self.lg_region_tokens = nn.Parameter(0.02 * torch.randn(region_order(encoder).shape[0], dim))
        pixels = cube // 3
        self.register_buffer("mean", torch.tensor(MEAN).repeat_interleave(pixels), persistent=False)
        self.register_buffer("std", torch.tensor(STD).repeat_interleave(pixels), persistent=False)
        table = positions(math.prod(token_grid(encoder)), dim)
        self.register_buffer("positions", table, persistent=False)

    def forward(self, cubes, index):
        """Bytes [B, M, S, K] of the tokens that index [B or 1, M, S] names -> tokens [B, M, S, C], and the
        representatives [B, M, C] of an LGI-Former."""
        clips, regions, size, _ = cubes.shape
        x = self.patch_embed((cubes.float() / 255 - self.mean) / self.std) + self.positions[index]
        if not self.is_lgi:
            x = x.flatten(1, 2)
            for block in self.blocks:
                x = block(x)
            return x.view(clips, regions, size, -1), None
        first = self.lg_region_tokens[None, :, None].expand(clips, -1, -1, -1)
        x = torch.cat([first.to(x.dtype), x], dim=2).flatten(0, 1)
        for block in self.blocks:
            x = block(x, regions)
        x = x.view(clips, regions, 1 + size, -1)
        return x[:, :, 1:], x[:, :, 0]


class Classifier(Encoder):
    """The mean of representatives, or of all tokens of a ViT, a layer norm and a linear layer."""

    def __init__(self, encoder, classes):
        super().__init__(encoder)
        self.fc_norm, self.head = norm(encoder["dim"]), nn.Linear(encoder["dim"], classes)
        self.register_buffer("order", region_order(encoder), persistent=False)

    def forward(self, cubes):
        """Bytes [B, N, K] -> logits [B, classes] and features [B, C]."""
        tokens, representatives = super().forward(cubes[:, self.order], self.order[None])
        pooled = tokens.flatten(1, 2) if representatives is None else representatives
        feature = self.fc_norm(pooled.mean(1))
        return self.head(feature), feature


class MaskedAutoencoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        dim, width = encoder["dim"], decoder["dim"]
        self.encoder = Encoder(encoder)
        self.encoder.norm = norm(dim)
        self.encoder_to_decoder = nn.Linear(dim, width, bias=False)
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.decoder = nn.Module()
        self.decoder.blocks = nn.ModuleList(VitBlock(width, decoder["heads"]) for _ in range(decoder["depth"]))
        cube = 3 * encoder["tubeletSize"] * encoder["patchSize"] ** 2
        self.decoder.norm, self.decoder.head = norm(width), nn.Linear(width, cube)
        table = positions(math.prod(token_grid(encoder)), width)
        self.register_buffer("positions", table, persistent=False)

    def forward(self, cubes, visible, masked, decoder_order=None):
        """Bytes [B, N, K], numbers of visible tokens by region [B, M, S] and of masked ones [B, Q] -> [B, Q, K], the
        first frame of each cube and what the second differs by. The published models give the decoder the positions
        decoder_order [B, M * S] instead of those of the visible tokens."""
        tokens, _ = self.encoder(rows_of(cubes, visible), visible)
        seen = self.encoder_to_decoder(self.encoder.norm(tokens.flatten(1, 2)))
        order = visible.flatten(1) if decoder_order is None else decoder_order
        hidden = (self.mask_token + self.positions[masked]).to(seen.dtype)
        x = torch.cat([seen + self.positions[order], hidden], dim=1)
        for block in self.decoder.blocks:
            x = block(x)
        return self.decoder.head(self.decoder.norm(x[:, -masked.shape[1] :]))


def targets(cubes, masked, encoder):
    """What the autoencoder is to predict [B, Q, K]: masked cubes, each channel of each normalised over both frames;
    the first frame, and the second less the first, each as (row, column, channel)."""
    p, q = encoder["tubeletSize"], encoder["patchSize"]
    pixels = rows_of(cubes, masked).float().view(*masked.shape, 3, p, q * q) / 255
    mean, std = pixels.mean((-2, -1), keepdim=True), pixels.var((-2, -1), keepdim=True).sqrt()
    z = ((pixels - mean) / (std + 1e-6)).permute(0, 1, 3, 4, 2)
    return torch.cat([z[:, :, :1], z[:, :, 1:] - z[:, :, :1]], dim=2).flatten(2)


def draw_mask(clips, encoder, ratio, device):
    """Visible tokens by region [clips, M, S] and masked ones [clips, Q]: the same places in all frames, equally many
    in each region of a frame."""
    t, h, w = token_grid(encoder)
    a, b, c = encoder.get("region", (t, h, w))
    if c != w:
        raise ValueError(f"regions of {c} columns in rows of {w} cannot be masked here")
    windows, size = h // b, b * c
    hidden = int(ratio * size)
    order = torch.rand(clips, windows, size, device=device).argsort(-1)
    places = order + size * torch.arange(windows, device=device)[None, :, None]
    frames = h * w * torch.arange(t, device=device)
    # [clips, t, windows, places of a window]
    seen = places[:, None, :, hidden:] + frames[None, :, None, None]
    rest = places[:, None, :, :hidden] + frames[None, :, None, None]
    visible = seen.view(clips, t // a, a, windows, -1).transpose(2, 3).reshape(clips, t // a * windows, -1)
    return visible, rest.flatten(1)
