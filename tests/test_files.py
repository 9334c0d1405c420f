"""Files that are not whole: a clear error that names them, and nothing changed."""

import os
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.base import clone

from skdensity import EMGaussianMixture, GaussianMLE, RowBlocks

X = np.random.RandomState(0).standard_normal((6000, 2))
TABLE = pa.table({"a": X[:, 0], "b": X[:, 1]})
# Where files are cut off: in the numbers, in what follows them, and before all.
LEFT = [0.0, 0.5, 0.999]


@pytest.fixture
def folder(tmp_path):
    for i in range(3):
        part = TABLE.slice(2000 * i, 2000)
        parquet.write_table(part, tmp_path / f"{i}.parquet", row_group_size=500)
    return tmp_path


def cut_off(path, share):
    os.truncate(path, int(share * path.stat().st_size))


@contextmanager
def says_which(path):
    with pytest.raises(ValueError, match="cannot be read as Parquet") as caught:
        yield
    assert path.name in str(caught.value)


@pytest.mark.parametrize("share", LEFT)
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_parquet_file_without_its_end_is_named(folder, share, part):
    path = folder / f"{part}.parquet"
    cut_off(path, share)
    with says_which(path):
        GaussianMLE().fit(RowBlocks.from_parquet(folder))
    with says_which(path):
        RowBlocks.from_parquet(path)


def test_a_damaged_page_is_named(folder):
    path = folder / "1.parquet"
    content = bytearray(path.read_bytes())
    content[100:9000] = bytes(8900)
    path.write_bytes(content)
    with says_which(path):
        GaussianMLE().fit(RowBlocks.from_parquet(folder))


class CutOffLater:
    """A folder of which a file loses its end before the n-th pass."""

    def __init__(self, folder, n):
        self.blocks, self.n_left = RowBlocks.from_parquet(folder), n
        self.path = folder / "2.parquet"

    def __call__(self):
        self.n_left -= 1
        if self.n_left == 0:
            cut_off(self.path, 0.5)
        return iter(self.blocks)


@pytest.mark.parametrize("n_pass", [1, 2, 5])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_file_that_loses_its_end_meanwhile_leaves_the_estimator(folder, n_pass):
    mixture = EMGaussianMixture(2, max_iter=5, tol=0, random_state=0)
    mixture.fit(X[:100, :1])
    before = dict(vars(mixture))
    later = CutOffLater(folder, n_pass)
    with says_which(later.path):
        mixture.fit(RowBlocks(later))
    assert vars(mixture) == before
    expected = clone(mixture).fit(X)
    np.testing.assert_array_equal(mixture.fit(X).means_, expected.means_)


def test_a_missing_file_is_what_the_system_says(folder):
    blocks = RowBlocks.from_parquet(folder)
    (folder / "1.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.parquet"):
        GaussianMLE().fit(blocks)


@contextmanager
def full_disk():
    """No file may grow beyond 8 kB, as if the disk had no more room."""
    resource = pytest.importorskip("resource")  # not on Windows
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_a_full_disk_left_is_named(tmp_path):
    # Python ignores the signal that comes with the limit; what is left is an error.
    path = tmp_path / "scores.parquet"
    fitted = GaussianMLE().fit(X)
    before, log_density = dict(vars(fitted)), fitted.score_samples(X)
    table = pa.table({"log_density": log_density})
    with (
        pytest.raises(OSError, match="File too large"),
        full_disk(),
        path.open("wb") as file,
    ):
        parquet.write_table(table, file, compression="none", use_dictionary=False)
    assert vars(fitted) == before
    with says_which(path):
        RowBlocks.from_parquet(path)
