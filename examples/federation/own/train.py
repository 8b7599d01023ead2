"""A part in a federation with code of one's own: logistic regression by scikit-learn, one pass over the rows in each round.

    python3 train.py --data DIR
"""

import argparse
import csv
import os

import numpy as np
import ringfence
from sklearn.linear_model import SGDClassifier

# Public bounds of what is measured: mean, standard error, worst. Every site brings its columns into range by the same numbers.
LARGEST = np.array(
    [30, 40, 200, 2500, 0.2, 0.4, 0.5, 0.25, 0.35, 0.1]
    + [3, 5, 25, 550, 0.035, 0.15, 0.4, 0.06, 0.08, 0.03]
    + [40, 50, 260, 4300, 0.25, 1.1, 1.3, 0.3, 0.7, 0.25]
)

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
with open(os.path.join(parser.parse_args().data, "rows.csv"), newline="") as file:
    header, *lines = csv.reader(file)
y = np.array([line[-1] == "malignant" for line in lines], dtype=int)
X = 4 * np.array([line[:-1] for line in lines], dtype=float) / LARGEST - 1

model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.02, random_state=1)
model.partial_fit(X[:1], y[:1], classes=[0, 1])

ringfence.join(like=[model.coef_, model.intercept_])
for r in ringfence.rounds():
    model.coef_, model.intercept_ = r.pull()
    accuracy = model.score(X, y)
    if r.task == "train":
        model.partial_fit(X, y)
    r.push([model.coef_, model.intercept_], len(y), {"accuracy": accuracy})
    print("round %d of %d: accuracy %.3f on the %d rows of this site" % (r.number, r.rounds, accuracy, len(y)))
