"""Trains a small network on Fashion-MNIST with scikit-learn, and goes on from a checkpoint when there is one."""

import argparse
import json
from pathlib import Path

import numpy
import ringfence
from sklearn.neural_network import MLPClassifier

import fashion_mnist
import model_file

BATCH = 200


def main():
    arguments = parse_arguments()
    out = Path(arguments.out)
    checkpoint = out / "checkpoint" / "model.npz"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    images, labels = fashion_mnist.read(arguments.data, "train")
    held_out = fashion_mnist.read(arguments.data, "t10k")
    print(f"{len(images)} images to train on, {len(held_out[0])} held out", flush=True)

    network = MLPClassifier(hidden_layer_sizes=(arguments.hidden,), random_state=7)
    network.partial_fit(images[:BATCH], labels[:BATCH], classes=range(10))
    begun = resume(network, checkpoint)
    for epoch in range(begun + 1, arguments.epochs + 1):
        loss = train_epoch(network, images, labels, seed=epoch)
        layers = list(zip(network.coefs_, network.intercepts_))
        accuracy = accuracy_of(layers, held_out)
        ringfence.metric(step=epoch, loss=loss, accuracy=accuracy)
        print(f"epoch {epoch:2}  loss {loss:.4f}  accuracy {accuracy:.4f}", flush=True)
        model_file.save(checkpoint, layers, epoch)

    layers, epoch = model_file.load(checkpoint)
    model_file.save(out / "model.npz", layers, epoch)
    accuracy = accuracy_of(layers, held_out)
    (out / "metrics.json").write_text(json.dumps({"epochs": epoch, "accuracy": round(accuracy, 4)}))
    print(f"accuracy {accuracy:.4f} on the held-out images")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--hidden", type=int, default=64)
    return parser.parse_args()


def resume(network, checkpoint):
    """The epoch that an earlier attempt reached, its weights taken over; 0 without one. Adam's moments begin anew."""
    if not checkpoint.exists():
        return 0
    layers, epoch = model_file.load(checkpoint)
    network.coefs_ = [weights for weights, _ in layers]
    network.intercepts_ = [biases for _, biases in layers]
    print(f"goes on after epoch {epoch}", flush=True)
    return epoch


def train_epoch(network, images, labels, seed):
    order = numpy.random.default_rng(seed).permutation(len(images))
    losses = []
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        network.partial_fit(images[rows], labels[rows])
        losses.append(network.loss_)
    return float(numpy.mean(losses))


def accuracy_of(layers, held_out):
    images, labels = held_out
    return float(numpy.mean(model_file.probabilities(layers, images).argmax(axis=1) == labels))


if __name__ == "__main__":
    main()
