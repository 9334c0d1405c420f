"""Settings of the documentation: `python -m sphinx -W -b html doc doc/_build/html`."""

import re
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import skdensity

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "skdensity"
author = "The skdensity developers"
copyright = f"{date.today().year}, {author}"
version = release = skdensity.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxext.opengraph",
]
templates_path = ["_templates"]
# benchmarks.rst includes the tables that the benchmarks write.
exclude_patterns = ["_build", "_templates", "benchmarks/*.md"]
default_role = "literal"
add_function_parentheses = False
nitpicky = True

# One page per public name; types are those of the numpydoc sections.
autosummary_generate = True
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Every mapping has a list of the names used here, for builds without a network.
intersphinx_mapping = {
    name: (url, (None, f"inventories/{name}.txt"))
    for name, url in {
        "python": "https://docs.python.org/3/",
        "numpy": "https://numpy.org/doc/stable/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "sklearn": "https://scikit-learn.org/stable/",
    }.items()
}
intersphinx_timeout = 5

# The site serves its own mathematics: one script from a wheel, glyphs included.
mathjax = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax"
mathjax_path = "tex-svg.js"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("alternative_text.described_pictures",),
    "reset_modules": ("matplotlib", "figure_style.colours_for_everyone"),
    "backreferences_dir": "api/backreferences",
    "doc_module": "skdensity",
    "image_srcset": ["2x"],
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
}

plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = [("png", 150)]

html_theme = "pydata_sphinx_theme"
html_title = f"skdensity {release}"
html_static_path = ["_static", str(mathjax / mathjax_path)]
html_css_files = ["skdensity.css"]
html_js_files = [
    (script, {"defer": "defer"}) for script in ("animations.js", "toggles.js")
]
html_context = {"default_mode": "auto"}
html_favicon = "_static/logo.svg"
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "skdensity",
    },
    "github_url": "https://github.com/skdensity/skdensity",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
}
# Pages without pages below them need no navigation beside them.
LEAVES = "index", "install", "quick_start", "benchmarks", "changelog", "contributing"
html_sidebars = {page: [] for page in LEAVES}
html_show_sourcelink = False

ogp_site_url = "https://skdensity.github.io/skdensity/"
ogp_image = "_images/digit_generation.png"
ogp_image_alt = "Real handwritten digits beside digits drawn from fitted densities"
ogp_social_cards = {"enable": False}


def skip_methods_of_scikit_learn(app, what, name, obj, skip, options):
    """Leave out what it generates for metadata routing, and scores by its metrics.

    Their docstrings refer to sections of its guide, which no inventory here has.
    """
    is_routing = re.fullmatch(r"set_\w+_request|get_metadata_routing", name)
    is_metric = name == "score" and obj.__module__.startswith("sklearn")
    return True if is_routing or is_metric else None


def setup(app):
    app.connect("autodoc-skip-member", skip_methods_of_scikit_learn)
