"""The partners' folders: what lies there and has settled, what is taken out of them, and the receipts in them."""
