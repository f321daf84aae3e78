"""A Ray cluster on this machine, for tests of the engine `ray`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def two_nodes() -> Iterator[Any]:
    """A cluster of two nodes of one core each; RAY_ADDRESS names it. The test is skipped where Ray is missing."""
    pytest.importorskip("ray", reason="needs the extra scale: pip install 'skillshot[scale]'")
    from ray.cluster_utils import Cluster

    made = _started(Cluster)
    try:
        made.add_node(num_cpus=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_ADDRESS", made.address)
            yield made
    finally:
        made.shutdown()


def _started(cluster: Any) -> Any:
    """The first node; Ray gives it 30 seconds, too few on a busy machine."""
    for _ in range(2):
        try:
            return cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
    return cluster(initialize_head=True, head_node_args={"num_cpus": 1})
