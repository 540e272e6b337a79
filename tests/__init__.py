"""Tests compute in one thread: two that wait for each other take many times longer where other jobs run too."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch and NumPy are first imported
