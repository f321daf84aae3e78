"""Skills about keeping money: budgets, savings, wages, interest, exchange."""

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "simple_interest",
        draw={"sum": range(200, 4000, 100), "rate": range(2, 12), "years": range(2, 9)},
        program=("year = rate %of sum", "interest = year * years"),
        unit="{money}",
        ask=(
            "{A} lends {sum} {money} to {B} at a simple interest rate of {rate}% per year. "
            "How much interest is earned in {years} years?",
            "A loan of {sum} {money} for new {items} bears {rate}% simple interest a year. "
            "What is the interest after {years} years?",
            "At {rate}% simple interest per year, how much interest do {sum} {money} in the bank earn within {years} "
            "years?",
            "{A} deposits {sum} {money} in the bank at {rate}% simple interest per year. "
            "Find the interest for {years} years.",
        ),
        why=(
            "The interest of one year is the rate of the principal | Rate times principal gives the yearly interest | "
            "Find a year's interest on the sum lent",
            "Multiply the yearly interest by the years | Simple interest is the same each year | "
            "Over all years the interest amounts to",
        ),
    ),
    Skill(
        "spending_left",
        draw={"budget": range(60, 400, 10), "x": range(10, 120), "y": range(10, 120)},
        program=("left = budget - x", "rest = left - y"),
        unit="{money}",
        where=lambda n: n["x"] != n["y"],
        ask=(
            "{A} has a budget of {budget} {money}. After spending {x} {money} on {items} and {y} {money} on {others}, "
            "how much of the budget remains?",
            "From a budget of {budget} {money}, {x} {money} are spent on {items} and {y} {money} on {others}. "
            "What remains of the budget?",
            "The budget is {budget} {money}. {A} spends {x} {money} on {items} and {B} spends {y} {money} on {others}. "
            "How much money remains unspent?",
            "{A} spends {x} {money} of the {budget} {money} in the budget on {items}, then {y} {money} on {others}. "
            "How much remains to spend?",
        ),
        why=(
            "Take the first spending from the budget | After the first expense the budget is down to | "
            "Subtract what was spent on {items} from the budget",
            "Take away the second spending too | Subtract the other expense to see what remains of the budget | "
            "The unspent rest of the budget after both expenses",
        ),
    ),
    Skill(
        "saving_goal",
        draw={"goal": range(80, 600, 10), "have": range(10, 200, 5), "week": range(5, 45, 5)},
        program=("missing = goal - have", "weeks = missing / week"),
        unit="weeks",
        ask=(
            "{A} is saving for a {item} that costs {goal} {money}. {have} {money} are already saved and {week} "
            "{money} are "
            "saved every week. How many weeks until the goal is reached?",
            "The savings goal of {A} is {goal} {money}. With {have} {money} already saved and {week} {money} more "
            "each week, "
            "how many weeks does it take?",
            "{A} has already saved {have} {money} and saves {week} {money} a week. "
            "After how many weeks are {goal} {money} for a {item} saved?",
            "To reach a savings goal of {goal} {money}, {A} adds {week} {money} every week to the {have} {money} "
            "already "
            "saved. How many weeks are needed?",
        ),
        why=(
            "Subtract what is already saved from the savings goal | The amount still missing to the goal | "
            "To reach the goal {A} must still save",
            "Divide the missing amount by the weekly saving to get the weeks | Saved weekly, that takes this many "
            "weeks | "
            "Weeks needed are the missing savings over the saving per week",
        ),
    ),
    Skill(
        "tip_split",
        draw={"bill": range(40, 400, 10), "rate": range(5, 30, 5), "n": range(3, 9)},
        program=("tip = rate %of bill", "full = bill + tip", "each = full / n"),
        unit="{money}",
        decimals=1,
        ask=(
            "{A} and friends, {n} people in all, get a dinner bill of {bill} {money}, add a tip of {rate}% and split "
            "it evenly. "
            "How much does each person pay?",
            "A dinner bill of {bill} {money} plus a {rate}% tip is split evenly among {n} people. What does each one "
            "pay?",
            "{n} {workers} eat together. They leave a {rate}% tip on top of the bill of {bill} {money} and split "
            "everything "
            "evenly. How much is it for each?",
            "With a tip of {rate}%, how much does each of {n} people pay if the dinner bill of {bill} {money} is "
            "split evenly?",
        ),
        why=(
            "The tip is a percentage of the bill | Find the tip on the dinner bill | Work out how much tip is left",
            "Add the tip to the bill | Bill and tip together | The bill with the tip on top",
            "Split the bill with tip evenly among the people | Divide by the people who split the bill | "
            "Each one pays an even split of it",
        ),
    ),
    Skill(
        "wage_bonus",
        draw={"hours": range(5, 45), "wage": range(9, 30), "bonus": range(20, 150, 5)},
        program=("pay = hours * wage", "all = pay + bonus"),
        unit="{money}",
        ask=(
            "As a {worker}, {A} earns a wage of {wage} {money} per hour and works {hours} hours. "
            "With a bonus of {bonus} {money}, how much does {A} earn?",
            "{A} works {hours} hours for an hourly wage of {wage} {money} and receives a bonus of {bonus} {money}. "
            "What are the total earnings?",
            "The hourly wage of a {worker} is {wage} {money}. How much is earned for {hours} hours of work "
            "plus a bonus of {bonus} {money}?",
            "For {hours} hours at a wage of {wage} {money} an hour and a bonus of {bonus} {money}, "
            "how much does {A} earn as a {worker}?",
        ),
        why=(
            "The wage for the hours worked is hours times hourly wage | Multiply the hours worked by the hourly wage | "
            "As a {worker}, {A} earns hours times wage",
            "Add the bonus to the wage | With the bonus the earnings are | Wage plus bonus is what is earned",
        ),
    ),
    Skill(
        "currency_exchange",
        draw={"sum": range(10, 200, 5), "rate": range(3, 25), "fee": range(2, 20)},
        program=("gross = sum * rate", "net = gross - fee"),
        unit="tokens",
        ask=(
            "{A} exchanges {sum} {money} into foreign tokens. The exchange rate is {rate} tokens for each of them, "
            "and the "
            "counter keeps a fee of {fee} tokens. How many tokens does {A} receive?",
            "At an exchange rate of {rate} tokens for one, {A} exchanges {sum} {money} and pays a fee of {fee} tokens. "
            "How many tokens are received?",
            "The exchange counter gives {rate} tokens for one of the {sum} {money} that {A} changes, "
            "minus an exchange fee of {fee} tokens. How many tokens is that?",
            "How many tokens does {A} receive for {sum} {money} at the exchange rate of {rate} tokens each "
            "when a fee of {fee} tokens is deducted?",
        ),
        why=(
            "Multiply by the exchange rate to convert the money into tokens | The exchange rate turns the sum into "
            "tokens | "
            "Exchanged at this rate, the {money} become tokens",
            "Deduct the fee of the exchange counter | Subtract the exchange fee in tokens | After the fee, tokens "
            "received",
        ),
    ),
)
