"""Figures, and the table that shows them: samples in milliseconds unless a row says otherwise."""
import statistics
import time


def percentile(samples, percent):
    """The nearest-rank percentile."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def median(samples):
    return statistics.median(samples)


def timed(act):
    """Milliseconds that `act` took."""
    begin = time.perf_counter_ns()
    act()
    return (time.perf_counter_ns() - begin) / 1e6


def repeat(count, act):
    return [timed(act) for _ in range(count)]


def show(number, unit="ms"):
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    return f"{number:,.{digits}f} {unit}"


def beside(samples, name, unit="ms"):
    """One figure to compare with: its median and what it is."""
    return f"{show(median(samples), unit)}  {name}"


class Table:
    """Rows and the sentences under them."""

    HEAD = ("figure", "N", "p50", "p99", "limit", "instead")

    def __init__(self):
        self.rows = []
        self.notes = []

    def add(self, figure, samples, limit="", instead="", unit="ms"):
        slow = 1 if unit == "/s" else 99  # of a rate the slow end is the low one
        p50, p99 = show(median(samples), unit), show(percentile(samples, slow), unit)
        if len(samples) < 2:
            p99 = ""
        self.rows.append((figure, f"{len(samples):,}", p50, p99, limit or "–", instead or "–"))

    def note(self, text):
        self.notes.append(text)

    def show(self):
        rows = [self.HEAD, *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.HEAD))]
        rule = "─" * (sum(widths) + 3 * (len(widths) - 1))
        for number, row in enumerate(rows):
            cells = [
                cell.rjust(width) if 0 < i < 4 else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths))
            ]
            print("   ".join(cells).rstrip())
            if not number:
                print(rule)
        print(rule)
        for note in self.notes:
            print(note)
