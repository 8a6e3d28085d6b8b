"""Sample returns, written from the figures of the source document."""
