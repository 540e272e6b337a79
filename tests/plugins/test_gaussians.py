"""The two baselines of Gaussians in PCA space: what is fitted against NumPy's and scikit-learn's, and small classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA as TheirPCA
from sklearn.mixture import GaussianMixture
from torch import Tensor, distributions

from ganbench.model import Batch, DataSpec
from ganbench_plugins.class_gaussian import ClassGaussian
from ganbench_plugins.gmm import GMM, PCA

SHAPE = (1, 4, 4)


def blobs(n: int = 600, groups: int = 3) -> tuple[Tensor, Tensor]:
    """Return images around one centre a label, spread differently along each of a label's own axes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % groups
    centres = torch.rand(groups, 16, generator=generator) - 0.5
    axes = 0.03 * torch.randn(groups, 16, 16, generator=generator)
    pixels = centres[labels] + (axes[labels] @ torch.randn(n, 16, 1, generator=generator))[:, :, 0]
    return pixels.clamp(-1, 1).view(n, *SHAPE), labels


def test_principal_components_are_scikit_learns() -> None:
    images, _ = blobs()
    pca = PCA(SHAPE, 5)
    pca.fit(images)
    theirs = TheirPCA(5, svd_solver="full").fit(images.flatten(1).double().numpy())
    cosines = (pca.basis.T.double() @ torch.from_numpy(theirs.components_.T)).diagonal().abs()
    torch.testing.assert_close(cosines, torch.ones(5, dtype=torch.float64), atol=1e-4, rtol=0)
    torch.testing.assert_close(pca.mean, images.flatten(1).mean(0))
    kept = pca.decode(pca.encode(images)).flatten(1)
    expected = theirs.inverse_transform(theirs.transform(images.flatten(1).double().numpy()))
    np.testing.assert_allclose(kept.numpy(), np.clip(expected, -1, 1), atol=1e-3)


def test_components_that_few_images_do_not_span_stay_zero() -> None:
    images, _ = blobs(4)
    pca = PCA(SHAPE, 9)
    pca.fit(images)
    assert pca.basis[:, 4:].abs().max() == 0
    torch.testing.assert_close(pca.decode(pca.encode(images)), images)


def test_the_mixtures_density_is_that_of_scikit_learn() -> None:
    images, _ = blobs()
    torch.manual_seed(0)
    model = GMM(DataSpec(SHAPE, 0, "toy", len(images)), GMM.Config(dimensions=4, components=3))
    model.finish(Batch(images, None))
    codes = model.pca.encode(images).double()
    theirs = GaussianMixture(3, reg_covar=1e-5, n_init=5, max_iter=200, random_state=0).fit(codes.numpy())
    normals = distributions.MultivariateNormal(model.mixture.means, scale_tril=model.mixture.factors)
    ours = distributions.MixtureSameFamily(distributions.Categorical(model.mixture.weights), normals)
    assert float(ours.log_prob(codes.float()).mean()) == pytest.approx(theirs.score(codes.numpy()), abs=0.01)


def test_samples_have_the_moments_of_the_images() -> None:
    images, _ = blobs()
    torch.manual_seed(0)
    model = GMM(DataSpec(SHAPE, 0, "toy", len(images)), GMM.Config(dimensions=16, components=3))
    model.finish(Batch(images, None))
    samples = model.sample(8000).flatten(1)
    torch.testing.assert_close(samples.mean(0), images.flatten(1).mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(samples.T.cov(), images.flatten(1).T.cov(), atol=0.01, rtol=0)


def test_small_data_get_fewer_gaussians() -> None:
    sizes = {n: len(GMM(DataSpec((2,), 0, "toy", n), GMM.Config(components=50)).mixture.weights) for n in (3, 64, 3000)}
    assert sizes == {3: 1, 64: 6, 3000: 50}


def fitted(images: Tensor, labels: Tensor, classes: int = 3, **settings: int) -> ClassGaussian:
    torch.manual_seed(0)
    data = DataSpec(tuple(images.shape[1:]), classes, "toy", len(images))
    model = ClassGaussian(data, ClassGaussian.Config(**settings))
    model.finish(Batch(images, labels))
    return model


def test_each_class_has_its_mean_and_covariance() -> None:
    images, labels = blobs()
    model = fitted(images, labels, dimensions=5)
    codes = model.pca.encode(images).double().numpy()
    for label in range(3):
        own = codes[labels.numpy() == label]
        np.testing.assert_allclose(model.means[label].numpy(), own.mean(0), atol=1e-5)
        covariance = (model.factors[label] @ model.factors[label].T).numpy()
        np.testing.assert_allclose(covariance, np.cov(own.T, bias=True) + 1e-5 * np.eye(5), atol=1e-6)


def test_samples_are_of_the_class_asked_for() -> None:
    images, labels = blobs()
    model = fitted(images, labels, dimensions=16)
    for label in range(3):
        samples, own = model.sample(4000, torch.full((4000,), label)).flatten(1), images[labels == label].flatten(1)
        torch.testing.assert_close(samples.mean(0), own.mean(0), atol=0.02, rtol=0)
        torch.testing.assert_close(samples.T.cov(), own.T.cov(), atol=0.01, rtol=0)


def test_classes_of_few_images_share_the_covariance_of_all() -> None:
    images, labels = blobs(90)
    few = (labels == 0) | ((labels == 1) & (torch.arange(90) < 12))
    model = fitted(images[few], labels[few], dimensions=4)
    codes = model.pca.encode(images[few])
    overall = codes.T.cov(correction=0) + 1e-5 * torch.eye(4)
    for label, mean in ((1, codes[labels[few] == 1].mean(0)), (2, codes.mean(0))):
        torch.testing.assert_close(model.means[label], mean, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(model.factors[label] @ model.factors[label].T, overall, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(model.factors[0], model.factors[1], atol=1e-2)


def test_pixels_that_never_change_do_no_harm() -> None:
    model = fitted(torch.full((40, *SHAPE), -1.0), torch.arange(40) % 3)
    samples = model.sample(50)
    assert samples.isfinite().all()
    assert float((samples + 1).abs().max()) < 10 * math.sqrt(1e-5)


def test_class_gaussian_wants_labels() -> None:
    with pytest.raises(ValueError, match="class-gaussian learns from labels, and toy has none"):
        ClassGaussian(DataSpec(SHAPE, 0, "toy", 9), ClassGaussian.Config())
