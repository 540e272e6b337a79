"""Checks that an author runs against a model of their own, before a benchmark does.

    from ganbench.testing import check_model
    check_model(Tiny)                                      # raises AssertionError, in one line, for what does not hold

or, one test a check: ``@pytest.mark.parametrize("check", CHECKS)`` and ``check(Tiny, shape=(3, 8, 12))``. Images that
are small and not square are checked sooner, and find more.
"""

from ganbench.testing.checks import CHECKS, check_model

__all__ = ["CHECKS", "check_model"]
