"""The contract: code lists, and the pandera models of what is tidy."""
