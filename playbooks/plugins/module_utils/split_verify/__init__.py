"""What a deployed site is claimed to be, looked at on its host: standard library only, Python 3.9 and newer."""
