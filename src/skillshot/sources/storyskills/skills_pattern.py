"""Skills about patterns and cases: combinations, chance, sequences, ages, two unknowns."""

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "combinations",
        draw={"x": range(2, 10), "y": range(2, 10), "z": range(2, 8)},
        program=("two = x * y", "all = two * z"),
        unit="combinations",
        ask=(
            "{A} chooses one of {x} {items}, one of {y} {others} and one of {z} ribbons. "
            "How many different combinations are possible?",
            "A set consists of one {item}, one {other} and one ribbon. With {x}, {y} and {z} to choose from, "
            "how many different combinations can {A} choose?",
            "There is a choice of {x} {items}, {y} {others} and {z} ribbons. "
            "How many different combinations of one of each are possible?",
            "In how many different ways can {A} combine one {item} out of {x}, one {other} out of {y} and one of {z} "
            "ribbons?",
        ),
        why=(
            "Multiply the choices for the first two | Each first choice goes with each second choice | "
            "Choices of {items} and {others} combine",
            "Each of these combines with every third choice | Multiply by the third choice for all combinations | "
            "The different combinations with the third choice",
        ),
    ),
    Skill(
        "handshakes",
        draw={"n": range(4, 30)},
        program=("others = n - 1", "twice = n * others", "pairs = twice / 2"),
        unit="handshakes",
        ask=(
            "{n} {workers} meet and everyone shakes hands once with everyone else. How many handshakes are there?",
            "{A} watches {n} {workers} greet each other. Everyone shakes hands with everyone else exactly once. "
            "How many handshakes is that?",
            "If each of {n} {workers} shakes hands once with each of the others, how many handshakes take place?",
            "How many handshakes are exchanged when {n} {workers} all shake hands with one another once?",
        ),
        why=(
            "Everyone shakes hands with all but oneself | Each person greets one fewer than there are people | "
            "Partners for the handshakes of each of the {workers}",
            "People times partners | All people with all their partners | That counts each handshake from both sides",
            "Every handshake was counted twice, so halve | Halve, since a handshake has two people | "
            "Half of it, because each pair shakes hands only once",
        ),
    ),
    Skill(
        "chance",
        draw={"x": range(2, 40), "y": range(2, 40)},
        program=("all = x + y", "scaled = x * 100", "chance = scaled / all"),
        unit="%",
        ask=(
            "A bag contains {x} red and {y} white tickets for the {items}. {A} draws one at random. "
            "What is the probability, in percent, that it is red?",
            "{A} draws a ticket at random from {x} red and {y} white ones. What is the probability of red in percent?",
            "For a lottery of {items} there are {x} red and {y} white tickets in a bag. "
            "With what probability, in percent, is a randomly drawn one red?",
            "From a bag with {x} red and {y} white tickets, {B} draws one at random. Find the probability of red in "
            "percent.",
        ),
        why=(
            "Count all possible outcomes | All tickets in the bag are possible | Favourable and other outcomes "
            "together",
            "Favourable outcomes times 100 | Favourable cases in hundredths for the probability | "
            "A hundred times the favourable red ones",
            "Probability is favourable over possible outcomes | Divide by all possible outcomes for the probability | "
            "The probability of drawing red",
        ),
    ),
    Skill(
        "nth_term",
        draw={"start": range(2, 30), "step": range(2, 12), "n": range(5, 16)},
        program=("jumps = n - 1", "gain = jumps * step", "term = start + gain"),
        unit="{items}",
        ask=(
            "The first row has {start} {items} and every next row has {step} more than the row before. "
            "How many {items} are in row {n}?",
            "{A} lays out {start} {items} in row 1, and in each following row {step} more than in the one before. "
            "How many are in row {n}?",
            "Row 1 is made of {start} {items}, and each next row has {step} more. How many {items} does row {n} have?",
            "Following a pattern, each row has {step} {items} more than the row before, and row 1 has {start}. "
            "How many are in row {n}?",
        ),
        why=(
            "The pattern makes one jump fewer than the row number | Jumps of the pattern from the first row on | "
            "From row one the pattern jumps",
            "The jumps of the pattern add up to | Each jump of the pattern raises the row | All jumps together raise "
            "it by",
            "Start of the pattern plus all jumps | The pattern reaches, from its first term | The term of the "
            "pattern is",
        ),
    ),
    Skill(
        "doubling",
        draw={"x": range(3, 40)},
        program=("one = x * 2", "two = one * 2", "three = two * 2"),
        unit="{items}",
        ask=(
            "{A} starts with {x} {items}, and the number doubles every month. How many are there after three months?",
            "The number of {items} doubles each month. Starting from {x}, how many are there three months later?",
            "If {x} {items} double in number every month, how many will {A} have after three months?",
            "Starting at {x}, the number of {items} doubles month after month. What is it after three months?",
        ),
        why=(
            "The first doubling | Doubled once | After one month it has doubled to",
            "The second doubling | Doubled again | After two months it has doubled to",
            "The third doubling | Doubled a third time | After three months the {items} have doubled to",
        ),
    ),
    Skill(
        "consecutive",
        draw={"sum": range(30, 400, 3)},
        program=("middle = sum / 3", "largest = middle + 1"),
        ask=(
            "{A}, {B} and {C} hold {items} with three consecutive numbers that add up to {sum}. "
            "What is the largest of these numbers?",
            "Three consecutive whole numbers on the {items} of {A} have the sum {sum}. Find the largest number.",
            "The labels of three {items} are consecutive whole numbers with sum {sum}. What is the largest label?",
            "{A} picks three {items} with consecutive numbers. The numbers sum to {sum}. Which is the largest of them?",
        ),
        why=(
            "The middle of three consecutive numbers is a third of the sum | A third of the sum is the middle number | "
            "Consecutive numbers lie around the middle, a third of their sum",
            "The largest consecutive number comes right after the middle | One more than the middle is the largest | "
            "Next after the middle number is",
        ),
    ),
    Skill(
        "age",
        draw={"x": range(5, 20), "times": range(3, 6), "years": range(3, 20)},
        program=("older = x * times", "future = older + years"),
        unit="years",
        ask=(
            "{A} is {x} years old and {B} is {times} times as old. How old will {B} be in {years} years?",
            "{B} is {times} times as old as {A}, whose age is {x}. What will be the age of {B} in {years} years?",
            "The age of {A} is {x} years, and {B} is {times} times that age. How old will {B} be {years} years from "
            "now?",
            "How old will {B} be in {years} years, if {A} is {x} years old today and {B} is {times} times as old?",
        ),
        why=(
            "The age today is a multiple of the younger age | {B} is older, a multiple of the age of {A} | "
            "Multiply the younger age to get the older age",
            "Add the years that pass to the age | The future age after these years | Years from now the age will be",
        ),
    ),
    Skill(
        "two_kinds",
        draw={"total": range(20, 160), "diff": range(2, 60)},
        program=("twice = total - diff", "smaller = twice / 2"),
        unit="{others}",
        ask=(
            "There are {total} {items} and {others} in one heap, with {diff} more {items} than {others}. "
            "How many {others} are in the heap?",
            "{A} has a heap of {total} {items} and {others}. The {items} outnumber the {others} by {diff}. "
            "How many {others} are there?",
            "A heap of {total} objects consists of {items} and {others}. The {items} outnumber the {others} by {diff}. "
            "Find the number of {others}.",
            "In a heap of {total} objects, only {items} and {others}, there are {diff} more {items} than {others}. "
            "How many {others} does the heap hold?",
        ),
        why=(
            "Without the surplus both kinds would be equal in number | Remove the surplus so that both kinds are "
            "equal | "
            "Set aside by how much one kind outnumbers the other",
            "Halve it to get the smaller kind | Both kinds equal: half are {others} | The smaller kind is one half",
        ),
    ),
)
