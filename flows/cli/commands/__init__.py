"""The commands: a function each, in the module of its subject. `flows/cli/app.py` lists them."""
