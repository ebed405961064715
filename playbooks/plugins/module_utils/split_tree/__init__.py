"""Target side of split_tree: standard library only, Python 3.9 and newer."""
