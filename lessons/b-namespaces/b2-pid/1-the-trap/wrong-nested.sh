# The trap, but from inside a namespace that already is its own.
unshare --pid --fork bash
unshare --pid bash
ls /
