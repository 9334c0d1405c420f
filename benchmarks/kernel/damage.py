"""Columns that are rounded, heaped, spiked or clipped, and what they were before."""

import numpy as np


def normal(r, n):
    return r.normal(size=n)


def hours(r, n):
    return r.normal(38, 10, n)


def clipped(r, n):
    return np.clip(r.normal(size=n), -1.5, 2)


def incomes(r, n):
    return r.lognormal(7.5, 0.5, n)


def rounded(step):
    return lambda x, r: step * (x / step).round()


def heaped(x, r, step, share):
    coarse = 50 * step * (x / (50 * step)).round()
    return np.where(r.random(len(x)) < share, coarse, step * (x / step).round())


def priced(x, r):
    """Whole prices that end in .99, most of them."""
    ends = np.where(r.random(len(x)) < 0.7, 0.99, (x % 1).round(2))
    return np.floor(x) + ends


def spiked(x, r, at, step=0.0):
    x = step * (x / step).round() if step else x
    return np.where(r.random(len(x)) < 0.3, at, x)


def failed(x, r):
    """A sensor that says −9999 one time in twenty."""
    return np.where(np.arange(len(x)) % 20 == 0, -9999.0, x)


# What is drawn, what becomes of it, and the step that is left.
DAMAGED = {
    "hundredths": (normal, rounded(0.05), 0.05),
    "tenths": (normal, rounded(0.1), 0.1),
    "quarters": (normal, rounded(0.25), 0.25),
    "halves": (normal, rounded(0.5), 0.5),
    "wholes": (normal, rounded(1.0), 1.0),
    "integers": (lambda r, n: r.normal(0, 15, n), rounded(1.0), 1.0),
    "few counts": (lambda r, n: r.gamma(3, 1, n), rounded(1.0), 1.0),
    "counts": (lambda r, n: r.gamma(20, 1.5, n), rounded(1.0), 1.0),
    "many counts": (lambda r, n: r.gamma(50, 1, n), rounded(1.0), 1.0),
    "hours of the day": (lambda r, n: 24 * r.beta(2, 3, n) - 0.5, rounded(1.0), 1.0),
    "scores": (lambda r, n: 0.5 + 5 * r.beta(2, 2, n), rounded(1.0), 1.0),
    "heaps": (incomes, lambda x, r: heaped(x, r, 10.0, 0.1), 10.0),
    "many heaps": (incomes, lambda x, r: heaped(x, r, 10.0, 0.3), 10.0),
    "prices": (lambda r, n: r.lognormal(3, 0.8, n), priced, 1.0),
    "spike": (hours, lambda x, r: spiked(x, r, 40), 0.0),
    "rounded spike": (hours, lambda x, r: spiked(x, r, 40, 0.1), 0.1),
    "coarse spike": (normal, lambda x, r: spiked(x, r, 0.5, 0.25), 0.25),
    "zeros": (lambda r, n: r.gamma(2, 5, n), lambda x, r: spiked(x, r, 0, 0.1), 0.1),
    "clipped": (clipped, rounded(1e-3), 1e-3),
    "clipped tenths": (clipped, rounded(0.1), 0.1),
    "failed sensor": (normal, failed, 0.0),
    "rounded, failed": (normal, lambda x, r: failed(x.round(1), r), 0.1),
}


def damaged_columns(name, n_rows, seed, n_features=1):
    """Rows of damaged columns, and what they were before."""
    draw, damage, _ = DAMAGED[name]
    r = np.random.default_rng(seed)
    columns = [draw(r, n_rows) for _ in range(n_features)]
    damaged = [damage(x, r) for x in columns]
    return np.column_stack(damaged), np.column_stack(columns)
