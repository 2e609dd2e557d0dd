"""Cooperation agreements: who agreed what with whom, and what came of it."""
