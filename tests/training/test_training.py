"""Training: determinism, resume, collapse guard, closed forms, saved files; behaviour of the trained model."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.sparse import csr_matrix

from skillshot.common.errors import CollapseError, InputError
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.features.tokens import procedural
from skillshot.model.fitted import Fitted, run
from skillshot.model.nets import Dropout, SkillCVAE, Standardise, gaussian_kl
from skillshot.training import structure_head as closed
from skillshot.training.cvae import fit_cvae
from skillshot.training.fit import fit
from skillshot.training.loop import one_cycle, train
from skillshot.training.structure_head import Ridges, predictability

Floats = npt.NDArray[np.float32]
QUICK = TrainParams().changed(epochs=30, latent_dim=16, structure_dim=16, hidden=32, device="cpu", min_gap=-1.0)
NAMES = ["Ann", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Jo"]
THINGS = ["figs", "cars", "pens", "cups", "nuts", "keys", "hats", "eggs"]
KINDS = [
    ("{n} has {a} {t} and gets {b} more {t}. How many {t} now?", "Add the two counts.\n{a} + {b} = 9"),
    ("{n} has {a} {t} and gives away {b} of them. How many {t} are left?", "Take away what went.\n{a} - {b} = 9"),
    ("{n} packs {a} boxes with {b} {t} each. How many {t} in all?", "Each box holds as many.\n{a} * {b} = 9"),
    ("{n} shares {a} {t} among {b} friends. How many {t} for each?", "Split into equal parts.\n{a} / {b} = 9"),
]


def make(n: int, seed: int = 0) -> tuple[list[Record], list[int]]:
    rng = np.random.default_rng(seed)
    kinds = [int(k) for k in rng.integers(0, len(KINDS), n)]
    records = []
    for i, kind in enumerate(kinds):
        words = {"n": rng.choice(NAMES), "t": rng.choice(THINGS), "a": rng.integers(2, 99), "b": rng.integers(2, 99)}
        question, rationale = (part.format(**words) for part in KINDS[kind])
        records.append(Record(str(i), question, rationale))
    return records, kinds


def embed(texts: list[str], width: int = 24) -> Floats:
    """A stand-in for the encoder: mean of random word vectors, so that stories look similar, not skills."""
    rows = []
    for text in texts:
        rngs = [np.random.default_rng(sum(map(ord, w)) * 31 + len(w)) for w in text.lower().split()]
        rows.append(np.mean([rng.standard_normal(width) for rng in rngs], axis=0))
    out = np.array(rows, np.float32)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def inputs(records: list[Record]) -> tuple[Floats, Floats]:
    return embed([r.text for r in records]), embed([r.rationale for r in records])


def query(fitted: Fitted, texts: list[str], mode: str = "skillshot") -> Floats:
    lexical = fitted.question_view.transform(texts)
    return run(fitted.policies[mode], *([lexical] if mode == "lite" else [embed(texts), lexical]))


@pytest.fixture(scope="module")
def bank() -> tuple[list[Record], list[int]]:
    return make(120)


@pytest.fixture(scope="module")
def fitted(bank: tuple[list[Record], list[int]]) -> Fitted:
    return fit(bank[0], *inputs(bank[0]), QUICK, 3)


@pytest.mark.parametrize("mode", ["skillshot", "lite"])
def test_minimum_function_the_correct_kind_is_found(
    fitted: Fitted, bank: tuple[list[Record], list[int]], mode: str
) -> None:
    records, kinds = make(60, seed=9)
    scores = query(fitted, [r.text for r in records], mode) @ fitted.vectors["skillshot"].T
    best = np.argsort(-scores, axis=1)[:, :4]
    hit = np.mean(np.array(bank[1])[best] == np.array(kinds)[:, None])
    assert hit > 0.9, f"random is 0.25, found {hit:.2f}"


def test_invariance_names_things_and_numbers_do_not_change_the_skill(
    fitted: Fitted, bank: tuple[list[Record], list[int]]
) -> None:
    one = [k[0].format(n="Ann", t="figs", a=12, b=3) for k in KINDS]
    two = [k[0].format(n="Zoltan", t="kites", a=907, b=55) for k in KINDS]
    first, second = (np.argmax(query(fitted, texts) @ fitted.vectors["skillshot"].T, axis=1) for texts in (one, two))
    assert [bank[1][i] for i in first] == [bank[1][i] for i in second]


def test_a_baseline_is_logged_as_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "skillshot")
    for label, title in (("lars", "train baseline lars"), ("skillshot", "train skillshot")):
        caplog.clear()
        train(*toy(), QUICK.changed(epochs=1), 1, label=label)
        assert [line.split(":")[0] for line in caplog.messages] == [title, title]


def test_direction_another_operation_moves_the_choice(fitted: Fitted, bank: tuple[list[Record], list[int]]) -> None:
    texts = [
        "Ann has 5 figs and gets 7 more figs. How many figs now?",
        "Ann has 5 figs and gives away 7 of them. How many figs are left?",
    ]
    rows = query(fitted, texts) @ fitted.vectors["skillshot"].T
    mean = [[row[np.array(bank[1]) == kind].mean() for kind in (0, 1)] for row in rows]
    assert mean[0][0] > mean[0][1] and mean[1][1] > mean[1][0]


def test_rows_are_unit_and_every_selector_is_there(fitted: Fitted) -> None:
    assert set(fitted.policies) == {"lars", "skillshot", "lite", "ridge"}
    assert set(fitted.posteriors) == set(fitted.vectors) == {"lars", "skillshot", "ridge"}
    for rows in fitted.vectors.values():
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def blocks(fitted: Fitted, rows: Floats) -> list[Floats]:
    """Structure, latent, sentence, words, and the coordinate that fills a row."""
    return np.split(rows, np.cumsum(fitted.score["widths"]), axis=1)


def test_a_bank_row_is_four_blocks_of_half_length(fitted: Fitted) -> None:
    *parts, rest = blocks(fitted, fitted.vectors["skillshot"])
    assert [part.shape[1] for part in parts] == fitted.score["widths"] and rest.shape[1] == 1
    for part in parts:
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 0.5, atol=1e-4)
    assert np.abs(rest).max() < 0.02, "nothing is missing to length 1, where no block is empty"


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_a_query_block_is_at_most_as_long_as_its_share(fitted: Fitted, mode: str) -> None:
    texts = ["Ann has 5 figs and gets 7 more figs. How many?", "Name the capital of Peru.", "zzz", "figs " * 40]
    rows = query(fitted, texts, {"full": "skillshot"}.get(mode, mode))
    *parts, rest = blocks(fitted, rows)
    shares = fitted.score[mode]["shares"]
    assert sum(shares) == pytest.approx(1, abs=1e-5) and min(shares) >= 0
    for part, share in zip(parts, shares, strict=True):
        assert (np.linalg.norm(part, axis=1) <= 2 * share + 1e-4).all()
    assert not rest.any(), "what fills a row is not compared"
    scores = rows @ fitted.vectors["skillshot"].T
    assert np.isfinite(scores).all() and scores.max() <= 1 + 1e-4


def test_an_uncertain_prediction_is_short(fitted: Fitted) -> None:
    """Structure and latent of a question are as long as the bank teaches something about it."""
    known, foreign = query(fitted, ["Ann has 5 figs and gets 7 more figs. How many figs now?", "zzz qqq"], "lite")
    t, z = fitted.score["widths"][:2]
    for part in (slice(0, t), slice(t, t + z)):
        assert np.linalg.norm(foreign[part]) < 0.7 * np.linalg.norm(known[part])


@pytest.mark.parametrize(("published", "spread"), [(False, 3.0), (True, 2 * np.log(3.0))])
def test_noise_has_the_standard_deviation_of_the_posterior(
    monkeypatch: pytest.MonkeyPatch, published: bool, spread: float
) -> None:
    torch.manual_seed(0)
    model = SkillCVAE(Standardise([4]), Standardise([3]), 8, 16, 1, 0.0)
    for layer, value in ((model.posterior.mean, 0.0), (model.posterior.log_variance, 2 * np.log(3.0))):
        layer.weight.data.zero_()
        layer.bias.data.fill_(value)
    drawn: list[torch.Tensor] = []

    def decode(z: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        drawn.append(z)
        return torch.zeros(len(q), 3)

    monkeypatch.setattr(model, "decode", decode)
    model.loss(torch.randn(4000, 4), torch.randn(4000, 3), 0.1, published_noise=published)
    assert float(drawn[0].detach().std()) == pytest.approx(spread, rel=0.05)


def test_shuffled_gap_is_the_relative_increase_of_the_error(fitted: Fitted) -> None:
    found = fitted.diagnostics
    assert found["reconstruction_shuffled"] > found["reconstruction"]
    expected = found["reconstruction_shuffled"] / found["reconstruction"] - 1
    assert found["shuffled_z_gap"] == pytest.approx(expected, rel=1e-4)


def test_same_seed_same_bits_other_seed_other_bits(bank: tuple[list[Record], list[int]], fitted: Fitted) -> None:
    again = fit(bank[0], *inputs(bank[0]), QUICK, 3)
    other = fit(bank[0], *inputs(bank[0]), QUICK, 4)
    assert np.array_equal(again.vectors["skillshot"], fitted.vectors["skillshot"])
    assert not np.array_equal(other.vectors["skillshot"], fitted.vectors["skillshot"])


def test_saved_and_loaded_model_gives_the_same_bits(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "fitted.json",
        "lars.safetensors",
        "question_view",
        "rationale_view",
        "ridge.safetensors",
        "ridge_bank.safetensors",
        "skillshot.safetensors",
        "vectors_lars.npy",
        "vectors_ridge.npy",
        "vectors_skillshot.npy",
    ]
    loaded = Fitted.load(tmp_path)
    texts = [r.text for r in make(5, seed=2)[0]]
    for mode in ("skillshot", "lite"):
        assert np.array_equal(query(loaded, texts, mode), query(fitted, texts, mode))
    assert np.array_equal(loaded.vectors["lars"], fitted.vectors["lars"])


def toy(seed: int = 0) -> tuple[SkillCVAE, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(200, 8, generator=generator)
    r = torch.cat([q[:, :4].tanh(), torch.randn(200, 2, generator=generator)], 1)
    torch.manual_seed(seed)
    return SkillCVAE(Standardise([8]), Standardise([6]), 4, 16, 2, 0.1), q, r


def test_killed_run_resumes_to_the_same_result(tmp_path: Path) -> None:
    settings = TrainParams().changed(epochs=25, batch_size=64, patience=100)
    whole, q, r = toy()
    history = train(whole, q, r, settings, 1).history
    killed, _, _ = toy()
    calls = 0

    def dies(*args: torch.Tensor, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 65:  # in the 14th epoch: the last checkpoint is the 10th
            raise KeyboardInterrupt
        return SkillCVAE.loss(killed, *args, **kwargs)  # type: ignore[arg-type]

    killed.loss = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        train(killed, q, r, settings, 1, work=tmp_path)
    resumed, _, _ = toy(seed=5)  # other weights: they must come from the checkpoint
    assert train(resumed, q, r, settings, 1, work=tmp_path).history == history
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    layer, x = Dropout(0.2), torch.ones(500, 401)  # not a multiple of 8
    layer.generator = torch.Generator().manual_seed(1)
    dropped = layer(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    assert torch.equal(layer.eval()(x), x) and torch.equal(Dropout(0.0)(x), x)


def test_training_neither_changes_nor_reads_the_global_generator() -> None:
    settings, histories = TrainParams().changed(epochs=3, batch_size=64, device="cpu"), []
    for state in (1, 2):
        model, q, r = toy()
        torch.manual_seed(state)
        before = torch.get_rng_state()
        histories.append(train(model, q, r, settings, 1).history)
        assert torch.equal(torch.get_rng_state(), before)
    assert histories[0] == histories[1]


def test_bf16_reaches_the_loss_of_fp32() -> None:
    found = {}
    for precision in ("fp32", "bf16"):
        model, q, r = toy()
        settings = TrainParams().changed(epochs=40, batch_size=64, device="cpu", precision=precision)
        found[precision] = train(model, q, r, settings, 1)
        assert all(tensor.dtype == torch.float32 for tensor in model.state_dict().values())
    assert found["fp32"].history != found["bf16"].history
    assert found["bf16"].best == pytest.approx(found["fp32"].best, rel=0.02)


def test_failure_of_skillshot_ends_training_of_lars(
    bank: tuple[list[Record], list[int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        while not (tmp_path / "lars" / "checkpoint.json").exists():  # lars is training
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr("skillshot.training.fit.fit_skillshot", interrupted)
    settings, threads = QUICK.changed(epochs=10**6, steps=10**9, patience=10**6), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        fit(bank[0], *inputs(bank[0]), settings, 3, tmp_path)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("changed", ["nothing", "settings", "seed", "rows", "code"])
def test_checkpoint_of_another_run_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    settings, seed = TrainParams().changed(epochs=10, batch_size=64), 1
    model, q, r = toy()
    train(model, q, r, settings, seed, work=tmp_path)
    before = (tmp_path / "cvae/checkpoint.json").stat().st_mtime_ns
    if changed == "settings":
        settings = settings.changed(beta=0.5)
    elif changed == "seed":
        seed = 2
    elif changed == "rows":
        r = r + 0.01
    elif changed == "code":
        (tmp_path / "model").mkdir()
        monkeypatch.setattr("skillshot.training.loop.__file__", str(tmp_path / "model/loop.py"))
    train(toy()[0], q, r, settings, seed, work=tmp_path)
    trained_again = (tmp_path / "cvae/checkpoint.json").stat().st_mtime_ns != before
    assert trained_again == (changed != "nothing")


def test_a_collapse_of_the_cvae_has_the_numbers() -> None:
    _, q, r = toy()
    settings = QUICK.changed(epochs=3, beta=1e4, min_gap=0.005)
    with pytest.raises(CollapseError, match=r"shuffled-z gap .* train.min_gap 0.005 \(active units"):
        fit_cvae([q.numpy()], [r.numpy()], settings, 3, "skillshot", conditional=False)


def test_a_selector_whose_latents_collapse_is_fitted_without_them(
    bank: tuple[list[Record], list[int]], caplog: pytest.LogCaptureFixture
) -> None:
    found = fit(bank[0], *inputs(bank[0]), QUICK.changed(epochs=3, beta=1e4, min_gap=0.005), 3)
    warnings = "\n".join(record.message for record in caplog.records if record.levelname == "WARNING")
    assert warnings.count("shuffled-z gap") == 2
    assert "the selector is fitted without the latent" in warnings and "fitted without the baseline lars" in warnings
    assert found.lars is None and set(found.policies) == {"skillshot", "lite", "ridge"}
    assert set(found.vectors) == set(found.posteriors) == {"skillshot", "ridge"}
    assert [found.score[mode]["shares"][1] for mode in ("full", "lite")] == [0, 0]
    np.testing.assert_allclose(np.linalg.norm(found.vectors["skillshot"], axis=1), 1, atol=1e-5)


def test_baselines_are_fitted_only_where_the_rationales_are_embedded(
    bank: tuple[list[Record], list[int]], tmp_path: Path
) -> None:
    found = fit(bank[0], inputs(bank[0])[0], None, QUICK.changed(epochs=3), 3)
    assert set(found.policies) == {"skillshot", "lite"} and set(found.vectors) == {"skillshot"}
    assert found.lars is found.ridge is found.ridge_bank is None
    found.save(tmp_path)
    loaded = Fitted.load(tmp_path)
    assert (loaded.score, loaded.verdict) == (found.score, found.verdict) and loaded.lars is None
    texts = [r.text for r in make(5, seed=2)[0]]
    assert np.array_equal(query(loaded, texts), query(found, texts))


def test_shapes_must_match(bank: tuple[list[Record], list[int]]) -> None:
    with pytest.raises(InputError, match="120 records, but 3 and 3 embeddings of questions and rationales"):
        fit(bank[0], np.ones((3, 4), np.float32), np.ones((3, 4), np.float32), QUICK, 0)
    with pytest.raises(InputError, match="120 records, but 3 embeddings"):
        fit(bank[0], np.ones((3, 4), np.float32), None, QUICK, 0)


def test_a_bank_of_wrong_examples_alone_is_refused() -> None:
    records = [dataclasses.replace(record, metadata={"correct": False}) for record in make(6)[0]]
    with pytest.raises(InputError, match="every example is marked as incorrect"):
        fit(records, inputs(records)[0], None, QUICK, 0)


def test_kl_equals_torch() -> None:
    mean_q, log_q, mean_p, log_p = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean_q, (0.5 * log_q).exp()), torch.distributions.Normal(mean_p, (0.5 * log_p).exp())
    )
    torch.testing.assert_close(gaussian_kl(mean_q, log_q, mean_p, log_p), expected)


def test_one_cycle_rises_to_the_peak_and_falls() -> None:
    rates = [one_cycle(i, 100, 1e-3) for i in range(100)]
    assert max(rates) == pytest.approx(1e-3) and np.argmax(rates) == 25 and rates[0] < 1e-4 and rates[-1] < 1e-5


def ridge(x: Any, y: Any, strength: float) -> Any:
    """The textbook solution."""
    penalty = strength * (x**2).sum() / len(x)
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


def sides(n: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Sparse words (n, 40), not centred; dense columns (n, 20), centred; and both as one centred matrix."""
    words = (rng.standard_normal((n, 40)) + 0.5) * (rng.random((n, 40)) < 0.3)
    dense = rng.standard_normal((n, 20))
    dense -= dense.mean(0)
    return csr_matrix(words.astype(np.float32)), dense.astype(np.float32), np.hstack([words - words.mean(0), dense])


@pytest.mark.parametrize("n", [45, 60, 61, 200])
def test_dual_and_primal_ridge_equal_the_textbook_solution(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed, "BLOCK", 17)
    rng = np.random.default_rng(0)
    words, dense, x = sides(n, rng)
    y = rng.standard_normal((n, 2)).astype(np.float32)
    ridges, fold = Ridges(words, dense, y), np.arange(n) % 3
    for both, part in ((True, x), (False, x[:, :40])):
        weights = ridges.weights(0.3, both)
        np.testing.assert_allclose(weights, ridge(part, y, 0.3), atol=1e-4)
        np.testing.assert_allclose(ridges.predict(weights), part @ weights, atol=1e-4)
        expected = part[fold == 1] @ ridge(part[fold != 1], y[fold != 1], 0.3)  # each row is predicted without its fold
        np.testing.assert_allclose(ridges.cross_fitted(0.3, both)[fold == 1], expected, atol=1e-3)


@pytest.mark.parametrize("n", [45, 200])
def test_penalty_depends_on_how_much_can_be_predicted(n: int) -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((n, 30), np.float32) * np.array([10] + [1] * 29, np.float32)
    x -= x.mean(0)
    signal = x @ rng.standard_normal((30, 4)).astype(np.float32)
    # one strong column has signal, 29 weak ones only noise, which a weak penalty overfits
    noise = x[:, :1] @ np.ones((1, 4), np.float32) + 10 * rng.standard_normal((n, 4)).astype(np.float32)
    grid, nothing = (0.001, 1.0), np.zeros((n, 1), np.float32)
    assert Ridges(csr_matrix(x), nothing, signal).strength(False, grid) == 0.001
    assert Ridges(csr_matrix(x), nothing, noise).strength(False, grid) == 1.0


def test_predictability_keeps_predicted_parts_and_shrinks_the_rest() -> None:
    rng = np.random.default_rng(3)
    y = rng.standard_normal((400, 3)).astype(np.float32)
    predicted = np.column_stack([y[:, 0], y[:, 1] * 0.5, np.zeros(400)]).astype(np.float32)
    np.testing.assert_allclose(predictability(predicted, y), np.sqrt([1, 0.75, 0.02]), atol=0.01)


def test_procedural_words_do_not_come_from_the_question() -> None:
    questions = [f"{name} rolled {n} red dice" for n, name in enumerate(["Ann", "Bo", "Cleo", "Dan"], 2)]
    rationales = ["Tally: roll of " + q.split()[0] + " counts, so multiply" for q in questions]
    kept = procedural(rationales, questions, 0.005)
    assert {"tally", "counts", "multiply"} <= set(kept), "never taken from the question"
    assert not {"roll", "ann"} & set(kept), "rolled is another form of roll; a name is a copy"


def test_nothing_is_learned_from_an_example_marked_as_incorrect() -> None:
    records, _ = make(120)
    question, rationale = inputs(records)
    wrong = [dataclasses.replace(record, metadata={"correct": False}) for record in records[80:]]
    marked = fit([*records[:80], *wrong], question, rationale, QUICK, 3)
    without = fit(records[:80], question[:80], rationale[:80], QUICK, 3)
    assert marked.vectors["skillshot"].shape[0] == 120
    # but for what fills a row, the root of a rounding error, which no score reads
    one, two = marked.vectors["skillshot"][:80, :-1], without.vectors["skillshot"][:, :-1]
    np.testing.assert_allclose(one, two, atol=1e-4)
    assert not marked.vectors["skillshot"][80:, :-1].any(), "what is marked scores 0, as `mark` has it"
