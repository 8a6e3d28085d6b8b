"""Shared by the benchmarks: plans and returns of any size, databases, the plain ways to compare with, measuring."""
