"""Discharge permits, construction projects, and the environmental assessment of areas."""
