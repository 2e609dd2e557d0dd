"""A synthetic world: enterprises that traded for years. The same number gives the same world."""
