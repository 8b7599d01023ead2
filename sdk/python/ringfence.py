"""What a job can say to Ringfence: its own metrics, in one line; and its part in a federation.

    import ringfence
    ringfence.metric(loss=0.31, step=10)

    ringfence.join()
    for r in ringfence.rounds():
        weights = r.pull()
        …
        r.push(weights, examples=len(rows), metrics={"loss": 0.31})

In a Ringfence job `import ringfence` finds this file without any installation. Anywhere else, copy it: it needs Python 3.8 and
nothing more. Outside Ringfence reported metrics go nowhere, and join() says that there is no federation.
"""

import array
import json
import os
import re
import sys
import threading
import warnings

__all__ = [
    "FederationError",
    "NumPyClient",
    "Round",
    "federated",
    "join",
    "metric",
    "metrics_enabled",
    "rounds",
    "start_client",
]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]{0,63}\Z", re.ASCII)
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}\Z", re.ASCII)
_MOST_LABELS = 4
_LONGEST_VALUE = 64
# A pipe takes up to so many bytes as one piece (PIPE_BUF), so several processes of a job never mix their lines.
_PIECE = 4096

_lock = threading.Lock()
_pipe = None
_lost = 0
_warned = set()


def metrics_enabled():
    """Whether somebody reads the metrics: true in a Ringfence job."""
    return bool(os.environ.get("RINGFENCE_METRICS"))


def metric(values=None, /, step=None, labels=None, **named):
    """Reports one value of each named metric: `metric(loss=0.3, step=10)`.

    A name that is no Python name goes into a dictionary: `metric({"val/loss": 0.3})`. `labels` tell series of one name apart:
    `labels={"split": "val"}`. Values are numbers or what float() takes. Never raises and never waits: a wrong call warns once,
    and a value that finds the pipe full is dropped and counted.
    """
    if not metrics_enabled():
        return
    try:
        suffix = _labels(labels)
        end = "" if step is None else " step=%d" % _step(step)
        lines = [
            ("%s%s %s%s\n" % (_name(name), suffix, repr(float(value)), end)).encode()
            for name, value in {**(values or {}), **named}.items()
        ]
    except Exception as error:  # A report must not end a training run.
        _warn(str(error))
        return
    with _lock:
        _write(lines)


def _name(name):
    if not isinstance(name, str) or not _NAME.match(name):
        raise ValueError("%r is no metric name: letters, digits and _ . / -, at most 64" % (name,))
    return name


def _step(step):
    number = int(step)
    if not 0 <= number < 1 << 53:
        raise ValueError("a step is a whole number from 0")
    return number


def _labels(labels):
    if not labels:
        return ""
    if len(labels) > _MOST_LABELS:
        raise ValueError("a metric takes at most %d labels" % _MOST_LABELS)
    return "{%s}" % ",".join('%s="%s"' % _label(name, str(value)) for name, value in labels.items())


def _label(name, value):
    if not isinstance(name, str) or not _LABEL.match(name):
        raise ValueError("%r is no label name: letters, digits and _, at most 32" % (name,))
    if len(value) > _LONGEST_VALUE or not value.isprintable() or '"' in value or "\\" in value:
        raise ValueError("a label's value is printable text of at most 64 characters without quotation marks or backslashes")
    return name, value


def _write(lines):
    """Writes lines in pieces that the pipe takes whole; what it does not take is counted and told before the next that it takes."""
    global _lost
    if _lost and _send(b"!lost %d\n" % min(_lost, 999999999)):
        _lost = 0
    piece = []
    size = 0
    for line in lines + [None]:
        if piece and (line is None or size + len(line) > _PIECE):
            if not _send(b"".join(piece)):
                _lost += len(piece)
            piece, size = [], 0
        if line is not None:
            piece.append(line)
            size += len(line)


def _send(piece):
    global _pipe
    try:
        if _pipe is None:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_CLOEXEC
            _pipe = os.open(os.environ["RINGFENCE_METRICS"], flags)
        return os.write(_pipe, piece) == len(piece)
    except OSError as error:
        if not isinstance(error, BlockingIOError):
            _warn("metrics cannot be written: %s" % error.strerror)
        return False


def _warn(what):
    if what not in _warned and len(_warned) < 16:
        _warned.add(what)
        warnings.warn("ringfence: " + what, RuntimeWarning, stacklevel=3)


# --- Federations: several organisations train one model, each on its own data (docs/federation.md) ---


class FederationError(RuntimeError):
    """What the agent said of a wrong call, in its words; `code` names it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Round:
    """One round: `number` of `rounds`, its `task` ("train" or "evaluate"), and the `config` that the contract gives."""

    def __init__(self, shown, model, like):
        self.number = shown["round"]
        self.rounds = shown["rounds"]
        self.task = shown["task"]
        self.config = shown["config"]
        self.pushed = False
        self._model = model
        self._like = like

    def pull(self):
        """The model of the round: in the form that join() was given, else flat (a numpy array where numpy is, or a list)."""
        return _shaped(self._model, self._like)

    def push(self, values, examples, metrics=None, delta=False):
        """Hands in what was learned of `examples` rows: the new model in any form of the same size, or with delta=True what to add to the old.

        Returns whether it was in time: false when the round was given up meanwhile. An evaluation hands in None and metrics.
        """
        body = b""
        if self.task == "train":
            flat = _flat(values)
            body = _little_endian(flat if delta else _minus(flat, self._model))
        figures = {name: float(value) for name, value in (metrics or {}).items()}
        headers = {"ringfence-examples": str(int(examples)), "ringfence-metrics": json.dumps(figures)}
        status, said = _ask("PUT", "/v1/rounds/%d/update" % self.number, body, headers)
        if status not in (204, 409):
            raise _refusal(status, said)
        self.pushed = True
        return status == 204


_like = None


def federated():
    """Whether this job trains in a federation."""
    return bool(os.environ.get("RINGFENCE_FEDERATION"))


def join(like=None):
    """Says in which form pull() gives the model: that of `like`, such as a torch state_dict, or a list of numpy arrays like [coef_, intercept_].

    Without `like`, flat: one number after the other. Fails where this is no job of a federation.
    """
    global _like
    if not federated():
        raise FederationError("no-federation", "this is no job of a federation: `ringfence federation start` orders one")
    _like = like


def rounds():
    """Each round once there is one, until there are no more: `for r in rounds(): w = r.pull(); …; r.push(w, rows)`."""
    after = 0
    while True:
        status, said = _ask("GET", "/v1/round?after=%d" % after)
        if status == 204:
            continue
        if status != 200:
            raise _refusal(status, said)
        shown = json.loads(said)
        if shown["task"] == "done":
            return
        after = shown["round"]
        status, said = _ask("GET", "/v1/rounds/%d/model" % after)
        if status == 409:  # It was given up before anybody trained.
            continue
        if status != 200:
            raise _refusal(status, said)
        step = Round(shown, _floats(said), _like)
        yield step
        if not step.pushed:
            _warn("round %d: nothing was pushed, so this organisation is not in it" % step.number)


class NumPyClient:
    """A client as Flower's: get_parameters(config), fit(parameters, config), evaluate(parameters, config)."""

    def to_client(self):
        return self


def start_client(client, server_address=None):
    """Runs a client as Flower's through all rounds. The contract names the aggregator, so an address is not used."""
    if server_address is not None:
        _warn("server_address is not used: the contract names the aggregator")
    join(like=client.get_parameters({}))
    for step in rounds():
        if step.task == "train":
            parameters, examples, metrics = client.fit(step.pull(), step.config)
            step.push(parameters, examples, metrics)
        else:
            loss, examples, metrics = client.evaluate(step.pull(), step.config)
            step.push(None, examples, {**metrics, "loss": loss})


def _ask(method, path, body=None, headers=None):
    # Not at the top: a job that only reports metrics starts without them.
    import http.client
    import socket

    connection = http.client.HTTPConnection("agent", timeout=120)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.sock.settimeout(120)
        connection.sock.connect(os.environ["RINGFENCE_FEDERATION"])
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _refusal(status, said):
    try:
        error = json.loads(said)["error"]
        return FederationError(error["code"], error["message"])
    except (ValueError, KeyError, TypeError):
        return FederationError("bad-answer", "the agent answered with %d" % status)


def _numpy():
    try:
        import numpy

        return numpy
    except ImportError:
        return None


def _floats(data):
    """Values of float32, least significant byte first."""
    values = array.array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _little_endian(values):
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def _is_parameter(leaf):
    """Whole numbers of a torch state_dict, such as counts of batches, are none."""
    check = getattr(leaf, "is_floating_point", None)
    return check is None or check()


def _leaves(values):
    """The parts of a form, in order."""
    if isinstance(values, dict):
        return [leaf for value in values.values() for leaf in _leaves(value)]
    if isinstance(values, (list, tuple)) and not (values and isinstance(values[0], (int, float))):
        return [leaf for value in values for leaf in _leaves(value)]
    return [values] if _is_parameter(values) else []


def _flat(values):
    """All numbers of a form, one after the other, as float32."""
    flat = array.array("f")
    for leaf in _leaves(values):
        if hasattr(leaf, "detach"):
            leaf = leaf.detach().cpu().reshape(-1).tolist()
        numpy = _numpy() if hasattr(leaf, "dtype") else None
        if numpy is not None:
            flat.frombytes(numpy.ascontiguousarray(leaf, dtype=numpy.float32).tobytes())
        else:
            flat.extend([leaf] if isinstance(leaf, (int, float)) else leaf)
    return flat


def _minus(new, old):
    if len(new) != len(old):
        raise FederationError("bad-size", "the model of the contract has %d parameters, this one %d" % (len(old), len(new)))
    numpy = _numpy()
    if numpy is not None:
        difference = numpy.frombuffer(new, numpy.float32) - numpy.frombuffer(old, numpy.float32)
        return array.array("f", difference.tobytes())
    return array.array("f", [a - b for a, b in zip(new, old)])


def _shaped(model, like):
    """The model in the form of `like`; always a copy."""
    numpy = _numpy()
    if like is None:
        return model.tolist() if numpy is None else numpy.array(model, dtype=numpy.float32)
    wanted = sum(_size(leaf) for leaf in _leaves(like))
    if wanted != len(model):
        raise FederationError("bad-size", "the model of the contract has %d parameters, this form %d" % (len(model), wanted))
    place = [0]

    def take(size):
        place[0] += size
        return model[place[0] - size : place[0]]

    def rebuild(form):
        if isinstance(form, dict):
            return type(form)((name, rebuild(value)) for name, value in form.items())
        if isinstance(form, (list, tuple)) and not (form and isinstance(form[0], (int, float))):
            return [rebuild(value) for value in form]
        if not _is_parameter(form):
            return form
        part = take(_size(form))
        if hasattr(form, "new_tensor"):
            return form.new_tensor(part.tolist()).reshape(form.shape)
        if hasattr(form, "dtype") and numpy is not None:
            kept = form.dtype if form.dtype.kind == "f" else numpy.float32
            return numpy.array(part, dtype=kept).reshape(form.shape)
        return part[0] if isinstance(form, (int, float)) else part.tolist()

    return rebuild(like)


def _size(leaf):
    if isinstance(leaf, (int, float)):
        return 1
    if hasattr(leaf, "numel"):
        return leaf.numel()
    return int(leaf.size) if hasattr(leaf, "dtype") else len(leaf)
