"""Where the documentation of an estimator is."""


class DocLinkMixin:
    """The page that scikit-learn's drawing of an estimator links to.

    Before ``BaseEstimator`` among the bases, which has scikit-learn's own.
    """

    _doc_link_module = "skdensity"
    _doc_link_template = (
        "https://skdensity.github.io/skdensity/api/skdensity.{estimator_name}.html"
    )
