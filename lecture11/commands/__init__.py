"""The commands, one a file: each has ``add``, which describes it, and runs. None imports PyTorch before it runs."""
