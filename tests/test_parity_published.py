"""What R's mclust and `density` print for its own tables.

The tables are in `tests/tables`, and so is where they are from. The numbers were typed
in, each with where it was read.
"""

from pathlib import Path

import numpy as np
import pytest
from conftest import MIXTURES, ON_AWKWARD_DATA, read_only
from scipy.stats import norm

from skdensity import EMGaussianMixture, GaussianMixtureSearch, LOOKernelDensity
from skdensity.uses.mixture_cell import TOL

TABLES = Path(__file__).parent / "tables"
# Half of the last digit of numbers that are printed with three and with four.
THREE, FOUR = 5e-4, 5e-5


def table(name):
    """A table of R, in thousands of km/s for the galaxies."""
    X = np.loadtxt(TABLES / f"{name}.csv", delimiter=",", ndmin=2)
    return read_only(X / 1000 if name == "galaxies" else X)


# ---- mclust ----

# ℓ of the choice of mclust 6.1.3 in its vignette ("A quick tour of mclust").
CHOICES = {
    "faithful": ("tied", 3, -1126.326, THREE),  # EEE
    "diabetes": ("full", 3, -2295.118, THREE),  # VVV
    "acidity": ("tied", 2, -185.9493, FOUR),  # E
    "galaxies": ("full", 3, -203.1792, FOUR),  # V
}
# BIC, by the sign of mclust, of the families that are here, for one to four
# components of Mclust(faithful): printed in public lecture notes, as the parameters
# are.
FAITHFUL = {
    "tied_spherical": [-4024.721, -3452.998, -3377.701, -3230.264],  # EII
    "spherical": [-4024.721, -3458.305, -3336.598, -3242.826],  # VII
    "tied_diag": [-3055.835, -2354.601, -2323.014, -2323.673],  # EEI
    "diag": [-3055.835, -2346.065, -2342.366, -2343.486],  # VVI
    "tied": [-2607.623, -2325.220, -2314.316, -2331.223],  # EEE
    "full": [-2607.623, -2322.192, -2349.696, -2351.493],  # VVV
}
FAITHFUL_3 = (
    [0.1656784, 0.3563696, 0.4779520],
    [[3.793066, 77.521051], [2.037596, 54.491158], [4.463245, 80.833439]],
    [[0.07825448, 0.48019785], [0.48019785, 33.7671464]],
)
# ℓ of one to three components with a variance each, as sBIC prints them, a package of
# Drton and Plummer (2017), doi:10.1111/rssb.12187, whose fits are those of mclust.
GALAXIES = [-240.3379, -220.2445, -203.1792]
# Rows by label, and twice the differences of ℓ from one to three components: the
# vignette, for VVV.
DIABETES_COUNTS, DIABETES_RATIOS = [82, 35, 28], [369.98537, 121.10652]


def log_likelihood(mixture, X):
    return len(X) * mixture.score(X)


def check_optimum(found, published, rounding):
    """That an optimum is the one at which mclust stopped, and not below."""
    assert found >= published - rounding
    # It stops where a step adds less than 1e-5 of ℓ. Of steps of which each is nine
    # tenths of the one before, nine times as much is then ahead.
    assert found <= published + 10 * 1e-5 * abs(published)


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("name", CHOICES)
def test_no_choice_of_mclust_is_more_likely(Mixture, name):
    X = table(name)
    covariance_type, n_components, published, rounding = CHOICES[name]
    mixture = Mixture(n_components, covariance_type=covariance_type, random_state=0)
    mixture.set_params(tol=1e-6).fit(X)
    check_optimum(log_likelihood(mixture, X), published, rounding)


@pytest.mark.parametrize("Mixture", MIXTURES)
def test_parameters_that_mclust_prints_are_on_the_way_to_ours(Mixture):
    X = table("faithful")
    printed = Mixture.from_parameters(*FAITHFUL_3, covariance_type="tied")
    # It prints ℓ before its last M-step.
    assert log_likelihood(printed, X) >= -1126.326 - THREE
    df = 11
    expected = -2 * log_likelihood(printed, X) + df * np.log(272)
    assert printed.bic(X) == pytest.approx(expected, rel=1e-12)
    fitted = Mixture(3, covariance_type="tied", random_state=0).set_params(tol=1e-6)
    assert log_likelihood(printed, X) <= log_likelihood(fitted.fit(X), X)


@pytest.fixture(scope="module")
def search():
    """One to four components of every family."""
    X = table("faithful")
    return GaussianMixtureSearch(range(1, 5), random_state=0).fit(X)


def test_the_choice_is_that_of_mclust(search):
    assert search.best_params_ == {"n_components": 3, "covariance_type": "tied"}


@pytest.mark.parametrize("family", FAITHFUL)
def test_no_cell_is_worse_than_that_of_mclust(search, family):
    bic = search.results_["bic"][search.results_["covariance_type"] == family]
    published = -np.array(FAITHFUL[family])
    # One component is a closed form.
    assert bic[0] == pytest.approx(published[0], abs=THREE)
    # A fit ends when TOL is to be expected of each row.
    assert np.all(bic <= published + 2 * 272 * TOL + THREE)


def test_more_components_of_galaxies():
    X = table("galaxies")
    for n_components, published in enumerate(GALAXIES, start=1):
        mixture = EMGaussianMixture(n_components, tol=1e-6, random_state=0).fit(X)
        check_optimum(log_likelihood(mixture, X), published, FOUR)


def test_more_components_of_diabetes():
    X = table("diabetes")
    fits = [EMGaussianMixture(k, tol=1e-6, random_state=0).fit(X) for k in (1, 2, 3)]
    values = [log_likelihood(fit, X) for fit in fits]
    # From one component, which is a closed form.
    published = values[0] + np.cumsum(DIABETES_RATIOS) / 2
    assert np.all(values[1:] >= published - 1e-5)
    counts = np.bincount(fits[2].predict(X))
    assert sorted(counts, reverse=True) == DIABETES_COUNTS


# ---- density, and its bandwidths ----

# What print(density(faithful$eruptions)) says of 512 values: their least, the first
# quartile, median, mean, third quartile and largest. With the default bandwidth, before
# R 4.4; and with bw = "sj", as the guide of the package plotjs prints it.
DENSITIES = {
    "nrd0": [0.0002262, 0.0514171, 0.1447010, 0.1813462, 0.3086071, 0.4842095],
    "sj": [0.0001814, 0.0421820, 0.1706817, 0.2299476, 0.4130131, 0.5940669],
}
# What bw.nrd0 and its like give: for precip in R's sources, where the file is
# src/library/stats/tests/bandwidth.Rout.save; for galaxies a quarter of
# MASS::width.SJ(galaxies / 1000), in the script of chapter 5 of Venables and Ripley
# (2002).
BANDWIDTHS = {
    "faithful": {"nrd0": 0.3348, "sj": 0.14},
    "precip": {
        "nrd0": 3.8479,
        "nrd": 4.5320,
        "ucv": 4.8619,
        "bcv": 6.6808,
        "sj-dpi": 4.0220,
        "sj-ste": 3.9318,
    },
    "galaxies": {"sj-dpi": 3.256151 / 4, "sj-ste": 2.566423 / 4},
}
EACH_TABLE = pytest.mark.parametrize("name", BANDWIDTHS)


def column(name):
    """The first feature of a table."""
    return table(name)[:, :1]


def nrd(x, factor):
    """A rule of thumb as R has it."""
    quartiles = np.quantile(x, [0.25, 0.75])
    spread = min(x.std(ddof=1), np.diff(quartiles).item() / 1.34)
    return factor * spread * len(x) ** -0.2


def summary(y):
    """Six numbers about values, all of which rise with each of them."""
    low, middle, high = np.quantile(y, [0.25, 0.5, 0.75])
    return np.array([y.min(), low, middle, y.mean(), high, y.max()])


def curvature(grid, x, h):
    """The mean over the rows of the size of the second derivative of a kernel."""
    z = (grid - x.T) / h
    return np.mean(np.abs(z**2 - 1) * norm.pdf(z), axis=1) / h**3


@pytest.mark.parametrize(
    ("name", "h", "rounding", "scale"),
    [
        # Before 4.4 the kernel was evaluated at steps too short by this, and was wider
        # and heavier by it (the news of R 4.4.0, and its argument old.coords).
        ("nrd0", nrd(column("faithful"), 0.9), 0.0, 1023 / 1022),
        ("sj", 0.14, 5e-5, 1.0),
    ],
)
def test_the_values_that_r_prints_are_those_of_the_density(name, h, rounding, scale):
    x = column("faithful")
    assert h == pytest.approx(BANDWIDTHS["faithful"][name], abs=FOUR)
    grid = np.linspace(x.min() - 3 * h, x.max() + 3 * h, 512)[:, None]
    density = LOOKernelDensity(scale * h, rtol=1e-9).fit(x)
    values = scale * np.exp(density.score_samples(grid))
    # R shares each row among two of 512 points, and goes on straight lines between
    # them: each is off by an eighth of the step's square times a second derivative. A
    # bandwidth that is rounded is off by the derivative in h, h times the second in x.
    step = (np.ptp(x) + 14 * h) / 511
    error = (step**2 / 4 + rounding * h) * curvature(grid, x, h)
    printed = np.array(DENSITIES[name])
    assert np.all(printed >= summary(values - error) - 5e-8)
    assert np.all(printed <= summary(values + error) + 5e-8)


@ON_AWKWARD_DATA
@EACH_TABLE
def test_no_bandwidth_of_r_has_a_better_leave_one_out_likelihood(name):
    x = column(name)
    best = LOOKernelDensity().fit(x).loo_score_
    for h in BANDWIDTHS[name].values():
        assert LOOKernelDensity(h).fit(x).loo_score_ <= best


def least_squares(x, h):
    """R's unbiased cross-validation, ∫ p̂² less twice the mean of p̂ without a row."""
    z = x - x.T
    n = len(x)
    left_out = (norm.pdf(z / h).sum() - n * norm.pdf(0)) / (h * n * (n - 1))
    return norm.pdf(z / (h * 2**0.5)).mean() / (h * 2**0.5) - 2 * left_out


@ON_AWKWARD_DATA
def test_nor_has_one_a_better_least_squares_score():
    x = column("precip")
    h = LOOKernelDensity("lscv").fit(x).bandwidth_
    best = least_squares(x, h)
    for other in BANDWIDTHS["precip"].values():
        assert least_squares(x, other) > best
    # R bins the rows, and stops within a tenth of a tenth of its longest bandwidth.
    longest = 1.144 * x.std(ddof=1) * len(x) ** -0.2
    assert h == pytest.approx(BANDWIDTHS["precip"]["ucv"], abs=longest / 100)


@ON_AWKWARD_DATA
def test_the_rule_of_thumb_is_that_of_r():
    x = column("precip")
    for name, factor in (("nrd0", 0.9), ("nrd", 1.06)):
        assert nrd(x, factor) == pytest.approx(BANDWIDTHS["precip"][name], abs=FOUR)
    h = LOOKernelDensity("silverman").fit(x).bandwidth_
    # Definitions of the quartiles of 70 rows lie from the 18th to the 19th, and from
    # the 52nd to the 53rd. R has rounded constants.
    low, high = np.partition(x[:, 0], [17, 18, 51, 52])[[17, 18, 51, 52]].reshape(2, 2)
    shortest, longest = high[0] - low[1], high[1] - low[0]
    for bandwidth, constant in (
        (h, (4 / 3) ** 0.2 / (2 * norm.ppf(0.75))),
        (BANDWIDTHS["precip"]["nrd"], 1.06 / 1.34),
    ):
        spread = bandwidth / (constant * 70**-0.2)
        assert shortest - 1e-3 <= spread <= longest + 1e-3


def test_plug_in_rules_agree_where_there_are_many_bumps():
    # Two of R's estimate the same roughness in two ways; the improved one is a third.
    h = LOOKernelDensity("isj").fit(column("galaxies")).bandwidth_
    assert BANDWIDTHS["galaxies"]["sj-ste"] < h < BANDWIDTHS["galaxies"]["sj-dpi"]
