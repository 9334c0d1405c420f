"""The exact log-density of Gaussian kernels, in extended precision."""

import numpy as np

N_CHECKED = 200


def exact_log_density(X, queries, bandwidth, weight=None):
    """Log-sum-exp over all rows in longdouble, for a few queries."""
    X = np.asarray(X, np.longdouble)
    weight = np.ones(len(X)) if weight is None else weight
    log_mass = np.log(np.asarray(weight, np.longdouble))
    log_mass -= np.log(np.sum(weight, dtype=np.longdouble))
    h = np.longdouble(bandwidth)
    norm = X.shape[1] * np.log(h * np.sqrt(2 * np.longdouble(np.pi)))
    distances = (((X - query) ** 2).sum(axis=1) for query in queries)
    return (
        np.array([_log_sum_exp(log_mass - d / (2 * h * h)) for d in distances]) - norm
    )


def _log_sum_exp(terms):
    """In the precision of the terms."""
    top = terms.max()
    return top + np.log(np.exp(terms - top).sum())


def hardest(log_density):
    """Where to check: half the places with the smallest densities, half at random."""
    lowest = np.argsort(log_density)[: N_CHECKED // 2]
    rng = np.random.RandomState(0)
    others = np.setdiff1d(np.arange(len(log_density)), lowest)
    n_others = min(N_CHECKED - len(lowest), len(others))
    return np.concatenate([lowest, rng.choice(others, n_others, replace=False)])
