"""Tuning: the same number of runs for every model, on the validation split, with Optuna."""
