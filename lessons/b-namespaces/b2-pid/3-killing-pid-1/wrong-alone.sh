# Nobody else is inside.
unshare --pid --fork --mount-proc bash
# terminal: 2
kill -9 $(pgrep --parent $(pgrep --exact unshare))
