"""Samples as files: known by the hash of their content, and never of another folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganbench.errors import RequestError
from ganbench.store.samples import array_sha256, read_samples, write_samples

IMAGES = np.arange(3 * 16, dtype=np.uint8).reshape(3, 1, 4, 4)


@pytest.mark.parametrize("samples", [IMAGES, np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2)])
def test_what_is_written_is_read(tmp_path: Path, samples: np.ndarray) -> None:
    known = write_samples(tmp_path, "final", samples)
    assert (known.file, known.n, known.sha256) == ("samples/final.npy", len(samples), array_sha256(samples))
    found = read_samples(tmp_path, known)
    assert found.dtype == samples.dtype
    np.testing.assert_array_equal(found, samples)
    np.testing.assert_array_equal(read_samples(tmp_path, known, 2), samples[:2])


def test_the_hash_is_of_shape_and_values_however_they_lie_in_memory() -> None:
    assert array_sha256(IMAGES) == array_sha256(np.asfortranarray(IMAGES))
    assert array_sha256(IMAGES) != array_sha256(IMAGES.reshape(3, 1, 2, 8))


def test_other_samples_than_those_of_the_record_are_refused(tmp_path: Path) -> None:
    known = write_samples(tmp_path, "final", IMAGES)
    write_samples(tmp_path, "final", IMAGES + 1)
    with pytest.raises(RequestError, match="not the samples that the run drew"):
        read_samples(tmp_path, known)
    (tmp_path / known.file).write_bytes(b"\x93NUMPY")
    with pytest.raises(RequestError, match=r"final\.npy: cannot be read"):
        read_samples(tmp_path, known)
    np.save(tmp_path / known.file, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(RequestError, match="cannot be read"):
        read_samples(tmp_path, known)
    (tmp_path / known.file).unlink()
    with pytest.raises(FileNotFoundError):
        read_samples(tmp_path, known)


def test_a_record_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    known = write_samples(tmp_path / "other", "final", IMAGES)
    stranger = known.model_copy(update={"file": "../other/samples/final.npy"})
    (tmp_path / "run").mkdir()
    with pytest.raises(RequestError, match="leads out of its run's folder"):
        read_samples(tmp_path / "run", stranger)
