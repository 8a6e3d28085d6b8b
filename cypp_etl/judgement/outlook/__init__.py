"""The outlook of a figure: whether a change is more than noise, and how the year will end."""
