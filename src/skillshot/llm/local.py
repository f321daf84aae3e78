"""The embedded model as an engine: deterministic, on the CPU, without a server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from skillshot.common.errors import EngineError
from skillshot.common.io import hash64
from skillshot.llm import weights
from skillshot.llm.engine import Capabilities, Completion, Decoding, Sampled, Scored, TooLongError, cut

if TYPE_CHECKING:
    from torch import Tensor

    from skillshot.llm.llama import Llama

NAME = "smollm2-135m"
PRECISIONS = ("fp32", "bf16")
BATCH = 16  # answers decoded together: 8 times as fast as one by one
KEPT = 24_576  # tokens whose keys and values `score` keeps for `complete`, at 46 kB each: 1.1 GB; 16 long prompts


class Read(NamedTuple):
    """A prompt that was read: its length in tokens, the first tokens of its answer, the logits after them, the keys."""

    tokens: int
    written: list[int]
    logits: Tensor
    store: Tensor


class EmbeddedEngine:
    """SmolLM2-135M-Instruct. An answer ends at a stop string or at `max_tokens`, never by the end token.

    No log-probability depends on the other prompts. Yet what two prompts begin with is read once: prompts are read in
    the order of their text, so that each shares as much as possible with the one before it, whose keys and values are
    kept. On x86 with the package's settings (`common.environment`), fp32 results are to the last bit those of each
    prompt read alone; elsewhere log-probabilities agree to about 5e-5.

    `score` also keeps the keys and values of up to `KEPT` tokens. A `complete` of the same prompts right after it does
    not read them again, and starts after the leading tokens in which the greedy answer agrees with the scored text.

    Raises:
        EngineError: an unknown precision; on first use, bf16 where the processor would emulate it.
    """

    def __init__(self, precision: str = "fp32") -> None:
        if precision not in PRECISIONS:
            raise EngineError(f"llm.precision: {precision!r} is unknown; use {' or '.join(PRECISIONS)}")
        self.precision = precision
        self._kept: dict[str, Read] = {}
        self._last: tuple[list[int], Tensor | None] = [], None  # the text read last, and its keys and values

    @property
    def model(self) -> str:
        """Name of the weights and of the number format."""
        return f"{NAME}/{weights.SHA256[:12]}/{self.precision}"

    @property
    def capabilities(self) -> Capabilities:
        """It scores and completes."""
        return Capabilities(scores=True, batch=BATCH)

    @cached_property
    def _model(self) -> Llama:
        import torch

        from skillshot.llm.llama import Llama

        if self.precision == "bf16":
            _refuse_emulation()
        return Llama(weights.unpacked(), torch.bfloat16 if self.precision == "bf16" else torch.float32)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(weights.unpacked() / "tokenizer.json"))

    @cached_property
    def _end(self) -> Tensor:
        import torch

        return torch.tensor([self._model.end])

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        """Log-probabilities from one forward pass over prompt and continuation, in the order of the texts.

        Raises:
            EngineError: an empty continuation, or a text over the context window.
        """
        import torch

        self._kept = {}
        pairs = list(zip(prompts, continuations, strict=True))
        for i in sorted(range(len(pairs)), key=pairs.__getitem__):
            began, (prompt, continuation) = time.perf_counter(), pairs[i]
            start, end = self._prompt(prompt), self.tokens(continuation)
            if not end:
                raise EngineError("score: the continuation is empty; give every query a rationale or an answer")
            logits, store = self._prefill(start + end, keep=len(end) + 1)
            logprobs = torch.log_softmax(logits[:-1].double(), -1)[torch.arange(len(end)), torch.tensor(end)]
            self._kept[prompt] = self._agreed(end, logits, store, len(start))
            while len(self._kept) > 1 and sum(read.store.shape[3] for read in self._kept.values()) > KEPT:
                del self._kept[next(iter(self._kept))]
            yield (
                i,
                Scored(tuple(round(value, 6) for value in logprobs.tolist()), len(start), time.perf_counter() - began),
            )

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Answers, BATCH prompts at a time; each is yielded when its batch is finished."""
        for start in range(0, len(prompts), BATCH):
            part = prompts[start : start + BATCH]
            began = time.perf_counter()
            answers = self._write(part, decoding)
            seconds = (time.perf_counter() - began) / len(part)
            for i, (tokens, prompt_tokens) in enumerate(answers):
                text, stopped = cut(self._tokenizer.decode(tokens), decoding.stop)
                finish = "stop" if stopped else "length"
                yield start + i, Completion(text, prompt_tokens, len(tokens), finish, seconds)
        self._kept = {}

    def _write(self, prompts: Sequence[str], decoding: Decoding) -> list[tuple[list[int], int]]:
        import torch

        from skillshot.llm.llama import Cache

        known = {prompt: self._known(prompt, decoding) for prompt in sorted(set(prompts))}
        read = [known[prompt] for prompt in prompts]
        lengths = [part.tokens for part in read]
        self._fit_length(max(lengths) + decoding.max_tokens)
        written = [part.written[: decoding.max_tokens] for part in read]
        # the prompt of each row of the cache
        slots = [i for i in range(len(prompts)) if not self._over(written[i], decoding)]
        if not slots:
            return list(zip(written, lengths, strict=True))
        cache = Cache.join([read[i].store for i in slots], decoding.max_tokens)
        pick = (
            self._drawing(prompts, decoding) if isinstance(decoding, Sampled) else lambda logits, _: self._best(logits)
        )
        current = pick(torch.stack([read[i].logits for i in slots]), slots)
        while True:
            for row, prompt in enumerate(slots):
                if not self._over(written[prompt], decoding):
                    written[prompt].append(int(current[row]))
            active = [row for row, prompt in enumerate(slots) if not self._over(written[prompt], decoding)]
            if not active:
                break
            if 4 * len(active) <= 3 * len(slots):  # finished rows take as much time as others, so they are dropped
                slots, current = [slots[row] for row in active], current[active]
                cache = cache.keep(active)
            current = pick(self._model.step(current, cache), slots)
        return list(zip(written, lengths, strict=True))

    def _best(self, logits: Tensor) -> Tensor:
        # the model is tuned for chats: after "Answer:" its likeliest token is the end of the turn in four of five cases
        return logits.index_fill(-1, self._end, -float("inf")).argmax(-1)

    def _drawing(self, prompts: Sequence[str], decoding: Sampled) -> Callable[[Tensor, list[int]], Tensor]:
        """Draws from the model's distribution: Gumbel noise, seeded by prompt and number, whatever else is decoded."""
        import torch

        seeds = [hash64(f"{decoding.number}\n{prompt}") % 2**63 for prompt in prompts]
        sources = [torch.Generator().manual_seed(seed) for seed in seeds]

        def pick(logits: Tensor, slots: list[int]) -> Tensor:
            noise = torch.stack([torch.empty(logits.shape[-1]).exponential_(generator=sources[i]) for i in slots])
            return self._best(logits / max(decoding.temperature, 1e-3) - noise.log())

        return pick

    def _over(self, tokens: list[int], decoding: Decoding) -> bool:
        tail = self._tokenizer.decode(tokens[-16:])  # a stop string is shorter than 16 tokens
        return len(tokens) >= decoding.max_tokens or cut(tail, decoding.stop)[1]

    def _known(self, prompt: str, decoding: Decoding) -> Read:
        """What `score` kept, unless the answer ends within it: then it is decoded token by token."""
        kept = None if isinstance(decoding, Sampled) else self._kept.get(prompt)
        ends = kept is not None and cut(self._tokenizer.decode(kept.written), decoding.stop)[1]
        return self._read(prompt) if kept is None or ends else kept

    def _read(self, prompt: str) -> Read:
        ids = self._prompt(prompt)
        logits, store = self._prefill(ids, keep=1)
        return Read(len(ids), [], logits[0], store)

    def _prefill(self, ids: list[int], keep: int) -> tuple[Tensor, Tensor]:
        """`Llama.prefill`, without the tokens that the text read last begins with too."""
        from skillshot.llm.llama import FEWEST

        text, (last, store) = self._fit(ids), self._last
        pairs = enumerate(zip(ids, last, strict=False))
        same = next((i for i, (one, other) in pairs if one != other), min(len(ids), len(last)))
        same = min(same, len(ids) - max(keep, FEWEST))
        known = store[:, :, :, :same] if store is not None and same >= FEWEST else None
        logits, store = self._model.prefill(text, keep, known)
        self._last = ids, store
        return logits, store

    def _agreed(self, end: list[int], logits: Tensor, store: Tensor, start: int) -> Read:
        """What to keep of a prompt and its gold text `end`: all up to the first token where the greedy one differs."""
        likeliest = self._best(logits).tolist()
        same = next((i for i, (one, other) in enumerate(zip(likeliest, end, strict=False)) if one != other), len(end))
        return Read(start, end[:same], logits[same].clone(), store[:, :, :, : start + same])

    def _prompt(self, prompt: str) -> list[int]:
        return self.tokens(prompt) or [self._model.end]  # an empty prompt still needs one token to predict from

    def _fit(self, ids: list[int]) -> Tensor:
        import torch

        self._fit_length(len(ids))
        return torch.tensor(ids, dtype=torch.int64)

    def _fit_length(self, length: int) -> None:
        if length > self._model.context:
            raise TooLongError(
                f"a prompt needs {length} tokens, {NAME} reads {self._model.context}\n"
                "use fewer demonstrations: -k, or in params.yaml evaluate.shots, for tuning select.k"
            )


def _refuse_emulation() -> None:
    """Refuse emulated bf16 products, which are 4 times slower than fp32 products.

    Raises:
        EngineError: the processor has no bf16 instructions, or the environment forbids them.
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    if allowed not in ("DEFAULT", "ALL") and "BF16" not in allowed and "AMX" not in allowed:
        raise EngineError(
            f"llm.precision bf16: ONEDNN_MAX_CPU_ISA={allowed} forbids bf16 instructions\n"
            "start again with ONEDNN_MAX_CPU_ISA=DEFAULT in the environment, or use fp32"
        )
    import torch

    can = torch.cpu.get_capabilities()
    if not any(can.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")):
        raise EngineError("llm.precision bf16: this processor has no avx512_bf16 or amx_bf16 instructions; use fp32")
