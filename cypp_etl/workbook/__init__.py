"""Reading workbooks: from untrusted bytes to cells that keep their number formats."""
