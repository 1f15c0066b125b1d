"""What lists, counts and a batch cost among many runs: `python -m multitude [RUNS]`."""
