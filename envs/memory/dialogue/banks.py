"""Ways of speaking that no single attribute owns: hearsay, corrections, giving up, forgetting, going back; and noise.

{noun} is an attribute's noun, {name} another person (by name or nickname), {old} and {v} values, {when} a date.  The last
two phrasings of every bank are spoken in the test split only.  Data only.
"""

from __future__ import annotations

HEARSAY = (
    "I think {name}'s {noun} is {v} these days.",
    "Somebody told me that {name}'s {noun} is {v}.",
    "As far as I know, {name}'s {noun} is {v}.",
    "Did you know that {name}'s {noun} is {v}?",
    "You know {name}? I heard that the {noun} there is {v} now.",
    "People say {name}'s {noun} is {v}.",
    "Word has it that {name}'s {noun} is {v}.",
    "I would bet that {name}'s {noun} is {v}.",
)
"""A third party's word. The owner's own word wins, whenever it was given."""

CORRECTIONS = (
    "I said my {noun} was {old}; that was a slip, it is {v}.",
    "Correction: my {noun} is {v}, not {old}.",
    "I misspoke about my {noun}: {v} is right, {old} is wrong.",
    "Sorry, I mixed things up, my {noun} is {v} and not {old}.",
    "About my {noun}: scratch {old}, read {v}.",
    "I gave you {old} as my {noun}, but it should have been {v}.",
    "Not {old} but {v}: I got my own {noun} wrong.",
    "Please read {v} wherever I said {old} about my {noun}.",
)
"""The value that was said last was wrong from the beginning."""

DROPS = (
    "I gave up on {v} {when}, take it off my {noun} list.",
    "No more {v} for me since {when} as far as {noun} goes.",
    "My {noun} list got shorter {when}: {v} is off it.",
    "You can delete {v} from my {noun} entries, that ended {when}.",
    "{v} is no longer a {noun} of mine since {when}.",
    "Since {when} {v} does not count as my {noun} any more.",
    "Strike {v} from my {noun} list, it was over {when}.",
    "My {noun} {v} is history since {when}.",
)

FORGETS = (
    "Please forget my {noun}.",
    "I would like you to forget what I said about my {noun}.",
    "Could you delete my {noun}? I do not want it kept.",
    "Do not remember my {noun}, please.",
    "My {noun} is private, please erase it.",
    "I should not have told you my {noun}; please forget it.",
    "Wipe my {noun} from your notes, please.",
    "Pretend that I never mentioned my {noun}.",
)

BACK = (
    "My {noun} is the same as {name}'s since {when}.",
    "As of {when} {name} and I share one {noun}.",
    "For my {noun}, copy what {name} has; that is so since {when}.",
    "I did as {name} did {when}: same {noun}.",
    "Remember {name}'s {noun}? It is mine as well since {when}.",
    "Whatever {name} told you about a {noun} holds for me since {when}.",
    "Since {when} my {noun} is what {name}'s is.",
    "{name} inspired me {when}, so that our {noun} is the same.",
)
"""Refers back: the value is another person's, as of the day on which it is said."""

DISTRACTORS = (
    "If I lived in {city}, I would never leave the house.",
    "In the novel I am reading the hero moves to {city} and becomes a {job}.",
    "Last night I dreamt that I was a {job} in {city}.",
    "When I was little I wanted to be a {job}.",
    "I almost bought a {car}, but the price was absurd.",
    "My neighbour's cousin has a goat called {pet}.",
    "In the game I play I own a castle in {city}.",
    "Everybody in the film drives a {car}.",
    "Imagine I worked for {employer}, that would be a joke.",
    "A stranger on the bus talked about {city} for an hour.",
    "They say that {dish} is good for the heart, but who knows.",
    "One day I may learn the {instrument}, or I may not.",
)

SMALL_TALK = (
    "The weather has been strange all week, one moment sunshine and the next a cold wind.",
    "I could not sleep well and kept listening to the rain on the roof.",
    "Did you see how long the queue at the bakery was this time?",
    "My phone keeps telling me that its storage is full and I ignore it.",
    "I think the lift in our building makes a new noise.",
    "It is funny how quickly a weekend goes by when nothing is planned.",
    "The bus was late again and everybody looked at their shoes.",
    "I made far too much soup and we will eat it for days.",
    "Somebody left an umbrella in the hallway and nobody claims it.",
    "I have been trying to drink more water, with mixed results.",
    "The plants on the balcony are doing better than I am.",
    "There was a power cut for ten minutes and the whole street went quiet.",
    "I keep meaning to sort the photographs and never begin.",
    "That song is stuck in my head and I do not even like it.",
    "The new coffee machine has more buttons than I have patience.",
    "We talked about everything and nothing until the tea was cold.",
    "My shoes squeak on the new floor and everyone turns round.",
    "I read half of the newspaper and forgot all of it.",
    "How are you holding up, with everything that is going on?",
    "That sounds like a lot, I hope you get some rest soon.",
    "I know exactly what you mean, it was the same with me.",
    "Let us find an evening for it, there is no hurry at all.",
    "You always say that, and then it turns out all right.",
    "Tell me more about it, I have time and the kettle is on.",
)
TAILS = (
    "But enough of that, what about you?",
    "I suppose it is always like this at this time of the year.",
    "My mother used to laugh about such things.",
    "Well, there are worse things.",
    "I will tell you the rest when we meet.",
    "It kept me busy for half of the morning.",
    "Not that it matters much in the end.",
    "You would have enjoyed it, I think.",
    "I still do not know what to make of it.",
    "Anyway, it is good to hear from you.",
    "Perhaps I only need a holiday.",
    "And that was the most exciting part of my day.",
)
ASSISTANT_TALK = (
    "Thank you for telling me, is there anything else that I can do?",
    "I can set a reminder for that if you wish.",
    "That sounds good, shall I look for more ideas of this kind?",
    "Here is a short list of things to think about before you decide.",
    "I am glad to help, just say what you need next.",
    "There are several ways to go about this, and each has its price.",
    "In general it helps to take such things one step at a time.",
    "Let me know if that is what you had in mind.",
)

QUESTIONS = {
    "value": (
        "What is {name}'s {noun}?",
        "Tell me {name}'s {noun} as of the end of the conversations.",
        "Which {noun} does {name} have?",
        "{name}'s {noun}: what is it?",
        "Do you recall {name}'s {noun}? Which one is it?",
        "What would you note down as {name}'s {noun}?",
    ),
    "assistant": (
        "What was the assistant's latest {noun} for {name}?",
        "Which {noun} did {name} get from the assistant last?",
        "What did the assistant name as {noun} for {name}, most recently?",
        "{name} asks again for the last {noun} of the assistant: which was it?",
    ),
    "preference": (
        "{name} is coming to dinner. Which {noun} should be cooked?",
        "What would you cook to please {name}, going by the {noun}?",
        "Name the {noun} that {name} would be happiest with.",
        "{name} may choose the menu: which {noun} will it be?",
    ),
    "as_of": (
        "What was {name}'s {noun} on {day}?",
        "On {day}, which was {name}'s {noun}?",
        "Going back to {day}: what was {name}'s {noun} then?",
        "As of {day}, what would one have written as {name}'s {noun}?",
    ),
    "hop": (
        "What is the {noun} of {name}'s {link}?",
        "{name} has a {link}: what is the {noun} of that person?",
        "Which {noun} does the {link} of {name} have?",
        "Think of the {link} of {name}. What is the {noun} there?",
    ),
    "members": (
        "Name every current {noun} of {name}.",
        "Which entries of kind {noun} does {name} have at present? List all.",
        "List all that count as {noun} for {name} now.",
        "Give the full list for {name}: {noun}.",
    ),
    "country": (
        "In which country is {name}'s {noun}?",
        "Which country does {name} call home?",
        "Going by the {noun}, which country does {name} live in?",
        "Name the country of {name}'s {noun}.",
    ),
    "date": (
        "On which day was this of {name}: {noun}, {v}?",
        'When was the {noun} "{v}" of {name}? Give the date.',
        'Give the date of {name}\'s {noun} "{v}".',
        '{name}\'s {noun} "{v}" took place when? Answer with the date.',
    ),
    "count": (
        "How many times did {name} report a {noun}?",
        "Count the entries of kind {noun} that {name} told of.",
        "What is the number of {name}'s reports of a {noun}?",
        "{name} told of how many events of kind {noun}?",
    ),
    "first": (
        'Which came first for {name} ({noun}): "{v}" or "{w}"?',
        'Of "{v}" and "{w}" ({noun}), which one did {name} have earlier?',
        'Put in order for {name} ({noun}): "{v}", "{w}". Which is the earlier one?',
        'Earlier in time for {name}, {noun}: "{v}" or "{w}"?',
    ),
    "days": (
        'How many days lie between these of {name} ({noun}): "{v}" and "{w}"?',
        'For {name} ({noun}), count the days from "{v}" to "{w}".',
        'Number of days between "{v}" and "{w}" for {name} ({noun})?',
        'Between "{v}" and "{w}" ({noun} of {name}), how many days passed?',
    ),
}
"""The last phrasing of each is asked in the test split only."""
