"""The shell: Prefect flows, the folders they work in, and the command line. Nothing imports it."""
