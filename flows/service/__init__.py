"""What `cypp serve` runs: the inbox watcher, the dispatcher and the Prefect server."""
