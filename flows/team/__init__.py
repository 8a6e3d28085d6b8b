"""What the data team decides, as functions that a command and a flow both call; without Prefect."""
