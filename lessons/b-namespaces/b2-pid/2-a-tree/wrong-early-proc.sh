# The proc is mounted while still on the host, so it lists the host.
unshare --mount-proc bash
unshare --pid --fork bash
