"""A larger world: many enterprises that traded for years, the same for the same number."""
