"""Forward pass of a Llama model in plain torch, for prefill of one text and batched greedy decoding.

It is our own on purpose: as exact as `transformers` (a test compares), without its import time, and with control of
the key/value cache, so that nothing is read twice, neither a prompt nor what it begins with. `dtype` is that of the
matrix products inside the blocks; sums, norms, softmax and the output matrix are always fp32.

What is computed at a position depends on the text before it, to the last bit, and not on where reading began: a row of
a matrix product is the same among any `FEWEST` or more rows, and attention takes place in blocks of positions that are
always the same and always full. Architecture: Touvron et al. 2023 (arXiv
2302.13971); grouped queries: 2305.13245.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

BLOCK = 64  # positions per attention product; with more, too many scores are computed that the mask discards
FEWEST = 4  # rows of a matrix product; MKL adds up fewer in another order


class Layer(NamedTuple):
    """Weights of one block; q, k, v and gate, up are each one matrix."""

    norm: Tensor
    qkv: Tensor
    out: Tensor
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor


@dataclass
class Cache:
    """Keys and values, (layers, 2, rows, kv heads, tokens, head_dim), and the tokens in use of each row."""

    store: Tensor
    lengths: Tensor

    @classmethod
    def join(cls, parts: list[Tensor], room: int) -> Cache:
        """Batch of texts of different lengths, with room for more tokens."""
        lengths = torch.tensor([part.shape[3] for part in parts])
        layers, two, heads, _, width = parts[0].shape
        store = torch.zeros(layers, two, len(parts), heads, int(lengths.max()) + room, width)
        for row, part in enumerate(parts):
            store[:, :, row, :, : part.shape[3]] = part
        return cls(store, lengths)

    def keep(self, rows: list[int]) -> Cache:
        """The cache of some of the rows."""
        return Cache(self.store[:, :, rows], self.lengths[rows])


class Llama:
    """Weights in memory. All methods run without gradients."""

    def __init__(self, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.dtype = dtype
        weights = load_file(folder / "model.safetensors")
        self.heads: int = config["num_attention_heads"]
        self.kv_heads: int = config["num_key_value_heads"]
        self.width: int = config["head_dim"]
        self.context: int = config["max_position_embeddings"]
        self.end: int = config["eos_token_id"]
        self.eps: float = config["rms_norm_eps"]
        self.embedding = weights["model.embed_tokens.weight"]  # also the output matrix (tied)
        self.norm = weights["model.norm.weight"]
        self.layers = [_layer(weights, i, dtype) for i in range(config["num_hidden_layers"])]
        frequencies = config["rope_theta"] ** -(torch.arange(0, self.width, 2).float() / self.width)
        angles = torch.outer(torch.arange(self.context).float(), frequencies)
        self.cos = torch.cat([angles.cos(), angles.cos()], -1)
        self.sin = torch.cat([-angles.sin(), angles.sin()], -1)

    @torch.inference_mode()
    def prefill(self, ids: Tensor, keep: int, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read one text, (tokens,) int64.

        Args:
            keep: last positions whose logits are wanted.
            known: keys and values of the first tokens, of a text that begins the same; at least `keep` and `FEWEST`
                tokens are left to read.

        Returns:
            logits of the last `keep` positions (keep, vocabulary), and keys and values
            (layers, 2, kv heads, tokens, head_dim).
        """
        n, start = len(ids), 0 if known is None else known.shape[3]
        x, positions = self.embedding[ids[start:]], torch.arange(start, n)
        # keys behind the text are zeros that the mask hides, so that its last block is as wide as all others
        store = torch.zeros(len(self.layers), 2, self.kv_heads, n + -n % BLOCK, self.width)
        if known is not None:
            store[:, :, :, :start] = known
        for i, layer in enumerate(self.layers):
            q, k, v = self._qkv(x, layer, positions)
            store[i, 0, :, start:n], store[i, 1, :, start:n] = k.transpose(0, 1), v.transpose(0, 1)
            mixed = self._attend(q.transpose(0, 1), store[i, 0], store[i, 1], start)
            x = self._rest(x, mixed.transpose(0, 1), layer)
        return self.logits(x[-keep:]), store[:, :, :, :n]

    @torch.inference_mode()
    def step(self, ids: Tensor, cache: Cache) -> Tensor:
        """Read one more token per row, (rows,) int64; the cache grows by one. Returns logits (rows, vocabulary)."""
        x, rows = self.embedding[ids], torch.arange(len(ids))
        reach = int(cache.lengths.max()) + 1
        mask = (torch.arange(reach) <= cache.lengths[:, None])[:, None, None]
        for i, layer in enumerate(self.layers):
            q, k, v = self._qkv(x, layer, cache.lengths)
            cache.store[i, 0, rows, :, cache.lengths], cache.store[i, 1, rows, :, cache.lengths] = k, v
            keys, values = cache.store[i, 0, :, :, :reach], cache.store[i, 1, :, :, :reach]
            # queries that share a key head take the place of the text axis, so keys are not copied
            shared = q.view(len(ids), self.kv_heads, -1, self.width)
            mixed = F.scaled_dot_product_attention(shared, keys, values, attn_mask=mask)
            x = self._rest(x, mixed.reshape(len(ids), self.heads, self.width), layer)
        cache.lengths += 1
        return self.logits(x)

    def logits(self, x: Tensor) -> Tensor:
        """Final norm and the tied output matrix."""
        return F.linear(F.rms_norm(x, self.norm.shape, self.norm, self.eps), self.embedding)

    def _qkv(self, x: Tensor, layer: Layer, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mixed = _product(F.rms_norm(x, layer.norm.shape, layer.norm, self.eps), layer.qkv)
        mixed = mixed.view(len(x), -1, self.width)
        qk, v = mixed[:, : -self.kv_heads], mixed[:, -self.kv_heads :]
        rotated = qk * self.cos[positions][:, None] + qk.roll(self.width // 2, -1) * self.sin[positions][:, None]
        return rotated[:, : self.heads], rotated[:, self.heads :], v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, start: int) -> Tensor:
        """Causal attention of one text, (heads, tokens, head_dim) from (kv heads, whole blocks, head_dim).

        start: position of the first query.
        """
        skipped, new = start % BLOCK, q.shape[1]
        q = F.pad(q, (0, 0, skipped, k.shape[1] - start - new))
        q, k, v = q.to(self.dtype), k.to(self.dtype), v.to(self.dtype)
        parts = []
        for at in range(0, q.shape[1], BLOCK):
            end = start - skipped + at + BLOCK
            mask = torch.ones(BLOCK, end, dtype=torch.bool).tril(end - BLOCK)
            parts.append(self._block(q[:, at : at + BLOCK], k[:, :end], v[:, :end], mask))
        return torch.cat(parts, 1)[:, skipped : skipped + new].float()

    def _block(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        if self.dtype == torch.float32:
            return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask, enable_gqa=True)[0]
        # torch's kernel is no faster with bf16 than with fp32; plain products are 2.4 times faster
        scores = (q.reshape(self.kv_heads, -1, self.width) @ k.transpose(1, 2)).view(self.heads, *mask.shape)
        weights = (scores.float() * self.width**-0.5).masked_fill(~mask, -torch.inf).softmax(-1).to(self.dtype)
        return torch.matmul(weights.view(self.kv_heads, -1, k.shape[1]), v).view(q.shape)

    def _rest(self, x: Tensor, mixed: Tensor, layer: Layer) -> Tensor:
        x = x + _product(mixed.reshape(len(x), -1), layer.out)
        hidden = _product(F.rms_norm(x, layer.mlp_norm.shape, layer.mlp_norm, self.eps), layer.gate_up)
        gate, up = hidden.chunk(2, -1)
        return x + _product(F.silu(gate) * up, layer.down)


def _product(x: Tensor, matrix: Tensor) -> Tensor:
    return F.linear(x.to(matrix.dtype), matrix).float()


def _layer(weights: dict[str, Tensor], i: int, dtype: torch.dtype) -> Layer:
    def of(name: str) -> Tensor:
        return weights[f"model.layers.{i}.{name}.weight"]

    qkv = torch.cat([of(f"self_attn.{name}_proj") for name in "qkv"]).to(dtype)
    gate_up = torch.cat([of("mlp.gate_proj"), of("mlp.up_proj")]).to(dtype)
    out, down = of("self_attn.o_proj").to(dtype), of("mlp.down_proj").to(dtype)
    return Layer(of("input_layernorm"), qkv, out, of("post_attention_layernorm"), gate_up, down)
