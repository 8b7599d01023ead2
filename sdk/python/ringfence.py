"""What a job can say to Ringfence: its own metrics, in one line.

    import ringfence
    ringfence.metric(loss=0.31, step=10)

In a Ringfence job `import ringfence` finds this file without any installation. Anywhere else, copy it: it needs Python 3.8 and
nothing more, and outside Ringfence a call does nothing at all.
"""

import os
import re
import threading
import warnings

__all__ = ["metric", "metrics_enabled"]

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
