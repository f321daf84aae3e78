"""Skills that can follow each other in one story, and how a story states them without asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skillshot.sources.storyskills.skills import SKILLS


@dataclass(frozen=True)
class Link:
    """A skill as a part of a chain.

    takes: what it receives, "items" or "money"; "" where it can only come first. slot: the number of the skill that is
        received; the first skill of a chain draws it.
    gives: what its result is; "" where only the last skill of a chain has it.
    states: phrasings of what is given; `{it}` is what is received, in words.
    result: the result in words, for the next skill. asks: the question about it, for the last.
    """

    takes: str
    slot: str
    gives: str
    states: tuple[str, ...]
    result: str
    asks: tuple[str, ...]


FIRST: Mapping[str, str] = {"items": "{received} {items}", "money": "{received} {money}"}  # what a first skill receives

LINKS: Mapping[str, Link] = {
    "fraction_of": Link(
        "items", "total", "items",
        ("{a}/{b} of {it} belong to {A}.", "A fraction of {a}/{b} of {it} belongs to {A}."),
        "the {items} that belong to {A}",
        ("How many {items} is this fraction?", "How many {items} belong to {A}?"),
    ),
    "fraction_left": Link(
        "items", "total", "items",
        ("{A} gives away {a}/{b} of {it}.", "{a}/{b} of {it} are used up, and only the remainder is kept."),
        "the {items} that are still there",
        ("How many {items} are still there?", "How many {items} remain?"),
    ),
    "percent_increase": Link(
        "items", "start", "items",
        (
            "Last month {it} were counted, and since then the number has increased by {rate}%.",
            "{it} were counted at first. Then the number grew by {rate}%.",
        ),
        "all {items} after the increase",
        ("How many {items} are there after the increase?", "How many {items} are there now?"),
    ),
    "share_in_ratio": Link(
        "items", "total", "items",
        ("{A} and {B} share {it} in the ratio {x}:{y}.", "{it} are divided between {A} and {B} in the ratio {x}:{y}."),
        "the {items} that {A} gets",
        ("How many {items} does {A} get?", "How large is {A}'s share?"),
    ),
    "fewer_total": Link(
        "items", "x", "items",
        ("{A} has {it}. {B} has {less} fewer.", "{A} holds {it}, and {B} holds {less} fewer than that."),
        "the {items} of {A} and {B} in all",
        ("How many {items} do {A} and {B} have in all?", "How many {items} do the two have altogether?"),
    ),
    "times_as_many": Link(
        "items", "x", "items",
        ("{A} has {it} and {B} has {times} times as many.", "{A} has {it}. {B} has {times} times that number."),
        "the {items} that {A} and {B} have together",
        ("How many {items} do both have together?", "How many do {A} and {B} have together?"),
    ),
    "doubling": Link(
        "items", "x", "items",
        (
            "{A} starts with {it}, and the number doubles every month for three months.",
            "At the start there are {it}. The number doubles three times.",
        ),
        "the {items} that are there after the third doubling",
        ("How many are there after three months?", "How many {items} are there after the third doubling?"),
    ),
    "left_over": Link(
        "items", "total", "items",
        (
            "{A} fills {boxes} with {n} {items} each until no more full {box} can be made from {it}.",
            "{A} packs {it} into {boxes} of {n}, and every {box} has to be full.",
        ),
        "the {items} left over",
        ("How many {items} are left over?", "What is left over?"),
    ),
    "weekly_output": Link(
        "items", "n", "items",
        (
            "Every day {A} uses {it}, seven days a week, for {weeks} weeks.",
            "{it} are delivered daily, also on weekends, for {weeks} weeks.",
        ),
        "the {items} of all these weeks",
        ("How many {items} is that in all the weeks?", "How many {items} do these weeks make?"),
    ),
    "nth_term": Link(
        "items", "start", "items",
        (
            "The first row has {it} and every next row has {step} more than the row before, up to row {n}.",
            "{it} lie in row 1. Each further row up to row {n} has {step} more than the one before.",
        ),
        "the {items} in row {n}",
        ("How many {items} are in row {n}?", "How many {items} does row {n} have?"),
    ),
    "rows_with_gaps": Link(
        "", "", "items",
        (
            "{A} lines up {items} in {rows} rows of {cols} places, but {empty} places stay empty.",
            "There are {rows} rows with {cols} places for {items}, and {empty} of the places are empty.",
        ),
        "the {items} that stand in the rows",
        ("How many {items} stand there?", "How many {items} are in the rows?"),
    ),
    "packs_needed": Link(
        "items", "total", "",
        ("{it} are packed. One {box} holds at most {n} {items}.", "{it} go into {boxes} of at most {n} each."),
        "",
        ("What is the smallest number of {boxes} needed to hold all?", "How many {boxes} are needed at least?"),
    ),
    "profit": Link(
        "items", "n", "money",
        (
            "{A} buys {it} for {buy} {money} each and resells them for {sell} {money} each.",
            "{it} were bought at {buy} {money} each and are sold at {sell} {money} each.",
        ),
        "the profit",
        ("What is the profit?", "How much profit is made?"),
    ),
    "change": Link(
        "items", "n", "money",
        (
            "{A} buys {it} for {p} {money} each and pays with {cash} {money}.",
            "{A} pays for {it} at {p} {money} each with a note of {cash} {money}.",
        ),
        "the change",
        ("How much change does {A} get back?", "How much is the change?"),
    ),
    "total_cost": Link(
        "items", "n", "money",
        (
            "{A} buys {it} at {p} {money} each and {m} {others} at {q} {money} each.",
            "{A} orders {it} for {p} {money} each, as well as {m} {others} for {q} {money} each.",
        ),
        "the total cost of the purchase",
        ("What is the total cost of the whole purchase?", "How much does the whole order cost in total?"),
    ),
    "wage_bonus": Link(
        "", "", "money",
        (
            "As a {worker}, {A} earns a wage of {wage} {money} per hour, works {hours} hours and gets a bonus of "
            "{bonus} {money}.",
            "{A} works {hours} hours at an hourly wage of {wage} {money}, and a bonus of {bonus} {money} is added.",
        ),
        "all that {A} earns",
        ("How much does {A} earn?", "What are the earnings with the bonus?"),
    ),
    "fence_cost": Link(
        "", "", "money",
        (
            "A fence is built around the square {patch} with sides of {s} meters. A meter of fence costs {p} {money}.",
            "The square {patch} has sides of {s} meters and gets a fence at {p} {money} per meter.",
        ),
        "the cost of the fence",
        ("What does the fence cost?", "How much is paid for the fence?"),
    ),
    "discount": Link(
        "money", "price", "money",
        (
            "The regular price of a {item} is {it}. Today there is a discount of {rate}%.",
            "A {item} regularly costs {it} and is sold at a discount of {rate}%.",
        ),
        "the sale price",
        ("What is the sale price?", "What does the {item} cost with the discount?"),
    ),
    "discount_then_tax": Link(
        "money", "price", "money",
        (
            "A {item} with a list price of {it} is discounted by {rate}%, and then {tax}% sales tax is added.",
            "From the list price of a {item}, which is {it}, {rate}% are taken off, and {tax}% sales tax is put on the "
            "rest.",
        ),
        "the final price including tax",
        ("What is the final price including tax?", "How much is due with the tax?"),
    ),
    "simple_interest": Link(
        "money", "sum", "money",
        (
            "{A} lends {it} to {B} at a simple interest rate of {rate}% per year for {years} years.",
            "{it} stay in an account for {years} years with simple interest of {rate}% per year.",
        ),
        "the interest of all these years",
        ("How much interest is earned in all?", "How much interest is that?"),
    ),
    "spending_left": Link(
        "money", "budget", "money",
        (
            "{A} has a budget of {it} and spends {x} {money} on {items} and {y} {money} on {others}.",
            "Out of a budget of {it}, {x} {money} go to {items} and {y} {money} to {others}.",
        ),
        "the rest of the budget",
        ("How much of the budget remains?", "How much is left of the budget?"),
    ),
    "tip_split": Link(
        "money", "bill", "money",
        (
            "{A} and friends, {n} people in all, get a dinner bill of {it}, add a tip of {rate}% and split it evenly.",
            "A dinner costs {it}. {n} people add a tip of {rate}% and split the bill evenly.",
        ),
        "the payment of each person",
        ("How much does each person pay?", "What is the part of each person?"),
    ),
    "unit_price": Link(
        "money", "total", "money",
        ("{A} pays {it} for {n} {items}, all at the same price.", "A pack of {n} {items} sells for {it}."),
        "the price of one {item}",
        ("What is the price of one {item}?", "What is the price per {item}?"),
    ),
    "original_price": Link(
        "money", "now", "money",
        (
            "After being reduced by {rate}%, a {item} costs {it}.",
            "A {item} now costs {it}, because its price was reduced by {rate}%.",
        ),
        "the price before the reduction",
        ("What was its original price before the reduction?", "How much was the {item} before the reduction?"),
    ),
    "saving_goal": Link(
        "money", "goal", "",
        (
            "{A} is saving for a {item} that costs {it}. {have} {money} are already saved and {week} {money} are saved "
            "every week.",
            "{A} saves {week} {money} a week toward a goal of {it} and has {have} {money} already.",
        ),
        "",
        ("How many weeks until the goal is reached?", "After how many weeks is the goal reached?"),
    ),
    "currency_exchange": Link(
        "money", "sum", "",
        (
            "{A} exchanges {it} into foreign tokens. The exchange rate is {rate} tokens for each {money}, and the "
            "counter keeps a fee of {fee} tokens.",
            "At the counter {it} are exchanged at a rate of {rate} tokens each, less a fee of {fee} tokens.",
        ),
        "",
        ("How many tokens does {A} receive?", "How many tokens are paid out?"),
    ),
}  # fmt: skip


def followers(name: str) -> Sequence[str]:
    """Skills that can receive the result of a skill, in the order of `LINKS`."""
    gives = LINKS[name].gives
    return [other for other, link in LINKS.items() if gives and link.takes == gives and other != name]


assert set(LINKS) <= set(SKILLS)
