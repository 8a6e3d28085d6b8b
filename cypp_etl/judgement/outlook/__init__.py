"""What is told of a figure beyond its symbols: whether a change is more than noise, and how the year will end."""
