"""A replica that says which revision it is; files of the workdir are all that it knows."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORD = open("word").read().strip()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/events":
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for n in range(5):
                part = f"data: {WORD} {n}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
                time.sleep(0.1)
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path == "/missing":
            return self.send_error(404)
        if self.path.startswith("/slow"):
            time.sleep(1)
        self.answer({"word": WORD, "path": self.path, "authorization": self.headers.get("authorization")})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.answer({"word": WORD, "path": self.path, "body": body.decode()})

    def answer(self, value):
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


print("listening", flush=True)
ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
