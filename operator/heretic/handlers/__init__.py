"""kopf, and nothing else."""
