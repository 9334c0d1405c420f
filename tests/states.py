"""What estimators hold, and whether it is the same."""

import numpy as np


def state_of(estimator):
    """What an estimator holds, but for what can be built again."""
    state = {name: value for name, value in vars(estimator).items() if name != "_kept"}
    if "results_" in state:  # of a search: it also says how long things took
        times = {"fit_time"}
        results = state["results_"].items()
        state["results_"] = {key: value for key, value in results if key not in times}
    return state


def assert_same(one, other, name=""):
    """Two values are the same to the bit, whatever they are made of."""
    assert type(one) is type(other), name
    if isinstance(one, np.ndarray) and one.dtype != object:
        np.testing.assert_array_equal(one, other, name)
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), name
        for key in one:
            assert_same(one[key], other[key], f"{name}.{key}")
    elif isinstance(one, list | tuple | np.ndarray):
        for i, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            assert_same(mine, theirs, f"{name}[{i}]")
    elif hasattr(one, "__dict__") and not isinstance(one, type):
        assert_same(state_of(one), state_of(other), name)
    else:
        both_are_nan = one != one and other != other
        assert one == other or both_are_nan, name
