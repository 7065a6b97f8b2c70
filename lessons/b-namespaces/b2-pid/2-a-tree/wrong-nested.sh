# Twice inside: the inner bash has three numbers.
unshare --pid --fork bash
unshare --pid --fork --mount-proc bash
