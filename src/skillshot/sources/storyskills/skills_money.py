"""Skills about prices: buying, selling, discount, tax."""

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "total_cost",
        draw={"n": range(2, 13), "p": range(2, 16), "m": range(2, 13), "q": range(2, 16)},
        program=("first = n * p", "second = m * q", "total = first + second"),
        unit="{money}",
        ask=(
            "{A} buys {n} {items} at {p} {money} each and {m} {others} at {q} {money} each. "
            "What is the total cost of the whole purchase?",
            "One {item} costs {p} {money} and one {other} costs {q} {money}. "
            "What is the total cost of {n} {items} and {m} {others} together?",
            "{A} orders {n} {items} for {p} {money} each, as well as {m} {others} for {q} {money} each. "
            "How much does the whole order cost in total?",
            "The price list says {p} {money} per {item} and {q} {money} per {other}. {A} purchases {n} {items} and "
            "{m} {others}. Find the total cost.",
        ),
        why=(
            "The first kind costs quantity times price | Quantity times price gives the cost of the {items} | "
            "Work out the cost of the first kind, quantity times price",
            "The second kind costs quantity times price | Quantity times price gives the cost of the {others} | "
            "Work out the cost of the second kind, quantity times price",
            "Add both costs to get the total cost | The total cost is the sum of both costs | "
            "Both costs added make the total cost",
        ),
    ),
    Skill(
        "unit_price",
        draw={"n": range(3, 15), "total": range(12, 200)},
        program=("price = total / n",),
        unit="{money}",
        decimals=1,
        ask=(
            "{A} pays {total} {money} for {n} {items}, all at the same price. What is the price of one {item}?",
            "A pack of {n} {items} sells for {total} {money}. What is the price per {item}?",
            "{n} {items} cost {total} {money} altogether, and every {item} has the same price. "
            "Find the unit price of a single {item}.",
            "{B} is charged {total} {money} for {n} identical {items}. How much is the price for just one?",
        ),
        why=(
            "The unit price is the amount paid divided by the quantity | Divide the amount paid by the quantity of "
            "{items} "
            "to get the price of a single one | One unit's price is the paid amount shared over the quantity",
        ),
    ),
    Skill(
        "change",
        draw={"n": range(2, 10), "p": range(2, 20), "cash": range(20, 201, 10)},
        program=("cost = n * p", "change = cash - cost"),
        unit="{money}",
        ask=(
            "{A} buys {n} {items} for {p} {money} each and pays with {cash} {money}. How much change does {A} get "
            "back?",
            "Each {item} costs {p} {money}. {A} takes {n} of them and hands over {cash} {money} to pay. "
            "How much change is due?",
            "{A} pays for {n} {items} at {p} {money} apiece with {cash} {money} in cash. "
            "How much money comes back as change?",
            "To pay for {n} {items} priced at {p} {money} each, {A} hands the cashier {cash} {money}. "
            "What change should the cashier give back?",
        ),
        why=(
            "The purchase costs quantity times price | First the cost of the {items}, quantity times price | "
            "Quantity times price is what has to be paid",
            "Subtract the cost from the cash handed over to get the change | The change is the cash paid minus the "
            "cost | "
            "What comes back as change is the payment less the cost",
        ),
    ),
    Skill(
        "discount",
        draw={"price": range(20, 400, 10), "rate": range(5, 65, 5)},
        program=("off = rate %of price", "sale = price - off"),
        unit="{money}",
        ask=(
            "The regular price of a {item} is {price} {money}. Today there is a discount of {rate}%. "
            "What is the sale price?",
            "A {item} normally costs {price} {money}, but it is on sale at {rate}% off. What does {A} pay on sale?",
            "{A} has a coupon for a {rate}% discount on a {item} with a regular price of {price} {money}. "
            "Find the discounted price.",
            "During the sale every {item} is {rate}% off the regular price of {price} {money}. "
            "How much is a {item} after the discount?",
        ),
        why=(
            "The discount is the percentage off taken of the regular price | Work out the discount on the regular "
            "price | "
            "Find how much the discount takes off the {item}",
            "Subtract the discount from the regular price to get the sale price | "
            "The sale price is the regular price minus the discount | Taking the discount off leaves the sale price",
        ),
    ),
    Skill(
        "profit",
        draw={"n": range(5, 40), "sell": range(4, 30), "buy": range(2, 25)},
        program=("margin = sell - buy", "profit = margin * n"),
        unit="{money}",
        ask=(
            "{A} buys {items} for {buy} {money} each and resells them for {sell} {money} each. "
            "What is the profit after selling {n} of them?",
            "Every {item} is bought for {buy} {money} and sold for {sell} {money}. How much profit do {n} sold {items} "
            "bring?",
            "{A} sells {n} {items} at {sell} {money} each, having bought them at {buy} {money} each. "
            "How much profit does {A} make?",
            "The selling price of a {item} is {sell} {money} and its buying cost is {buy} {money}. "
            "What profit is made on {n} {items} that are sold?",
        ),
        why=(
            "The profit on one is the selling price minus the buying cost | "
            "Selling price less buying cost is the profit on a single {item} | Find the profit margin of each one sold",
            "Multiply the profit on one by the number sold | The total profit is the margin times the number sold | "
            "All the {items} sold bring the margin that many times as profit",
        ),
    ),
    Skill(
        "discount_then_tax",
        draw={"price": range(40, 500, 20), "rate": range(10, 60, 5), "tax": range(5, 25, 5)},
        program=("off = rate %of price", "net = price - off", "levy = tax %of net", "due = net + levy"),
        unit="{money}",
        decimals=1,
        ask=(
            "A {item} with a list price of {price} {money} is discounted by {rate}%, and then {tax}% sales tax is "
            "added. "
            "What is the final price including tax?",
            "First {rate}% is taken off the list price of {price} {money}, then {tax}% sales tax is put on top. "
            "How much does {A} pay for the {item} including tax?",
            "{A} gets {rate}% off a {item} with a list price of {price} {money} but has to pay {tax}% sales tax "
            "on the reduced price. Find the amount including tax.",
            "The list price of a {item} is {price} {money}. After a reduction of {rate}% comes a sales tax of {tax}%. "
            "What is paid including tax?",
        ),
        why=(
            "Find the reduction before tax | First the reduction of the list price | Take the percentage off before "
            "the tax",
            "Subtract it to get the price before tax | The reduced {item} costs, still without tax | "
            "The net price is the list price less the reduction",
            "Then the sales tax on the reduced price | The tax is a percentage of the reduced price | "
            "Work out the sales tax next",
            "Add the tax to the reduced price | Including tax the price is | The final amount includes the sales tax",
        ),
    ),
    Skill(
        "price_difference",
        draw={"n": range(2, 9), "x": range(20, 200), "m": range(2, 9), "y": range(20, 200)},
        program=("dear = x / n", "cheap = y / m", "gap = dear - cheap"),
        where=lambda n: n["n"] != n["m"] and n["x"] // n["n"] < 3 * n["y"] // n["m"],
        unit="{money}",
        ask=(
            "A pack of {n} {items} costs {x} {money} in one shop, while another shop offers a pack of {m} for {y} "
            "{money}. "
            "By how much is the second offer cheaper per {item}?",
            "{A} compares two offers: {n} {items} for {x} {money} or {m} {items} for {y} {money}. "
            "How much cheaper is one {item} in the second offer?",
            "Offer one is {n} {items} for {x} {money}, offer two is {m} {items} for {y} {money}. "
            "Compare them: by how much is each {item} cheaper in offer two?",
            "{B} compares an offer of {x} {money} for {n} {items} with a cheaper one of {y} {money} for {m}. "
            "What is the difference per {item}?",
        ),
        why=(
            "Price of each in the first offer | The first offer asks per {item} | Compare per piece: the first offer",
            "Price of each in the second, cheaper offer | The cheaper offer asks per {item} | "
            "Compare per piece: the second offer",
            "The difference of the two offers | So the second offer is cheaper by the difference | "
            "Compare the offers by subtracting",
        ),
    ),
)
