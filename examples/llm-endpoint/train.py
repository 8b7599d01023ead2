"""Trains the language model on the text files below --data and tells its perplexity on text that it has not seen."""

import argparse
import json
import math
from pathlib import Path

import ringfence

from language_model import LanguageModel, tokens_of

HELD_OUT_EVERY = 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--least", type=int, default=2)
    arguments = parser.parse_args()

    learned, held_out = paragraphs(Path(arguments.data))
    print(f"{len(learned)} paragraphs to learn from, {len(held_out)} held out", flush=True)
    model = LanguageModel()
    for count, paragraph in enumerate(learned, 1):
        model.learn(tokens_of(paragraph + "\n\n"))
        if count % 500 == 0 or count == len(learned):
            ringfence.metric(step=count, contexts=len(model.counts))
    model.prune(arguments.least)
    found = perplexity(model, held_out)
    ringfence.metric(perplexity=found)
    model.save(Path(arguments.out) / "model.jsonl")
    (Path(arguments.out) / "metrics.json").write_text(json.dumps({"perplexity": round(found, 1)}))
    print(f"{len(model.counts)} contexts, perplexity {found:.1f} on the held-out paragraphs")


def paragraphs(folder):
    """Every tenth paragraph is held out, by its place in the files taken in order of their names."""
    texts = (path.read_text("utf-8", errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())
    found = [part for text in texts for part in text.split("\n\n") if part.strip()]
    learned = [part for place, part in enumerate(found) if place % HELD_OUT_EVERY != 0]
    return learned, found[::HELD_OUT_EVERY]


def perplexity(model, texts):
    """exp of the mean surprise per token (Jelinek et al. 1977); 1 would be a model that is never surprised."""
    surprise, count = 0.0, 0
    for text in texts:
        tokens = tokens_of(text + "\n\n")
        for place, token in enumerate(tokens):
            surprise -= math.log(model.probability(tokens[:place][-3:], token))
            count += 1
    return math.exp(surprise / max(1, count))


if __name__ == "__main__":
    main()
