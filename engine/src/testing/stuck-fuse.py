# Run in a sandbox: mounts at argv[1] a FUSE file system that reads one request and never answers. Who asked holds the
# server's end of it too, and is beyond SIGKILL; so is everybody who asks later. Ends when there is such a process.
import os, struct, subprocess, sys, time

INIT_ANSWER = struct.pack('<IIIIHHIIHHIIII', 7, 31, 65536, 0, 12, 10, 65536, 1, 256, 0, 0, 0, 0, 0).ljust(64, b'\0')

device, place = os.open('/dev/fuse', os.O_RDWR), sys.argv[1]
os.makedirs(place, exist_ok=True)
options = f'fd={device},rootmode=40000,user_id=0,group_id=0,allow_other'
subprocess.check_call(['mount', '-i', '-t', 'fuse', '-o', options, 'stuck', place], pass_fds=[device])
unique = struct.unpack('<IIQ', os.read(device, 70000)[:16])[2]
os.write(device, struct.pack('<IiQ', 16 + len(INIT_ANSWER), 0, unique) + INIT_ANSWER)
if os.fork() == 0:
    os.stat(place + '/anything')
os.read(device, 70000)
if os.fork() == 0:
    while True:  # serves on, in its own way
        os.read(device, 70000)
