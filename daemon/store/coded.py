"""Values as small numbers: what millions of rows repeat is kept, and understood, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class Names:
    """Numbers for values, in the order in which they were met."""

    def __init__(self) -> None:
        self.index: dict[Any, int] = {}
        """The number of each value met so far."""

    def codes(self, values: Sequence[Any]) -> npt.NDArray[np.int32]:
        """The number of each of `values`; new ones get the next."""
        for value in set(values) - self.index.keys():
            self.index[value] = len(self.index)
        return np.fromiter(map(self.index.__getitem__, values), np.int32, len(values))
