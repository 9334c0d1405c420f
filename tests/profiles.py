"""Profiles of hypothesis: how many examples, and which.

``quick``, the default: a few for each property, the same in every run. ``nightly``,
by ``--hypothesis-profile nightly`` or the environment's ``HYPOTHESIS_PROFILE``: 2,000
for each public class, at random; those that fail are kept in ``.hypothesis``, and tried
first the next time.
"""

import math
import os

from hypothesis import HealthCheck, settings

settings.register_profile("quick", max_examples=10, derandomize=True, deadline=None)
settings.register_profile(
    "nightly",
    max_examples=2000,
    deadline=None,
    print_blob=True,
    # A fit takes as long as it takes.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
LEAST = 10


def share_of_examples(n_properties):
    """For one of so many properties of a public class: its share of the examples.

    A decorator. No property has fewer than those of the quick profile.
    """
    # Here, not on import: an option of pytest may have loaded another profile.
    of_class = settings().max_examples
    return settings(max_examples=max(LEAST, math.ceil(of_class / n_properties)))
