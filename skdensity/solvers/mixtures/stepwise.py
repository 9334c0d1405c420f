r"""Stepwise EM: a step for every batch of rows, for streams and for tables too long.

EM replaces its moments in every step by those of all rows; stepwise EM moves a running
average of them, per unit of weight, a little towards those of the next batch (Cappé and
Moulines 2009, doi:10.1111/j.1467-9868.2009.00698.x), and estimates the mixture anew:

.. math::

    \bar s_t = (1 - \eta_t) \, \bar s_{t-1} + \eta_t \, s_t(\theta_{t-1}), \qquad
    \theta_t = \theta(\bar s_t)

The step :math:`\eta_t` is the batch's share of what the average *remembers*, a weight
:math:`M_t` that grows more slowly than that of all rows, so that what was said of the
first ones by a poor start is forgotten. With power :math:`p`, offset :math:`o` and
weights :math:`w_t` of the batches,

.. math::

    \eta_t = w_t / M_t, \qquad M_t^{1/p} = M_{t-1}^{1/p} + w_t^{1/p}, \qquad
    M_0 = w_1 o^p .

For batches of equal weight this is the usual :math:`\eta_t = (t + o)^{-p}`; otherwise a
batch counts for what it holds, and no unit of the weights makes a difference. In 3
passes over 20,000 and 200,000 rows, powers of 0.55 and 0.6 and offsets of 0 and 2
differed little; with a power of 1, which forgets nothing, overlapping components ended
up to ten times as far from 60 passes of EM, and with an offset of 10 twice.

What is returned is estimated from an average of the :math:`\bar s_t`, which forgets
less: the noise of single batches cancels, and the result is as good as any estimate can
be (Polyak and Juditsky 1992, doi:10.1137/0330046). In it the last averages count more,
in proportion to :math:`W_t^3 - W_{t-1}^3` where :math:`W_t` is the weight seen so far
(O. Shamir and T. Zhang 2013, arXiv:1212.1824).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, blended
from skdensity.rows.rows import Rows
from skdensity.solvers.mixtures.em import m_step

# Power of the weight seen so far that averages count by. After 3 passes over 40,000
# rows of separated components, the result was with 1 and with 8 five to eight times as
# far from 60 passes of EM, and without an average 50 times; where components overlap,
# all were within a fifth of each other.
AVERAGING = 3


@dataclass(frozen=True, eq=False)
class StepwiseState:
    """Where stepwise EM stands.

    Attributes
    ----------
    moments : Moments
        The running average, per unit of weight.
    averaged : Moments
        The average of those.
    memory : float
        The weight M that the running average remembers.
    total : float
        The weight W of all rows so far.
    value : float
        Mean log-likelihood of the last batch, in nats, before its step.
    """

    moments: Moments
    averaged: Moments
    memory: float
    total: float
    value: float = -np.inf

    @classmethod
    def after(cls, moments: Moments) -> Self:
        """Go on from the moments of a fit to all rows, which remember all of these."""
        total = float(moments.mass.sum())
        mean = moments.scaled(1 / total)
        return cls(mean, mean, memory=total, total=total)


@dataclass(frozen=True, eq=False)
class StepwiseEM:
    """A step of EM for every batch.

    Attributes
    ----------
    family : CovarianceFamily
        The shape of the covariances.
    added : callable
        Gives the covariance that is added to every one, from what gives the moments of
        all rows as one component.
    power, offset : float
        p and o of the schedule.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.covariances.table import SPHERICAL
    >>> from skdensity.models.mixtures.mixture import Mixture
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> from skdensity.solvers.mixtures.stepwise import StepwiseEM
    >>> X = np.random.RandomState(0).standard_normal((900, 1))
    >>> X[::3] += 9
    >>> half, one = np.full(2, 0.5), np.ones((2, 1))
    >>> start = Mixture.from_cholesky(half, np.array([[1.0], [8.0]]), one, SPHERICAL)
    >>> solver = StepwiseEM(SPHERICAL, lambda moments: np.zeros(1), 0.6, 1.0)
    >>> batches = (ArrayRows(X[begin : begin + 100]) for begin in range(0, 900, 100))
    >>> for state in solver.steps(start, batches):
    ...     mixture, value = solver.finished(state)
    >>> mixture.weights.round(2), mixture.means.ravel().round(1)
    (array([0.67, 0.33]), array([-0.1,  9. ]))
    """

    family: CovarianceFamily
    added: Callable[[Callable[[], Moments]], np.ndarray]
    power: float
    offset: float

    def begin(self, mixture: Mixture, rows: Rows) -> StepwiseState:
        """The first batch, under a start: the average is that of its moments."""
        moments, value = self._expected(mixture, rows)
        weight = rows.total_weight
        memory = weight * (1 + self.offset) ** self.power
        return StepwiseState(moments, moments, memory, weight, value)

    def step(self, state: StepwiseState, rows: Rows) -> StepwiseState:
        """The next batch, under the mixture of the running average."""
        new, value = self._expected(self.maximised(state.moments), rows)
        weight = rows.total_weight
        memory = self._longer(state.memory, weight)
        moments = self._blended(state.moments, new, weight / memory)
        # 1 - (W / (W + w))³, to all digits.
        share = -np.expm1(-AVERAGING * np.log1p(weight / state.total))
        averaged = self._blended(state.averaged, moments, share)
        return StepwiseState(moments, averaged, memory, state.total + weight, value)

    def steps(self, start: Mixture, batches: Iterable[Rows]) -> Iterator[StepwiseState]:
        """The states after every batch; :meth:`finished` gives their mixtures."""
        batches = iter(batches)
        for rows in batches:
            state = self.begin(start, rows)
            yield state
            break
        for rows in batches:
            state = self.step(state, rows)
            yield state

    def finished(self, state: StepwiseState) -> tuple[Mixture, float]:
        """The mixture of the average, and the mean log-likelihood of the last batch."""
        return self.maximised(state.averaged), state.value

    def maximised(self, moments: Moments) -> Mixture:
        """The M-step."""
        return m_step(moments, self.family, self.added_to(moments))[0]

    def added_to(self, moments: Moments) -> np.ndarray:
        """The covariance that is added to every one, given moments."""
        return self.added(lambda: moments.as_one(self.family.scatter))

    def _expected(self, mixture, rows):
        """Moments of a batch, per unit of weight, and its mean log-likelihood."""
        moments = mixture.moments(mixture.near(rows)).scaled(1 / rows.total_weight)
        return moments, float(moments.log_likelihood)

    def _longer(self, memory, weight):
        """M_t, from logarithms: powers of weights overflow."""
        powers = np.log([memory, weight]) / self.power
        return float(np.exp(self.power * np.logaddexp(*powers)))

    def _blended(self, one, other, share):
        return blended(one, other, share, self.family.scatter)
