"""What holds for every trip: how long things take, when meals are, what they cost, and the words for constraints.

Costs and words are TravelPlanner's (arXiv 2402.01622); times are ours, since it knows none.
"""

from __future__ import annotations

from math import ceil

MEALS = ("breakfast", "lunch", "dinner")
MEAL_STARTS = {"breakfast": (420, 570), "lunch": (690, 840), "dinner": (1080, 1260)}
"""The earliest and the latest start."""
MEAL_MINUTES = {"breakfast": 45, "lunch": 60, "dinner": 90}
DAY = (360, 1410)
"""Nothing is done before 6:00 or after 23:30."""
BEFORE = {"flight": 90, "train": 30, "self-driving": 15, "taxi": 15}
"""Minutes from the last thing done in a city to the departure."""
AFTER = {"flight": 45, "train": 30, "self-driving": 15, "taxi": 15}
"""Minutes from the arrival to the first thing done in a city."""
MAX_ROAD_MINUTES = 480
VISITS_A_DAY = 4

RULES = ("smoking", "parties", "children under 10", "visitors", "pets")
ROOM_TYPES = {"shared room": "Shared room", "private room": "Private room", "entire room": "Entire home/apt"}
CUISINES = ("Chinese", "American", "Italian", "Mexican", "Indian", "Mediterranean", "French")
MODES = ("flight", "train", "self-driving", "taxi")
CARS = {"self-driving": (0.05, 5), "taxi": (1.0, 4)}
"""Price of a kilometre, and how many people go into a car."""

HOUSE_RULES = f"""\
Rules of a plan:
- One item a day, every day of the trip, each with: days (1, 2, ...), current_city, transportation, breakfast, lunch, dinner, attraction, accommodation. "-" where there is none.
- current_city is "from A to B" on a day with a journey, else the city. The trip is a closed loop: it starts and ends in the home city, and no city is visited twice. At most one journey a day.
- transportation: "Flight Number: F0000000, from A to B, Departure Time: 08:00, Arrival Time: 09:30"; "Train Number: T0000000, from A to B, Departure Time: ..., Arrival Time: ..."; "Self-driving, from A to B, Departure Time: 08:00"; "Taxi, from A to B, Departure Time: 08:00".
- Meals and accommodation are "Name, City"; attraction is "Name, City;Name, City;".
- A day without a journey needs three meals and an attraction; every night but the last day's needs a hotel; at least half of all fields must be filled. No restaurant and no attraction twice.
- Who drives a car takes it back home: self-driving on every journey or on none.
- Be done with what you do in a city 90 minutes before a flight, 30 before a train, 15 before a drive; do the next thing 45, 30, 15 minutes after the arrival. Drives take at most 8 hours. A journey ends on the day on which it starts.
- Breakfast starts 07:00-09:30 (45 minutes), lunch 11:30-14:00 (60), dinner 18:00-21:00 (90). Between two places of a city it takes as long as `route` says. At most {VISITS_A_DAY} attractions a day.
- Costs: tickets and meals are a person; a car takes 5 people (self-driving, 0.05 a km each car) or 4 (taxi, 1 a km); a room takes its occupancy. Attractions are free."""


def road_cost(mode: str, km: int, people: int) -> int:
    """TravelPlanner's: whole units a car, as many cars as it takes."""
    price, seats = CARS[mode]
    return int(price * km) * ceil(people / seats)


def rooms_for(people: int, occupancy: int) -> int:
    return ceil(people / occupancy)
