"""Confidence intervals as copal-sim computes them (sim/report/statistics.h)."""

import math


def _student_cdf(t, degrees):
    """Distribution function of Student's t.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4."""
    angle = math.atan2(t, math.sqrt(degrees))
    cosine, even = math.cos(angle), degrees % 2 == 0
    term = 1.0 if even else cosine
    total = 0.0 if degrees == 1 else term
    for k in range(1, degrees // 2):
        term *= cosine * cosine * ((2 * k - 1) / (2 * k) if even else 2 * k / (2 * k + 1))
        total += term
    inside = math.sin(angle) * total if even else \
        2 / math.pi * (angle + math.sin(angle) * total)
    return 0.5 + inside / 2


def student_t_975(degrees):
    """The 97.5 % quantile. degrees: of freedom, >= 1."""
    low, high = 1.9, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_cdf(middle, degrees) < 0.975 else (low, middle)
    return low


def estimate(values):
    """Mean and 95 % interval of independent values, as (mean, low, high); of fewer than two values
    low and high are None, of none all three."""
    values = list(values)
    if not values:
        return None, None, None
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    reach = student_t_975(len(values) - 1) * math.sqrt(variance / len(values))
    return mean, mean - reach, mean + reach
