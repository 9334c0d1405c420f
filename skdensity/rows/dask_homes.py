"""Where the partitions of a Dask collection are kept, if they are."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Homes:
    """Workers of a cluster that partitions were persisted on.

    Attributes
    ----------
    client : distributed.Client or None
        Who knows; None without a cluster.
    futures : list of Future
        What is kept; nothing of a collection that was not persisted.
    keys : list
        Names by which the partitions are kept.
    """

    client: Any
    futures: list[Any]
    keys: list[Any]

    @classmethod
    def of(cls, collection: Any) -> Homes:
        """Those of a collection."""
        from dask.core import flatten

        client, keys = _client(), list(flatten(collection.__dask_keys__()))
        futures = client.futures_of(collection) if client else []
        if futures:
            # A data frame has names of its own for what is kept by others.
            graph = collection.__dask_graph__()
            keys = [getattr(graph.get(key), "target", key) for key in keys]
        return cls(client, futures, keys)

    def now(self) -> list[list[str]]:
        """Addresses of the workers that hold each partition, as things are.

        They change where a worker dies, or partitions are moved.
        """
        found = self.client.who_has(self.futures) if self.futures else {}
        return [list(found.get(key, ())) for key in self.keys]


def near(home: list[str]) -> AbstractContextManager:
    """Tasks that are made in this context go to some workers, as long as these live.

    Dask may take rows to a worker that holds the parameters and has less to do, and
    would do so in every pass: rows are larger than what is computed from them.
    """
    from dask import annotate

    return annotate(workers=home, allow_other_workers=True) if home else nullcontext()


def _client():
    """The client of a cluster, if there is one."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.get_client()
    except ValueError:
        return None
