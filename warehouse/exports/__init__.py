"""The views as files for other tools, and what describes them."""
