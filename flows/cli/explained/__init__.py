"""What `cypp explain` prints: a judgement, or a group's figure, line by line."""
