"""Skills about shapes: area, perimeter, volume, tiles."""

from skillshot.sources.storyskills.dsl import Skill

SKILLS = (
    Skill(
        "area",
        draw={"l": range(5, 40), "w": range(3, 30)},
        program=("area = l * w",),
        where=lambda n: n["w"] < n["l"],
        unit="square meters",
        ask=(
            "The rectangular {patch} is {l} meters long and {w} meters wide. What is its area?",
            "{A} measures a rectangular {patch} of {l} meters by {w} meters. How many square meters is its area?",
            "What area in square meters does a rectangular {patch} cover that is {l} meters long and {w} meters wide?",
            "The {patch} is a rectangle with length {l} meters and width {w} meters. Find the area of its surface.",
        ),
        why=(
            "The area of a rectangle is length times width | Multiply length by width to get the area | "
            "Length times width gives the area of the {patch}",
        ),
    ),
    Skill(
        "perimeter",
        draw={"l": range(5, 40), "w": range(3, 30)},
        program=("half = l + w", "around = half * 2"),
        where=lambda n: n["w"] < n["l"],
        unit="meters",
        ask=(
            "A rope is to go once all the way around the edge of the rectangular {patch}, {l} meters long and {w} "
            "meters wide. "
            "How long must the rope be?",
            "The rectangular {patch} is {l} meters long and {w} meters wide. What is its perimeter?",
            "How many meters is it once around the edge of the {patch}, a rectangle {l} meters long and {w} meters "
            "wide?",
            "{A} walks once around the perimeter of the rectangular {patch}, which measures {l} meters by {w} meters. "
            "How many meters is that?",
        ),
        why=(
            "Add length and width, which is half the perimeter | Length plus width goes half way around | "
            "One long and one short edge of the {patch}",
            "Double it to go all the way around the perimeter | The perimeter is twice that, all around the edge | "
            "Both pairs of edges make the whole perimeter",
        ),
    ),
    Skill(
        "volume",
        draw={"l": range(2, 20), "w": range(2, 15), "h": range(2, 12)},
        program=("base = l * w", "volume = base * h"),
        unit="cubic meters",
        ask=(
            "The {tank} is shaped like a box, {l} meters long, {w} meters wide and {h} meters high. What is its "
            "volume?",
            "{A} needs the volume of the box-shaped {tank}. It is {l} meters long, {w} meters wide and {h} meters "
            "high. "
            "How many cubic meters is it?",
            "How many cubic meters does the {tank} hold, a box with length {l}, width {w} and height {h} meters?",
            "Find the volume in cubic meters of the box-shaped {tank} with length {l}, width {w} and height {h} "
            "meters.",
        ),
        why=(
            "The base of the box is length times width | First the floor of the {tank} | Length times width for the "
            "base",
            "Volume is base times height | Multiply the base by the height to get the volume | "
            "With the height, the cubic meters of volume are",
        ),
    ),
    Skill(
        "tiles_needed",
        draw={"l": range(4, 30), "w": range(3, 20), "t": range(2, 5)},
        program=("floor = l * w", "tile = t * t", "tiles = floor / tile"),
        where=lambda n: n["l"] % n["t"] == 0 and n["w"] % n["t"] == 0,
        unit="tiles",
        ask=(
            "The {patch} of {l} by {w} meters is to be paved with square tiles of {t} by {t} meters. How many tiles "
            "are needed?",
            "{A} paves the {patch}, {l} meters by {w} meters, with square tiles whose sides are {t} meters. "
            "How many tiles does that take?",
            "How many square tiles with sides of {t} meters pave the {patch} of {l} by {w} meters completely?",
            "Square tiles, each {t} by {t} meters, will pave the {patch}, which is {l} by {w} meters. "
            "How many tiles are required?",
        ),
        why=(
            "Surface to be paved | The surface of the {patch} that the tiles pave | What must be paved with tiles",
            "Surface of one square tile | A single tile paves | Each tile, side times side",
            "Divide to count the tiles | So many tiles pave it | Tiles needed are the surface over one tile",
        ),
    ),
    Skill(
        "border_area",
        draw={"l": range(10, 40), "w": range(8, 30), "i": range(4, 30), "j": range(3, 25)},
        program=("outer = l * w", "inner = i * j", "border = outer - inner"),
        where=lambda n: 2 <= n["l"] - n["i"] == n["w"] - n["j"] <= 10 and n["w"] < n["l"],
        unit="square meters",
        ask=(
            "In the middle of the {patch}, {l} by {w} meters, lies a tarpaulin of {i} by {j} meters. "
            "How many square meters are not covered by the tarpaulin?",
            "{A} lays a tarpaulin of {i} by {j} meters on the {patch}, which is {l} by {w} meters. "
            "How many square meters stay uncovered?",
            "A tarpaulin of {i} by {j} meters covers part of the {patch} of {l} by {w} meters. "
            "How many square meters remain uncovered around it?",
            "How many square meters of the {patch} of {l} by {w} meters stay uncovered by a tarpaulin of {i} by {j} "
            "meters?",
        ),
        why=(
            "The outer rectangle | Whole surface of the {patch} | Outer surface, covered and uncovered",
            "The tarpaulin covers | The inner rectangle under the tarpaulin | Covered by the tarpaulin",
            "Uncovered is the outer minus the tarpaulin | Subtract the covered inner rectangle from the outer one | "
            "What the tarpaulin leaves uncovered",
        ),
    ),
    Skill(
        "side_from_area",
        draw={"area": range(30, 600), "w": range(4, 25)},
        program=("length = area / w",),
        where=lambda n: n["w"] < n["area"] // n["w"] < 40,
        unit="meters",
        ask=(
            "The rectangular {patch} covers {area} square meters and its shorter side is {w} meters. "
            "How long is the longer side?",
            "A {patch} of {area} square meters is a rectangle with one side of {w} meters. How long is the other side?",
            "{A} knows that the rectangular {patch} covers {area} square meters and that one side is {w} meters. "
            "Find the length of the other side.",
            "One side of the rectangular {patch} is {w} meters. How long is the other side if it covers {area} "
            "square meters?",
        ),
        why=(
            "Divide the square meters by the known side to get the unknown side | "
            "The other side is the surface divided by the known side | The unknown side of the {patch} undoes the "
            "product",
        ),
    ),
    Skill(
        "fence_cost",
        draw={"s": range(4, 40), "p": range(2, 20)},
        program=("around = s * 4", "cost = around * p"),
        unit="{money}",
        ask=(
            "A fence is built around the square {patch} with sides of {s} meters. "
            "Each meter of fence costs {p} {money}. What does the fence cost?",
            "{A} fences in the square {patch}, {s} meters on each side, at {p} {money} per meter of fence. "
            "How much does the fence cost?",
            "How much does it cost to fence in a square {patch} with sides of {s} meters at {p} {money} per meter of "
            "fence?",
            "Fence is sold at {p} {money} per meter. What does the fence around the square {patch} with sides of {s} "
            "meters cost?",
        ),
        why=(
            "A square has four equal sides to fence | The fence runs along four equal sides | "
            "Fence needed on the four sides of the {patch}",
            "Meters of fence times price per meter | Each meter of fence has its price | The whole fence costs",
        ),
    ),
)
