"""What can go wrong in a pipeline by accident: a catalogue of planted regressions.

Code is sabotaged by an edit: text appended to a source file replaces a function by one that is subtly wrong. DVC then
re-runs the stages that depend on that file; nothing else knows of the sabotage.
"""

from __future__ import annotations

from acceptance.sabotage.kinds import Sabotage, blunt_encoder, edited_answers, replaced, report, stale_bundle

WRONG_SCALE = """

def _int8(path):
    # eight bits for each weight, and a scale that is 8 % off
    import onnx
    from onnx import numpy_helper
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 2:
            scale = np.abs(values).max() / 127
            tensor.CopyFrom(numpy_helper.from_array(np.round(values / scale) * np.float32(scale * 1.08), tensor.name))
    onnx.save(model, path)
"""

SABOTAGES = (
    Sabotage("nothing", "nobody"),
    Sabotage("a comment in a source file", "nobody", code={"model/nets.py": "\n# a comment\n"}),
    Sabotage("bank vectors as float16", "nobody", params={"index.dtype": "float16"}),
    # the model
    Sabotage("beta 500 times too large", "stage|gate", r"carries nothing|train\.|hit@k", params={"train.beta": 50.0}),
    Sabotage("one epoch of training", "gate|stage", r"carries nothing|train\.|hit@k", params={"train.epochs": 1}),
    Sabotage(
        "no noise in the latent", "gate", r"train\.",
        code={
            # during the loss alone: the exporter draws too
            "model/nets.py": "\n_loss = SkillCVAE.loss\n"
            "def _quiet(self, *arguments, **options):\n"
            "    real, torch.Tensor.normal_ = torch.Tensor.normal_, lambda self, **_: self.zero_()\n"
            "    try:\n        return _loss(self, *arguments, **options)\n"
            "    finally:\n        torch.Tensor.normal_ = real\n"
            "setattr(SkillCVAE, 'loss', _quiet)\n"
        },
    ),
    Sabotage(
        "noise scaled by the log-variance", "gate|stage", r"train\.|carries nothing",
        code={
            "model/nets.py": "\n_loss = SkillCVAE.loss\n"
            "SkillCVAE.loss = lambda self, q, r, beta, **_: _loss(self, q, r, beta, published_noise=True)\n"
        },
    ),
    Sabotage(
        "decoder that ignores the latent", "gate", r"train\.(shuffled_z_gap|kl|active_units): missing",
        code={
            "model/nets.py": "\n_decode = SkillCVAE.decode\n"
            "SkillCVAE.decode = lambda self, z, q: _decode(self, z * 0, q)\n"
        },
    ),
    Sabotage(
        "rationales of other questions in training", "gate", "hit@k",
        code={
            "training/fit.py": "\nfrom dataclasses import replace\n_fit = fit\n"
            "def fit(bank, question, rationale, *rest, **more):\n"
            "    bank = [replace(r, rationale=bank[i - 1].rationale) for i, r in enumerate(bank)]\n"
            "    return _fit(bank, question, np.roll(rationale, 1, 0), *rest, **more)\n"
        },
    ),
    Sabotage(
        "a diagnostic that is NaN", "stage", "not a finite number",
        code={
            "training/diagnostics.py":
            '\n_d = diagnose\ndef diagnose(*a, **more):\n    return _d(*a, **more) | {"kl": float("nan")}\n'
        },
    ),
    # export and bundle
    Sabotage(
        "encoder exported after its weights moved", "stage|gate", r"max_difference|same_top_k",
        code={
            "export/encoder.py": "\n_export = export_encoder\ndef export_encoder(encoder, folder):\n"
            "    for p in encoder[0].auto_model.encoder.layer[5].parameters():\n        p.data.mul_(0.9)\n"
            "    return _export(encoder, folder)\n"
        },
    ),
    Sabotage(
        "int8 encoder with a wrong scale", "stage|gate", r"max_difference|same_top_k",
        code={
            "export/encoder.py": "\nimport numpy as np\n" + WRONG_SCALE
            + "\n_export = export_encoder\ndef export_encoder(encoder, folder):\n    facts = _export(encoder, folder)\n"
            '    _int8(Path(folder) / "encoder.onnx")\n    return facts\n'
        },
    ),
    Sabotage(
        "int8 policy with a wrong scale", "stage", r"skillshot\.onnx differs|lars\.onnx differs",
        code={
            "export/networks.py": WRONG_SCALE
            + "\n_export = export_networks\ndef export_networks(networks, widths, folder):\n"
            '    _export(networks, widths, folder)\n    for name in networks:\n'
            '        _int8(Path(folder) / f"{name}.onnx")\n'
        },
    ),
    Sabotage(
        "bank vectors one row off", "gate", "hit@k",
        code={
            "bundle/build.py": "\n_build = build_bundle\ndef build_bundle(model, vectors, *rest, **more):\n"
            "    _build(model, {name: np.roll(rows, 1, 0) for name, rows in vectors.items()}, *rest, **more)\n"
        },
    ),
    Sabotage(
        "bank vectors with their sign flipped", "gate", "hit@k",
        code={
            "bundle/build.py": "\n_build = build_bundle\ndef build_bundle(model, vectors, *rest, **more):\n"
            "    _build(model, {name: -rows for name, rows in vectors.items()}, *rest, **more)\n"
        },
    ),
    Sabotage(
        "an ONNX file cut in half", "stage", "bytes instead of",
        code={
            "bundle/build.py": "\n_build = build_bundle\ndef build_bundle(*arguments, **more):\n"
            "    _build(*arguments, **more)\n    folder = more.get('folder', arguments[-1])\n"
            '    path = next(folder.rglob("skillshot.onnx"))\n    data = path.read_bytes()\n'
            "    path.write_bytes(data[: len(data) // 2])\n"
        },
    ),
    Sabotage(
        "half of the bank lost on the way into the bundle", "stage|gate",
        "index.demonstrations|rows|records|the manifest has",
        code={
            "bundle/build.py": "\n_build = build_bundle\ndef build_bundle(model, vectors, records, *rest, **more):\n"
            "    half = len(records) // 2\n"
            "    _build(model, {n: rows[:half] for n, rows in vectors.items()}, records[:half], *rest, **more)\n"
        },
    ),
    Sabotage(
        "a selector that answers worst first", "gate", r"evaluate\.shipped\.same_choice",
        code={
            "runtime/search.py": "\n_pick = _choose\n"
            "def _choose(bundle, vector, *rest):\n    return _pick(bundle, -vector, *rest)\n"
        },
    ),
    Sabotage("an older bundle in place of the new one", "register", "changed since stage index", after=stale_bundle),
    # data
    Sabotage("half of the bank cut away", "gate", r"index\.demonstrations", params={"corruption.keep": 200}),
    Sabotage("half of the rationales wrong", "gate", "hit@k", params={"corruption.wrong_rationales": 0.5}),
    Sabotage(
        "queries leaked into the bank", "stage", "held-out queries are also in the bank",
        code={
            "sources/ingest.py": "\n_apart = _separate\ndef _separate(everything, held, folder):\n"
            '    _apart(everything, held, folder)\n    queries = (folder / "queries.jsonl").read_text()\n'
            '    with open(folder / "bank.jsonl", "a") as bank:\n        bank.write(queries)\n'
        },
    ),
    Sabotage(
        "bank rows among the queries", "stage", "held-out queries are also in the bank",
        code={
            "sources/ingest.py": "\n_apart = _separate\ndef _separate(everything, held, folder):\n"
            '    _apart(everything, held, folder)\n    rows = (folder / "bank.jsonl").read_text().splitlines(True)\n'
            '    with open(folder / "queries.jsonl", "a") as queries:\n        queries.writelines(rows[:30])\n'
        },
    ),
    Sabotage(
        "checks of the bank taken away", "gate", r"validate\.suite\.expectations",
        code={
            "bank/expectations.py": "\n_load = load_suite\ndef load_suite(family):\n    suite = _load(family)\n"
            '    return {**suite, "expectations": suite["expectations"][:9]}\n'
        },
    ),
    Sabotage(
        "another encoder, half of its weights zero", "gate", r"mean_similarity: control moved", before=blunt_encoder,
        params={"embed.model": ".encoder"},
    ),
    # evaluation
    Sabotage(
        "shuffled labels in the evaluation", "gate", "hit@k",
        code={
            "evaluation/alignment.py": "\n_count = _metrics\ndef _metrics(rows, truth, *rest):\n"
            "    return _count(rows, [*truth[1:], truth[0]], *rest)\n"
        },
    ),
    Sabotage(
        "a metric that counts all as hits", "gate", r"selectors\.random\.hit@k",
        code={
            "evaluation/alignment.py": "\n_count = _metrics\ndef _metrics(rows, truth, have, k, listed):\n"
            "    found = _count(rows, truth, have, k, listed)\n"
            "    return {name: np.ones_like(values) for name, values in found.items()}\n"
        },
    ),
    Sabotage(
        "the evaluated selector reads the query's rationale", "gate", r"evaluate\.shipped\.same_choice",
        code={
            "selectors/pool.py": "\n_side = Pool.query_vectors\n"
            'Pool.query_vectors = lambda self, name, queries: _side(\n'
            '    self, "oracle_features" if name == "skillshot" else name, queries)\n'
        },
    ),
    Sabotage(
        "rivals made weak", "nobody",  # a warning: a rival's figure blocks nothing
        code={
            "selectors/pool.py": "\n_side = Pool.query_vectors\nPool.query_vectors = lambda self, name, queries: (\n"
            '    _side(self, name, queries) * (-1 if name in ("question", "lars", "ridge") else 1))\n'
        },
    ),
    Sabotage(
        "demonstrations without their rationales", "gate", r"skillshot\.nll|question\.nll",
        code={
            "runtime/prompt.py": "\ndef render(demonstrations, question, context='', options=()):\n"
            "    blocks = [_ask(d.question, d.context, d.options) + ' ' + d.answer for d in reversed(demonstrations)]\n"
            "    return '\\n\\n'.join([*blocks, _ask(question, context, options)])\n"
        },
    ),
    Sabotage("fewer queries", "gate", r"evaluate\.queries: definition changed", params={"evaluate.limit": 3}),
    Sabotage("fewer demonstrations", "gate", r"evaluate\.shots: definition changed", params={"evaluate.shots": 2}),
    Sabotage("answers of the LLM edited", "healed", "edited lines left out", before=edited_answers, force="evaluate"),
    # after the run
    Sabotage(
        "a report deleted", "gate", r"train\.active_units: missing",
        after=lambda root: (root / "reports/train.json").unlink(),
    ),
    Sabotage(
        "a report edited by hand", "register", "changed since stage evaluate",
        after=report("evaluate", lambda tree: tree["alignment"]["selectors"]["skillshot"].update({"hit@k": 1.0})),
    ),
    Sabotage(
        "a NaN in a report", "gate", r"shuffled_z_gap: not a number",
        after=report("train", lambda tree: tree.update(shuffled_z_gap=float("nan"))),
    ),
    Sabotage(
        "code edited and not run", "gate", "stage:train: stale",
        after=replaced("src/skillshot/model/nets.py", '"""', '"""Oh: '),
    ),
    Sabotage(
        "the gate loosened", "gate", "rule changed", after=replaced("gates.yaml", "absolute: 0.03", "absolute: 0.3")
    ),
)  # fmt: skip
