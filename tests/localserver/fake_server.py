"""Stands in for the Conductor server. FAKE_JAVA says how it behaves. It imports little, because it starts often."""

import json
import os
import pathlib
import signal
import socket
import sys
import time

arguments = sys.argv[1:]
options = dict(argument.partition("=")[::2] for argument in arguments)
mode = os.environ.get("FAKE_JAVA", "healthy")
properties = json.loads(os.environ["SPRING_APPLICATION_JSON"])


def stop(*_):
    if recording := options.get("-XX:ArchiveClassesAtExit"):
        pathlib.Path(recording).write_text("classes")
    os._exit(143)


def serve():
    status = "503 Unavailable" if mode == "unhealthy" else "200 OK"
    name = "somebody else" if mode == "stranger" else properties["server.server-header"]
    head = f"HTTP/1.1 {status}\r\nServer: {name}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", properties["server.port"]))
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(head.encode())


signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "stubborn" else stop)
seen = {"pid": os.getpid(), "arguments": arguments, "environment": dict(os.environ), "properties": properties}
pathlib.Path("seen.json").write_text(json.dumps(seen))
print("the log's first line", flush=True)
if mode == "dies":
    sys.exit("no such thing as a database")
if mode == "fails":
    print("APPLICATION FAILED TO START", flush=True)
    time.sleep(0.1)
    print("Description: the reason", flush=True)
if mode == "port-taken-once" and not pathlib.Path("second-try").exists():
    pathlib.Path("second-try").touch()
    print(f"APPLICATION FAILED TO START: Port {properties['server.port']} was already in use.", flush=True)
    time.sleep(60)
if mode == "refuses-class-data":
    print("[0.018s][error][cds] Not a valid shared archive file", flush=True)
if mode in {"fails", "silent"}:
    time.sleep(60)
serve()
