"""What the benchmarks share: big warehouses, databases, the plain ways to compare with, measuring."""
