"""What every test counts on, however the run was started."""

from __future__ import annotations

import signal

# A shell starts a job in the background with Ctrl-C ignored, and all that the tests start would
# inherit that: those of an interrupted run would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
