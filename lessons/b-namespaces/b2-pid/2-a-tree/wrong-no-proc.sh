# PID 1, but ps lists the host.
unshare --pid --fork bash
ps -ef
