"""A tiny split site, split by hand, with switches for the bugs that verify must see."""
