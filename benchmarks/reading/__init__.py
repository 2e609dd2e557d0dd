"""The parts of ``benchmarks/read.py``: a world, three queries and the servers that answer them."""
