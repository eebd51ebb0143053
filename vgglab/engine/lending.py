"""Networks that are used again: building one takes seconds, and Keras does not give all of its memory back.

keras-team/keras#20552.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vgglab.engine.owner import alone
from vgglab.engine.step import Compiled
from vgglab.experiment import Experiment, built_from
from vgglab.network import build_network, initialise

KEPT_NETWORKS = 3
KEPT_IN_ALL = 24  # functions of all networks together; one takes about 10 MB
_POOL: OrderedDict[tuple, Compiled] = OrderedDict()  # touched only by the thread that has Keras


@contextmanager
def borrowed(experiment: Experiment, classes: int, **waiting: Callable) -> Iterator[Compiled]:
    """A network for one run, its weights where the experiment starts, its functions kept from earlier runs.

    Keras is this thread's until the block ends; `waiting` goes to `alone`.
    """
    shape = (classes, *built_from(experiment))
    with alone(**waiting):
        compiled = _POOL.pop(shape, None) or Compiled(build_network(experiment, classes))
        try:
            initialise(compiled.model, experiment)
            yield compiled
        finally:
            _POOL[shape] = compiled
            while len(_POOL) > 1 and (len(_POOL) > KEPT_NETWORKS or _traced() > KEPT_IN_ALL):
                _POOL.popitem(last=False)


def _traced() -> int:
    return sum(compiled.traced for compiled in _POOL.values())
