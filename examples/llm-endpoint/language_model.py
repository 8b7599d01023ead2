"""A language model of word pieces: interpolated n-grams with Witten-Bell smoothing (Bell, Cleary, Witten 1990), standard library only.

A token is a word with the space before it, a run of spaces or line ends, or one other character. For each context of up to ORDER - 1
tokens the model keeps how often each token followed. A token's probability mixes all orders: the more kinds of token followed a
context, the more weight goes to the shorter one.
"""

import json
import os
import re
from collections import Counter, defaultdict

ORDER = 4
_TOKEN = re.compile(r" ?[A-Za-z]+|\d| +|\n+|.", re.DOTALL)


def tokens_of(text):
    """`text` cut into tokens; joined, they are the text."""
    return _TOKEN.findall(text)


class LanguageModel:
    """Counts of what follows what."""

    def __init__(self, counts=None):
        self.counts = counts if counts is not None else defaultdict(Counter)

    def learn(self, tokens):
        for end in range(len(tokens)):
            for length in range(min(ORDER - 1, end) + 1):
                self.counts[tuple(tokens[end - length : end])][tokens[end]] += 1

    def prune(self, least):
        """Forgets contexts of full length that were seen fewer than `least` times: most of the size, little of the sense."""
        for context in [c for c, next_ in self.counts.items() if len(c) == ORDER - 1 and next_.total() < least]:
            del self.counts[context]

    def probability(self, context, token):
        """P(token | the last ORDER - 1 tokens of context); an unseen token has the weight of one kind more."""
        kinds = len(self.counts[()]) + 1
        probability = 1 / kinds
        for length in range(ORDER):
            if length > len(context):
                break
            following = self.counts.get(tuple(context[len(context) - length :]))
            if following is None:
                break
            total, different = following.total(), len(following)
            probability = (following[token] + different * probability) / (total + different)
        return probability

    def draw(self, context, chance, temperature=1.0):
        """One next token; `chance` is a function that returns a number from 0 to 1."""
        longest = min(ORDER - 1, len(context))
        for length in range(longest, -1, -1):
            following = self.counts.get(tuple(context[len(context) - length :]))
            if following is None:
                continue
            total, different = following.total(), len(following)
            if length > 0 and chance() >= total / (total + different):
                continue
            return _weighted(following, chance, temperature)
        raise ValueError("the model is empty")

    def save(self, path):
        """Writes the counts as one line of JSON a context, and moves the file into place."""
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            for context, following in self.counts.items():
                file.write(json.dumps([list(context), following], ensure_ascii=False, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.part", path)

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as file:
            return LanguageModel({tuple(context): Counter(following) for context, following in map(json.loads, file)})


def _weighted(following, chance, temperature):
    if temperature <= 0:
        return max(following, key=following.get)
    weights = [count ** (1 / temperature) for count in following.values()]
    left = chance() * sum(weights)
    for token, weight in zip(following, weights):
        left -= weight
        if left < 0:
            return token
    return token
