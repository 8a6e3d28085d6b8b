"""The rules: small functions over tidy rows, each giving findings; none of them raises for bad data."""
