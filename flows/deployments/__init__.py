"""The Prefect flows that are deployed, with their artifacts."""
