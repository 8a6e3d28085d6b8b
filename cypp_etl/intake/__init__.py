"""From cells to tidy rows: finds tables by their headings, and turns what was typed into values or markers."""
