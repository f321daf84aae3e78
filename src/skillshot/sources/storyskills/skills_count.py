"""Skills about counting: packing, averages, comparing, rows."""

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "left_over",
        draw={"total": range(30, 200), "n": range(4, 13)},
        program=("rest = total mod n",),
        unit="{items}",
        ask=(
            "{A} fills {boxes} with {n} {items} each until no more full {box} can be made from the {total} {items}. "
            "How many {items} are left over?",
            "{total} {items} are put into {boxes} of {n}. How many {items} remain left over after the last full {box}?",
            "From {total} {items}, as many full {boxes} of {n} as possible are packed. How many {items} are left over?",
            "Each full {box} holds {n} {items}. When {A} packs {total} {items} into full {boxes}, "
            "how many remain left over?",
        ),
        why=(
            "The remainder of the division is left over | Divide into full {boxes} and keep the remainder | "
            "What remains after all full groups is the remainder",
        ),
    ),
    Skill(
        "packs_needed",
        draw={"total": range(30, 300), "n": range(4, 25)},
        program=("packs = total ceil n",),
        where=lambda n: n["total"] % n["n"] > 0,
        unit="{boxes}",
        ask=(
            "One {box} holds at most {n} {items}. What is the smallest number of {boxes} needed to hold all {total} "
            "{items}?",
            "{A} must store {total} {items} in {boxes} that hold up to {n} each. At least how many {boxes} are needed?",
            "How many {boxes} are needed at least, if all {total} {items} must fit and a {box} holds at most {n}?",
            "All {total} {items} have to fit into {boxes} with room for {n} each. What is the fewest {boxes} needed?",
        ),
        why=(
            "Divide and round up, since the last one may be only partly full | Round the quotient up so that all fit | "
            "Round up to whole {boxes}, as the rest needs one as well",
        ),
    ),
    Skill(
        "average",
        draw={"x": range(10, 90), "y": range(10, 90), "z": range(10, 90)},
        program=("two = x + y", "sum = two + z", "average = sum / 3"),
        unit="{items}",
        ask=(
            "{A} counted {x} {items} on Monday, {y} on Tuesday and {z} on Wednesday. What is the average per day?",
            "On three days {A} handled {x}, {y} and {z} {items}. What is the mean number per day?",
            "{A} has {x} {items}, {B} has {y} and {C} has {z}. What is the average number of {items} per person?",
            "Three {boxes} contain {x}, {y} and {z} {items}. What is the average number of {items} in a {box}?",
        ),
        why=(
            "Sum the first two values | Begin the sum for the average | Add up the values for the mean",
            "Include the third value in the sum | Add the last value of the {items} | The sum of all three values",
            "Divide the sum by how many values there are to get the average | The mean is the sum over the number of "
            "values | "
            "The average is the sum split over the three values",
        ),
    ),
    Skill(
        "times_as_many",
        draw={"x": range(6, 60), "times": range(3, 9)},
        program=("more = x * times", "both = x + more"),
        unit="{items}",
        ask=(
            "{A} has {x} {items} and {B} has {times} times as many. How many {items} do both have together?",
            "{B} owns {times} times as many {items} as {A}, who owns {x}. How many do the two own together?",
            "{A} collected {x} {items}, and {B} collected {times} times as many as {A}. How many did both collect "
            "together?",
            "Compared with the {x} {items} of {A}, {B} has {times} times as many. How many {items} are there together?",
        ),
        why=(
            "Times as many means multiply | {B} has the multiple of the smaller count | "
            "Multiply the first count by how many times as many",
            "Add the two counts for both together | Both together is the first count plus the multiple | "
            "The count of {A} and the multiple add up together",
        ),
    ),
    Skill(
        "missing_from_average",
        draw={"avg": range(20, 90), "x": range(10, 100), "y": range(10, 100)},
        program=("sum = avg * 3", "two = x + y", "third = sum - two"),
        where=lambda n: abs(3 * n["avg"] - n["x"] - n["y"] - n["avg"]) < 40,
        unit="{items}",
        ask=(
            "{A} wants an average of {avg} {items} over three days. The first two days bring {x} and {y}. "
            "How many must the third day bring to reach the average?",
            "The average of three counts of {items} is {avg}. Two of the counts are {x} and {y}. What must the third "
            "one be?",
            "To reach an average of {avg} {items} over three rounds, what must the third round be after {x} and {y}?",
            "Three days have an average of {avg} {items}. Two of them had {x} and {y}. Which number must the third "
            "day have?",
        ),
        why=(
            "The average times three is the sum needed | Three values with this average must sum to | "
            "To reach the average the sum must be",
            "The two known values make | Known so far | Add the two known counts of {items}",
            "The third, missing value is the needed sum less the known ones | Subtract to find the missing third "
            "value | "
            "What the missing third one must be",
        ),
    ),
    Skill(
        "fewer_total",
        draw={"x": range(20, 150), "less": range(3, 60)},
        program=("y = x - less", "both = x + y"),
        unit="{items}",
        ask=(
            "{A} has {x} {items}. {B} has {less} fewer. How many {items} do {A} and {B} have in all?",
            "{B} has {less} fewer {items} than {A}, who has {x}. How many do they have in all?",
            "{A} found {x} {items}, and {B} found {less} fewer than that. How many were found in all?",
            "There are {x} {items} and {less} fewer {others}. How many things are there in all?",
        ),
        why=(
            "Fewer means subtract | Subtract because there are fewer | The smaller count is fewer by the difference",
            "Add the bigger and the smaller count in all | In all there are both counts added | "
            "The count and the fewer ones of {B} in all",
        ),
    ),
    Skill(
        "rows_with_gaps",
        draw={"rows": range(4, 20), "cols": range(4, 20), "empty": range(2, 20)},
        program=("places = rows * cols", "used = places - empty"),
        unit="{items}",
        ask=(
            "{A} lines up {items} in {rows} rows of {cols} places, but {empty} places stay empty. How many {items} "
            "stand there?",
            "There are {rows} rows with {cols} places each for {items}. {empty} places are empty. "
            "How many {items} stand in the rows?",
            "In {rows} rows with {cols} places each, all but {empty} places are taken by {items}. How many {items} "
            "are lined up?",
            "A display has {rows} rows of {cols} places. With {empty} places empty, how many {items} are lined up in "
            "it?",
        ),
        why=(
            "Rows times places in a row | The rows offer this many places | Count the places of all rows",
            "Take off the empty places | Without the empty places there stand | Places minus empty ones are taken by "
            "{items}",
        ),
    ),
)
