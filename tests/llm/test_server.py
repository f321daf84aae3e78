"""A real OpenAI-compatible server with the same weights gives the answers of the embedded engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.llm_fakes import examples
from skillshot.common.params import LlmParams
from skillshot.llm.endpoint import EndpointEngine
from skillshot.llm.engine import Decoding
from skillshot.llm.local import EmbeddedEngine
from skillshot.runtime.prompt import render

pytest.importorskip("xllamacpp", reason="pip install xllamacpp to test against a real local server")
pytest.importorskip("openai")


@pytest.mark.slow
def test_local_server_gives_the_answers_of_the_embedded_engine(tmp_path: Path) -> None:
    from helpers.llama_server import running

    prompts = [render(examples(4, 3 * i), query.question) for i, query in enumerate(examples(10, 100))]
    decoding = Decoding(24)
    with running(tmp_path) as (url, _):
        settings = LlmParams(base_url=f"{url}/v1", model="smollm2", ignore_end=True, concurrency=1, timeout=120.0)
        server = EndpointEngine(settings)
        theirs = dict(server.complete(prompts, decoding))
        assert not server.capabilities.scores and "echo" in server.capabilities.reason
    mine = dict(EmbeddedEngine().complete(prompts, decoding))
    same = [theirs[i].text.strip() == mine[i].text.strip() for i in range(len(prompts))]
    assert [theirs[i].prompt_tokens for i in range(10)] == [mine[i].prompt_tokens for i in range(10)]
    assert all(same), [(theirs[i].text, mine[i].text) for i in range(10) if not same[i]]
