"""A small write and what comes of it: whether the store still takes what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.store.engine_errors import store_fault
from daemon.store.tx import take_numbers

if TYPE_CHECKING:
    from daemon.store.engine import Store
    from daemon.store.faults import StoreError

_COUNTER = "store watch"


def try_to_write(store: Store) -> StoreError | None:
    """Write something that means nothing; return what is wrong with the store, None where it was taken."""
    try:
        store.commit(lambda tx: take_numbers(tx, _COUNTER, 1))
    except Exception as error:
        fault = store_fault(error)
        if fault is None:
            raise
        return fault
    return None
