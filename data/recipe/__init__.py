"""How the shipped data, weights and tables were made; no lesson needs it, and it is not in the wheel."""
