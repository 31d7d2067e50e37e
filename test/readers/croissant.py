"""Validates and reads croissant.json with mlcroissant: prints every record of every record set.

    croissant.py <croissant.json>
"""

import json
import logging
import sys

import mlcroissant as mlc

logging.disable(logging.WARNING)
dataset = mlc.Dataset(jsonld=sys.argv[1])


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "mode"):
        return {"size": value.size, "mode": value.mode}
    return value.item() if hasattr(value, "item") else value


result = {}
for records in dataset.metadata.record_sets:
    result[records.id] = [
        {name.split("/", 1)[1]: plain(value) for name, value in record.items()}
        for record in dataset.records(record_set=records.id)
    ]
issues = dataset.metadata.ctx.issues
json.dump({"errors": sorted(issues.errors), "warnings": sorted(issues.warnings), "records": result}, sys.stdout)
