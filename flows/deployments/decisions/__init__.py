"""What the data team decides or sends out in the Prefect UI: flows whose parameters are their forms."""
