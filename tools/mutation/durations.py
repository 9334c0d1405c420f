"""A plugin of pytest that keeps the processor time of each test, in seconds.

Processor time, of children too, does not depend on what else the machine does.
"""

import json
import os
from collections import defaultdict

import pytest


class Durations:
    """Writes ``{test: seconds}`` to a file when the tests have ended."""

    def __init__(self, file):
        self.file = file
        self.seconds = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        before = sum(os.times()[:4])
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] += sum(os.times()[:4]) - before

    def pytest_sessionfinish(self):
        self.file.write_text(json.dumps(self.seconds))
