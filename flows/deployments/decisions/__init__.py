"""What the data team decides in the Prefect UI: a flow for each decision, whose parameters are its form."""
