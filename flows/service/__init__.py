"""What `cypp serve` runs: the watcher, the dispatcher, the deployment runner, health and metrics."""
