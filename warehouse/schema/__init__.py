"""The tables, their columns' types."""
