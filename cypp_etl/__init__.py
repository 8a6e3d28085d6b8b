"""The library: reads returns, checks them, measures performance, writes workbooks; pure but for the bytes it is given."""
