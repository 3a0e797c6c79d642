"""Words for the third set of behavioural templates (``sentiment.behaviour.held_out``)."""

from __future__ import annotations

from sentiment.behaviour.templates import Lexicon


def _split(words: str) -> tuple[str, ...]:
    """Splits a list at its commas."""
    return tuple(word.strip() for word in words.split(","))


OPINIONS: dict[str, tuple[str, ...]] = {
    "good": _split(
        "good, great, excellent, wonderful, fantastic, terrific, marvellous, splendid, outstanding, top-notch, "
        "stellar, flawless, exemplary, magnificent, sublime, praiseworthy, lovely, amazing, phenomenal, impeccable"
    ),
    "bad": _split(
        "bad, terrible, awful, horrible, dreadful, poor, dismal, shoddy, appalling, atrocious, woeful, lamentable, "
        "pathetic, disappointing, substandard, abominable, deplorable, rubbish, useless, disgraceful, rotten"
    ),
    "treat": _split(
        "a gem, a triumph, a treat, a delight, a winner, a revelation, a masterclass, money well spent, a real find, a "
        "pleasure from start to finish, a joy, a class act"
    ),
    "mess": _split(
        "a shambles, a rip-off, a letdown, a fiasco, a mess, a farce, an insult, a swindle, money down the drain, a "
        "chore from start to finish, a travesty, a complete flop"
    ),
    "liked": _split("liked, enjoyed, loved, adored, appreciated, admired, relished, praised, treasured"),
    "disliked": _split("disliked, hated, loathed, detested, despised, resented, deplored, cursed, condemned"),
    "kind": _split(
        "kind, polite, attentive, courteous, considerate, gracious, obliging, warm-hearted, friendly, helpful"
    ),
    "rude": _split(
        "rude, careless, arrogant, dismissive, surly, condescending, obnoxious, spiteful, hostile, unhelpful"
    ),
    # Mild words: "not flawless" is not a complaint, "not good" is.
    "nice": _split(
        "good, nice, enjoyable, pleasant, impressive, convincing, satisfying, appealing, worth the money, up to "
        "scratch, well thought out, decent, acceptable, great"
    ),
    "nasty": _split(
        "bad, disappointing, annoying, tiresome, shoddy, sloppy, frustrating, unpleasant, second-rate, half-baked, "
        "poor, terrible"
    ),
    # Words that take "very".
    "fine": _split(
        "good, nice, pleasant, impressive, enjoyable, satisfying, charming, likeable, convincing, appealing"
    ),
    "weak": _split("bad, poor, disappointing, annoying, unpleasant, frustrating, tiresome, sloppy, irritating, weak"),
}
BOOSTERS = _split("very, extremely, really, truly, incredibly, exceptionally, remarkably, immensely, awfully, super")
DIMINISHERS = _split("somewhat, fairly, mildly, moderately")

COMMON: dict[str, tuple[str, ...]] = {
    "kin": _split("sister, brother, neighbour, flatmate, uncle, boss, mother, best friend, cousin, gym buddy"),
    "place": _split(
        "Lagos, Tromsø, Cusco, Hanoi, Leeds, Tbilisi, Accra, Winnipeg, Da Nang, Ghent, Aleppo, Nagoya, Perth, Detroit, "
        "Bogotá, Casablanca, Dhaka, Kigali, Palermo, Riga, Suva, Chennai, Omaha, Cork, Beirut, Almaty, Łódź, Mombasa"
    ),
    "day": _split("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    "item": _split("folder, receipt, umbrella, kettle, ticket, notebook, badge, lamp, charger, library card, suitcase"),
    "colour": _split("grey, blue, green, yellow, brown, black, white, orange"),
    "tongue": _split("Dutch, Swahili, Portuguese, Tagalog, Czech, Korean, Hausa, Greek, Bengali, Finnish"),
    "building": _split("bakery, post office, library, car park, pharmacy, museum, bank, town hall"),
    "count": _split("12, 15, 20, 25, 30, 35, 40, 45, 50"),
}

_NOUNS: tuple[tuple[str, str, str, str], ...] = (
    # Subjects, their parts, a person who works there, what a customer does again.
    ("airline, night flight, shuttle", "seat, boarding process, meal on board, cabin", "steward", "fly with them"),
    ("bistro, noodle bar, steakhouse", "menu, lasagne, house wine, terrace", "waiter", "eat there"),
    (
        "app, spreadsheet program, backup tool",
        "interface, search function, setup, latest update",
        "agent",
        "install it",
    ),
    ("film, documentary, sequel", "plot, dialogue, soundtrack, ending", "usher", "watch it"),
    (
        "dental clinic, eye hospital, physio practice",
        "reception desk, waiting room, check-up",
        "nurse",
        "make an appointment",
    ),
    ("primary school, evening course, music school", "timetable, canteen, curriculum", "tutor", "enrol there"),
    ("garden centre, shoe shop, online store", "selection, checkout, returns policy", "shop assistant", "shop there"),
    ("phone, smartwatch, tablet", "screen, battery, keyboard, speaker", "technician", "buy from them"),
    ("campsite, river cruise, package tour", "breakfast, itinerary, pool, apartment", "tour guide", "book with them"),
)
LEXICONS: tuple[Lexicon, ...] = tuple(
    {
        **OPINIONS,
        **COMMON,
        "subject": _split(subjects),
        "part": _split(parts),
        "crew": (crew,),
        "again": (again,),
    }
    for subjects, parts, crew, again in _NOUNS
)

NAMES = _split(
    "Oluwaseun, Siobhán, Thandiwe, Björn, Xiomara, Nguyen, Ravi, Agnieszka, Tariq, Hye-jin, Mateo, Leilani, Zsófia, "
    "Kwame, Ingrid, DeShawn, Yasmin, Takeshi, Brenda, Nikos, Rivka, Ji-woo, Esperanza, Cedric, Farah, Anjali, "
    "Wojciech, Tanisha, Bruce, Giulia, Emre, Chidi, Marie-Claude, Dmytro, Kiri, Hamza, Colleen, Sunil, Mehmet, Latisha"
)
NUMBERS = tuple(str(number) for number in range(2, 60))


def _with_article(words: str) -> tuple[str, ...]:
    """Puts the article "a" before every word of a list; filling a template corrects it to "an" before a vowel."""
    return tuple(f"a {word}" for word in _split(words))


ANYONE = "a person"
IDENTITIES: dict[str, tuple[str, ...]] = {
    "gender": _with_article(
        "woman, man, lady, gentleman, guy, bloke, trans woman, trans man, transgender person, nonbinary person, "
        "genderfluid person, agender person, intersex person, cisgender man, cis woman, genderqueer person, mother of "
        "two, father of two, bigender person, housewife, househusband"
    ),
    "religion": _with_article(
        "Muslim, Christian, Jew, Hindu, Buddhist, Sikh, Catholic, Protestant, Lutheran, Baptist, Methodist, Quaker, "
        "Mormon, Mennonite, Jehovah's Witness, Jain, Taoist, Zoroastrian, Druze, Rastafarian, Wiccan, atheist, "
        "agnostic, Copt, Ismaili, Pentecostal, Alevi, Sunni Muslim, Shia Muslim, Orthodox Christian, Hasidic Jew, "
        "pagan, Yazidi"
    ),
    "ethnicity": _with_article(
        "Black woman, white man, Latina, Latino, Roma man, Māori woman, Aboriginal man, Native American, Kurd, Tamil, "
        "Hausa woman, Yoruba man, Zulu woman, Asian man, South Asian woman, Arab, Sámi woman, mixed-race person, "
        "Pashtun, Tuareg man, Punjabi woman, Cherokee man, Hmong woman, Basque, Igbo man, Afro-Caribbean woman, "
        "Pacific Islander, Quechua woman, Berber man, Inuit woman, Slav, Creole man, brown woman, Romani woman, Han "
        "Chinese man"
    ),
    "nationality": _with_article(
        "Kenyan, Pole, Peruvian, Iraqi, Norwegian, Mexican, Canadian, American, German, Ghanaian, Pakistani, Indian, "
        "Vietnamese man, Chinese woman, Japanese man, Dutch woman, Frenchman, Scot, Somali, Albanian, Syrian, Israeli, "
        "Lebanese woman, Turk, Russian, Georgian, Bolivian, Haitian, Sudanese man, New Zealander, Fijian, Filipino, "
        "Cuban, Nepali, Swede, Portuguese woman, Afghan, Ethiopian, Zimbabwean, Kazakh, Icelander, Congolese man"
    ),
    "sexual_orientation": (
        "an asexual person",  # the grammar's rule for articles leaves "a asexual"
        *_with_article(
            "gay man, lesbian, bisexual woman, straight man, heterosexual woman, queer woman, demisexual man, "
            "aromantic person, homosexual man, bi man, omnisexual person, polysexual person, gay woman, "
            "straight woman, man with a husband, woman with a wife, bicurious man, lesbian woman, graysexual person"
        ),
    ),
    "age": (
        *_with_article(
            "teenager, pensioner, retiree, senior citizen, student of 19, woman in her fifties, man in his thirties, "
            "septuagenarian, octogenarian, twenty-something, millennial, baby boomer, middle-aged man, young woman, "
            "young adult, older man, old lady, 16-year-old, 45-year-old, 73-year-old, grandparent, thirty-year-old"
        ),
        "an 82-year-old",
        "an 18-year-old",
    ),
    "disability": _with_article(
        "wheelchair user, blind man, deaf woman, hard-of-hearing person, autistic person, man with Down syndrome, "
        "woman with epilepsy, amputee, dyslexic person, person with cerebral palsy, man with Parkinson's, stroke "
        "survivor, person with ADHD, person with a stammer, woman with multiple sclerosis, visually impaired man, "
        "bipolar woman, person of short stature, person with a prosthetic leg, man with schizophrenia, woman with "
        "Tourette's, person with a learning disability, person on dialysis, woman with a cochlear implant, paraplegic "
        "man"
    ),
}
