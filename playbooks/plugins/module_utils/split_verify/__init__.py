"""Target side of split_verify: standard library only, Python 3.9 and newer."""
