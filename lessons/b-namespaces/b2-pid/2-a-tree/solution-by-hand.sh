# The same in two moves: a mount namespace first, then a proc mounted from inside.
unshare --pid --mount --fork bash
mount -t proc proc /proc
ps -ef
