# Packets for tests of the sandbox network: raw ICMP has no other way on a bare Debian (Node has no raw sockets, ping may
# not be installed). `reach.py check JSON` answers a list of counts, one for each check; `reach.py serve PORT...` listens.
import json, select, socket, struct, sys, threading, time

REPLY_SECONDS = 1.0


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(check):
    """Echo requests; how many were answered. With `from`, the source address is that one, whoever owns it."""
    six = ':' in check['to']
    family, protocol = (socket.AF_INET6, 58) if six else (socket.AF_INET, 1)
    sock = socket.socket(family, socket.SOCK_RAW, protocol)
    to = socket.getaddrinfo(check['to'], None, family)[0][4]
    if 'from' in check:
        if not six:
            sock.setsockopt(socket.IPPROTO_IP, 19, 1)  # IP_TRANSPARENT: a source that is not ours
        sock.bind((check['from'], 0, 0, to[3]) if six else (check['from'], 0))
    kind, answer, skip = (128, 129, 0) if six else (8, 0, 20)
    identity, answered, count = threading.get_native_id() & 0xFFFF, 0, check.get('count', 1)

    def collect(seconds):
        nonlocal answered
        until = time.monotonic() + seconds
        while answered < count and select.select([sock], [], [], max(0, until - time.monotonic()))[0]:
            data = sock.recv(2048)[skip:]
            if data[0] == answer and struct.unpack('!H', data[4:6])[0] == identity:
                answered += 1

    for sequence in range(count):
        head = struct.pack('!BBHHH', kind, 0, 0, identity, sequence)
        sock.sendto(struct.pack('!BBHHH', kind, 0, checksum(head), identity, sequence), to)
        collect(0)
    collect(REPLY_SECONDS)
    return answered


def tcp(check):
    """Connections held open at once; how many were made."""
    held = []
    for _ in range(check.get('count', 1)):
        sock = socket.socket()
        sock.settimeout(REPLY_SECONDS)
        try:
            sock.connect((check['to'], check['port']))
            held.append(sock)
        except OSError:
            sock.close()
    return len(held)


def udp(check):
    """Datagrams of `size` bytes; how many came back."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(REPLY_SECONDS)
    answered = 0
    for _ in range(check.get('count', 1)):
        sock.sendto(b'x' * check.get('size', 1), (check['to'], check['port']))
    try:
        while answered < check.get('count', 1):
            sock.recv(2048)
            answered += 1
    except OSError:
        pass
    return answered


def run(checks):
    results = [0] * len(checks)

    def one(index):
        try:
            results[index] = {'ping': ping, 'tcp': tcp, 'udp': udp}[checks[index]['kind']](checks[index])
        except OSError:
            results[index] = 0  # no route, network unreachable: nothing got through

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(checks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(results))


def serve(ports):
    listeners = []
    for port in ports:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            sock = socket.socket(socket.AF_INET, kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(('0.0.0.0', port))
            if kind == socket.SOCK_STREAM:
                sock.listen(64)
            listeners.append(sock)
    print('ready', flush=True)
    held = []
    while True:
        for sock in select.select(listeners, [], [])[0]:
            if sock.type == socket.SOCK_STREAM:
                held.append(sock.accept()[0])
            else:
                data, address = sock.recvfrom(2048)
                sock.sendto(data, address)


if sys.argv[1] == 'serve':
    serve([int(port) for port in sys.argv[2:]])
else:
    run(json.loads(sys.argv[2]))
