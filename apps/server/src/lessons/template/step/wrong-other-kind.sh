unshare --ipc bash
