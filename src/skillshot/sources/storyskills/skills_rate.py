"""Skills about rates and time: speed, work, filling, clocks, units of time."""

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "distance",
        draw={"speed": range(12, 96, 2), "hours": range(2, 10)},
        program=("distance = speed * hours",),
        unit="km",
        ask=(
            "The {vehicle} travels for {hours} hours at a steady speed of {speed} km per hour. "
            "What distance does it cover?",
            "{A} steers the {vehicle} at a speed of {speed} km per hour for {hours} hours. How far does it travel?",
            "At a constant speed of {speed} km per hour, what distance does the {vehicle} cover in {hours} hours?",
            "The {vehicle} keeps a speed of {speed} km per hour. How far does {A} travel with it in {hours} hours?",
        ),
        why=(
            "Distance is speed times time | Multiply the speed by the hours travelled to get the distance | "
            "The distance of the {vehicle} is its speed times the travel time",
        ),
    ),
    Skill(
        "work_together",
        draw={"r": range(3, 20), "s": range(3, 20), "total": range(30, 300)},
        program=("rate = r + s", "hours = total / rate"),
        where=lambda n: n["r"] != n["s"],
        unit="hours",
        ask=(
            "{A} finishes {r} {items} per hour and {B} finishes {s} per hour. Working together, how many hours do "
            "they need "
            "for {total} {items}?",
            "Working alone, {A} can do {r} {items} an hour, while {B} can do {s} an hour. "
            "How long do they need for {total} {items} when working together?",
            "{A} prepares {r} {items} every hour and {B} prepares {s} every hour. "
            "If they work together, in how many hours are {total} {items} done?",
            "A job of {total} {items} is done by {A} and {B} working together. {A} manages {r} per hour and {B} "
            "manages {s} "
            "per hour. How many hours does the job take?",
        ),
        why=(
            "Add the hourly rates because both work together | Working together, their rates add up | "
            "The combined rate of {A} and {B} is the sum of their rates",
            "Divide the job by the combined rate to get the hours | The time is the job over the combined rate | "
            "Hours needed are all the {items} divided by the joint rate",
        ),
    ),
    Skill(
        "elapsed_time",
        draw={"h": range(6, 12), "m": range(5, 30, 5), "i": range(13, 20), "j": range(30, 60, 5)},
        program=("hours = i - h", "whole = hours * 60", "rest = j - m", "minutes = whole + rest"),
        unit="minutes",
        ask=(
            "{A} starts work at {h}:{m:0>2} and stops at {i}:{j:0>2}. How many minutes pass in between?",
            "The job begins at {h}:{m:0>2} and ends at {i}:{j:0>2} by the clock. How many minutes does it last?",
            "The clock shows {h}:{m:0>2} when {A} begins and {i}:{j:0>2} when {A} stops. How many minutes have passed?",
            "Work on the {items} starts at {h}:{m:0>2} and ends at {i}:{j:0>2}. How many minutes lie between these "
            "times?",
        ),
        why=(
            "Count the full clock hours from start to end | Subtract the starting hour from the ending hour | "
            "Between the clock times there are this many full hours",
            "Turn the hours into minutes | Each hour has sixty minutes | Write the clock hours as minutes",
            "Subtract the minutes past the hour | The clock minutes differ by | Compare the minutes after the hour",
            "Add up the minutes passed | All the elapsed minutes together | The elapsed time is the sum of the minutes",
        ),
    ),
    Skill(
        "average_speed",
        draw={"a": range(20, 200, 5), "b": range(20, 200, 5), "h": range(2, 6), "i": range(2, 6)},
        program=("way = a + b", "time = h + i", "speed = way / time"),
        where=lambda n: n["a"] != n["b"],
        unit="km per hour",
        ask=(
            "The {vehicle} goes {a} km in the first {h} hours and {b} km in the next {i} hours. "
            "What is its average speed for the trip?",
            "On a trip of two legs the {vehicle} covers {a} km in {h} hours, then {b} km in {i} hours. "
            "Find the average speed in km per hour.",
            "{A} needs {h} hours for {a} km and {i} hours for the remaining {b} km of the trip. "
            "What is the average speed of the {vehicle}?",
            "What is the average speed of a trip with the {vehicle} whose legs are {a} km in {h} hours and {b} km in "
            "{i} hours?",
        ),
        why=(
            "Add the legs to get the whole trip in km | All km of both legs | The length of the trip is both legs "
            "added",
            "Add the hours of both legs | The trip takes in all | All hours of the trip",
            "Average speed is all km over all hours | The average speed of the trip is its km divided by its hours | "
            "Divide the whole trip by the whole time for the average speed",
        ),
    ),
    Skill(
        "meeting_time",
        draw={"gap": range(40, 900, 10), "u": range(10, 90, 5), "v": range(10, 90, 5)},
        program=("closing = u + v", "hours = gap / closing"),
        where=lambda n: n["u"] != n["v"],
        unit="hours",
        ask=(
            "{A} and {B} are {gap} km apart and head toward each other at {u} and {v} km per hour. "
            "After how many hours do they meet?",
            "Starting {gap} km apart, {A} at {u} km per hour and {B} at {v} km per hour come toward each other. "
            "When do they meet, in hours?",
            "Two {workers} set out toward each other from places {gap} km apart, one at {u} km per hour and one at "
            "{v}. "
            "How many hours until they meet?",
            "How many hours does it take until {A} at {u} km per hour and {B} at {v} km per hour meet, if they start "
            "{gap} km apart and go toward each other?",
        ),
        why=(
            "Going toward each other, they approach at the sum of the speeds | The gap closes at both speeds added | "
            "Each hour they come closer by",
            "They meet when the gap is closed | Divide the gap by the closing speed until they meet | "
            "Hours until {A} and {B} meet",
        ),
    ),
    Skill(
        "catch_up",
        draw={"slow": range(4, 40), "head": range(2, 7), "fast": range(8, 80)},
        program=("lead = slow * head", "gain = fast - slow", "hours = lead / gain"),
        unit="hours",
        ask=(
            "{A} sets off at {slow} km per hour. {head} hours later {B} follows at {fast} km per hour. "
            "How many hours does {B} need to catch up?",
            "{A} has a head start of {head} hours at {slow} km per hour before {B} follows at {fast} km per hour. "
            "After how many hours does {B} catch up?",
            "At {fast} km per hour {B} follows {A}, who goes {slow} km per hour with a head start of {head} hours. "
            "How long until {B} catches up?",
            "With a head start of {head} hours, {A} moves at {slow} km per hour. How many hours does {B} need "
            "to catch up at {fast} km per hour?",
        ),
        why=(
            "The head start gives a lead in km | Lead built up during the head start | In the head start {A} gets "
            "ahead by",
            "The follower gains per hour the difference of the speeds | Every hour the lead shrinks by | "
            "Difference in speed, by which {B} gains",
            "Divide the lead by the gain to catch up | The lead is caught up in | Hours to catch up",
        ),
    ),
    Skill(
        "worker_days",
        draw={"n": range(2, 16), "days": range(3, 25), "m": range(2, 20)},
        program=("effort = n * days", "needed = effort / m"),
        where=lambda n: n["n"] != n["m"],
        unit="days",
        ask=(
            "{n} {workers} complete a task in {days} days. How many days would {m} {workers} take for the same task?",
            "A task keeps {n} {workers} busy for {days} days. If there are {m} {workers}, how many days does the "
            "same task take?",
            "It takes {n} {workers} exactly {days} days to complete a task. "
            "In how many days would {m} {workers} complete the same task?",
            "The same task that {n} {workers} complete in {days} days is given to {m} {workers}. "
            "How many days do they take?",
        ),
        why=(
            "Count the task in days of one worker | The task takes people times days of labour | "
            "Total labour of the task in person days",
            "Share the labour among the new number of people | The same labour done by the new team takes | "
            "Divide the person days by the {workers} now on the task",
        ),
    ),
    Skill(
        "fill_with_leak",
        draw={"inflow": range(10, 80), "leak": range(2, 30), "volume": range(60, 900, 20)},
        program=("net = inflow - leak", "minutes = volume / net"),
        unit="minutes",
        ask=(
            "A pipe fills the empty {tank} with {inflow} liters per minute while {leak} liters per minute leak out. "
            "After how many minutes are {volume} liters inside?",
            "The {tank} holds {volume} liters. A pipe brings {inflow} liters a minute, but {leak} liters a minute "
            "leak away. "
            "How many minutes to fill it?",
            "Because of a leak the {tank} loses {leak} liters per minute while a pipe fills in {inflow} liters per "
            "minute. "
            "How long until {volume} liters are in?",
            "How many minutes does a pipe with {inflow} liters per minute take to fill the {tank} of {volume} liters "
            "if "
            "{leak} liters per minute leak out?",
        ),
        why=(
            "Inflow minus leak is the net gain per minute | Subtract the leak from the pipe's inflow | "
            "Each minute the pipe wins over the leak by",
            "Divide the volume by the net inflow | Filling the {tank} at the net inflow takes | "
            "The liters to fill over the net gain",
        ),
    ),
    Skill(
        "weekly_output",
        draw={"n": range(3, 40), "weeks": range(2, 12)},
        program=("week = n * 7", "all = week * weeks"),
        unit="{items}",
        ask=(
            "{A} uses {n} {items} every day, seven days a week. How many {items} are used in {weeks} weeks?",
            "Every day {n} {items} are delivered, also on weekends. How many are delivered in {weeks} weeks?",
            "{A} checks {n} {items} daily. How many {items} does that make in {weeks} weeks?",
            "At a daily number of {n} {items}, weekends included, how many are there in {weeks} weeks?",
        ),
        why=(
            "A week has seven days | Daily number times seven days | In one week, with its seven days",
            "Multiply the weekly number by the weeks | Over all weeks | Weeks times the {items} of a week",
        ),
    ),
    Skill(
        "hours_to_minutes",
        draw={"h": range(2, 12), "m": range(5, 60, 5)},
        program=("whole = h * 60", "all = whole + m"),
        unit="minutes",
        ask=(
            "{A} spends {h} hours and {m} minutes on the {items}. Convert this to minutes.",
            "A task with the {items} lasts {h} hours and {m} minutes. How long is that when converted to minutes only?",
            "Convert the {h} hours and {m} minutes that {A} needs for the {items} into minutes.",
            "Sorting the {items} lasted {h} hours and {m} minutes. Expressed in minutes only, how long did it last?",
        ),
        why=(
            "Convert the hours: one hour is 60 minutes | Hours are converted with 60 minutes each | "
            "Conversion of hours to minutes",
            "Add the remaining minutes to the converted ones | Plus the minutes that needed no conversion | "
            "All converted, including the extra minutes",
        ),
    ),
    Skill(
        "kilograms_to_grams",
        draw={"kg": range(2, 30), "n": [4, 5, 8, 10, 16, 20, 25, 40, 50]},
        program=("grams = kg * 1000", "each = grams / n"),
        unit="grams",
        ask=(
            "{A} divides {kg} kilograms of {stuff} into {n} equal jars. How many grams does each jar weigh?",
            "{kg} kilograms of {stuff} fill {n} jars of equal weight. What is the weight of one jar in grams?",
            "From {kg} kilograms of {stuff}, {A} makes {n} jars of the same weight. How many grams are in a jar?",
            "How many grams of {stuff} are in each jar when {kg} kilograms are weighed out into {n} equal jars?",
        ),
        why=(
            "One kilogram is 1000 grams | Change kilograms to grams | Kilograms times 1000 is the weight in grams",
            "Divide the grams by the jars | The weight of each jar in grams | Every jar of {stuff} weighs",
        ),
    ),
)
