"""ONNX export: reproducible bytes, same numbers and same choices as torch."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Pooling

from skillshot.bundle.card import write_card
from skillshot.common.errors import InputError, SkillshotError
from skillshot.encoder import embed_texts, load_encoder
from skillshot.export.canonical import export_graph
from skillshot.export.encoder import export_encoder
from skillshot.export.networks import agreement
from skillshot.export.quantise import _levelled, _tokens, quantise
from skillshot.runtime.onnx import Session, TextEncoder
from skillshot.runtime.scoring import check_score

TEXTS = ["How many apples are left?", "short", "A much longer question " * 20, "사과는 몇 개인가?", ""]


class Sum(torch.nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + 2 * b


def export_sum(path: Path) -> None:
    same = torch.ones(2, 3)
    export_graph(Sum(), {"a": same, "b": same}, {0: "rows"}, "skill", path)


def test_bytes_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    for name in ("one", "two/deeper"):
        (tmp_path / name).mkdir(parents=True)
        export_sum(tmp_path / name / "net.onnx")
    one = (tmp_path / "one/net.onnx").read_bytes()
    assert one == (tmp_path / "two/deeper/net.onnx").read_bytes()
    assert str(Path(__file__).parent).encode() not in one
    assert not onnx.load(tmp_path / "one/net.onnx").metadata_props


def test_one_tensor_given_for_two_inputs_stays_two_inputs(tmp_path: Path) -> None:
    export_sum(tmp_path / "net.onnx")
    session = Session(tmp_path / "net.onnx")
    assert session.inputs == ("a", "b")
    a, b = np.ones((5, 3), np.float32), np.full((5, 3), 10, np.float32)
    np.testing.assert_array_equal(session.run({"a": a, "b": b}), a + 2 * b)


def test_exported_encoder_equals_torch(bundle: Path) -> None:
    theirs = embed_texts(load_encoder(), TEXTS).vectors
    mine = TextEncoder(bundle / "model").encode(TEXTS)
    np.testing.assert_allclose(mine, theirs, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(mine, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_cls_pooling_and_the_window_are_exported(tmp_path: Path) -> None:
    encoder = repooled("cls")
    encoder.max_seq_length = 16
    assert export_encoder(encoder, tmp_path)["window"] == 16
    mine = TextEncoder(tmp_path).encode(TEXTS)
    np.testing.assert_allclose(mine, encoder.encode(TEXTS, normalize_embeddings=True), atol=1e-5)


def test_unsupported_pooling_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pooling 'max' cannot be exported"):
        export_encoder(repooled("max"), tmp_path)


def repooled(mode: str) -> SentenceTransformer:
    """The packaged encoder with another pooling."""
    transformer = load_encoder()[0]
    return SentenceTransformer(modules=[transformer, Pooling(384, pooling_mode=mode)], device="cpu")


def test_failed_export_leaves_the_encoder_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, seen = load_encoder(), []

    def fail(graph: Any, *_: object) -> None:
        seen.append(graph.model.config._attn_implementation)
        raise SkillshotError("no disk")

    monkeypatch.setattr("skillshot.export.encoder.export_graph", fail)
    before = encoder[0].auto_model.config._attn_implementation
    with pytest.raises(SkillshotError, match="no disk"):
        export_encoder(encoder, tmp_path)
    assert seen == ["eager"] != [before]
    assert encoder[0].auto_model.config._attn_implementation == before


def test_unknown_encoder_is_refused() -> None:
    with pytest.raises(InputError, match="cannot load 'no/such-model'"):
        load_encoder("no/such-model")


def test_agreement_counts_choices() -> None:
    bank = np.eye(6, dtype=np.float32)
    queries = np.eye(6, dtype=np.float32)[:4]
    assert agreement(queries, queries, bank, 1) == {"queries": 4, "max_difference": 0.0, "same_top_k": 1.0}
    assert agreement(queries, queries[::-1].copy(), bank, 1)["same_top_k"] == 0.0


def test_bundle_describes_itself(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["data"]["records"] > 200
    assert manifest["select"] == {"k": 4, "mode": "full", "precision": "int8"}
    check_score(manifest["score"], "score")
    assert len(manifest["score"]["widths"]) == 4 and manifest["structure"] == "rationale"
    assert manifest["verdict"]["rows"] > 200 and 0 <= manifest["verdict"]["trust"] <= 1
    card = (bundle / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: skillshot\nlicense: apache-2.0\n")
    expected = [
        manifest["data"]["sha256"],
        str(manifest["data"]["records"]),
        "## Limits",
        "## Licences",
        "int8",
        "| search | exact |",
    ]
    expected += [
        f"* `{name}` {manifest['metrics'][name]:.3g}: " for name in ("agreement", "shuffled_z_gap", "active_units")
    ]
    assert [text for text in [*expected, "all-MiniLM-L6-v2, Apache-2.0"] if text not in card] == []
    assert "reconstruction" not in card, "the other metrics are in the manifest"
    assert "{" not in card


def test_another_encoder_keeps_its_own_licence(bundle: Path, tmp_path: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    write_card(tmp_path, manifest | {"embed": {"model": "someone/model"}, "index": {"exact_below": 10}})
    card = (tmp_path / "README.md").read_text()
    assert "someone/model, under their own licence" in card and "inverted file" in card


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_vector_of_a_text_does_not_depend_on_the_batch(bundle: Path, precision: str) -> None:
    encoder = TextEncoder(bundle / "model", precision=precision)
    together = encoder.encode(TEXTS)
    np.testing.assert_allclose(together, [encoder.encode([text])[0] for text in TEXTS], atol=1e-6)


def test_int8_is_near_fp32_and_a_quarter_of_the_size(bundle: Path) -> None:
    folder = bundle / "model"
    one, two = (TextEncoder(folder, precision=precision).encode(TEXTS[:4]) for precision in ("fp32", "int8"))
    assert (one * two).sum(1).min() > 0.95  # per tensor it falls to .9
    assert not np.array_equal(one, two)
    assert (folder / "encoder.int8.onnx").stat().st_size < 0.3 * (folder / "encoder.onnx").stat().st_size


def _encoder_copy(bundle: Path, folder: Path) -> Path:
    folder.mkdir()
    for name in ("encoder.onnx", "encoder.json", "tokenizer.json"):
        shutil.copy(bundle / "model" / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def few_sequences() -> Iterator[None]:
    """A quarter of the random sequences from which activations are measured: most of the time of a quantisation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skillshot.export.quantise.CALIBRATION", 16)
        yield


@pytest.fixture(scope="module")
def levelled_copy(bundle: Path, tmp_path_factory: pytest.TempPathFactory, few_sequences: None) -> Path:  # noqa: ARG001
    folder = _encoder_copy(bundle, tmp_path_factory.mktemp("int8") / "levelled")
    quantise(folder)
    return folder


def test_int8_bytes_are_reproducible_and_the_root_logger_is_left_alone(
    bundle: Path, levelled_copy: Path, tmp_path: Path
) -> None:
    """The quantiser logs to it, and `logging` then gives it a handler that repeats the application's messages."""
    folder = _encoder_copy(bundle, tmp_path / "again")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        quantise(folder)
        assert (root.handlers, root.level) == ([], level)
    finally:
        root.handlers[:] = handlers
    assert (folder / "encoder.int8.onnx").read_bytes() == (levelled_copy / "encoder.int8.onnx").read_bytes()


def test_levelled_channels_reduce_the_int8_loss_on_unseen_words(
    bundle: Path, levelled_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _encoder_copy(bundle, tmp_path / "plain")
    monkeypatch.setattr("skillshot.export.quantise._levelled", lambda model, _: model)
    quantise(plain)
    asked = ["A train leaves at 8:15 a.m. and covers 60 miles.", "Which singer performed in most stadiums?"]
    exact = TextEncoder(bundle / "model").encode(asked)
    lost = {folder: (1 - (exact * TextEncoder(folder, precision="int8").encode(asked)).sum(1)).mean()
            for folder in (levelled_copy, plain)}  # fmt: skip
    assert lost[levelled_copy] < 0.9 * lost[plain]


@pytest.mark.usefixtures("few_sequences")
def test_levelling_does_not_change_the_function(bundle: Path, tmp_path: Path) -> None:
    import onnx

    folder = _encoder_copy(bundle, tmp_path / "levelled")
    model = onnx.load(folder / "encoder.onnx")
    before = len(model.graph.node)
    levelled = _levelled(model, _tokens(folder))
    assert len(levelled.graph.node) > before
    onnx.save(levelled, folder / "encoder.onnx")
    np.testing.assert_allclose(
        TextEncoder(folder).encode(TEXTS), TextEncoder(bundle / "model").encode(TEXTS), atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mpnet", "xlm-roberta", "modernbert"])
def test_other_transformers_are_exported_for_every_length(kind: str, tmp_path: Path) -> None:
    """A trace could keep what depends on the length of its example."""
    from transformers import AutoConfig, AutoModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    config = AutoConfig.for_model(kind, **sizes, vocab_size=31000, max_position_embeddings=300, pad_token_id=0)
    model = AutoModel.from_config(config).eval()
    encoder = load_encoder()
    encoder[0].model = model
    encoder.get_embedding_dimension = lambda: 32
    export_encoder(encoder, tmp_path)
    texts = [*TEXTS, *("word " * length for length in (2, 9, 40, 150))]
    tokens = encoder.tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=256)
    with torch.no_grad():
        states = model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
    seen = tokens["attention_mask"].unsqueeze(-1)
    expected = torch.nn.functional.normalize((states * seen).sum(1) / seen.sum(1), dim=-1)
    np.testing.assert_allclose(TextEncoder(tmp_path).encode(texts), expected.numpy(), atol=1e-5)
