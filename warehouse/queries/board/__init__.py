"""What a board report says, read as known at one moment."""
