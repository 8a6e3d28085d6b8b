"""What a change of a figure or of the plan reaches: the judgements that must be made again."""
