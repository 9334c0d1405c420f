"""Alternative texts for the gallery's pictures, which sphinx-gallery does not offer.

The text of a picture stands in the cell that draws it, in a comment that neither the
page nor the notebook shows::

    # sphinx_gallery_start_ignore
    # alt: A histogram of 200 rows under the bell of the fitted Gaussian.
    # sphinx_gallery_end_ignore
"""

import re

import matplotlib.pyplot as plt
from matplotlib.animation import Animation, PillowWriter
from sphinx_gallery.py_source_parser import END_IGNORE_FLAG, START_IGNORE_FLAG
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper

COMMENT = re.compile(
    rf"{START_IGNORE_FLAG}.*?# alt:(.+?){END_IGNORE_FLAG}", re.MULTILINE | re.DOTALL
)
FRAMES_PER_SECOND = 3


def alternative_text(cell):
    """The text in a cell's comment, on one line; None without such a comment."""
    found = COMMENT.search(cell)
    return found and re.sub(r"\s*\n#\s*|\s+", " ", found[1]).strip()


def described_pictures(block, block_vars, gallery_conf):
    """Save the pictures of a cell, which must describe them, as sphinx-gallery does."""
    figures = animated(block_vars, gallery_conf)
    figures = figures or matplotlib_scraper(block, block_vars, gallery_conf)
    if not figures:
        return ""
    text = alternative_text(block.content)
    if text is None:
        raise ValueError(
            f"The picture of a cell of {block_vars['src_file']} has no alternative "
            f"text. Say in it what there is to see:\n\n{__doc__}"
        )
    return re.sub(r":alt: .*", lambda _: f":alt: {text}", figures)


def animated(block_vars, gallery_conf):
    """Save an animation as GIF, and its last frame as PNG for the thumbnail."""
    names = block_vars["example_globals"]
    name = next((name for name in names if isinstance(names[name], Animation)), None)
    if name is None:
        return ""
    still = next(block_vars["image_path_iterator"])
    moving = still.replace(".png", ".gif")
    names.pop(name).save(moving, writer=PillowWriter(fps=FRAMES_PER_SECOND))
    plt.savefig(still)
    plt.close()  # lest the frame be shown as a picture as well
    return figure_rst([moving], gallery_conf["src_dir"])
