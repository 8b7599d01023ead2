"""OpenAI's chat and text completions over the language model, streamed or whole. Standard library only."""

import argparse
import json
import random
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from language_model import LanguageModel, tokens_of

MAX_BODY = 1 << 20
MOST_TOKENS = 1_024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    Handler.model = LanguageModel.load(arguments.model)
    print(f"{len(Handler.model.counts)} contexts on port {arguments.port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


class Completion:
    """One request: a prompt, and what it asks of the answer. Throws ValueError with what is wrong."""

    def __init__(self, path, body):
        self.chat = path == "/v1/chat/completions"
        wish = json.loads(body)
        if not isinstance(wish, dict):
            raise ValueError("the body is a JSON object")
        self.prompt = tokens_of(self._prompt_of(wish))
        self.stream = wish.get("stream") is True
        self.with_usage = bool((wish.get("stream_options") or {}).get("include_usage"))
        self.most = min(MOST_TOKENS, int(wish.get("max_completion_tokens") or wish.get("max_tokens") or 64))
        self.temperature = float(wish.get("temperature", 1))
        self.chance = random.Random(wish.get("seed")).random
        self.name = str(wish.get("model", ""))
        self.id = f"{'chatcmpl' if self.chat else 'cmpl'}-{uuid.uuid4().hex}"
        self.created = int(time.time())

    def _prompt_of(self, wish):
        if not self.chat:
            if not isinstance(wish.get("prompt"), str):
                raise ValueError("prompt: a text")
            return wish["prompt"]
        messages = wish.get("messages")
        if not isinstance(messages, list) or not all(isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages):
            raise ValueError("messages: a list of {role, content}")
        return "\n\n".join(message["content"] for message in messages) + "\n\n"

    def tokens(self, model):
        context = list(self.prompt)
        for _ in range(self.most):
            token = model.draw(context, self.chance, self.temperature)
            context.append(token)
            yield token

    def part(self, text, finish=None):
        """One event of a stream."""
        choice = {"index": 0, "finish_reason": finish}
        if self.chat:
            choice["delta"] = {} if text is None else {"role": "assistant", "content": text}
        else:
            choice["text"] = text or ""
        return self._envelope("chat.completion.chunk" if self.chat else "text_completion", [choice])

    def whole(self, text, count):
        choice = {"index": 0, "finish_reason": "length"}
        choice |= {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        return self._envelope("chat.completion" if self.chat else "text_completion", [choice]) | {"usage": self.usage(count)}

    def last(self, count):
        return self._envelope("chat.completion.chunk" if self.chat else "text_completion", []) | {"usage": self.usage(count)}

    def usage(self, count):
        return {"prompt_tokens": len(self.prompt), "completion_tokens": count, "total_tokens": len(self.prompt) + count}

    def _envelope(self, kind, choices):
        return {"id": self.id, "object": kind, "created": self.created, "model": self.name, "choices": choices}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model = LanguageModel()

    def do_GET(self):
        self.answer(200, {"ok": True}) if self.path == "/health" else self.answer(404, {"error": {"message": "not found"}})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if self.path not in ("/v1/chat/completions", "/v1/completions") or length > MAX_BODY:
            self.close_connection = True
            return self.answer(404, {"error": {"message": "POST /v1/chat/completions or /v1/completions, at most 1 MiB"}})
        try:
            wish = Completion(self.path, self.rfile.read(length))
        except (ValueError, TypeError, AttributeError) as error:
            return self.answer(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
        if wish.stream:
            return self.stream(wish)
        found = list(wish.tokens(self.model))
        self.answer(200, wish.whole("".join(found), len(found)))

    def stream(self, wish):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        count = 0
        for count, token in enumerate(wish.tokens(self.model), 1):
            self.event(json.dumps(wish.part(token)))
        self.event(json.dumps(wish.part(None, "length")))
        if wish.with_usage:
            self.event(json.dumps(wish.last(count)))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data):
        payload = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")
        self.wfile.flush()

    def answer(self, status, body):
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        """Prompts are their callers': no line per request."""


if __name__ == "__main__":
    main()
