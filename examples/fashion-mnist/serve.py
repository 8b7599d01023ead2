"""Answers `POST /predict` with the class of an image; `GET /health` says that the model is loaded. numpy and the standard library only."""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy

import fashion_mnist
import model_file

MAX_BODY = 1 << 20
MAX_IMAGES = 64


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    Handler.layers, epoch = model_file.load(arguments.model)
    print(f"model of epoch {epoch} on port {arguments.port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


def read_images(body):
    """Rows of 784 bytes from `{"images": [[0…255, …], …]}`. Throws ValueError with what is wrong."""
    parsed = json.loads(body)
    images = parsed.get("images") if isinstance(parsed, dict) else None
    if not isinstance(images, list) or not 1 <= len(images) <= MAX_IMAGES:
        raise ValueError(f"images: a list of 1 to {MAX_IMAGES} images")
    for image in images:
        if not isinstance(image, list) or len(image) != fashion_mnist.PIXELS:
            raise ValueError(f"an image is a list of {fashion_mnist.PIXELS} values from 0 to 255")
        if not all(type(value) is int and 0 <= value <= 255 for value in image):
            raise ValueError("each value of an image is a whole number from 0 to 255")
    return numpy.array(images, dtype=numpy.float32) / 255


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    layers = []

    def do_GET(self):
        self.answer(200, {"ok": True}) if self.path == "/health" else self.answer(404, {"error": "not found"})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if self.path != "/predict" or length > MAX_BODY:
            self.close_connection = True
            return self.answer(404 if self.path != "/predict" else 413, {"error": "POST /predict, at most 1 MiB"})
        try:
            images = read_images(self.rfile.read(length))
        except ValueError as error:
            return self.answer(400, {"error": str(error)})
        found = model_file.probabilities(self.layers, images)
        best = found.argmax(axis=1)
        self.answer(
            200,
            {
                "predictions": [
                    {"class": fashion_mnist.CLASSES[index], "probability": round(float(row[index]), 4)}
                    for row, index in zip(found, best)
                ]
            },
        )

    def answer(self, status, body):
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        """What callers send is theirs: no line per request."""


if __name__ == "__main__":
    main()
