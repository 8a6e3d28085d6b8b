"""The board report: what the warehouse knew, composed for people, as one HTML file and as an Excel edition."""
