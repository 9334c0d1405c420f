"""The peers that need PyTorch: pomegranate's EM, and Adam by automatic gradients.

Both are imported only when they are called, and need not be installed.
"""

import numpy as np


def pomegranate_em(X, start, max_iter):
    """Log-likelihood per row that pomegranate's last of `max_iter` iterations saw.

    Its ``fit`` calls the same two methods in a loop, and keeps the likelihood to
    itself.
    """
    import torch

    X = torch.from_numpy(X)
    mixture = _pomegranate(start)
    for _ in range(max_iter):
        total = mixture.summarize(X)
        mixture.from_summaries()
    return float(total) / len(X)


def _pomegranate(start):
    """pomegranate's mixture at the same start; it knows "full" and "diag"."""
    import torch
    from pomegranate.distributions import Normal
    from pomegranate.gmm import GeneralMixtureModel

    shape = start["covariance_type"]
    precisions = start["precisions_init"]
    covariances = np.linalg.inv(precisions) if shape == "full" else 1 / precisions
    components = [
        Normal(torch.tensor(mean), torch.tensor(covariance), covariance_type=shape)
        for mean, covariance in zip(start["means_init"], covariances, strict=True)
    ]
    return GeneralMixtureModel(components, priors=torch.tensor(start["weights_init"]))


def torch_adam(X, start, learning_rate, max_iter):
    """Mean negative log-likelihood before the last of `max_iter` updates by Adam.

    For one feature. The free parameters are logits, means and logarithms of scales,
    in float64.
    """
    import torch

    x = torch.from_numpy(X)
    logits = np.log(start["weights_init"])
    log_scales = -0.5 * np.log(start["precisions_init"].ravel())
    begin = logits, start["means_init"].ravel(), log_scales
    free = [torch.tensor(values) for values in begin]
    optimiser = torch.optim.Adam([v.requires_grad_() for v in free], lr=learning_rate)
    for _ in range(max_iter):
        optimiser.zero_grad()
        loss = _negative_log_likelihood(x, *free)
        loss.backward()
        optimiser.step()
    return float(loss.detach())


def _negative_log_likelihood(x, logits, means, log_scales):
    """The loss of a mixture on one column of rows."""
    import torch

    components = torch.distributions.Normal(means, log_scales.exp())
    log_joint = torch.log_softmax(logits, 0) + components.log_prob(x)
    return -torch.logsumexp(log_joint, dim=1).mean()
