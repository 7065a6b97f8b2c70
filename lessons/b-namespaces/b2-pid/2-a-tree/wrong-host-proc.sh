# The new proc is mounted over the host's: now the host sees only what is inside.
unshare --pid --fork bash
mount -t proc proc /proc
