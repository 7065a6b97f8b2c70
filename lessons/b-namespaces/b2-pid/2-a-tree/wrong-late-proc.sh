# PID 1 keeps the host's /proc; only its child gets one that agrees.
unshare --pid --fork bash
unshare --mount-proc bash
