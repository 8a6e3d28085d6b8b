"""The library: reads returns, checks them, judges performance, writes workbooks; no input but the bytes it is given."""
