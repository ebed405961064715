"""Target side of split_backup: standard library only, Python 3.9 and newer."""
