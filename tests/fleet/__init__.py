"""Real Debian hosts for tests: systemd-nspawn containers that boot, fail and come back.

`images` builds what a host starts from, `hosts` runs one, `down` removes what a killed run left
behind. Everything of ours on the machine is below `paths.CACHE` or has `paths.PREFIX` in its name.
"""
