"""What ``benchmarks/read.py`` is made of: a world, four queries, and whoever answers them."""
