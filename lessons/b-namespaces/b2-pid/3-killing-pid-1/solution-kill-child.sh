# The kernel sends SIGKILL to bash when its parent, unshare, dies: also from outside.
unshare --pid --fork --kill-child --mount-proc bash
sleep 1000 &
# terminal: 2
kill -9 $(pgrep --exact unshare)
