"""The rules: small functions over tidy rows that yield findings; none of them raises for bad data."""
