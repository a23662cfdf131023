"""One file for each thing that happens: it owns the order of effects, and nothing else."""
