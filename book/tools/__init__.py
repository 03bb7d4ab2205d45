"""The commands behind the Makefile. Each runs as a script: ``python book/tools/run.py --help``."""
