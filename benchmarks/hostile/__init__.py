"""What hostile, damaged and random workbooks cost, and what becomes of them."""
