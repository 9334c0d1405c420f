"""Settings of the documentation: `python -m sphinx -W -b html doc doc/_build/html`."""

import re
from datetime import date

import skdensity

project = "skdensity"
author = "The skdensity developers"
copyright = f"{date.today().year}, {author}"
version = release = skdensity.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
# benchmarks.rst includes the tables that the benchmarks write.
exclude_patterns = ["_build", "_templates", "benchmarks/*.md"]
default_role = "literal"
add_function_parentheses = False

# One page per public name; types are those of the numpydoc sections.
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "api/backreferences",
    "doc_module": "skdensity",
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skdensity {release}"
html_theme_options = {
    "github_url": "https://github.com/skdensity/skdensity",
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
}
html_show_sourcelink = False


def skip_metadata_routing(app, what, name, obj, skip, options):
    """Leave out the methods that scikit-learn generates for metadata routing."""
    return skip or re.fullmatch(r"set_\w+_request|get_metadata_routing", name) or None


def setup(app):
    app.connect("autodoc-skip-member", skip_metadata_routing)
