"""Fits logistic regression by scikit-learn.

    logistic_regression.py <examples.json>

The file has vectors, labels and values of C. Prints for each C, and each class, its weights followed by its bias.
"""

import json
import sys

import numpy
from sklearn.linear_model import LogisticRegression

given = json.load(open(sys.argv[1]))
vectors, labels = numpy.array(given["vectors"]), numpy.array(given["labels"])
fits = []
for strength in given["strengths"]:
    model = LogisticRegression(C=strength, tol=1e-10, max_iter=100_000).fit(vectors, labels)
    fits.append(numpy.hstack([model.coef_, model.intercept_[:, None]]).tolist())
json.dump(fits, sys.stdout)
