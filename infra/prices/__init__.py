"""Compiles the catalogue of prices that Bursar ships, and shows what a newer one changes."""
