unshare --pid --fork --mount-proc bash
ps -ef
# terminal: 2
ps -ef --forest
