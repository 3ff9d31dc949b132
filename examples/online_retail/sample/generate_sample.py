#!/usr/bin/env python3
"""Writes invented invoice lines of an online shop, in the shape of the public "Online Retail" data.

    python3 generate_sample.py [--rows 5000] [--seed 1] > online_retail_sample.csv

The same rows and seed give the same bytes. Among the rows are guests (CustomerID NA), returns that
fit and returns that do not, prices of three decimals and below 0, and descriptions with quotes,
commas and letters outside ASCII. No row is malformed.
"""

import argparse
import datetime
import random
import sys

COLOURS = ["RED", "WHITE", "PINK", "BLUE", "IVORY", "GREEN", "SILVER", "VINTAGE", "RETRO", "ANTIQUE"]
THINGS = ["LANTERN", "MUG", "TEA TOWEL", "CAKE STAND", "LUNCH BAG", "BUNTING", "DOORMAT", "CANDLE",
          "JAM JAR", "WALL CLOCK", "PICTURE FRAME", "HEART HOLDER", "COAT HANGER", "BIRD HOUSE"]
PECULIAR = ['RECORD FRAME 7" SINGLE SIZE', 'SIGN "PLEASE KNOCK", METAL', "SET OF 3, STACKING TINS",
            "CAFÉ AU LAIT BOWL", "CRÈME BRÛLÉE DISH, OVAL", "GLÜCKWUNSCH CARD", "NOËL \"STAR\" ★",
            "FEATHER PEN,HOT PINK", "20 °C THERMOMETER", "ROBOT \"R2\" 4\" TALL"]
COUNTRIES = ["United Kingdom"] * 30 + ["Germany"] * 3 + ["France"] * 3 + ["EIRE"] * 2 + [
    "Spain", "Netherlands", "Belgium", "Switzerland", "Portugal", "Australia", "Norway"]


def text(value):
    return '"' + value.replace('"', '""') + '"'


def decimal(price_thousandths):
    """The shortest exact form, as in the original: 2.55, 1.5, 3, 0.125, -10."""
    sign = "-" if price_thousandths < 0 else ""
    pounds, rest = divmod(abs(price_thousandths), 1000)
    return sign + f"{pounds}.{rest:03}".rstrip("0").rstrip(".")


class shop:
    def __init__(self, seed):
        # Only random() is used: its sequence is the same in every version of Python.
        self.chance = random.Random(seed).random
        self.products = self.catalogue()
        self.customers = [(str(12346 + 7 * n), self.one_of(COUNTRIES)) for n in range(140)]
        self.bought = []  # (customer, country, product, quantity)

    def below(self, end):
        return int(self.chance() * end)

    def one_of(self, things):
        return things[self.below(len(things))]

    def catalogue(self):
        names = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS] + PECULIAR
        products = []
        for n, name in enumerate(names):
            price = (15 + self.below(1200)) * 10
            if n % 23 == 0:
                price += 5  # three decimals
            products.append((str(20600 + 11 * n) + ("", "", "A", "B")[n % 4], name, price))
        return products

    def quantity(self):
        return self.one_of([1, 1, 1, 2, 2, 3, 4, 6, 6, 8, 10, 12, 12, 24, 48, 96])

    def sale(self, invoice, time, customer, country):
        sku, name, price = self.one_of(self.products)
        quantity = self.quantity()
        if customer != "NA":
            self.bought.append((customer, country, (sku, name, price), quantity))
        return row(invoice, sku, name, quantity, time, price, customer, country)

    def fitting_return(self, invoice, time):
        at = max(0, len(self.bought) - 1 - self.below(400))
        customer, country, (sku, name, price), quantity = self.bought.pop(at)
        back = quantity if self.chance() < 0.4 else 1 + self.below(quantity)
        return row("C" + invoice, sku, name, -back, time, price, customer, country)

    def greedy_return(self, invoice, time):
        customer, country, (sku, name, price), _ = self.one_of(self.bought)
        return row("C" + invoice, sku, name, -5000, time, price, customer, country)

    def stray_return(self, invoice, time):
        customer, country = self.one_of(self.customers)
        return row("C" + invoice, "D", "Discount", -1, time, 12500, customer, country)

    def odd_row(self, invoice, time):
        kind = self.below(10)
        if kind < 5 and self.bought:
            return self.fitting_return(invoice, time)
        if kind < 6 and self.bought:
            return self.greedy_return(invoice, time)
        if kind < 7:
            return self.stray_return(invoice, time)
        if kind < 8:  # broken goods, booked without a customer
            sku, _, _ = self.one_of(self.products)
            return row(invoice, sku, "damaged?", -1 - self.below(9), time, 0, "NA", "United Kingdom")
        if kind < 9:
            return row("A" + invoice, "B", "Adjust bad debt", 1, time, -1000 * (1 + self.below(900)),
                       "NA", "United Kingdom")
        sku, _, _ = self.one_of(self.products)
        return row(invoice, sku, "", 1 + self.below(60), time, 0, "NA", "United Kingdom")

    def rows(self, count):
        time = datetime.datetime(2010, 12, 1, 8, 26)
        invoice = 536365
        made = 0
        while made < count:
            customer, country = self.one_of(self.customers)
            if self.chance() < 0.15:
                customer = "NA"
            for _ in range(1 if self.chance() < 0.2 else 2 + self.below(28)):
                if made == count:
                    return
                made += 1
                if self.chance() < 0.06:
                    invoice += 1
                    yield self.odd_row(str(invoice), time)
                    invoice += 1
                else:
                    yield self.sale(str(invoice), time, customer, country)
            invoice += 1
            time += datetime.timedelta(minutes=1 + self.below(120))
            if time.hour >= 18:
                time = datetime.datetime.combine(time.date(), datetime.time(8, self.below(60)))
                time += datetime.timedelta(days=1 if time.weekday() != 4 else 2)


def row(invoice, sku, name, quantity, time, price, customer, country):
    return ",".join([text(invoice), text(sku), text(name), str(quantity), str(time), decimal(price),
                     customer, text(country)])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    names = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
             "CustomerID", "Country"]
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False)
    print(",".join(text(name) for name in names), file=out)
    for line in shop(asked.seed).rows(asked.rows):
        print(line, file=out)


if __name__ == "__main__":
    main()
