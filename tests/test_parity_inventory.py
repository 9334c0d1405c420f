"""What others test of the classes that ours are for, and where we do.

For every test of theirs, by its name: our tests, as `file::test`, or why there is none.
"""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

FROM_OUTSIDE = "it is about a private function or name"
NO_CLASS = "its objects are SciPy's; a family of covariances is `covariance_type` here"
NUMPY = "arrays are NumPy's"
NO_FIXED = "no parameter is held in a fit; the guide says so"
NO_SUBSPACE = "no density within a subspace; the guide says so"

OF_MIXTURE = "test_parity_gaussian_mixture::"
OF_KERNELS = "test_parity_kernel_density::"
OF_KDE = "test_parity_gaussian_kde::"
OF_NORMAL = "test_parity_multivariate_normal::"

BAD_STARTS = "test_mixture::test_bad_starts_leave_a_fit_as_it_was"
NOT_FITTED = "test_bad_input::test_not_fitted"
AVERAGES = OF_MIXTURE + "test_simpler_covariances_are_averages_of_the_full_ones"
RECOVERED = OF_MIXTURE + "test_components_apart_are_recovered_with_their_labels"
PREDICTED = OF_MIXTURE + "test_fit_predict_is_fit_then_predict_wherever_a_fit_stops"
MORE_STARTS = OF_MIXTURE + "test_with_more_starts_the_bound_is_never_lower"
CUT_SHORT = OF_MIXTURE + "test_a_fit_that_is_cut_short_is_complete_and_says_so"
GOES_ON = (
    OF_MIXTURE + "test_short_fits_from_where_the_last_one_stopped_converge",
    "test_adam_gaussian_mixture::test_warm_start_continues_as_if_never_stopped",
)
WHOLE_START = OF_MIXTURE + "test_a_whole_start_is_left_alone_and_needs_no_other"
AMONG_ROWS = OF_MIXTURE + "test_means_begin_apart_and_stay_among_the_rows"
AS_A_START = "test_mixture::test_fitted_attributes_are_a_start"

GAUSSIAN_MIXTURE = {
    "test_gaussian_mixture_attributes": (
        "test_workflows::test_fit_leaves_rows_weights_and_parameters_alone"
    ),
    "test_check_weights": (BAD_STARTS, WHOLE_START),
    "test_check_means": (BAD_STARTS, WHOLE_START),
    "test_check_precisions": (BAD_STARTS, WHOLE_START),
    "test_suffstat_sk_full": AVERAGES,
    "test_suffstat_sk_tied": AVERAGES,
    "test_suffstat_sk_diag": AVERAGES,
    "test_gaussian_suffstat_sk_spherical": AVERAGES,
    "test_compute_log_det_cholesky": "test_covariances::test_log_det",
    "test_gaussian_mixture_log_probabilities": (
        OF_MIXTURE + "test_the_density_is_the_same_however_a_covariance_is_written"
    ),
    "test_gaussian_mixture_estimate_log_prob_resp": (RECOVERED, WHOLE_START),
    "test_gaussian_mixture_predict_predict_proba": (RECOVERED, NOT_FITTED),
    "test_gaussian_mixture_fit_predict": PREDICTED,
    "test_gaussian_mixture_fit_predict_n_init": PREDICTED,
    "test_gaussian_mixture_fit": RECOVERED,
    "test_gaussian_mixture_fit_best_params": MORE_STARTS,
    "test_gaussian_mixture_fit_convergence_warning": CUT_SHORT,
    "test_multiple_init": MORE_STARTS,
    "test_property": OF_MIXTURE + "test_precisions_invert_covariances",
    "test_gaussian_mixture_n_parameters": (
        "test_mixture::test_the_number_of_parameters_is_scikit_learns"
    ),
    "test_bic_1d_1component": (
        OF_MIXTURE + "test_one_component_of_one_feature_has_one_bic"
    ),
    "test_gaussian_mixture_aic_bic": (
        OF_MIXTURE + "test_criteria_are_those_of_scikit_learn"
    ),
    "test_gaussian_mixture_verbose": (
        "test_mixture::test_verbose_prints_and_silence_does_not"
    ),
    "test_warm_start": GOES_ON,
    "test_convergence_detected_with_warm_start": GOES_ON,
    "test_score": (NOT_FITTED, "test_density_checks::test_ours"),
    "test_score_samples": (NOT_FITTED, "test_density_checks::test_ours"),
    "test_monotonic_likelihood": (
        "test_em_gaussian_mixture::test_no_step_lowers_the_likelihood",
        "test_adam_gaussian_mixture::"
        "test_the_result_is_the_most_likely_of_all_parameters_visited",
    ),
    "test_regularisation": (
        "test_degenerate::test_without_regularisation_singular_data_have_no_density",
        "test_degenerate::test_every_start_ends_in_a_finite_density",
    ),
    "test_fitted_precision_covariance_concistency": (
        OF_MIXTURE + "test_precisions_invert_covariances"
    ),
    "test_sample": (
        "test_mixture::test_samples_have_their_components_moments",
        "test_bad_input::test_sample_wants_a_positive_number",
        OF_MIXTURE + "test_a_sample_has_the_rows_and_labels_that_are_asked_for",
        NOT_FITTED,
    ),
    "test_init": MORE_STARTS,
    "test_gaussian_mixture_setting_best_params": CUT_SHORT,
    "test_init_means_not_duplicated": AMONG_ROWS,
    "test_means_for_all_inits": AMONG_ROWS,
    "test_max_iter_zero": AS_A_START,
    "test_gaussian_mixture_precisions_init_diag": (
        OF_MIXTURE + "test_a_start_by_labels_is_that_by_their_parameters"
    ),
    "test_gaussian_mixture_precisions_init": AS_A_START,
    "test_gaussian_mixture_single_component_stable": (
        OF_MIXTURE + "test_three_rows_are_enough_for_one_component"
    ),
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": WHOLE_START,
    "test_gaussian_mixture_array_api_compliance": NUMPY,
    "test_gaussian_mixture_raises_where_array_api_not_implemented": NUMPY,
}

MIXTURE = {
    "test_gaussian_mixture_n_iter": CUT_SHORT,
    "test_mixture_n_components_greater_than_n_samples_error": (
        "test_bad_input::test_bad_parameters"
    ),
}

KERNEL_DENSITY = {
    "test_kernel_density": OF_KERNELS + "test_the_density_is_the_mean_of_the_kernels",
    "test_kernel_density_sampling": (
        OF_KERNELS + "test_draws_are_rows_and_gaussian_noise"
    ),
    "test_kde_algorithm_metric_choice": (
        OF_KERNELS + "test_what_is_not_here_is_no_parameter",
        OF_KERNELS + "test_the_density_is_the_mean_of_the_kernels",
    ),
    "test_kde_score": OF_KERNELS + "test_its_product_over_rows_is_the_score",
    "test_kde_sample_weights_error": "test_bad_input::test_bad_weights",
    "test_kde_pipeline_gridsearch": (
        "test_workflows::test_grid_search_inside_a_pipeline"
    ),
    "test_kde_sample_weights": (
        OF_KERNELS + "test_weights_are_repetitions_in_any_unit"
    ),
    "test_pickling": OF_KERNELS + "test_a_file_keeps_the_weights",
    "test_check_is_fitted": NOT_FITTED,
    "test_bandwidth": OF_KERNELS + "test_rules_of_thumb_differ_as_scikit_learns_do",
}

THE_DENSITY = OF_KDE + "test_the_density_is_scipys"
IN_ONE_FEATURE = (
    THE_DENSITY,
    OF_KDE + "test_boxes_in_one_feature_are_scipys",
    OF_KDE + "test_a_product_with_a_gaussian_is_a_density_with_a_wider_kernel",
    OF_KDE + "test_so_is_a_product_with_another_density",
)
IN_TWO = (
    THE_DENSITY,
    "test_distribution::TestProbability.test_of_full_kernels_it_is_scipys",
    *IN_ONE_FEATURE[2:],
)
PUBLISHED = OF_KDE + "test_published_values"
BANDWIDTHS = (
    "test_loo_kernel_density::test_the_rules_of_thumb_are_scipys_in_one_dimension",
    "test_bad_input::test_bad_parameters",
)
MARGINALS = OF_KDE + "test_every_marginal_is_scipys"

GAUSSIAN_KDE = {
    "test_kde_1d": IN_ONE_FEATURE,
    "test_kde_1d_weighted": IN_ONE_FEATURE,
    "test_kde_2d": IN_TWO,
    "test_kde_2d_weighted": IN_TWO,
    "test_kde_bandwidth_method": BANDWIDTHS,
    "test_kde_bandwidth_method_weighted": BANDWIDTHS,
    "test_gaussian_kde_subclassing": PUBLISHED,
    "test_gaussian_kde_covariance_caching": (
        PUBLISHED,
        OF_KDE + "test_the_bandwidth_may_be_set_and_set_back",
    ),
    "test_gaussian_kde_monkeypatch": FROM_OUTSIDE,
    "test_kde_integer_input": PUBLISHED,
    "test_kde_output_dtype": OF_KDE + "test_types_of_values",
    "test_pdf_logpdf_validation": "test_bad_input::test_bad_rows_once_fitted",
    "test_pdf_logpdf": THE_DENSITY,
    "test_pdf_logpdf_weighted": THE_DENSITY,
    "test_marginal_1_axis": MARGINALS,
    "test_marginal_2_axis": MARGINALS,
    "test_marginal_iv": (
        "test_kernel_parts::TestParts.test_features_that_are_not_there_are_refused"
    ),
    "test_logpdf_overflow": (
        OF_KDE + "test_thousands_of_features_neither_overflow_nor_underflow"
    ),
    "test_weights_intact": (
        "test_workflows::test_fit_leaves_rows_weights_and_parameters_alone"
    ),
    "test_weights_integer": (
        OF_KDE + "test_integer_weights_are_not_changed_and_are_numbers"
    ),
    "test_seed": OF_KDE + "test_draws_are_repeated_by_a_seed_and_by_nothing_else",
    "test_singular_data_covariance_gh10205": (
        OF_KDE + "test_rows_in_a_subspace_have_kernels_that_do_not_follow_it"
    ),
    "test_fewer_points_than_dimensions_gh17436": (
        OF_KDE + "test_fewer_rows_than_features_are_a_density_but_no_full_kernel"
    ),
}

NORMAL_DENSITY = (
    OF_NORMAL + "test_published_densities",
    "test_gaussian_mle::test_equals_the_empirical_covariance_and_scipys_density",
)
BELOW = OF_NORMAL + "test_published_probabilities"
BOX = OF_NORMAL + "test_a_box_is_what_its_corners_include_and_exclude"
BAD_BOX = "test_distribution::test_bad_questions_are_told_what_is_allowed"
ONE_FACTOR = OF_NORMAL + "test_with_one_common_factor_it_is_an_integral_over_it"
REFUSED = OF_NORMAL + "test_what_has_no_density_is_refused"
BAD_PARAMETERS = "test_fitted_state::TestGivenGaussians.test_bad_parameters_are_named"
NORMAL_MARGINAL = OF_NORMAL + "test_every_marginal_is_that_of_the_parameters"
DRAWS = OF_NORMAL + "test_draws_have_the_moments_and_the_shape_that_are_asked_for"

MULTIVARIATE_NORMAL = {
    "TestCovariance.test_input_validation": NO_CLASS,
    "TestCovariance.test_factories": NO_CLASS,
    "TestCovariance.test_covariance": NO_CLASS,
    "TestCovariance.test_mvn_with_covariance": (
        OF_MIXTURE + "test_the_density_is_the_same_however_a_covariance_is_written"
    ),
    "TestCovariance.test_mvn_with_covariance_cdf": (
        "test_distribution::"
        "TestProbability.test_full_kernels_without_correlation_are_products"
    ),
    "TestCovariance.test_covariance_instantiation": NO_CLASS,
    "TestCovariance.test_gh9942": NO_SUBSPACE,
    "TestCovariance.test_gh19197": NO_CLASS,
    "TestMultivariateNormal.test_input_shape": (BAD_PARAMETERS, REFUSED),
    "TestMultivariateNormal.test_scalar_values": "rows are tables here",
    "TestMultivariateNormal.test_logpdf": NORMAL_DENSITY,
    "TestMultivariateNormal.test_logpdf_default_values": "parameters have no defaults",
    "TestMultivariateNormal.test_logcdf": "the logarithm is NumPy's; the guide says so",
    "TestMultivariateNormal.test_logcdf_default_values": "parameters have no defaults",
    "TestMultivariateNormal.test_rank": NO_SUBSPACE,
    "TestMultivariateNormal.test_degenerate_distributions": (REFUSED, NO_SUBSPACE),
    "TestMultivariateNormal.test_degenerate_array": NO_SUBSPACE,
    "TestMultivariateNormal.test_large_pseudo_determinant": (
        OF_NORMAL + "test_a_determinant_may_overflow"
    ),
    "TestMultivariateNormal.test_broadcasting": (
        OF_NORMAL + "test_rows_have_the_same_density_alone_and_together"
    ),
    "TestMultivariateNormal.test_normal_1D": (
        OF_NORMAL + "test_in_one_feature_it_is_the_normal_distribution"
    ),
    "TestMultivariateNormal.test_marginalization": (
        OF_NORMAL + "test_a_marginal_is_the_integral_over_the_others"
    ),
    "TestMultivariateNormal.test_frozen": NORMAL_DENSITY,
    "TestMultivariateNormal.test_frozen_multivariate_normal_exposes_attributes": (
        "test_fitted_state::"
        "TestGivenGaussians.test_they_have_the_density_of_their_parameters"
    ),
    "TestMultivariateNormal.test_pseudodet_pinv": FROM_OUTSIDE,
    "TestMultivariateNormal.test_exception_nonsquare_cov": REFUSED,
    "TestMultivariateNormal.test_exception_nonfinite_cov": REFUSED,
    "TestMultivariateNormal.test_exception_non_psd_cov": REFUSED,
    "TestMultivariateNormal.test_exception_singular_cov": (REFUSED, BAD_PARAMETERS),
    "TestMultivariateNormal.test_R_values": (NORMAL_DENSITY[0], BELOW),
    "TestMultivariateNormal.test_multivariate_normal_rvs_zero_covariance": REFUSED,
    "TestMultivariateNormal.test_rvs_shape": DRAWS,
    "TestMultivariateNormal.test_large_sample": DRAWS,
    "TestMultivariateNormal.test_entropy": OF_NORMAL + "test_the_entropy_is_scipys",
    "TestMultivariateNormal.test_lnB": FROM_OUTSIDE,
    "TestMultivariateNormal.test_cdf_with_lower_limit_arrays": BOX,
    "TestMultivariateNormal.test_cdf_with_lower_limit_consistency": (
        OF_NORMAL + "test_all_of_them_have_one_probability_of_a_box"
    ),
    "TestMultivariateNormal.test_cdf_signs": BAD_BOX,
    "TestMultivariateNormal.test_cdf_vs_cubature": ONE_FACTOR,
    "TestMultivariateNormal.test_cdf_known": (
        OF_NORMAL + "test_the_probability_of_an_orthant_of_equal_correlations"
    ),
    "TestMultivariateNormal.test_cdf_vs_univariate": ONE_FACTOR,
    "TestMultivariateNormal.test_cdf_vs_univariate_2": ONE_FACTOR,
    "TestMultivariateNormal.test_cdf_vs_univariate_singular": NO_SUBSPACE,
    "TestMultivariateNormal.test_mean_cov": BAD_PARAMETERS,
    "TestMultivariateNormal.test_fit_wrong_fit_data_shape": (
        "test_bad_input::test_bad_rows_in_fit"
    ),
    "TestMultivariateNormal.test_fit_correctness": OF_NORMAL + "test_a_fit_is_scipys",
    "TestMultivariateNormal.test_fit_both_parameters_fixed": NO_FIXED,
    "TestMultivariateNormal.test_fit_fix_mean_input_validation": NO_FIXED,
    "TestMultivariateNormal.test_fit_fix_cov_input_validation_dimension": NO_FIXED,
    "TestMultivariateNormal.test_fit_fix_cov_not_positive_semidefinite": NO_FIXED,
    "TestMultivariateNormal.test_fit_fix_mean": (
        OF_NORMAL + "test_no_other_gaussian_is_as_likely",
        NO_FIXED,
    ),
    "TestMultivariateNormal.test_fit_fix_cov": (
        OF_NORMAL + "test_no_other_gaussian_is_as_likely",
        NO_FIXED,
    ),
    "TestMarginal.test_marginal_distribution": NORMAL_MARGINAL,
    "TestMarginal.test_marginal_input_validation": (
        "test_kernel_parts::TestParts.test_features_that_are_not_there_are_refused"
    ),
    "TestMarginal.test_marginal_special_cases": (
        "test_kernel_parts::TestParts.test_features_that_are_not_there_are_refused"
    ),
}

THEIRS = {
    "sklearn.mixture.tests.test_gaussian_mixture": GAUSSIAN_MIXTURE,
    "sklearn.mixture.tests.test_mixture": MIXTURE,
    "sklearn.neighbors.tests.test_kde": KERNEL_DENSITY,
    "scipy.stats.tests.test_kdeoth": GAUSSIAN_KDE,
    "scipy.stats.tests.test_multivariate": MULTIVARIATE_NORMAL,
}


def names_in(path):
    """Names of the tests of a file; those in a class begin with its name."""
    body = ast.parse(Path(path).read_text(encoding="utf-8")).body
    names = names_of(body)
    for node in body:
        if isinstance(node, ast.ClassDef):
            names += [f"{node.name}.{name}" for name in names_of(node.body)]
    return names


def names_of(body):
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def file_of(module):
    """Where a module is; some distributions leave tests out."""
    package = find_spec(module.rsplit(".", 2)[0])
    path = Path(package.origin).parent / "tests" / f"{module.rsplit('.', 1)[1]}.py"
    return path if path.exists() else None


def answers():
    """Our tests, by file, and reasons, that are given."""
    for inventory in THEIRS.values():
        for answer in inventory.values():
            yield from [answer] if isinstance(answer, str) else answer


@pytest.mark.parametrize("module", [m for m in THEIRS if file_of(m)])
def test_every_test_of_theirs_has_an_answer(module):
    # Of a file about many distributions, the classes that are asked about here.
    classes = {name.split(".")[0] for name in THEIRS[module] if "." in name}
    found = {
        name
        for name in names_in(file_of(module))
        if not classes or name.split(".")[0] in classes
    }
    assert found
    assert found <= set(THEIRS[module])


@pytest.mark.parametrize("ours", sorted({a for a in answers() if "::" in a}))
def test_every_answer_is_a_test(ours):
    file, name = ours.split("::")
    assert name in names_in(Path(__file__).parent / f"{file}.py")
