"""Stands in for Java where the real one would not misbehave on demand. FAKE_JAVA says how it behaves as a server."""

import json
import os
import pathlib
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arguments = sys.argv[1:]
options = dict(a.partition("=")[::2] for a in arguments)
mode = os.environ.get("FAKE_JAVA", "healthy")


def version():
    sys.stderr.write(f'openjdk version "{os.environ.get("FAKE_JAVA_VERSION", "21.0.1")}"\n')


def unpack():
    if mode == "cannot-unpack":
        sys.exit("Invalid or corrupt jarfile")
    jar, destination = pathlib.Path(arguments[2]), pathlib.Path(arguments[-1])
    destination.mkdir(parents=True)
    (destination / jar.name).write_bytes(jar.read_bytes())


def dump_jdk():
    if mode == "knows-no-class-data":
        sys.exit("Unrecognized option: -Xshare:dump")
    pathlib.Path(options["-XX:SharedArchiveFile"]).write_text("jdk")


def serve():
    properties = json.loads(os.environ["SPRING_APPLICATION_JSON"])
    seen = {"pid": os.getpid(), "arguments": arguments, "environment": dict(os.environ), "properties": properties}
    pathlib.Path("seen.json").write_text(json.dumps(seen))
    name = properties["server.server-header"]

    class Handler(BaseHTTPRequestHandler):
        def version_string(self):
            return "somebody else" if mode == "stranger" else name

        def do_GET(self):
            self.send_response(503 if mode == "unhealthy" else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    def stop(*_):
        if recording := options.get("-XX:ArchiveClassesAtExit"):
            pathlib.Path(recording).write_text("classes")
        os._exit(143)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "stubborn" else stop)
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
    ThreadingHTTPServer(("127.0.0.1", properties["server.port"]), Handler).serve_forever()


if "-version" in arguments:
    version()
elif "-Djarmode=tools" in arguments:
    unpack()
elif "-Xshare:dump" in arguments:
    dump_jdk()
else:
    serve()
