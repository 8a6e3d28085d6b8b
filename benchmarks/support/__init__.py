"""What the benchmarks share: plans and returns of any size, databases, the plain ways to compare with, measuring."""
