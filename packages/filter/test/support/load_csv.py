"""Prints the rows of CSV files as JSON, as Python's csv module reads them."""
import csv, json, sys

csv.field_size_limit(1 << 28)
rows = []
for path in sys.argv[1:]:
    with open(path, newline="", encoding="utf-8") as file:
        rows.append(list(csv.reader(file, strict=True)))
json.dump(rows, sys.stdout)
