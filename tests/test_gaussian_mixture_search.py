"""A search over mixtures: the table, the choice, and what does not count."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import ON_AWKWARD_DATA, TYPES
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdensity import (
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
    MixtureDisplay,
    MixtureSearchDisplay,
    RowBlocks,
)
from skdensity.uses.mixture_cell import TOL

# −BIC of the flowers of iris, K = 1 to 5, as R's mclust printed it for
# Mclust(iris[, -5], G = 1:9), in a public script of the developers of norMmix.
MCLUST = {
    "full": [-829.9782, -574.0178, -580.8396, -630.6000, -676.6061],  # VVV
    "tied": [-829.9782, -688.0972, -632.9647, -646.0258, -604.8131],  # EEE
    "diag": [-1522.1202, -857.5515, -744.6382, -751.0198, -711.4502],  # VVI
    "tied_diag": [-1522.1202, -1042.9679, -813.0504, -827.4036, -741.9185],  # EEI
    "spherical": [-1804.0854, -1012.2352, -853.8144, -812.6048, -742.6083],  # VII
    "tied_spherical": [-1804.0854, -1123.4117, -878.7650, -893.6140, -782.6441],  # EII
}


@ON_AWKWARD_DATA
@pytest.mark.filterwarnings("ignore:GaussianMixtureSearch.*mixtures counts:UserWarning")
@parametrize_with_checks([GaussianMixtureSearch([1, 2], ["full", "diag"])])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def flowers():
    """A table of all families, up to five components."""
    X = load_iris().data
    return X, GaussianMixtureSearch(range(1, 6), random_state=0).fit(X)


def column(search, family, name):
    """A column of the table: one family's numbers, by K."""
    is_own = search.results_["covariance_type"] == family
    return search.results_[name][is_own]


# ---- What R's mclust publishes ----


def test_the_choice_is_that_of_mclust(flowers):
    _, search = flowers
    assert search.best_params_ == {"n_components": 2, "covariance_type": "full"}
    # −2 ℓ + 29 log 150, in four digits there.
    published = (-574.0178 + 29 * np.log(150)) / 2
    found = search.results_["log_likelihood"][search.best_index_]
    assert found == pytest.approx(published, abs=1e-3)


@pytest.mark.parametrize("family", TYPES)
def test_no_cell_is_worse_than_that_of_mclust(flowers, family):
    X, search = flowers
    # A fit ends when TOL is to be expected of each row.
    slack = 2 * len(X) * TOL
    assert np.all(column(search, family, "bic") <= -np.array(MCLUST[family]) + slack)


# ---- The table ----


def test_the_table_says_what_its_mixtures_are(flowers):
    X, search = flowers
    results = search.results_
    n_parameters = {"full": 29, "tied": 19, "diag": 17, "tied_diag": 13}
    n_parameters |= {"spherical": 11, "tied_spherical": 10}
    for family, number in n_parameters.items():  # of two components in four features
        assert column(search, family, "n_parameters")[1] == number
    likelihood, p = results["log_likelihood"], results["n_parameters"]
    np.testing.assert_allclose(results["aic"], -2 * likelihood + 2 * p)
    np.testing.assert_allclose(results["bic"], -2 * likelihood + p * np.log(len(X)))
    assert np.all(results["icl"] >= results["bic"] - 1e-9)
    assert np.all(results["converged"])
    assert np.all(results["fit_time"] > 0)
    assert {len(values) for values in results.values()} == {30}


def test_the_best_mixture_is_the_one_in_the_table(flowers):
    X, search = flowers
    best, results = search.best_estimator_, search.results_
    assert search.best_index_ == np.argmin(results["bic"])
    for name in ("aic", "bic", "icl"):
        value = getattr(best, name)(X)
        assert results[name][search.best_index_] == pytest.approx(value, rel=1e-12)
    fresh = clone(best)
    assert fresh.get_params()["init_params"] == "small_em"
    assert fresh.get_params()["random_state"] == 0
    # As of an optimum: further steps change nothing of a thousandth of a nat.
    further = clone(best).set_params(
        weights_init=best.weights_,
        means_init=best.means_,
        precisions_init=best.precisions_,
        tol=1e-9,
    )
    gain = further.fit(X).score_samples(X).sum() - best.score_samples(X).sum()
    assert abs(gain) < 1e-3


def test_what_is_asked_of_the_search_is_asked_of_the_best(flowers):
    X, search = flowers
    best = search.best_estimator_
    for method in ("score_samples", "predict", "predict_proba", "score"):
        np.testing.assert_array_equal(
            getattr(search, method)(X), getattr(best, method)(X)
        )
    for mine, other in zip(search.sample(9), best.sample(9, 0), strict=True):
        np.testing.assert_array_equal(mine, other)
    with pytest.raises(NotFittedError):
        GaussianMixtureSearch().predict(X)


def test_more_components_and_freer_families_fit_no_worse(flowers):
    X, search = flowers
    slack = len(X) * TOL
    likelihood = {name: column(search, name, "log_likelihood") for name in TYPES}
    for values in likelihood.values():
        assert np.all(np.diff(values) >= -slack)
    for small, large in [
        ("tied_spherical", "spherical"),
        ("tied_spherical", "tied_diag"),
        ("tied_diag", "diag"),
        ("tied_diag", "tied"),
        ("spherical", "diag"),
        ("diag", "full"),
        ("tied", "full"),
    ]:
        assert np.all(likelihood[large] >= likelihood[small] - slack), (small, large)


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_the_number_of_jobs_makes_no_difference(flowers, backend):
    """Not of a bit, nor do processes, to which mixtures are sent as pickles."""
    X, _ = flowers
    one = GaussianMixtureSearch(range(1, 4), ["full", "tied", "diag"], random_state=0)
    two = clone(one).set_params(n_jobs=2)
    with parallel_config(backend=backend):
        two.fit(X)
    for name, values in one.fit(X).results_.items():
        if name != "fit_time":
            np.testing.assert_array_equal(two.results_[name], values)


def test_criteria_ask_different_questions():
    # Two clusters, one of which is the sum of a narrow and a wide Gaussian.
    rng = np.random.RandomState(0)
    X = rng.standard_normal((900, 2))
    X[:300] *= 2
    X[600:] += 20
    numbers = {}
    for criterion in ("aic", "bic", "icl"):
        search = GaussianMixtureSearch(
            range(1, 5), "spherical", criterion=criterion, random_state=0
        ).fit(X)
        numbers[criterion] = search.best_params_["n_components"]
        results = search.results_
        assert search.best_index_ == np.argmin(results[criterion])
    assert numbers["icl"] == 2 < numbers["bic"] == 3 <= numbers["aic"]


def test_one_feature_has_two_families(lecture_mixture):
    search = GaussianMixtureSearch(range(1, 6), random_state=0).fit(lecture_mixture)
    assert set(search.results_["covariance_type"]) == {"full", "tied"}
    assert search.best_params_ == {"n_components": 3, "covariance_type": "full"}
    one = GaussianMixtureSearch(2, "spherical", random_state=0).fit(lecture_mixture)
    assert one.best_params_ == {"n_components": 2, "covariance_type": "spherical"}


# ---- What rows may be ----


def test_a_weight_is_a_repetition(iris):
    weight = np.random.RandomState(0).randint(0, 3, size=len(iris))
    search = GaussianMixtureSearch([1, 2], ["full", "tied_diag"], random_state=0)
    weighted = clone(search).fit(iris, sample_weight=weight)
    repeated = clone(search).fit(np.repeat(iris, weight, axis=0))
    for name in ("aic", "bic", "icl", "log_likelihood"):
        np.testing.assert_allclose(
            weighted.results_[name], repeated.results_[name], rtol=1e-6
        )


def test_what_is_missing_is_integrated_out(iris):
    X = iris.copy()
    X[np.random.RandomState(0).uniform(size=X.shape) < 0.1] = np.nan
    search = GaussianMixtureSearch([1, 2], "tied", random_state=0).fit(X)
    best = search.best_estimator_
    found = search.results_["log_likelihood"][search.best_index_]
    assert found == pytest.approx(best.score_samples(X).sum(), rel=1e-12)
    alone = EMGaussianMixture(**search.best_params_, random_state=0).fit(X)
    assert found >= alone.score_samples(X).sum() - len(X) * alone.tol


def test_rows_may_come_in_blocks(iris):
    search = GaussianMixtureSearch([1, 2], ["full", "tied"], random_state=0)
    held = clone(search).fit(iris)
    blocks = RowBlocks(lambda: iter(np.array_split(iris, 4)))
    streamed = clone(search).fit(blocks)
    assert streamed.best_params_ == held.best_params_
    # Both are near the optimum, and started elsewhere.
    for name in ("bic", "icl"):
        best = held.results_[name][held.best_index_]
        assert streamed.results_[name][streamed.best_index_] == pytest.approx(
            best, abs=0.01
        )


def test_names_of_features_are_those_of_the_last_fit():
    frame = load_iris(as_frame=True).data
    search = GaussianMixtureSearch([1, 2], "tied", random_state=0).fit(frame)
    assert list(search.feature_names_in_) == list(frame)
    assert list(search.best_estimator_.feature_names_in_) == list(frame)
    search.fit(frame.to_numpy())
    assert not hasattr(search, "feature_names_in_")
    assert search.n_features_in_ == 4


def test_it_can_be_cross_validated(iris):
    search = GaussianMixtureSearch([1, 2], "full", random_state=0)
    assert cross_val_score(search, iris[::2], cv=2).shape == (2,)


# ---- What does not count ----


@pytest.mark.filterwarnings("ignore:EMGaussianMixture.*coincide:UserWarning")
def test_a_spike_does_not_count():
    # Of rounded heights, one value alone can have a component, as narrow as one likes.
    rng = np.random.RandomState(0)
    X = np.round(rng.normal(170, 3, size=(1000, 1)))
    search = GaussianMixtureSearch([1, 2, 20], "full", random_state=0).fit(X)
    results = search.results_
    assert list(results["reason"][:2]) == ["", ""]
    assert "on `reg_covar`" in results["reason"][2]
    for name in ("aic", "bic", "icl", "log_likelihood"):
        np.testing.assert_array_equal(np.isnan(results[name]), [False, False, True])
    assert search.best_params_["n_components"] == 1
    spiked = EMGaussianMixture(20, random_state=0)
    with pytest.warns(UserWarning, match="rest on `reg_covar`"):
        assert spiked.fit(X).bic(X) < results["bic"][0]


def test_a_spike_gives_way_to_a_density_that_counts():
    # A copy is the most likely place for a component, and no reason to go without one.
    rng = np.random.RandomState(1)
    X = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(6, 1, (60, 2))])
    X = np.concatenate([X, np.repeat([[3.0, 9.0]], 3, axis=0)])
    search = GaussianMixtureSearch([1, 2, 3], "full", random_state=0).fit(X)
    assert search.best_params_["n_components"] >= 2
    assert np.all(np.isfinite(search.results_["bic"][:2]))


@pytest.mark.filterwarnings("ignore:.*the best mixture has:UserWarning")
def test_cells_without_rows_enough_have_reasons(iris):
    X = iris[:6]
    search = GaussianMixtureSearch([1, 2, 7], ["full", "spherical"], random_state=0)
    results = search.fit(X, sample_weight=np.full(6, 0.5)).results_
    by_place = {
        (family, number): reason
        for family, number, reason in zip(
            results["covariance_type"],
            results["n_components"],
            results["reason"],
            strict=True,
        )
    }
    assert "14 parameters, and the total weight is only 3" in by_place["full", 1]
    assert "n_components=7 needs at least as many rows" in by_place["spherical", 7]
    assert by_place["spherical", 1] == ""


def test_more_parameters_than_rows_are_no_reason_but_a_doubt():
    """The warning that the criterion of the best mixture alone would give."""
    X = StandardScaler().fit_transform(load_breast_cancer().data)
    search = GaussianMixtureSearch([1, 2], ["full", "tied"], random_state=0)
    message = "Search: the best mixture has 991 parameters, .* only 569: criteria"
    with pytest.warns(UserWarning, match=message):
        search.fit(X)
    with pytest.warns(UserWarning, match="has 991 parameters"):
        search.best_estimator_.bic(X)
    assert search.best_params_ == {"n_components": 2, "covariance_type": "full"}
    assert search.results_["bic"].min() <= GaussianMixture(2, random_state=0).fit(
        X
    ).bic(X)


def test_a_table_of_failures_is_an_error(iris):
    search = GaussianMixtureSearch([1, 2], "tied", random_state=0).fit(iris)
    before = dict(vars(search))
    with pytest.raises(ValueError, match=r"None of 2 mixtures could.*at least as many"):
        search.set_params(n_components=[500, 600]).fit(iris)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        search.fit(np.where(iris > 7, np.inf, iris))
    with pytest.raises(ValueError, match=r"`X` holds strings in column 'a'"):
        search.fit(pd.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]}))
    assert vars(search) == {**before, "n_components": [500, 600]}


def test_without_a_choice_the_smallest_mixture_is_kept(iris):
    search = GaussianMixtureSearch([1, 2], ["full", "tied_diag"], random_state=0)
    message = r"None of 4 mixtures counts.*8 parameters, and the total .* only 1"
    with pytest.warns(UserWarning, match=message):
        search.fit(iris, sample_weight=np.full(len(iris), 1 / len(iris)))
    assert search.best_params_ == {"n_components": 1, "covariance_type": "tied_diag"}
    assert np.isnan(search.results_["bic"]).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, r"positive integers, such as range\(1, 11\); got 0"),
        ({"n_components": [1, 2.5]}, "positive integers"),
        ({"n_components": []}, "positive integers"),
        ({"covariance_types": "round"}, "'covariance_types'.*'round'"),
        ({"covariance_types": ["full", "round"]}, "some of 'full', .*'round'"),
        ({"covariance_types": []}, "some of 'full'"),
        ({"covariance_types": [["full"]]}, r"some of 'full', .*\[\['full'\]\]"),
        ({"covariance_types": ["full", None]}, "some of 'full', .*None"),
        ({"n_components": [[1], [2, 3]]}, r"positive integers, .*\[\[1\], \[2, 3\]\]"),
        ({"n_components": [True, False]}, "positive integers"),
        ({"criterion": "dic"}, "'criterion'.*'dic'"),
    ],
)
def test_bad_parameters(iris, params, message):
    search = GaussianMixtureSearch(**params)
    before = dict(vars(search))
    with pytest.raises(ValueError, match=message):
        search.fit(iris)
    assert vars(search) == before


def test_a_doubt_about_the_best_is_told():
    # Rows far away make the variance of all large, of which `reg_covar` is a part.
    rng = np.random.RandomState(0)
    X = np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(3000, 30, (20, 2))])
    with pytest.warns(UserWarning, match="GaussianMixtureSearch: .*rows that are far"):
        GaussianMixtureSearch([1, 2], "full", random_state=0).fit(X)


# ---- The display ----


@pytest.fixture
def no_figures_left_open():
    yield
    plt.close("all")


@pytest.mark.usefixtures("no_figures_left_open")
def test_the_display_shows_the_table(flowers):
    _, search = flowers
    display = MixtureSearchDisplay.from_estimator(search)
    lines = {line.get_label(): line for line in display.ax_.lines}
    assert set(lines) == set(TYPES)
    for family, line in lines.items():
        np.testing.assert_array_equal(line.get_xdata(), range(1, 6))
        np.testing.assert_array_equal(line.get_ydata(), column(search, family, "bic"))
    assert display.chosen == ("full", 2)
    bottom, top = display.ax_.get_ylim()
    for family in TYPES:
        assert bottom < column(search, family, "bic").min() < top
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend[-1] == "best: full, 2"


@pytest.mark.usefixtures("no_figures_left_open")
@pytest.mark.parametrize("value", [0.0, 3.0, -1e18, 1e18, 1e300])
def test_curves_that_are_level_are_seen(value):
    display = MixtureSearchDisplay(
        n_components=np.array([1, 2]),
        curves={"full": np.full(2, value)},
        chosen=("full", 1),
        ylabel="BIC",
    ).plot()
    bottom, top = display.ax_.get_ylim()
    assert bottom < value < top


@pytest.mark.filterwarnings("ignore:.*the best mixture has:UserWarning")
@pytest.mark.usefixtures("no_figures_left_open")
def test_failed_cells_are_marked(iris):
    search = GaussianMixtureSearch([1, 2, 7], ["full", "spherical"], random_state=0)
    display = MixtureSearchDisplay.from_estimator(search.fit(iris[:6]))
    crosses = [c.get_offsets().data[:, 0].tolist() for c in display.ax_.collections]
    failed = np.isnan(search.results_["bic"])
    assert crosses[0] == search.results_["n_components"][:3][failed[:3]].tolist()
    assert crosses[1] == search.results_["n_components"][3:][failed[3:]].tolist()
    legend = display.ax_.get_legend()
    assert "does not count" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.usefixtures("no_figures_left_open")
def test_the_legend_hides_no_curve(flowers):
    """Beside the axes of its own figure, and within that."""
    _, search = flowers
    display = MixtureSearchDisplay.from_estimator(search)
    display.figure_.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x0 >= display.ax_.get_window_extent().x1
    assert legend.x1 <= display.figure_.bbox.x1
    _, ax = plt.subplots()
    inside = MixtureSearchDisplay.from_estimator(search, ax=ax).ax_
    inside.figure.draw_without_rendering()
    assert inside.get_legend().get_window_extent().x1 <= inside.get_window_extent().x1


@pytest.mark.usefixtures("no_figures_left_open")
def test_what_the_display_is_for(flowers):
    X, search = flowers
    with pytest.raises(
        TypeError, match="is for GaussianMixtureSearch; got GaussianMLE"
    ):
        MixtureSearchDisplay.from_estimator(GaussianMLE().fit(X))
    with pytest.raises(NotFittedError):
        MixtureSearchDisplay.from_estimator(GaussianMixtureSearch())
    MixtureDisplay.from_estimator(search.best_estimator_, X, features=[2, 3])
