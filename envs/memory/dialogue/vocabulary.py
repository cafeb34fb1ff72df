"""The words of which streams are made: names, places, things. Data only, written for this project; no real people."""

from __future__ import annotations


def _words(text: str, between: str | None = None) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(between))


FIRST = _words("""Ada Bea Cem Dina Emil Fay Gus Hana Igor Jana Kofi Lena Milo Nora Otto Pia Quinn Rosa Sami Tara Ugo Vera Wim Xenia
    Yara Zoë Abel Bruno Clara Diego Edda Felix Greta Hugo Inés José Karla Liam Maja Nils Olga Paul Rita Søren Thea Uwe
    Viola Walt Yusuf Zita""")
LAST = _words("""Abbot Brandt Castillo Dwyer Eklund Farrow Grimm Hollis Ivanov Jansen Kowalski Lindqvist Moreau Novak Okafor
    Petrov Quist Romero Stein Tanaka Ueda Varga Weber Ximénez Yilmaz Zander Arden Blum Corbin Dahl Engel Fontaine Galli
    Haas Ibsen Jardine Keller Lund Marsh Nagy Orlov Prior Reyes Sato Thorn Urban Vance Wolff Young Zeller""")
NICKNAMES = _words("""Ace Bibi Coco Dodo Eli Fizz Gigi Hopper Iggy Jinx Kiki Lolo Momo Nano Olly Pip Quip Roo Sunny Tibby Uno Vivi
    Wolfie Xi Yoyo Zaza Biscuit Comet Dash Ember""")
COUNTRY = {
    **dict.fromkeys(("Paris", "Lyon", "Lille", "Nantes"), "France"),
    **dict.fromkeys(("Rome", "Turin", "Naples", "Bari"), "Italy"),
    **dict.fromkeys(("Oslo", "Bergen", "Trondheim"), "Norway"),
    **dict.fromkeys(("Madrid", "Sevilla", "Bilbao", "Málaga"), "Spain"),
    **dict.fromkeys(("Kraków", "Łódź", "Gdańsk"), "Poland"),
    **dict.fromkeys(("Kyoto", "Osaka", "Sapporo"), "Japan"),
    **dict.fromkeys(("Toronto", "Montréal", "Halifax"), "Canada"),
    **dict.fromkeys(("Lisbon", "Porto", "Braga"), "Portugal"),
    **dict.fromkeys(("Vienna", "Graz", "Linz"), "Austria"),
    **dict.fromkeys(("Bremen", "Leipzig", "Mainz", "Köln"), "Germany"),
    **dict.fromkeys(("Cork", "Galway", "Dublin"), "Ireland"),
    **dict.fromkeys(("Accra", "Kumasi"), "Ghana"),
}
"""What "commonsense" questions ask for: the country of a city."""

CITIES = tuple(COUNTRY)
JOBS = _words(
    """baker|nurse|welder|surveyor|florist|plumber|translator|librarian|carpenter|chemist|tailor|pilot|teacher|
    optician|butcher|gardener|editor|roofer|paramedic|jeweller|beekeeper|archivist|glazier|tram driver|
    sound engineer|tax adviser|physiotherapist|stonemason""",
    "|",
)
EMPLOYERS = _words(
    """Norvik|Halden Works|Blue Harbour|Castellan|Ironleaf|Mistral Group|Quarry Lane|Redfern|Sonder|Tallow & Sons|
    Umbra Labs|Vantage Nine|Westmere|Zephyr Freight|Ostrava Glass|Pinewood Press|Larkspur|Kestrel Mills|Juniper Row|
    Hollow Oak""",
    "|",
)
CARS = _words(
    """blue Volvo|red Fiat|green Skoda|white Toyota|black Saab|silver Honda|yellow Opel|grey Mazda|orange Lada|brown Rover|
    purple Kia|teal Renault""",
    "|",
)
PETS = _words("""Biscuit Pepper Mochi Waffles Sirius Pickle Truffle Domino Pixel Saffron Gulliver Nutmeg Bramble Cricket Juno
    Marzipan Otis Pudding""")
DISHES = _words(
    """ramen|lasagne|paella|pierogi|bibimbap|ratatouille|falafel|goulash|risotto|tagine|moussaka|laksa|okonomiyaki|borscht|
    shakshuka|gnocchi""",
    "|",
)
INSTRUMENTS = _words("cello oboe banjo trumpet harp violin clarinet ukulele bassoon accordion viola mandolin")
LANGUAGES = _words("Dutch Greek Korean Turkish Finnish Welsh Arabic Hindi Swahili Basque Czech Danish")
ALLERGIES = _words("peanuts shellfish pollen latex penicillin eggs sesame soy wasps mould")
FILMS = _words(
    """The Long Tide|Paper Lanterns|Midnight Ferry|The Glass Orchard|Nine Sparrows|A Quiet Engine|Salt Roads|The Cartographer|
    Winter Signal|Hollow Crown Road|Amber Season|The Last Lighthouse|Copper Sky|Borrowed Time Zone|The Ninth Bell|
    Stone Harvest""",
    "|",
)
RACES = _words(
    """harbour run|city marathon|forest relay|night mile|bridge sprint|lake triathlon|hill climb|spring half-marathon|
    dune race|castle loop""",
    "|",
)
RESTAURANTS = _words(
    """The Copper Pot|Zum Anker|Casa Lucia|Blue Fig|The Old Ferry|Mill & Vine|Saffron House|Kitchen Nine|Chez Odile|
    Lantern Garden|The Salty Dog|Umami Bar""",
    "|",
)
BOOKS = _words(
    """The Weight of Maps|Seven Dry Summers|An Index of Rain|The Clockmaker's Debt|Letters to Nobody|Small Rivers|
    The Patience of Moss|Night Grammar|A Field Guide to Doors|The Tin Parliament|Harbours|Other People's Snow""",
    "|",
)
