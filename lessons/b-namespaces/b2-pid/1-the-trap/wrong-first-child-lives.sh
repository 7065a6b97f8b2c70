# The first child stays, so the namespace lives on.
unshare --pid bash
sleep 1000 &
