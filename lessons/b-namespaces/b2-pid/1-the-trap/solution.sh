# bash stays where it is; only its children would be born elsewhere.
unshare --pid bash
echo $$
# The first child is PID 1 of the new namespace, and ends at once.
ls /
# No child can be born there any more.
ls /
