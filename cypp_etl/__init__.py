"""The library: reads returns, checks them, judges performance, writes workbooks; pure but for the bytes it is given."""
