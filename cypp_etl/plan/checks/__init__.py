"""The checks of a plan between its rows, and between its files."""
