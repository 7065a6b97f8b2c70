unshare --pid --fork --mount-proc bash
sleep 1000 &
# From inside: nothing happens.
kill -9 1
# terminal: 2
ps -ef --forest
# From the host: the number of the child of unshare.
kill -9 $(pgrep --parent $(pgrep --exact unshare))
