"""The commands behind the Makefile. Each runs from the root of the repository: ``python -m tools.run --help``."""
