"""The contract: code lists, and the pandera models of tidy rows."""
