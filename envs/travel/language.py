"""The words of travellers: each thing is said in one of several ways, and the test split has ways of its own.

Exact fields in, sentences out; nothing is ever parsed back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from agentgym.envs.travel.clock import hm
from agentgym.envs.travel.trip import Trip

Bank = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""By topic: ways of training and validation, ways of the test split."""
_PHRASES: Bank = {
    "opening": (
        (
            "Please plan a trip from {home} to {place} that takes {days} days.",
            "Could you put together a {days}-day journey for us? We start in {home} and want to see {place}.",
            "We live in {home} and would like to spend {days} days on a trip to {place}.",
            "I need a {days}-day itinerary, leaving {home} for {place}.",
            "Help me arrange {days} days of travel: out of {home}, to {place}, and home again.",
            "Can you design a round trip of {days} days starting in {home}, with {place} as the destination?",
            "{place} is where we want to go, {days} days in all, beginning and ending in {home}.",
            "Looking for a {days}-day plan. Home is {home}; we are heading to {place}.",
        ),
        (
            "Our bags are half packed: {days} days, {home} to {place} and back. What should we do when?",
            "Work out a getaway for me, please. It lasts {days} days, begins at my doorstep in {home} and takes in {place}.",
            "Suppose you had {days} days and lived in {home}. How would you visit {place}? That is what I want, day by day.",
            "A holiday plan is wanted: origin {home}, target {place}, length {days} days.",
        ),
    ),
    "visits": (
        (
            "Visit {visits} cities there.",
            "We want to see {visits} of its cities.",
            "The route should include {visits} cities.",
        ),
        ("Make that {visits} different cities.", "I would like stops in {visits} cities of that area."),
    ),
    "dates": (
        (
            "We leave on {start} and return on {end}.",
            "The dates are {start} to {end}.",
            "Travel is from {start} until {end}.",
        ),
        ("Day one is {start}, the last day {end}.", "My calendar is free from {start} through {end}."),
    ),
    "people": (
        (
            "There are {people} of us.",
            "The party is {people} strong.",
            "It is for {people} in total.",
            "Number of travelers: {people}.",
        ),
        ("Count on {people} heads.", "Everything has to work for a group of {people}."),
    ),
    "alone": (
        ("I travel alone.", "It is just me.", "One person travels.", "I will be on my own."),
        ("Nobody comes along with me.", "It is a solo trip."),
    ),
    "budget": (
        (
            "Our budget is {budget}.",
            "We can spend {budget} at most.",
            "Everything together must not cost more than {budget}.",
        ),
        ("{budget} is all the money there is.", "Keep the grand total within {budget}, please."),
    ),
    "house_rule": (
        (
            "Our rooms must allow {house_rule}.",
            "We need places to stay where {house_rule} are permitted.".replace(" are ", " is "),
            "Accommodations should be fine with {house_rule}.",
        ),
        ("No hotel that bans {house_rule}, please.", "Wherever we sleep, {house_rule} has to be okay."),
    ),
    "cuisine": (
        (
            "We want to try {cuisine} food.",
            "Along the way we would like to eat {cuisine} at least once each.",
            "Meals should include {cuisine} cuisine.",
        ),
        (
            "Our appetite calls for {cuisine} cooking at some point.",
            "Do not bring us home without having had {cuisine} dishes.",
        ),
    ),
    "room_type": (
        (
            "As for rooms: {room_type}.",
            "We prefer this kind of room everywhere, and insist on it: {room_type}.",
            "Room type: {room_type}.",
        ),
        ("For sleeping it has to be: {room_type}.", "Only one sort of lodging will do: {room_type}."),
    ),
    "transportation": (
        (
            "For getting around: {transportation}.",
            "One thing about transport: {transportation}.",
            "Please note: {transportation}.",
        ),
        ("When it comes to moving about, {transportation}.", "Strictly {transportation} for us."),
    ),
    "depart_after": (
        (
            "We can not leave before {depart_after} on the first day.",
            "The first departure must be at {depart_after} or later.",
        ),
        ("Until {depart_after} on day one I am tied up at work.",),
    ),
    "back_by": (
        (
            "We have to be back by {back_by} on the last day.",
            "The last arrival at home must be no later than {back_by}.",
        ),
        ("On the final day somebody waits for us at home at {back_by} sharp.",),
    ),
    "must_see": (
        ("We must see {must_see}.", "{must_see} has to be on the list of sights."),
        ("The whole point is a visit to {must_see}.",),
    ),
    "must_visit": (
        ("{must_visit} has to be one of the cities.", "Make sure that we stay in {must_visit}."),
        ("Whatever else you choose, an overnight stay in {must_visit} is part of it.",),
    ),
    "timed": (
        (
            "Please give start and end times for every meal and every sight (field activities).",
            "Each day needs a timetable: fill in activities.",
        ),
        ("I want to know when each thing begins and ends, so put times on all of it (activities).",),
    ),
    "hotel_rating": (
        (
            "If it can be done, hotels rated {hotel_rating} or better would be nice.",
            "We would like hotels with {hotel_rating} stars or more, but it is no must.",
        ),
        ("Bonus points for hotels of {hotel_rating} and up.",),
    ),
    "none": (
        ("I have no wishes about that.", "That does not matter to us.", "Nothing special there."),
        ("Whatever you think best.", "No opinion on that one."),
    ),
    "unclear": (
        (
            "I am not sure what you ask. Is it about dates, people, budget, rooms, house rules, food, transport or times?",
        ),
        ("Sorry? You may ask about dates, people, budget, rooms, house rules, food, transport or times.",),
    ),
    "hold": (
        (
            "Some details I have not mentioned; ask me.",
            "Ask me for whatever else you need to know.",
            "I have left out a few things: do ask.",
        ),
        ("There is more to know about us, and you will have to inquire.",),
    ),
    "change": (
        (
            "Good, but there is a change of plans.",
            "Thank you. Something has come up, though.",
            "Nice. We have changed our minds about one thing.",
        ),
        ("Hm, hold on, not everything stays as it was.", "I spoke to the others and we must revise this."),
    ),
    "again": (
        (
            "Please submit a new plan for the whole trip.",
            "All else stays. Send the whole plan again.",
            "Please redo the plan; the rest is as before.",
        ),
        ("Once more from the top, please, the complete plan.",),
    ),
    "strike": (
        (
            "{carrier} is on strike on {date}: none of its departures from {origin} will run.",
            "All {carrier} services out of {origin} on {date} have been cancelled.",
        ),
        ("News just in: nothing operated by {carrier} leaves {origin} on {date}.",),
    ),
    "fire": (
        ("{hotel} has had a fire and takes no guests.", "{hotel} has cancelled all bookings: it is closed."),
        ("We just heard that {hotel} shut its doors for good.",),
    ),
}
_DETAILS = (
    *("visits", "dates", "people", "budget", "must_visit", "must_see", "house_rule", "cuisine", "room_type"),
    *("transportation", "depart_after", "back_by", "timed", "hotel_rating"),
)


def say(topic: str, rng: Random, split: str, **values: object) -> str:
    """One way to say `topic`."""
    text = rng.choice(_PHRASES[topic][split == "test"]).format(**values)
    return text[0].upper() + text[1:]


def detail(topic: str, trip: Trip, rng: Random, split: str) -> str:
    """The sentence about one thing that the trip has; "" if it has not."""
    values = _values(trip)
    if topic == "people" and trip.people == 1:
        return say("alone", rng, split)
    return say(topic, rng, split, **values) if values.get(topic) is not None else ""


def request(trip: Trip, rng: Random, split: str, held: Sequence[str] = ()) -> str:
    """What the traveller says first: all but what is `held` back, in some order."""
    place = trip.destination
    opening = say("opening", rng, split, home=trip.home, place=place, days=trip.days)
    said = [text for topic in _DETAILS if topic not in held and (text := detail(topic, trip, rng, split))]
    rng.shuffle(said)
    return " ".join([opening, *said, *([say("hold", rng, split)] if held else [])])


def _values(trip: Trip) -> dict[str, object]:
    """What each topic's sentence needs; None where there is nothing to say."""
    return {
        "visits": trip.visits if trip.visits > 1 else None,
        "dates": True,
        "start": trip.start,
        "end": trip.dates[-1],
        "people": trip.people,
        "budget": f"${trip.budget}",
        "house_rule": trip.house_rule or None,
        "cuisine": " and ".join(trip.cuisine) or None,
        "room_type": trip.room_type or None,
        "transportation": trip.transportation or None,
        "depart_after": None if trip.depart_after is None else hm(trip.depart_after),
        "back_by": None if trip.back_by is None else hm(trip.back_by),
        "must_see": trip.must_see or None,
        "must_visit": trip.must_visit or None,
        "timed": True if trip.timed else None,
        "hotel_rating": trip.hotel_rating,
    }
