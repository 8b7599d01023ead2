"""The model as a file: arrays alone (numpy's .npz without pickle), so that opening one runs nothing."""

import os

import numpy


def save(path, layers, epoch):
    """Writes weights and biases and moves them into place: whoever reads sees a whole file or the one before."""
    arrays = {f"w{n}": weights for n, (weights, _) in enumerate(layers)}
    arrays.update({f"b{n}": biases for n, (_, biases) in enumerate(layers)})
    with open(f"{path}.part", "wb") as file:
        numpy.savez(file, epoch=epoch, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.part", path)


def load(path):
    """(layers, epoch) of a file that `save` wrote; anything but arrays is refused."""
    with numpy.load(path, allow_pickle=False) as arrays:
        count = sum(name.startswith("w") for name in arrays.files)
        return [(arrays[f"w{n}"], arrays[f"b{n}"]) for n in range(count)], int(arrays["epoch"])


def probabilities(layers, images):
    """Softmax over the ten classes for rows of 784 values."""
    values = numpy.asarray(images, dtype=numpy.float32)
    for weights, biases in layers[:-1]:
        values = numpy.maximum(values @ weights + biases, 0)
    weights, biases = layers[-1]
    scores = values @ weights + biases
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
