"""What lies behind an error that libraries have wrapped."""

from __future__ import annotations

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all those it wraps, as its cause, as its reason or among its arguments."""
    left, seen = [error], set[int]()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        left += [inner for inner in wrapped if isinstance(inner, BaseException)]
