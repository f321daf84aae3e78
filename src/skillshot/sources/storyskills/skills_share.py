"""Skills about parts of a whole: percent, ratio, fraction, mixture."""

import math

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "percent_increase",
        draw={"start": range(20, 600, 10), "rate": range(5, 95, 5)},
        program=("extra = rate %of start", "end = start + extra"),
        unit="{items}",
        ask=(
            "Last month there were {start} {items}. Since then the number has increased by {rate}%. "
            "How many {items} are there now?",
            "The stock of {items} grew by {rate}% from {start}. What is the number after this increase?",
            "{A} counted {start} {items} a year ago, and the count has risen by {rate}%. "
            "What is the count after the increase?",
            "A supply of {start} {items} is increased by {rate}%. How many {items} is that after the increase?",
        ),
        why=(
            "The increase is the percentage of the starting number | Find the growth, a percentage of the start | "
            "The percentage of the original {items} gives the increase",
            "Add the increase to the starting number | Start plus increase gives the new, increased number | "
            "The grown number is the original plus the increase",
        ),
    ),
    Skill(
        "share_in_ratio",
        draw={"x": range(2, 8), "y": range(2, 8), "total": range(20, 200)},
        program=("parts = x + y", "one = total / parts", "share = one * x"),
        where=lambda n: n["x"] != n["y"] and math.gcd(n["x"], n["y"]) == 1,
        unit="{items}",
        ask=(
            "{A} and {B} share {total} {items} in the ratio {x}:{y}. How many {items} does {A} get?",
            "{total} {items} are split between {A} and {B} in the ratio {x} to {y}. How many belong to {A}?",
            "{A} and {B} divide {total} {items} so that their shares are in the ratio {x}:{y}. Find the share of {A}.",
            "In the ratio {x} to {y}, {total} {items} are shared out to {A} and {B}. What is the share of {A}?",
        ),
        why=(
            "Add the ratio numbers to get the parts | The ratio has this many equal parts | "
            "Sum of the ratio terms gives the parts",
            "Divide the total by the parts to find one part | One part of the ratio is the total over the parts | "
            "Each part of the {items} is the total divided by the parts",
            "Multiply one part by the ratio number of {A} | The share is one part times the ratio number | "
            "{A} gets the ratio number times one part",
        ),
    ),
    Skill(
        "fraction_of",
        draw={"a": range(2, 8), "b": range(3, 10), "total": range(18, 240)},
        program=("one = total / b", "part = one * a"),
        where=lambda n: n["a"] < n["b"] and math.gcd(n["a"], n["b"]) == 1,
        unit="{items}",
        ask=(
            "There are {total} {items}, and {a}/{b} of them belong to {A}. How many {items} is this fraction?",
            "{A} has marked {a}/{b} of the {total} {items}. How many {items} make up that fraction?",
            "Of {total} {items}, exactly the fraction {a}/{b} is reserved for {A}. How many are reserved?",
            "What is {a}/{b} of the {total} {items}? {A} needs exactly this fraction.",
        ),
        why=(
            "Divide the whole by the denominator | The denominator splits the whole into equal pieces | "
            "One piece of the {items} is the whole over the denominator",
            "Multiply by the numerator to get the fraction | The numerator says how many pieces the fraction takes | "
            "Take as many pieces as the numerator says",
        ),
    ),
    Skill(
        "what_percent",
        draw={"part": range(5, 150), "whole": range(20, 400, 5)},
        program=("scaled = part * 100", "percent = scaled / whole"),
        where=lambda n: n["part"] < n["whole"],
        unit="%",
        ask=(
            "{part} of the {whole} {items} are damaged. What percent of the {items} is that?",
            "Out of {whole} {items}, {A} has checked {part}. What percentage of them has been checked?",
            "{A} owns {part} of all {whole} {items}. What percent of the total does {A} own?",
            "What percentage of the {whole} {items} is new if {part} of them are new?",
        ),
        why=(
            "To write a part as percent, multiply it by 100 | Multiply the part by 100 for a percentage | "
            "Percent means per hundred, so take the part times 100",
            "Divide by the whole to get the percent | The percentage is that over the whole | "
            "Over the whole of the {items} this is the percent",
        ),
    ),
    Skill(
        "original_price",
        draw={"rate": range(10, 80, 10), "now": range(20, 400, 4)},
        program=("kept = 100 - rate", "scaled = now * 100", "original = scaled / kept"),
        unit="{money}",
        ask=(
            "After being reduced by {rate}%, a {item} costs {now} {money}. What was its original price before the "
            "reduction?",
            "{A} pays {now} {money} for a {item} that was reduced by {rate}%. "
            "How much was it originally, before the reduction?",
            "A {item} now costs {now} {money}, which is {rate}% less than before. What was the original price?",
            "The price of a {item} went down by {rate}% to {now} {money}. How much did it originally cost before?",
        ),
        why=(
            "The reduced price is what is left of 100 percent | Of the original 100 percent there remain | "
            "Take the reduction from 100 percent",
            "Scale the reduced price up by 100 | Undo the reduction: times 100 | To go back to the original, "
            "multiply by 100",
            "Divide by the remaining percent to go back to the original | The original price before the reduction is | "
            "That over the remaining percent is the original price of the {item}",
        ),
    ),
    Skill(
        "percent_change",
        draw={"old": range(20, 400, 5), "new": range(25, 600, 5)},
        program=("rise = new - old", "scaled = rise * 100", "percent = scaled / old"),
        where=lambda n: n["new"] < 2 * n["old"],
        unit="%",
        ask=(
            "The number of {items} went from {old} to {new}. By what percent did it go up?",
            "The demand for {items} rose from {old} to {new}. What is the percent change?",
            "{A} had {old} {items} before and has {new} now. By what percent did the number change?",
            "From {old} {items} in spring the number climbed to {new} in autumn. What is the change in percent?",
        ),
        why=(
            "The change is new minus old | Find how much it went up from old to new | Subtract the old from the new "
            "number",
            "Multiply the change by 100 for percent | Change times 100 | Write the change in hundredths of percent",
            "Divide by the old value to get the percent change | Compared with the old number of {items}, in percent | "
            "The percent change is relative to the old value",
        ),
    ),
    Skill(
        "scale_recipe",
        draw={"grams": range(60, 900, 20), "n": range(2, 9), "m": range(3, 25)},
        program=("one = grams / n", "all = one * m"),
        where=lambda n: n["n"] < n["m"],
        unit="grams",
        ask=(
            "The instructions use {grams} grams of {stuff} for {n} portions. How many grams are used for {m} portions?",
            "{n} portions take {grams} grams of {stuff}. At the same proportion, how many grams do {m} portions take?",
            "{A} mixes {grams} grams of {stuff} for {n} portions. How many grams are required for {m} portions?",
            "If {grams} grams of {stuff} are enough for {n} portions, how many grams are enough for {m} portions?",
        ),
        why=(
            "Grams for one portion first | One portion takes the grams over the portions | Scale down to a single "
            "portion",
            "Scale up to the wanted portions | Multiply the grams of one portion by the portions | "
            "All portions take this many grams of {stuff}",
        ),
    ),
    Skill(
        "fraction_left",
        draw={"a": range(1, 8), "b": range(3, 10), "total": range(18, 240)},
        program=("one = total / b", "gone = one * a", "left = total - gone"),
        where=lambda n: n["a"] < n["b"] and math.gcd(n["a"], n["b"]) == 1,
        unit="{items}",
        ask=(
            "{A} gives away {a}/{b} of the {total} {items}. How many {items} are still there?",
            "After {a}/{b} of {total} {items} have been given away, how many are still there?",
            "There were {total} {items} until {A} gave away {a}/{b} of them to {B}. How many does {A} still have?",
            "{B} takes {a}/{b} of the {total} {items} away. How many {items} does {A} still have?",
        ),
        why=(
            "One equal piece of what was there | The given fraction is made of pieces of | Cut the total into equal "
            "pieces",
            "Given away are so many pieces | The fraction given away is | What {A} gave away",
            "Subtract what was given away to find what is still there | Still there is the total minus the part "
            "given away | "
            "After giving the fraction away there are still",
        ),
    ),
    Skill(
        "mixture",
        draw={"x": range(10, 120, 5), "p": range(5, 60, 5), "y": range(10, 120, 5), "q": range(5, 60, 5)},
        program=("first = p %of x", "second = q %of y", "pure = first + second"),
        where=lambda n: n["p"] != n["q"],
        unit="liters",
        ask=(
            "{x} liters of a mixture with {p}% {stuff} are poured into {y} liters of a mixture with {q}% {stuff}. "
            "How many liters of {stuff} does the new mixture contain?",
            "{A} mixes {x} liters containing {p}% {stuff} with {y} liters containing {q}% {stuff}. "
            "How many liters of {stuff} are in the mixture?",
            "Two mixtures are combined: {x} liters with {p}% {stuff} and {y} liters with {q}% {stuff}. "
            "How much {stuff}, in liters, does the mixture contain?",
            "How many liters of {stuff} are in the mixture of {x} liters at {p}% and {y} liters at {q}% content?",
        ),
        why=(
            "Content of the first mixture in liters | The share of {stuff} in the first liquid | "
            "Percentage times liters of the first liquid",
            "Content of the second mixture in liters | The share of {stuff} in the second liquid | "
            "Percentage times liters of the second liquid",
            "The combined mixture contains both | Add the contents of both liquids | Mixed together the liters add "
            "up to",
        ),
    ),
)
