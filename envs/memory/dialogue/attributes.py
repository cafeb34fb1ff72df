"""What can be known of a person: each attribute with its values and the ways in which its owner says it. Data only.

{v} is the value, {when} a relative or absolute date.  The last two phrasings of every bank (`HELD_OUT`) are spoken in the
test split only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agentgym.envs.memory.dialogue import vocabulary as words

Kind = Literal["single", "list", "event"]
HELD_OUT = 2


@dataclass(slots=True, frozen=True)
class Attribute:
    """`values`: a closed list; () where they are made up (codes) or are people (`person`).

    secret: its owner may ask for it to be forgotten. spoken_by: "assistant" where the assistant says it to the owner.
    implicit: said by way of behaviour, asked for as a preference.
    """

    name: str
    noun: str
    kind: Kind
    values: tuple[str, ...]
    phrasings: tuple[str, ...]
    secret: bool = False
    person: bool = False
    spoken_by: Literal["owner", "assistant"] = "owner"
    implicit: bool = False


_SINGLE = (
    Attribute(
        *("city", "home town", "single", words.CITIES),
        (
            "I live in {v} now, I moved {when}.",
            "I moved to {v} {when}.",
            "New address since {when}: {v}.",
            "We unpacked the last box in {v} {when}, so that is home.",
            "My flat is in {v}; I got the keys {when}.",
            "{v} is where I live since {when}.",
            "Since {when} I pay my rent in {v}.",
            "I have been a resident of {v} since {when}.",
        ),
    ),
    Attribute(
        *("job", "job", "single", words.JOBS),
        (
            "I started working as a {v} {when}.",
            "I am a {v} since {when}.",
            "My new job as a {v} began {when}.",
            "They took me on as a {v} {when}.",
            "Since {when} it says {v} on my door.",
            "I signed the contract {when}: {v}.",
            "Career news from {when}: I turned {v}.",
            "I earn my bread as a {v} since {when}.",
        ),
    ),
    Attribute(
        *("employer", "employer", "single", words.EMPLOYERS),
        (
            "I joined {v} {when}.",
            "My employer is {v} since {when}.",
            "{v} hired me {when}.",
            "My badge says {v} since {when}.",
            "My pay comes from {v} since {when}.",
            "I had my first day at {v} {when}.",
            "I switched to {v} {when}.",
            "The firm that has employed me since {when} is {v}.",
        ),
    ),
    Attribute(
        *("car", "car", "single", words.CARS),
        (
            "I bought a {v} {when}.",
            "I drive a {v} since {when}.",
            "My car is a {v}; I picked it up {when}.",
            "There is a {v} in my drive since {when}.",
            "I traded my old car for a {v} {when}.",
            "The dealer handed me the keys of a {v} {when}.",
            "I get about in a {v} since {when}.",
            "My wheels since {when}: a {v}.",
        ),
    ),
    Attribute(
        *("pet", "pet's name", "single", words.PETS),
        (
            "I adopted a dog called {v} {when}.",
            "My pet is called {v}; it came to us {when}.",
            "We brought {v} home from the shelter {when}.",
            "The cat we got {when} answers to {v}.",
            "Our new rabbit {v} arrived {when}.",
            "Meet {v}, who is my pet since {when}.",
            "A puppy named {v} has slept on my sofa since {when}.",
            "{v} is the name we gave our kitten {when}.",
        ),
    ),
    Attribute(
        *("dish", "favourite dish", "single", words.DISHES),
        (
            "I have ordered {v} every single time since {when}.",
            "I can not stop cooking {v} since {when}.",
            "Since {when} there is no week without {v} for me.",
            "Nothing beats {v}, I found out {when}.",
            "If there is {v} on the menu I need no menu, that is clear since {when}.",
            "I could live on {v} alone, I noticed {when}.",
            "I dream of {v} since I tried it {when}.",
            "Since {when} {v} is what I cook for myself on birthdays.",
        ),
        implicit=True,
    ),
    Attribute(
        *("phone", "phone number", "single", ()),
        (
            "My phone number is {v} since {when}.",
            "You can reach me at {v} since {when}.",
            "I got a new number {when}: {v}.",
            "Call me at {v}, it works since {when}.",
            "My number changed {when}, it is {v} now.",
            "Text me at {v}; the old number died {when}.",
            "Put {v} next to my name, that is my line since {when}.",
            "The number on my new SIM, active since {when}, is {v}.",
        ),
        secret=True,
    ),
    Attribute(
        *("door", "door code", "single", ()),
        (
            "My door code is {v} since {when}.",
            "The code for my door was set to {v} {when}.",
            "To get in at my place type {v}, changed {when}.",
            "My lock opens with {v} since {when}.",
            "They gave me {v} as the door code {when}.",
            "I set the keypad at home to {v} {when}.",
            "If you water my plants, type {v}; I programmed it {when}.",
            "The keypad at my entrance wants {v} since {when}.",
        ),
        secret=True,
    ),
    Attribute(
        *("sister", "sister", "single", ()),
        (
            "{v} is my sister, we celebrated her birthday {when}.",
            "My sister {v} came to visit {when}.",
            "I had lunch with my sister, {v}, {when}.",
            "My sister is called {v}; she rang me {when}.",
            "I have one sister, {v}, and saw her {when}.",
            "You met my sister {v} {when}, I think.",
            "{v} and I have the same parents; she wrote to me {when}.",
            "The woman you saw with me {when} is my sister {v}.",
        ),
        person=True,
    ),
    Attribute(
        *("boss", "boss", "single", ()),
        (
            "My boss is {v} since {when}.",
            "{v} became my boss {when}.",
            "I report to {v} since {when}.",
            "They made {v} head of my team {when}.",
            "Since {when} {v} signs my holiday forms.",
            "My new boss {v} introduced herself {when}.",
            "The person I answer to since {when} is {v}.",
            "Since {when} I take my orders from {v}.",
        ),
        person=True,
    ),
)
_LISTS = (
    Attribute(
        *("instrument", "instrument", "list", words.INSTRUMENTS),
        (
            "I took up the {v} {when}.",
            "I play the {v} since {when}.",
            "I bought a {v} {when} and practise daily.",
            "My first {v} lesson was {when}.",
            "My neighbours have heard me on the {v} since {when}.",
            "I joined an ensemble {when}, on the {v}.",
            "I was given a {v} {when} and have not put it down.",
            "Count the {v} among what I play since {when}.",
        ),
    ),
    Attribute(
        *("language", "language", "list", words.LANGUAGES),
        (
            "I am learning {v} since {when}.",
            "I began to learn {v} {when}.",
            "I signed up for a {v} course {when}.",
            "I passed my {v} exam {when}, so I do speak it.",
            "My {v} lessons began {when}.",
            "I speak {v} with my flatmate since {when}.",
            "I can hold a conversation in {v} since {when}.",
            "Add {v} to what I speak, I managed a whole dinner in it {when}.",
        ),
    ),
    Attribute(
        *("allergy", "allergy", "list", words.ALLERGIES),
        (
            "I am allergic to {v}, the doctor found out {when}.",
            "No {v} for me, I had a bad reaction {when}.",
            "The test {when} says I can not have {v}.",
            "I must stay away from {v}, I was told {when}.",
            "I swelled up because of {v} {when}; an allergy.",
            "My doctor put {v} on my allergy card {when}.",
            "Since {when} I carry pills in case of {v}.",
            "My body has said no to {v} since {when}.",
        ),
    ),
)
_EVENTS = (
    Attribute(
        *("trip", "trip", "event", words.CITIES),
        (
            "I came back from a trip to {v} {when}.",
            "I went to {v} {when}, just to see it.",
            "I spent a day in {v} {when}.",
            "I was in {v} for a wedding {when}.",
            "I took the train to {v} {when} and back.",
            "I visited {v} {when}.",
            "I made an outing to {v} {when}.",
            "My feet still hurt from walking round {v} {when}.",
        ),
    ),
    Attribute(
        *("film", "film", "event", words.FILMS),
        (
            'I saw "{v}" at the cinema {when}.',
            'I watched "{v}" {when}.',
            'We went to see "{v}" {when}.',
            '"{v}" was on {when} and I watched all of it.',
            'I finally got round to "{v}" {when}.',
            'I cried at the end of "{v}" {when}.',
            'My evening {when} went to "{v}", the film.',
            'They showed "{v}" in the park {when}; I was there.',
        ),
    ),
    Attribute(
        *("race", "race", "event", words.RACES),
        (
            "I ran the {v} {when}.",
            "I finished the {v} {when}.",
            "I did the {v} {when} and can hardly walk.",
            "I was at the start of the {v} {when}, and at the finish too.",
            "I got my medal at the {v} {when}.",
            "I completed the {v} {when}.",
            "My legs carried me through the {v} {when}.",
            "The {v} is done, I crossed the line {when}.",
        ),
    ),
)
_ASSISTANT = (
    Attribute(
        *("restaurant", "restaurant recommendation", "single", words.RESTAURANTS),
        (
            "{owner}, for dinner I recommend {v}.",
            "If you want to eat out, {owner}, try {v}.",
            "{owner}, my suggestion for a meal out is {v}.",
            "I would book a table at {v}, {owner}.",
            "{owner}, you might like the restaurant {v}.",
            "My restaurant tip for you, {owner}: {v}.",
            "{owner}, {v} would suit you for an evening meal.",
            "Hungry, {owner}? Go to {v}.",
        ),
        spoken_by="assistant",
    ),
    Attribute(
        *("book", "book recommendation", "single", words.BOOKS),
        (
            '{owner}, you could read "{v}".',
            'My book tip for you, {owner}, is "{v}".',
            'I recommend the book "{v}", {owner}.',
            '{owner}, "{v}" is a good read for you.',
            'Try "{v}" next, {owner}.',
            '{owner}, put "{v}" on your reading list.',
            'For your bedside table, {owner}: "{v}".',
            'A book I would give you, {owner}, is "{v}".',
        ),
        spoken_by="assistant",
    ),
)
ALIAS = Attribute(
    *("alias", "nickname", "single", words.NICKNAMES),
    (
        "Friends call me {v}.",
        "Just call me {v}, everybody does.",
        "My nickname is {v}.",
        "You may call me {v}.",
        "At school they named me {v}, and it stuck.",
        "I also go by {v}.",
        "I answer to {v} as well.",
        "People who know me say {v}.",
    ),
)
ATTRIBUTES = {each.name: each for each in (*_SINGLE, *_LISTS, *_EVENTS, *_ASSISTANT, ALIAS)}
