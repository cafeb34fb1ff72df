"""Invented names of hotels, restaurants and attractions. Words only: who gets which is drawn in `generate`."""

from __future__ import annotations

from random import Random

_FIRST = (
    *(
        "Amber",
        "Copper",
        "Willow",
        "Harbor",
        "Golden",
        "Silver",
        "Quiet",
        "Red",
        "Blue",
        "Green",
        "Old",
        "Grand",
        "Little",
    ),
    *("Hidden", "Sunny", "Stone", "Maple", "Cedar", "Ivory", "Velvet", "Crystal", "Royal", "Bright", "Wild", "Lucky"),
)
_SECOND = (
    *("Lantern", "Fox", "Garden", "Bridge", "Gate", "Anchor", "Heron", "Orchard", "Mill", "Tower", "Court", "Meadow"),
    *(
        "Sparrow",
        "Compass",
        "Terrace",
        "Fountain",
        "Market",
        "Harvest",
        "Oak",
        "Rose",
        "Star",
        "Crown",
        "Table",
        "Spoon",
    ),
)
_PEOPLE = (
    *("Aiko", "Amara", "Bruno", "Carla", "Dario", "Elif", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kavya", "Lena"),
    *("Marta", "Nadia", "Omar", "Paolo", "Quinn", "Rosa", "Samir", "Tomas", "Uma", "Vera", "Wen", "Yara", "Zoe"),
)
_INNS = ("Inn", "Hotel", "Lodge", "Suites", "House", "Residence", "Guesthouse", "Rooms", "Lofts", "Hostel")
_KITCHENS = ("Kitchen", "Bistro", "Grill", "Table", "Cantina", "Diner", "Eatery", "Cafe", "Brasserie", "Tavern")
_SIGHTS = (
    *("Museum", "Gallery", "Gardens", "Castle", "Observatory", "Aquarium", "Old Market", "Lighthouse", "Zoo", "Palace"),
    *(
        "Science Center",
        "Memorial",
        "Planetarium",
        "Sculpture Park",
        "Cathedral",
        "Railway Museum",
        "Fort",
        "Arboretum",
    ),
)


def hotel(rng: Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_INNS)}"


def restaurant(rng: Random) -> str:
    if rng.random() < 0.4:
        return f"{rng.choice(_PEOPLE)}'s {rng.choice(_FIRST)} {rng.choice(_KITCHENS)}"
    return f"The {rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_KITCHENS)}"


def attraction(rng: Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_SIGHTS)}"
