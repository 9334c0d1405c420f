"""What holds for tests and for examples in docstrings alike."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
